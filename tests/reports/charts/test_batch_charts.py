"""Charts of a suspected batch: what is drawn is what the tables say, on every paper."""

from datetime import date, timedelta

import pytest

from app.integrity.pictures import Durations, Pictures, Side
from app.messages.words import NOTHING, Words
from app.reports.charts import batch_charts
from app.reports.charts.chart import DESK, PHONE
from app.reports.charts.drawing import svg
from surveys.loader import load_directory

SCALE = load_directory()["kiosk-face", 2].scales["faces"]
HOURS = tuple(20 if hour == 16 else 0 for hour in range(24))
PRESSED = Side(20, HOURS, (0, 0, 0, 0, 20), Durations(20, 5.0, 6.0, 8.0))
USUAL = Side(40, (*[0] * 8, *[5] * 8, *[0] * 8), (4, 4, 8, 16, 8), Durations(40, 50.0, 70.0, 99.0))
NOBODY = Side(0, (0,) * 24, None, None)
FIRST = date(2026, 9, 1)
WORDS = Words("vi")


def drawn(suspected=PRESSED, others=USUAL):
    days = tuple((FIRST + timedelta(days=n), 20 if n == 28 else 0, n % 2) for n in range(30))
    return Pictures(suspected, others, days, date(2026, 7, 1), date(2026, 9, 30), SCALE)


def test_charts_and_tables_say_the_same():
    hours, days, levels = batch_charts.charts(WORDS, drawn())
    assert hours.table.rows[-1] == ["16:00–16:59", "20", "100,0%", "0", "0,0%"]
    assert len(hours.table.rows) == 9 and {row["value"] for row in hours.rows} == {0.0, 0.125, 1.0}
    assert days.table.rows[-2] == ["29/09/2026", "20", "0"]
    assert levels.table.rows[3] == ["4. Hài lòng", "0", "0,0%", "16", "40,0%"]
    assert [row["value"] for row in levels.rows] == [0, 0, 0, 0, 1, 0.1, 0.1, 0.2, 0.4, 0.2]


def test_beside_nobody_there_are_no_shares_and_of_few_no_levels_are_drawn():
    hours, days, levels = batch_charts.charts(WORDS, drawn(others=NOBODY))
    assert hours.table.rows == [["16:00–16:59", "20", "100,0%", "0", NOTHING]]
    assert levels.table.rows[4] == ["5. Rất hài lòng", "20", "100,0%", NOTHING, NOTHING]
    assert {row["side"] for row in hours.rows + levels.rows} == {"Phiếu nghi vấn"}
    assert {row["side"] for row in days.rows} == {"Phiếu nghi vấn", "Phiếu khác của đơn vị"}
    assert [each.name for each in batch_charts.charts(WORDS, drawn(NOBODY))] == ["hours", "days"]


def test_durations_are_quartiles_or_nothing():
    table = batch_charts.durations(WORDS, drawn(others=NOBODY))
    assert table.rows == [
        ["Phiếu nghi vấn", "20", "6", "5 – 8"],
        ["Phiếu khác của đơn vị", NOTHING, NOTHING, NOTHING],
    ]  # fmt: skip


@pytest.mark.parametrize("paper", [DESK, PHONE])
def test_a_bar_is_told_from_the_line_without_colour(paper):
    """Bars and a dashed line: the picture has both, with a legend of both sides."""
    for chart in batch_charts.charts(WORDS, drawn()):
        picture = svg(chart.draw(paper), "vi")
        assert "stroke-dasharray" in picture and "mark-rect" in picture
        assert "Phiếu nghi vấn" in picture and "Phiếu khác của đơn vị" in picture
