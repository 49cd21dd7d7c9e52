"""Of how a few filled their forms in, strangers are told nothing."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from app.access.callers import Caller
from app.figures.release import ReleaseRule
from app.figures.visible import PUBLIC
from app.registry.points import find_by_code
from app.reports.views.conduct_counts import _enough
from app.reports.views.context import Chosen, ViewContext
from app.reports.views.quality import quality
from app.rollups.cells import layout_of
from app.rollups.conduct import Conduct
from app.rollups.queries import CellRows
from tests.figures.test_forms_in_cells import EVERYTHING
from tests.retention.history import SETTINGS, TODAY, History, months_ago


def alike(version):
    """Answers that rate enough to be alike, and are."""
    form = version.form
    items = [item.code for factor in form.index_factors for item in form.index_items(factor)]
    return version.sheet.pack(dict.fromkeys(items[:5], 4), partial=True)[0]


@pytest.mark.parametrize(("some", "told"), [(0, None), (9, None), (10, 10)])
def test_of_few_who_took_a_time_or_rated_enough_strangers_are_not_told_how_they_did(
    database, province, some, told
):
    """Of twenty whom they are told of: hasty and all alike is whoever could be."""
    history = History(database)
    with database.reading() as session:
        unit = find_by_code(session, province.points[("C1", "sipas-desk")]).unit_id
    rated = alike(history.version)
    made = [history.one(months_ago(2), unit=unit) for _ in range(20)]
    history.store.append(
        [
            each._replace(row=each.row._replace(duration_s=5, packed=rated)) if n < some
            else each._replace(row=each.row._replace(duration_s=None))
            for n, each in enumerate(made)
        ]
    )  # fmt: skip
    chosen = Chosen(questionnaire="sipas-desk", period=f"{months_ago(2):%Y-%m}", unit="C1")
    head = Caller("head", (replace(*EVERYTHING.grants, unit_id=unit),))
    for caller, number in ((PUBLIC, told), (head, some), (EVERYTHING, some)):
        with database.reading() as session:
            shown = quality(ViewContext.of(session, caller, SETTINGS, chosen))
        forms, straight = shown.responses, shown.straight_lining
        assert (forms.counted, forms.known, forms.partial, forms.in_english) == (20, 20, 0, 0)
        assert (forms.timed, forms.hasty) == (number, number)
        assert forms.hasty_share == (1.0 if number else None)
        assert (straight and (straight.respondents, straight.alike)) == (
            (number, number) if number else None
        )


def test_no_two_figures_give_away_how_a_few_filled_their_forms_in(database, province):
    """Nor do a half-year and its months, or all channels and one: of a few nothing is told."""
    history = History(database)
    rated = alike(history.version)

    def give(day, people, known, channel="qr"):
        made = [history.one(day) for _ in range(people)]
        history.store.append(
            [
                each._replace(
                    row=each.row._replace(
                        channel=channel, duration_s=5 if n < known else None,
                        packed=rated if n < known else each.row.packed,
                    )
                )
                for n, each in enumerate(made)
            ]
        )  # fmt: skip

    give(months_ago(2), 20, 20)
    give(months_ago(1), 20, 3)
    give(months_ago(1), 20, 12, channel="kiosk")
    give(TODAY, 20, 20)

    def shown(caller, period):
        with database.reading() as session:
            chosen = Chosen(questionnaire="sipas-desk", period=period)
            view = quality(ViewContext.of(session, caller, SETTINGS, chosen))
        straight = view.straight_lining
        assert (straight and straight.respondents) == view.responses.timed
        return view.responses.timed

    months = [f"{months_ago(n):%Y-%m}" for n in (2, 1, 0)]
    told = dict(zip(months, [shown(PUBLIC, each) for each in months], strict=True))
    assert list(told.values()) == [20, 12, None]
    assert [shown(EVERYTHING, each) for each in months] == [20, 15, 20]
    year = f"{months_ago(1):%Y}"
    assert shown(PUBLIC, year) == sum(n or 0 for month, n in told.items() if month[:4] == year)


def test_of_the_running_month_nothing_is_told(database, province):
    """It is told by batches with ten of each measure, and who took a time is no measure."""
    rows = CellRows(
        unit_id=np.array([1, 1]),
        day=np.array(["2026-10-31", "2026-11-01"], dtype="datetime64[D]"),
        channel=np.array(["qr", "qr"]),
        cells=layout_of(History(database).version).empty(2),
    )
    rows.cells["forms"] = 20
    asked = SimpleNamespace(least=10, release_rule=ReleaseRule(10, date(2026, 11, 30)))
    enough = _enough(SimpleNamespace(figures=asked), rows, Conduct.TIMED)
    assert enough.tolist() == [True, False]
