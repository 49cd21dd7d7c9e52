"""What control charts mark in ordinary months, and which falls they find."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.control_charts import BEYOND, CHOSEN, EWMA, NAMED, Baseline, chart, false_marks
from analysis.xmr import nhs_false_marks, xmr
from tests.promises.control_charts_worlds import World
from tests.promises.promise import Promise, Row, per_cent, spread

BASE, MONTHS = 12, 24
RATES, PEOPLE, NOISES = (0.80, 0.90, 0.97, 0.99), (20, 100, 300), (0.0, 0.1, 0.2)
#: Chance of a mark beyond three sigma in 24 independent normal months.
STATED = 1 - (1 - 0.0027) ** MONTHS
#: Before (commit 0a84201), in the same worlds, in per cent of 1,000 courses: the worst of the nine
#: cells of a rate, by Laney's limits over the same 24 months; and all five rules over 36 months,
#: the least and the most of the cells.
BEFORE = {0.80: "9.1", 0.90: "13.0", 0.97: "35.7", 0.99: "71.1"}
BEFORE_FIVE = "25.8–97.6 %"
#: Falls before: (rate, people, noise): in the month itself, within six months, after a bad month.
FALLS = {
    (0.90, 90, 0.0): (45.6, 99.0, 8.8),
    (0.90, 90, 0.1): (41.3, 98.8, 9.1),
    (0.90, 300, 0.1): (85.4, 100.0, 15.1),
    (0.97, 100, 0.1): (20.2, 86.0, 9.1),
}
#: How much more than stated is allowed in the worst cell.
FACTOR = 1.5


def _error(share: float, of: int) -> float:
    return float(np.sqrt(max(share * (1 - share), 1 / of) / of))


def _cell(task: tuple[World, int, int, str]) -> dict[str, float]:
    """Shares of courses with a false mark after the baseline, by rule, and with any."""
    world, courses, seed, kind = task
    k = world.satisfied(courses, BASE + MONTHS, seed)
    n = np.full(k.shape, world.people)
    baselines = [Baseline(BASE, 0, BASE - 1)] if kind == "frozen" else []
    found = chart(k, n, baselines=baselines, rules=NAMED, draw=False)
    fired = {rule: at[:, BASE:].any(axis=1) for rule, at in found.signals.items()}
    chosen = np.any([fired[rule] for rule in CHOSEN], axis=0)
    five = np.any(list(fired.values()), axis=0)
    return {rule: float(at.mean()) for rule, at in fired.items()} | {
        "chosen": float(chosen.mean()),
        "five": float(five.mean()),
    }


def _falls(task: tuple[World, int, int, str]) -> dict[str, float]:
    """How often a lasting fall is found: in its month, within six months, by which rule."""
    world, courses, seed, kind = task
    at = BASE + 12
    k = world.satisfied(courses, at + 6, seed, {at: -0.8})
    if kind == "bad month":
        k[:, 5] = world.satisfied(courses, 6, seed + 1, {5: -1.5})[:, 5]
    found = chart(k, np.full(k.shape, world.people), draw=False)
    within = np.any([fired[:, at:] for fired in found.signals.values()], axis=0).any(axis=1)
    return {"first": float(found.signals[BEYOND][:, at].mean()), "six": float(within.mean())}


def _bounded(
    promise: str,
    world: str,
    stated: float,
    shares: list[float],
    of: int,
    before: str = "–",
    why: str = "",
) -> Row:
    """A row about shares that are not to exceed what is stated, by more than the factor."""
    worst = max(shares)
    error = _error(worst, of)
    return Row(
        promise,
        world,
        f"{per_cent(stated)}, in each at most {per_cent(FACTOR * stated)}",
        f"mean {per_cent(float(np.mean(shares)))}, most {per_cent(worst, error)}",
        worst <= FACTOR * stated + 2 * error,
        before,
        why,
    )


def _ordinary(cells: list[World], found: list[dict[str, float]], courses: int) -> list[Row]:
    rows = []
    for rate in dict.fromkeys(world.rate for world in cells):
        shares = [
            one[BEYOND] for world, one in zip(cells, found, strict=True) if world.rate == rate
        ]
        rows.append(
            _bounded(
                "Beyond the limits in 24 ordinary months",
                f"rate {rate:.2f}; 20, 100, 300 people; noise 0, 0.1, 0.2",
                STATED, shares, courses, f"most {BEFORE[rate]} %",
            )
        )  # fmt: skip
    return rows


def _sets(cells: list[World], found: list[dict[str, float]], courses: int) -> list[Row]:
    plain = [one for world, one in zip(cells, found, strict=True) if world.noise <= 0.1]
    rows = [
        _bounded(
            "Marks of the default rules (limits, EWMA) in 24 ordinary months",
            "all of these", false_marks(MONTHS), [one["chosen"] for one in found], courses,
            f"{BEFORE_FIVE} (five rules, 36 months)",
        ),
        _bounded(
            "Marks of all five rules in 24 ordinary months", "those of noise 0 and 0.1",
            false_marks(MONTHS, NAMED), [one["five"] for one in plain], courses,
            why="near 100 % with few people most months are of all satisfied, and eight such are a "
            "run on one side; the default rules have no such run",
        ),
    ]  # fmt: skip
    world = World(0.90, 300, 0.1)
    for months in (24, 36):
        rates = world.satisfied(courses, months, 900 + months) / world.people
        share = float((xmr(rates).side != 0).any(axis=1).mean())
        rows.append(
            _bounded(f"Marks of the NHS's rules in {months} ordinary months", str(world),
                     nhs_false_marks(months), [share], courses)
        )  # fmt: skip
    return rows


def _frozen(courses: int, full: bool) -> list[Row]:
    cells = [
        World(0.90, n, noise) for n in (20, 100, 300) for noise in (NOISES if full else (0.1,))
    ]
    tasks = [(world, courses, 2000 + place, "frozen") for place, world in enumerate(cells)]
    found = spread(_cell, tasks, full=full)
    world = "rate 0.90; 20, 100, 300 people; noise 0, 0.1, 0.2; twelve months frozen"
    return [
        _bounded("Beyond limits of a frozen baseline in 24 ordinary months", world, STATED,
                 [one[BEYOND] for one in found], courses),
        _bounded("EWMA by a frozen baseline in 24 ordinary months", world,
                 false_marks(MONTHS, (EWMA,)), [one[EWMA] for one in found], courses),
    ]  # fmt: skip


def _power(courses: int, full: bool) -> list[Row]:
    cells = [World(*cell) for cell in FALLS][: None if full else 2]
    tasks = [(world, courses, 3000, kind) for world in cells for kind in ("even", "bad month")]
    found = dict(zip(((t[0], t[3]) for t in tasks), spread(_falls, tasks, full=full), strict=True))
    rows = []
    for world in cells:
        even, bad = found[world, "even"], found[world, "bad month"]
        first, six, after = FALLS[world.rate, world.people, world.noise]
        error = _error(bad["first"], courses)
        rows.append(
            Row(
                "A fall of 0.8 logit after 24 months: in its month; within six",
                str(world),
                "found",
                f"{per_cent(even['first'])}; {per_cent(even['six'])}",
                even["six"] > 0.5,
                f"{first} %; {six} % (all five rules)",
            )
        )
        rows.append(
            Row(
                "One bad month of −1.5 logit before hides no fall: in its month",
                str(world),
                f"at least 0.8 of {per_cent(even['first'])}",
                per_cent(bad["first"], error),
                bad["first"] + 2 * error >= 0.8 * even["first"],
                f"{after} %",
            )
        )
    return rows


def measure(full: bool) -> Sequence[Row]:
    """Rows about ordinary months, sets of rules, and falls."""
    courses = 1000 if full else 60
    rates, people = (RATES, PEOPLE) if full else ((0.90, 0.97), (20, 300))
    noises = NOISES if full else (0.0, 0.2)
    cells = [World(rate, n, noise) for rate in rates for n in people for noise in noises]
    tasks = [(world, courses, 1000 + place, "running") for place, world in enumerate(cells)]
    found = spread(_cell, tasks, full=full)
    return [
        *_ordinary(cells, found, courses),
        *_sets(cells, found, courses),
        *_frozen(courses, full),
        *_power(courses, full),
    ]


PROMISE = Promise(
    "control_charts",
    "Control charts: marks in ordinary months, and falls that are found",
    ("control_charts", "moving_averages", "predictive", "proportions", "xmr"),
    measure,
)
