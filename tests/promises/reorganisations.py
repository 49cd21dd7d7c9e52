"""Across a reorganisation: intervals of what shares deal out, and what is called a shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

import numpy as np

from analysis import clustered, trends
from analysis.control_charts import false_marks
from app.figures.control_limits import Judging, judge
from app.figures.periods import Step
from tests.promises import reorganisations_worlds as worlds
from tests.promises.promise import Promise, Row, per_cent, spread
from tests.promises.rates_worlds import World
from tests.promises.reorganisations_worlds import Divided, Merged

ALIKE = World("beta-binomial, ρ = 0.3", 0.3)
ANGRY = World("few angry")
SHARES, PEOPLE, RATES = (0.05, 0.3, 0.7, 0.95), (10, 20, 60, 200), (0.80, 0.90, 0.97)
LEAST, FACTOR = 0.925, 1.5
#: Months before the day, and since.
MONTHS = (24, 36)
DAY = date(2025, 1, 1)
LABELS = [f"{2023 + m // 12}-{m % 12 + 1:02}" for m in range(sum(MONTHS))]
MERGERS = (
    Merged((0.96, 0.80), 0.5, 0.8, 60),
    Merged((0.96, 0.80), 0.5, 0.2, 300),
    Merged((0.90, 0.60), 0.7, 0.3, 60),
    Merged((0.90, 0.60), 0.3, 0.7, 300),
)
DRIFTING = Merged((0.96, 0.80), 0.5, 0.8, 300, drifts=24)


@dataclass(frozen=True)
class Found:
    """How often an interval holds what it should, and that of the whole unit does."""

    held: float
    whole: float


def share(task: tuple[Divided, int, str]) -> Found:
    """The interval of what a share deals out, with the part's own answers since where there are."""
    world, samples, truth = task
    rng = np.random.default_rng([31, world.n, round(100 * world.share), round(100 * world.rate)])
    before, theirs = worlds.divided(rng, world, samples)
    row = world.share * before
    if world.own:
        row = row + worlds.persons(rng, world.own, world.rate, samples)
    correlation = ALIKE.correlation if world.people is ALIKE else np.nan
    found = clustered.ratio(*row, correlation=correlation)
    # All who answered, taken for the part without saying that they were not of it.
    blind = clustered.ratio(*before, correlation=correlation)
    with np.errstate(invalid="ignore", divide="ignore"):
        target = {
            "all": np.full(samples, world.rate),
            "part": np.full(samples, world.rate + world.apart),
            "theirs": theirs[0] / theirs[1],
        }[truth]
    known = np.isfinite(target)
    return Found(
        *(
            float(((each.low <= target + 1e-12) & (target - 1e-12 <= each.high))[known].mean())
            for each in (found, blind)
        )
    )


def series(task: tuple[Merged, int, tuple[int, float]]) -> dict[str, float]:
    """Of merged series which share is marked since the day, and which trend is found."""
    world, samples, fall = task
    rng = np.random.default_rng([37, world.people, round(100 * world.after), world.drifts])
    every, effective = worlds.merged(rng, world, MONTHS, 5 * samples, fall)
    rate, n = every[:samples], effective[:samples]
    known: list[tuple[date, ...]] = [(DAY,)] * samples
    shares = {}
    for name, anew in (("known", known), ("blind", [])):
        judged = judge(rate, n, [()] * samples, LABELS, Step.MONTH, Judging(), anew=anew)
        first = MONTHS[0] + fall[0]
        last = first + 6 if fall[1] else None
        marks = [any(at[first:last].any() for at in row.signals.values()) for row in judged]
        shares[name] = float(np.mean(marks))
    for name, rows in (("trend", every[:, MONTHS[0] :]), ("blind trend", every)):
        shares[name] = float(np.mean([trends.mann_kendall(row).p < 0.05 for row in rows]))
    return shares


def _intervals(full: bool) -> list[Row]:
    samples = 4000 if full else 400
    sizes, rates = (PEOPLE, RATES) if full else ((10, 60), (0.80, 0.97))
    cells = list(product(sizes, rates))

    def line(
        what: str, truth: str, people: World, shares: Sequence[float], why: str = "",
        own: int = 0, apart: float = 0.0,
    ) -> Row:  # fmt: skip
        tasks = [
            (Divided(people, n, rate, w, own, apart), samples, truth)
            for w in shares
            for n, rate in cells
            if not apart or rate <= 0.90
        ]
        found = spread(share, tasks, full=full)
        held, whole = [each.held for each in found], [each.whole for each in found]
        slack = 0.0 if full else 4 * float(np.sqrt(LEAST * (1 - LEAST) / samples))
        weights = ", ".join(f"{w:g}" for w in shares)
        return Row(
            what,
            f"{people.name}; weights {weights} ({len(found)} cells)",
            f"each ≥ {per_cent(LEAST)}",
            f"{100 * min(held):.1f}–{per_cent(max(held))}, mean {per_cent(float(np.mean(held)))}",
            min(held) >= LEAST - slack,
            f"{100 * min(whole):.1f}–{per_cent(max(whole))} (not weighted)",
            why,
        )

    of_all, of_part = "95 % interval of a share holds the rate of all", "… of the part's own people"
    return [
        line(of_all, "all", ALIKE, SHARES),
        line(of_all, "all", ANGRY, SHARES),
        line(f"{of_all}, with 30 people of the part since", "all", ALIKE, SHARES, own=30),
        line(
            f"{of_part} who had answered, if the plan divides by chance", "theirs", ALIKE, SHARES,
            why="the interval is of the rate behind the answers: what three people said of 97 % is "
            "mostly 100 %",
        ),
        line(
            f"{of_part}, if their rate is 10 points lower than that of all", "part", ALIKE,
            (0.05, 0.3), apart=-0.1,
            why="what is dealt out has the rate of all: nothing that was counted tells the parts "
            "apart. Ask for the tree of then",
        ),
    ]  # fmt: skip


def _series(full: bool) -> list[Row]:
    samples = 600 if full else 60
    mergers = MERGERS if full else MERGERS[:2]
    still = [(world, samples, (0, 0.0)) for world in (*mergers, DRIFTING)]
    falls = [(world, samples, (24, -0.8)) for world in mergers]
    found = spread(series, still + falls, full=full)
    stated = false_marks(MONTHS[1] - 12)
    rows = []
    for (world, _, _), shares in zip(still, found, strict=False):
        error = float(np.sqrt(stated * (1 - stated) / samples))
        of_trend = float(np.sqrt(0.05 * 0.95 / (5 * samples)))
        why = (
            "since the day the parts are one: a mix that goes on moving is a change of its rate"
            if world.drifts
            else ""
        )
        rows += [
            Row(
                "a merger is no shift: marked in 36 months since the day", str(world),
                f"at most {per_cent(FACTOR * stated)}", per_cent(shares["known"], error),
                shares["known"] <= FACTOR * stated + 2 * error, per_cent(shares["blind"]), why,
            ),
            Row(
                "… and no trend (Mann and Kendall, p < 0.05)", str(world), "at most 5 %",
                per_cent(shares["trend"], of_trend), shares["trend"] <= 0.05 + 2 * of_trend,
                per_cent(shares["blind trend"]), why,
            ),
        ]  # fmt: skip
    for (world, _, _), shares in zip(falls, found[len(still) :], strict=True):
        rows.append(
            Row(
                "a fall of 0.8 logit two years after the day, within six months", str(world),
                "found in more than half", per_cent(shares["known"]), shares["known"] > 0.5,
                per_cent(shares["blind"]),
            )
        )  # fmt: skip
    return rows


def measure(full: bool) -> Sequence[Row]:
    """Rows about intervals of what is dealt out, and about merged series."""
    return [*_intervals(full), *_series(full)]


PROMISE = Promise(
    "reorganisations",
    "Across a reorganisation (“before”: without weights, or had nobody known of the day)",
    ("clustered", "control_charts", "effective_sizes", "moving_averages", "predictive", "trends"),
    measure,
)
