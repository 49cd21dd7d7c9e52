"""Trends, limits and alerts across a reorganisation: the day is marked and is no shift."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from app.access.callers import owner
from app.figures import alerts as alert_results
from app.figures import control_limits, trends
from app.figures.context import Context
from app.figures.control_limits import Judging, Rules
from app.figures.periods import Step
from app.figures.query import Query
from app.figures.release import ReleaseRule
from app.figures.trend_results import Reorganising
from tests.databases import BACKENDS
from tests.reorganised import AFTER, DAY, DECISION, LAST, TODAY, standing

RULE = ReleaseRule(1, TODAY)
OWNER = owner("a test")
#: Since the day nobody of the part of 80 % answers any more: the merged unit's rate jumps.
JUMPED = {**AFTER, "P1": (20, 0.98)}


@pytest.fixture(scope="module", params=BACKENDS)
def world(request, templates, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reorganised-trends")
    with standing(request.param, templates, postgres, folder, JUMPED) as found:
        yield found


@pytest.fixture
def session(world):
    with world[1].reading() as session:
        yield session


def context(session, **changes):
    query = Query(questionnaire="sipas-desk", last=date(2026, 6, 30), **changes)
    return Context(session, OWNER, query, RULE)


def rows(found):
    return {row.unit.code: row for row in found.rows}


@pytest.mark.parametrize("rules", Rules)
def test_a_merger_of_96_and_80_per_cent_is_never_called_a_shift(session, rules, monkeypatch):
    asked = context(session, units=["P1"])
    judging = Judging(rules)
    (row,) = trends.trend(asked, step=Step.MONTH, judging=judging).rows
    assert len(row.points) == 30
    since = [point for point in row.points if point.period >= "2025-07"]
    assert not any(point.signals or point.part_of for point in since)
    assert row.limits.segments[-1].reorganised == DAY and row.tested_from == "2025-07"
    assert row.limits.segments[-1].baseline_first == "2025-07"
    assert row.trend.p is None or row.trend.p > 0.01
    # The same series, had nobody known of the day, is called one.
    monkeypatch.setattr(trends, "reorganised", lambda *_: {})
    (blind,) = trends.trend(asked, step=Step.MONTH, judging=judging).rows
    assert any(point.signals for point in blind.points if point.period >= "2025-07")
    assert blind.trend.p < 0.01


def test_marks_say_what_became_of_what_and_by_which_decision(session):
    found = rows(trends.trend(context(session), step=Step.MONTH))
    (mark,) = found["P1"].reorganised
    assert (mark.day, mark.how, mark.decisions) == (DAY, Reorganising.MERGED, [DECISION])
    assert [name.vi for name in mark.units] == ["Phường 1", "Phường 2"]
    hows = {code: [mark.how.value for mark in row.reorganised] for code, row in found.items()}
    assert hows == {
        "P1": ["merged"], "P3": ["part"], "P5": ["part"], "P4": ["part"], "P6": ["part"],
        "77~": ["ended"], "77": [], "A1": [], "H1": [],
    }  # fmt: skip
    then = rows(trends.trend(context(session, structure=LAST), step=Step.MONTH))
    assert [mark.how.value for mark in then["P4"].reorganised] == ["divided"]
    over = replace(context(session), query=replace(context(session).query, first=DAY))
    assert rows(trends.trend(over, step=Step.MONTH))["P1"].reorganised == []


def test_what_did_not_change_itself_is_judged_across_the_day(session):
    found = rows(trends.trend(context(session), step=Step.MONTH))
    for code in ("77", "A1", "H1"):
        assert len(found[code].limits.segments) == 1 and found[code].tested_from == "2024-01"
    (all_,) = trends.trend(context(session), step=Step.MONTH, together=True).rows
    assert all_.reorganised == [] and len(all_.limits.segments) == 1


def test_a_merger_raises_no_alert(session, monkeypatch):
    asked = context(session)
    found = alert_results.alerts(asked, step=Step.MONTH, q=0.2)
    assert "P1" not in {row.unit.code for row in found.rows}
    monkeypatch.setattr(alert_results, "reorganised", lambda *_: {})
    blind = alert_results.alerts(asked, step=Step.MONTH, q=0.2)
    assert "P1" in {row.unit.code for row in blind.rows}


def test_a_period_that_the_day_cuts_is_by_itself_and_not_judged():
    """The day is a Tuesday: of its week nobody knows what is from before."""
    labels = [f"2025-W{week:02}" for week in range(10, 45)]
    cut = labels.index("2025-W27")
    rate = np.where(np.arange(len(labels)) < cut, 0.9, 0.6)[None]
    rate[0, cut] = 0.2
    n = np.full(rate.shape, 400.0)
    (judged,) = control_limits.judge(rate, n, [()], labels, Step.WEEK, Judging(), anew=[(DAY,)])
    assert [(each.begin, each.end) for each in judged.segments] == [
        (0, cut), (cut, cut + 1), (cut + 1, len(labels)),
    ]  # fmt: skip
    assert judged.rests_on[cut] == 0 and np.isnan(judged.z[cut])
    assert not any(at.any() for at in judged.signals.values())
    (blind,) = control_limits.judge(rate, n, [()], labels, Step.WEEK, Judging())
    assert any(at[cut:].any() for at in blind.signals.values())
