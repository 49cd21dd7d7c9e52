"""Charts are drawn on the server as pages and papers need them, and what was drawn is kept."""

import json
import re

import pytest

from app.reports.charts import comparison_charts, drawing, unit_charts
from app.reports.views.results import UnitView
from tests.reports.charts.made_up import WORDS, answer, rows, units
from tests.results import result


@pytest.mark.parametrize("language", WORDS)
def test_a_chart_needs_no_inline_style_and_no_script(language):
    svg = drawing.svg(comparison_charts.league(WORDS[language], answer()).spec, language)
    assert svg.startswith("<svg")
    assert "style=" not in svg and "<style" not in svg and "<script" not in svg


def test_nothing_is_drawn_where_nothing_has_a_figure():
    unknown = {"factor": "A", "name": {"vi": "A", "en": "A"}, "rate": None}
    nothing = result(UnitView, {"factors": [unknown], "items": [unknown | {"item": "A1"}]})
    for draw in (unit_charts.factors, unit_charts.items):
        assert draw(WORDS["vi"], nothing) is None


def test_numbers_are_written_as_the_language_writes_them():
    spec = comparison_charts.league(WORDS["vi"], answer(2)).spec
    assert re.search(r"\d,\d%", drawing.svg(spec, "vi")) is None or "," in drawing.svg(spec, "vi")
    narrow = [{**row, "rate": 0.9, "low": 0.895, "high": 0.905} for row in rows(2)]
    spec = comparison_charts.league(WORDS["vi"], units(narrow)).spec
    assert re.search(r"\d,\d%", drawing.svg(spec, "vi"))
    assert re.search(r"\d\.\d%", drawing.svg(spec, "en"))


def test_ids_of_several_charts_on_one_page_do_not_meet():
    one = drawing.svg(comparison_charts.league(WORDS["vi"], answer(3)).spec, "vi")
    other = drawing.svg(comparison_charts.league(WORDS["vi"], answer(6)).spec, "vi")
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, other)]
    assert not ids[0] & ids[1]
    for svg, own in zip((one, other), ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= own


def test_what_was_drawn_is_not_drawn_again(monkeypatch):
    spec = comparison_charts.league(WORDS["vi"], answer(4)).spec
    first = drawing.svg(spec, "vi")

    def broken(*args, **options):
        raise AssertionError("drawn again")

    monkeypatch.setattr(drawing.process, "svg", broken)
    assert drawing.svg(json.loads(json.dumps(spec)), "vi") == first
    with pytest.raises(AssertionError):
        drawing.svg(spec, "en")


def test_pictures_are_kept_by_their_bytes_and_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(drawing, "_drawn", type(drawing._drawn)(1000, getsizeof=len))
    monkeypatch.setattr(drawing, "MOST_KEPT", 1000)
    drawn = []

    def draw(text, *rest):
        drawn.append(text)
        return "<svg>" + "x" * {"a": 400, "b": 500, "c": 300, "d": 2000}[text.strip('"')[-3:-2]]

    monkeypatch.setattr(drawing.process, "svg", draw)
    for name in "ababcb":
        drawing.svg({"name": name}, "vi")
    assert len(drawn) == 3
    drawing.svg({"name": "a"}, "vi")  # went when c came
    drawing.svg({"name": "d"}, "vi")  # larger than all that is kept
    drawing.svg({"name": "a"}, "vi")
    assert len(drawn) == 5
    assert drawing._drawn.currsize <= 1000


def test_a_png_is_one_of_twice_the_size():
    png = drawing.png(comparison_charts.league(WORDS["vi"], answer(3)).spec, "vi")
    assert png.startswith(b"\x89PNG")


def test_a_chart_has_its_table_its_note_and_its_figures():
    found = comparison_charts.league(WORDS["vi"], answer())
    assert len(found.table.rows) == len(found.rows) == 9
    assert all(len(row) == len(found.table.headings) for row in found.table.rows)
    assert "n = 500" in found.note and "quý 3 năm 2026" in found.note
    assert found.table.rows[0][2] == "80,0%"


def test_a_part_is_drawn_with_what_it_is_part_of():
    hospital = {"code": "H1", "name": {"vi": "Bệnh viện", "en": "Hospital"}}
    shown = rows(9)
    shown[0]["unit"] |= {"within": hospital}
    found = comparison_charts.league(WORDS["vi"], units(shown))
    assert "Xã 0 (Bệnh viện)" in drawing.svg(found.spec, "vi")
    whose = {
        name: [row[name] for row in found.rows[:2]] for name in found.rows[1] if "within" in name
    }
    assert whose == {
        "within_code": ["H1", None], "within_vi": ["Bệnh viện", None],
        "within_en": ["Hospital", None],
    }  # fmt: skip


def test_what_is_suppressed_is_in_no_chart():
    hidden = dict.fromkeys(("rate", "low", "high", "respondents")) | {"suppressed": True}
    shown = units([*rows(3), rows(4)[3] | hidden])
    found = comparison_charts.league(WORDS["vi"], shown)
    assert len(found.table.rows) == 3
    assert "Xã 3" not in drawing.svg(found.spec, "vi")
    assert len(comparison_charts.places(WORDS["vi"], shown).table.rows) == 3


def test_the_script_holds_what_a_strict_policy_needs():
    script = drawing.script().decode()
    assert "vegaEmbed" in script and len(script) < 1_100_000


def test_made_ready_the_script_is_there():
    drawing.script.cache_clear()
    drawing.make_ready()
    before = drawing.script.cache_info().misses
    assert b"vegaEmbed" in drawing.script()
    assert drawing.script.cache_info().misses == before
