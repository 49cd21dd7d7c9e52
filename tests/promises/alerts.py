"""Alerts in a year of monthly looks: how often one is false, and which falls are found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.alerts import scan
from analysis.effective_sizes import common_effective_n, shared_correlation
from analysis.trends import cochran_armitage, mann_kendall
from tests.promises.alerts_worlds import World, drawn
from tests.promises.promise import Promise, Row, per_cent, spread

Q, MOST = 0.05, 0.075
#: Years of looks in each world, and provinces in which units fall.
YEARS, RUNS = 100, 24
THIRD_YEAR, SECOND_YEAR, FIRST_YEAR = range(25, 37), range(13, 25), range(1, 13)
YEAR = {THIRD_YEAR: "third", SECOND_YEAR: "second", FIRST_YEAR: "first"}

QUIET = (
    World("months alike"),
    World("month noise 0.10", noise=0.1),
    World("month noise 0.20", noise=0.2),
    World("AR(1) 0.5 of SD 0.20", noise=0.2, correlation=0.5),
    World("own seasons of 0.2", season=0.2),
    World("8 of 80 units share a season of 0.3", shared=0.3),
    World("10 to 300 people a month, noise 0.10", noise=0.1, people=(10, 300)),
    World("rate 0.95, 30 people, noise 0.10", noise=0.1, rate=0.95, people=(30, 30)),
    World("20 units, noise 0.10", units=20, noise=0.1),
    World("20 units, AR(1) 0.5 of SD 0.20", units=20, noise=0.2, correlation=0.5),
    World(
        "all move together: AR(1) of 0.1, season of 0.3; noise 0.10",
        noise=0.1,
        together=0.1,
        together_season=0.3,
    ),
)
#: What the estimators do not assume.
UNKIND = (
    World("units differ in noise, 0.05 to 0.30", noises=(0.05, 0.3)),
    World("noise 0.15 of heavy tails (t, 4 df)", noises=(0.15, 0.15), freedom=4),
    World("noise 0.05 to 0.30 by unit, of heavy tails (t, 3 df)", noises=(0.05, 0.3), freedom=3),
    World("one month a year worse by 0.15 to 0.45, of each unit its own; noise 0.10",
          noise=0.1, bad=0.3),
    World("few angry, rate 0.90, effective n estimated; noise 0.10",
          noise=0.1, rate=0.9, angry=True),
    World("own seasons that are no wave (each month's SD 0.15); noise 0.05",
          noise=0.05, pattern=0.15),
    World("half of the units begin or end within the time, a tenth of months without answers, "
          "people a month vary by a third; noise 0.10",
          noise=0.1, partly=0.5, missing=0.1, swing=0.3),
)  # fmt: skip
YOUNG = (QUIET[3], QUIET[4])
FALLING = (
    (World("noise 0", rate=0.9, spread=0.0, falling=8), (0.0, 0.0, False)),
    (World("noise 0.10", rate=0.9, spread=0.0, falling=8, noise=0.1), (0.1, 0.0, False)),
    (
        World("noise 0.10, a fall of 0.3", rate=0.9, spread=0.0, falling=8, noise=0.1, fall=0.3),
        (0.1, 0.0, False),
    ),
    (
        World("AR(1) 0.5 of SD 0.20", rate=0.9, spread=0.0, falling=8, noise=0.2, correlation=0.5),
        (0.2, 0.5, False),
    ),
    (
        World("own seasons of 0.2", rate=0.9, spread=0.0, falling=8, season=0.2),
        (0.0, 0.0, True),
    ),
)
TOGETHER = (
    World("all units fall by 0.5", falling=80, noise=0.1),
    World("the same, all move by AR(1) of 0.05", falling=80, noise=0.1, together=0.05),
)


@dataclass(frozen=True)
class _Year:
    world: World
    seed: int
    looks: range
    known: tuple[float, float, bool] | None = None


def _estimated(sums, people):
    """Effective answers as they are learnt from the units over all months that are seen."""
    rho = shared_correlation(*(each.sum(axis=1) for each in sums), people.sum(axis=1))
    return common_effective_n(*sums, people, correlation=rho)


def _year(year: _Year):
    """Which units were alerted in a year of looks (units,), and whether all together were."""
    whole = drawn(year.world, year.seed)
    fired, together = np.zeros(len(whole.rate), dtype=bool), False
    for look in year.looks:
        people = whole.people[:, :look]
        effective = whole.effective[:, :look]
        if year.world.angry:
            effective = _estimated([each[:, :look] for each in whole.sums], people)
        found = scan(whole.rate[:, :look], effective, q=Q, respondents=people, known=year.known)
        for rule in found.rules.values():
            fired |= rule.fired
        together |= found.together_fired
    return fired, together


def _share(found, digits=1):
    mean = found.mean()
    return per_cent(mean, np.sqrt(max(mean * (1 - mean), 0.01) / len(found)), digits)


def _held(found, most):
    """Whether no more than this, beyond what Monte Carlo may do in 40 rows."""
    return found.mean() <= most + 2.5 * np.sqrt(most * (1 - most) / len(found))


def _false(full):
    rows, every = [], []
    years = YEARS if full else 2
    every_year = (
        (THIRD_YEAR, QUIET), (SECOND_YEAR, QUIET[2:6]), (THIRD_YEAR, UNKIND), (FIRST_YEAR, YOUNG)
    )  # fmt: skip
    for looks, worlds in every_year:
        for world in worlds if full else worlds[3:4]:
            of = spread(_year, [_Year(world, seed, looks) for seed in range(years)], full=full)
            units = np.array([fired.any() for fired, _ in of])
            together = np.array([moved for _, moved in of])
            when = YEAR[looks]
            if (when, world.name) not in WHY:
                every.append(units)
            rows.append(
                Row(
                    f"any false alert in 12 looks (q = {Q:g}), {when} year",
                    world.name,
                    f"≤ {per_cent(MOST)}",
                    f"{_share(units)}; of all together {_share(together)}",
                    bool(_held(units, MOST) and _held(together, MOST)),
                    BEFORE.get((when, world.name), "–"),
                    WHY.get((when, world.name), ""),
                )
            )
    found = np.concatenate(every)
    rows.append(
        Row(
            "the same", "all these worlds, but those that are not held",
            f"≤ {per_cent(MOST)}", _share(found),
            bool(found.mean() <= MOST if full else _held(found, 0.2)),
        )
    )  # fmt: skip
    return rows


def _power(full):
    rows = []
    for world, truth in FALLING if full else FALLING[1:2]:
        shares = []
        for known in (None, truth):
            each = [_Year(world, seed, THIRD_YEAR, known) for seed in range(RUNS if full else 1)]
            found = [fired[: world.falling] for fired, _ in spread(_year, each, full=full)]
            shares.append(np.concatenate(found))
        learnt, oracle = shares
        sure = world.noise <= 0.1 and not world.season and world.fall >= 0.5
        error = np.sqrt(learnt.mean() * (1 - learnt.mean()) / len(learnt))
        rows.append(
            Row(
                "a fall (0.5 logit; 90 people, 22 answers, rate 0.90) is alerted within 12 looks",
                world.name,
                ("≥ 80 %, and " if sure else "") + "≥ 90 % of what known variances find",
                f"{per_cent(learnt.mean(), error)}; known variances {per_cent(oracle.mean())}",
                bool(
                    learnt.mean() + 2.5 * error >= 0.9 * oracle.mean()
                    and (not sure or learnt.mean() + 2.5 * error >= 0.8 or not full)
                )
                if full
                else True,
                BEFORE.get(("fall", world.name), "–"),
            )
        )
    for world in TOGETHER if full else TOGETHER[:1]:
        each = [_Year(world, seed, range(27, 37, 3)) for seed in range(RUNS if full else 1)]
        of = spread(_year, each, full=full)
        told = np.array([moved for _, moved in of])
        rows.append(
            Row(
                "told as a movement of all within a year",
                world.name,
                "≥ 80 %",
                _share(told, 0),
                bool(told.mean() >= 0.8),
                "0 %: of single units at most",
            )
        )
    return rows


def _trends(full):
    """Tests of trend over courses without one, and with one, by numbers of effective answers."""
    rng = np.random.default_rng(1515)
    courses, n = (20_000 if full else 2_000), 271.0
    logit = 1.735 + 0.2 * rng.standard_normal((courses, 24))
    k = rng.binomial(int(n), 1 / (1 + np.exp(-logit)))
    plain = (cochran_armitage(k, n).p < 0.05).mean()
    honest = (cochran_armitage(k, n, between_periods=True).p < 0.05).mean()
    rows = [
        Row(
            "a trend of months that only vary (α = 5 %), Cochran–Armitage against their variation",
            "24 months, noise 0.20, 90 people",
            "≤ 6 %",
            per_cent(honest),
            bool(honest <= (0.06 if full else 0.07)),
            per_cent(plain),
        )
    ]
    for months, least in ((24, 0.0), (36, 0.75)):
        month = np.arange(months)
        course = rng.standard_normal((courses // 10, months)) + 2.4 * month / months
        by_season = (mann_kendall(course, season=month % 12).p < 0.05).mean()
        at_all = (mann_kendall(course).p < 0.05).mean()
        rows.append(
            Row(
                "Mann–Kendall sees a trend of 2.4 SD over the course, as the API tests it",
                f"{months} months",
                "≥ 75 % of the plain test" if least else "the plain test",
                f"{per_cent(by_season if least else at_all)}; plain {per_cent(at_all)}",
                bool(by_season >= least * at_all),
                per_cent(by_season) + " (by season)",
            )
        )
    return rows


#: What cannot be held, and why.
WHY = {
    ("third", UNKIND[0].name): "one noise is learnt for all units, and those that vary most are "
    "judged by it",
    ("third", UNKIND[1].name): "noise is taken for normal: single months stand out oftener than "
    "that, and look like changes",
    ("third", UNKIND[2].name): "noise is taken for normal, and for the same in all units",
}

#: What the build before gave: any alert of its two rules with a p-value; falling units alerted.
BEFORE = {
    ("third", "months alike"): "35 %",
    ("third", "month noise 0.10"): "90 %",
    ("third", "month noise 0.20"): "100 %",
    ("third", "AR(1) 0.5 of SD 0.20"): "100 %",
    ("third", "own seasons of 0.2"): "100 %",
    ("third", "8 of 80 units share a season of 0.3"): "95 %",
    ("third", "10 to 300 people a month, noise 0.10"): "100 %",
    ("third", "rate 0.95, 30 people, noise 0.10"): "25 %",
    ("third", "20 units, noise 0.10"): "95 %",
    ("third", "20 units, AR(1) 0.5 of SD 0.20"): "100 %",
    ("third", "all move together: AR(1) of 0.1, season of 0.3; noise 0.10"): "95 %",
    ("second", "month noise 0.20"): "100 %",
    ("second", "AR(1) 0.5 of SD 0.20"): "100 %",
    ("second", "own seasons of 0.2"): "100 %",
    ("second", "8 of 80 units share a season of 0.3"): "100 %",
    ("third", "units differ in noise, 0.05 to 0.30"): "100 %",
    ("third", "noise 0.15 of heavy tails (t, 4 df)"): "100 %",
    ("third", "noise 0.05 to 0.30 by unit, of heavy tails (t, 3 df)"): "100 %",
    ("third", "one month a year worse by 0.15 to 0.45, of each unit its own; noise 0.10"): "100 %",
    ("third", "few angry, rate 0.90, effective n estimated; noise 0.10"): "100 %",
    ("third", "own seasons that are no wave (each month's SD 0.15); noise 0.05"): "100 %",
    ("third", UNKIND[6].name): "80 %",
    ("first", "AR(1) 0.5 of SD 0.20"): "100 %",
    ("first", "own seasons of 0.2"): "100 %",
    ("fall", "noise 0"): "100 %",
    ("fall", "noise 0.10"): "100 % (as ordinary units)",
    ("fall", "noise 0.10, a fall of 0.3"): "79 % (as ordinary units)",
    ("fall", "AR(1) 0.5 of SD 0.20"): "98 % (as ordinary units)",
    ("fall", "own seasons of 0.2"): "100 % (as ordinary units)",
}


def measure(full: bool):
    """False alerts and power over a year of monthly looks, and the tests of trend."""
    return [*_false(full), *_power(full), *_trends(full)]


PROMISE = Promise(
    "alerts",
    "Alerts and tests of trend",
    ("alerts", "noise", "change_points", "common_movement", "trends"),
    measure,
)
