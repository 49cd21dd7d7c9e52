"""The promise about stuffing, with judges of which it is known what they are worth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta
from statsmodels.stats.proportion import proportion_confint

from app.integrity.rules import OpeningHours, OpeningRange, Rule
from tests.integrity import judge
from tests.integrity.judge import examined
from tests.integrity.judging import Verdict, all_knowing, blind, crude
from tests.integrity.worlds.attacks import ATTACKS, pressed, top
from tests.integrity.worlds.honest import PLAIN, province, sent
from tests.integrity.worlds.world import KIOSK, second
from tests.promises import integrity
from tests.promises.promise import Row

DETECTED = "attacked unit-months flagged; quarantined; of stuffed, of honest responses aside"


def broken(judge) -> list[Row]:
    return [row for row in integrity.measure(False, judge) if not row.held]


def test_who_knows_the_truth_keeps_all_promises():
    rows = integrity.measure(False, all_knowing)
    assert [row for row in rows if not row.held] == []
    assert all("100.0 %" in row.found for row in rows if row.promise == DETECTED)
    assert rows == integrity.measure(False, all_knowing)


def test_who_suspects_nobody_finds_no_burst():
    promises = {row.promise for row in broken(blind)}
    assert promises == {
        "the same within a day: flagged; quarantined",
        "the rate after setting aside is nearer to that of the honest",
    }


def test_a_pile_of_thresholds_calls_honest_units():
    worlds = {row.world for row in broken(crude)}
    assert {"honest province: usual", "each at once", "honest units beside attacked ones"} <= worlds


def test_presses_at_noon_are_found_where_the_rule_has_a_break(monkeypatch):
    """And honest units are not, though some serve on at noon, and queues last into it."""
    rng = np.random.default_rng(71)
    kind = replace(PLAIN, units=16, months=PLAIN.months[:2])
    honest = province(kind, np.random.default_rng(72))
    days = honest.working_days(honest.last)
    chosen = ATTACKS[0].possible(honest)[:3]
    world = honest
    for unit in chosen:
        at = second(days[5], 12.0) + np.cumsum(20.0 + rng.exponential(60.0, 30))
        long = pressed(30, world.items, rng) * rng.lognormal(0.8, 0.4, 30)
        sheets, source = top(30, world.items, rng, varied=0.3), world.source_of(unit, KIOSK)
        given = np.full(30, source), KIOSK, at, long, sheets, np.zeros(30, np.uint64)
        world = world.with_more(sent(world, *given, rng, stuffed=True))
    morning, afternoon, saturday = (
        OpeningRange(opens=opens, closes=closes, days=days)
        for opens, closes, days in (
            (6.5, 11.75, (1, 2, 3, 4, 5)), (12.75, 17.5, (1, 2, 3, 4, 5)), (6.5, 12.0, (6,)),
        )
    )  # fmt: skip
    found = {}
    for name, hours in (
        ("one range", OpeningHours()),
        ("a break", OpeningHours(ranges=(morning, afternoon, saturday))),
    ):
        rule = Rule(hours=hours)
        monkeypatch.setattr(judge, "first_rules", lambda rule=rule: {"stuffing": rule})
        flagged = examined(world).flagged
        found[name] = int(flagged[chosen, world.last].sum()), int(flagged.sum())
    assert found == {"one range": (0, 0), "a break": (3, 3)}


def test_a_unit_month_is_flagged_where_any_batch_is():
    probability = np.zeros((2, 3, 3))
    probability[1, 2, 0] = 0.5
    probability[0, 0, 1] = 0.49
    assert np.argwhere(Verdict(probability, np.zeros(0, bool)).flagged).tolist() == [[1, 2]]


def test_intervals_are_those_of_statsmodels():
    """Wilson's and Clopper and Pearson's of statsmodels 0.14, and the beta quantile."""
    low, high = proportion_confint(46, 50, method="wilson")
    assert integrity.between(46, 50) == f"92.0 % ({100 * low:.0f}–{100 * high:.0f})"
    low, high = proportion_confint(3, 5400, method="beta")
    assert low == pytest.approx(beta.ppf(0.025, 3, 5398))
    assert integrity.rare(3, 5400) == f"3 of 5,400: 0.06 % ({100 * low:.2f}–{100 * high:.2f})"
    assert integrity.rare(0, 0) == integrity.between(0, 0) == "none"


def test_a_promise_is_broken_only_beyond_chance():
    assert integrity.no_more(1, 180, 1 / 1000) and not integrity.no_more(6, 1000, 1 / 1000)
    assert integrity.no_less(15, 18, 0.9) and not integrity.no_less(70, 100, 0.9)
    assert integrity.no_more(0, 0, 0.1) and integrity.no_less(0, 0, 0.9)
