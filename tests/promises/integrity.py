"""Stuffing: honest units are not called, attacks are found, and rates come nearer to the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from scipy.stats import binomtest

from tests.integrity.judge import JUDGE
from tests.integrity.judging import Judge
from tests.integrity.worlds.attacks import ATTACKS
from tests.integrity.worlds.honest import PLAIN, PROVINCES
from tests.integrity.worlds.honest_days import ODD_DAYS
from tests.integrity.worlds.large import LARGE
from tests.promises.integrity_counts import HALF_A_POINT, Attacked, Found, Honest, Task, judged
from tests.promises.promise import ROOT, Promise, Row, per_cent, spread

#: Of honest unit-months flagged and quarantined at most; of bursts found at least.
FLAGGED, QUARANTINED, BURSTS = 1 / 200, 1 / 1000, 0.9
#: Presses from which on a burst is promised to be found.
PRESSES = 30
#: Of attacked worlds, those whose rate comes nearer to the truth.
NEARER = 0.95
#: Worlds in full: of each province, with each odd day, with each attack and strength.
HONEST, ODD, ATTACKED = 4, 5, 5
#: Provinces besides the usual one in which some attacks are tried, by how their names begin.
ELSEWHERE = {"small units": (0, 1), "one question": (0, 1, 11)}
#: Large places: worlds of each, and how many of each attacked; what is tried in the first two.
PLACES, RAIDED, RAIDS = 4, 7, 3
RAIDS_TRIED = {
    0: ("30 presses", "60 presses"),
    1: ("3 a day", "10 a day"),
    4: ("every 60 minutes", "every 10 minutes"),
    8: ("three times",),
}
#: For the small form.
SMALL = replace(PLAIN, kiosk=30.0)


def measure(full: bool, judge: Judge | None = None, only: str = "") -> list[Row]:
    """All promises about stuffing; by the wired judge, if no other is given.

    Or those in the worlds of whose names ``only`` is a part.
    """
    by = judge or JUDGE
    every = [*_honest_tasks(full), *_odd_tasks(full), *_attack_tasks(full), *_large_tasks(full)]
    groups = [group for group in every if only in " ".join(group[0])]
    tasks = [task for _, each in groups for task in each]
    found = iter(spread(partial(judged, judge=by), tasks, full=full))
    results = {name: _sum([next(found) for _ in each]) for name, each in groups}
    return [
        *_false_alarms(results),
        *_beside_attacked(results),
        *_detection(results),
        *_moves(results),
    ]


def _sum(found: Iterable[Found]) -> Found:
    parts = list(found)
    return Found(
        sum((each.plain for each in parts), Honest()),
        sum((each.odd for each in parts), Honest()),
        sum((each.attacked for each in parts), Attacked()),
    )


Key = tuple[str, ...]
Group = tuple[Key, list[Task]]


def _honest_tasks(full: bool) -> Iterator[Group]:
    for i, kind in enumerate(PROVINCES if full else (SMALL,)):
        yield (
            ("honest", kind.name),
            [Task(kind, 100 * i + run) for run in range(HONEST if full else 1)],
        )


def _odd_tasks(full: bool) -> Iterator[Group]:
    if not full:
        yield ("odd", "each at once"), [Task(SMALL, 7000, tuple(ODD_DAYS), 1)]
        return
    for i, name in enumerate(ODD_DAYS):
        yield ("odd", name), [Task(PLAIN, 7000 + 100 * i + run, (name,)) for run in range(ODD)]
    faces = next(kind for kind in PROVINCES if kind.items == 1)
    for name in ("300 after a screening in two hours", "class of thirty at the kiosk"):
        tasks = [Task(faces, 9000 + run, (name,)) for run in range(ODD)]
        yield ("odd", f"{name}; {faces.name}"), tasks


def _attack_tasks(full: bool) -> Iterator[Group]:
    if not full:
        for i, strength in ((0, "30 presses"), (1, "6 a day")):
            task = Task(SMALL, 11_000, attack=i, strength=strength, next_day=i == 0)
            yield ("attack", "", str(i), strength), [task]
        return
    for where in ("", *ELSEWHERE):
        kind = next(each for each in PROVINCES if each.name.startswith(where or PLAIN.name))
        for i, attack in enumerate(ATTACKS):
            if where and i not in ELSEWHERE[where]:
                continue
            for strength in attack.strengths:
                soon = attack.burst and not where
                tasks = [
                    Task(kind, 20_000 + run, attack=i, strength=strength, next_day=soon)
                    for run in range(ATTACKED)
                ]
                yield ("attack", where, str(i), strength), tasks


def _large_tasks(full: bool) -> Iterator[Group]:
    """Large places: honest ones, and some attacks on those that stand by themselves."""
    if not full:
        few = replace(LARGE[1], places=3, answers=600.0, kiosks=(2, 3))
        yield ("honest", few.name), [Task(few, 40_000)]
        return
    for i, kind in enumerate(LARGE):
        tasks = [Task(kind, 40_000 + 100 * i + run) for run in range(PLACES)]
        yield ("honest", kind.name), tasks
    for j, kind in enumerate(LARGE[:2]):
        for i, strengths in RAIDS_TRIED.items():
            for strength in strengths:
                tasks = [
                    Task(
                        kind, 50_000 + 100 * j + run, attacked_units=RAIDED, attack=i,
                        strength=strength,
                    )
                    for run in range(RAIDS)
                ]  # fmt: skip
                yield ("attack", kind.name, str(i), strength), tasks


def between(k: int, n: int) -> str:
    """A share with its 95 % interval by Wilson: ``92.0 % (84–96)``."""
    if not n:
        return "none"
    low, high = binomtest(k, n).proportion_ci(method="wilson")
    return f"{per_cent(k / n)} ({100 * low:.0f}–{100 * high:.0f})"


def rare(k: int, n: int) -> str:
    """Of honest unit-months, with Clopper and Pearson's 95 % limits: ``3 of 5,400: 0.06 % (…)``."""
    if not n:
        return "none"
    low, high = binomtest(k, n).proportion_ci(method="exact")
    return f"{k:,} of {n:,}: {100 * k / n:.2f} % ({100 * low:.2f}–{100 * high:.2f})"


def no_more(k: int, n: int, most: float) -> bool:
    """The share is not above ``most``, or not by more than chance (exact, one-sided 5 %)."""
    return not n or k / n <= most or binomtest(k, n, most, "greater").pvalue > 0.05


def no_less(k: int, n: int, least: float) -> bool:
    """The share is not below ``least``, or not by more than chance (exact, one-sided 5 %)."""
    return not n or k / n >= least or binomtest(k, n, least, "less").pvalue > 0.05


def _false_alarms(results: dict[Key, Found]) -> Iterator[Row]:
    promised = "≤ 0.5 %; ≤ 0.1 %"
    large = {kind.name for kind in LARGE}
    worlds = {
        key[1] if key[1] in large else f"honest province: {key[1]}": found.plain
        for key, found in results.items()
        if key[0] == "honest"
    }
    worlds |= {key[1]: found.odd for key, found in results.items() if key[0] == "odd"}
    worlds["all odd days together"] = sum(
        (found.odd for key, found in results.items() if key[0] == "odd"), Honest()
    )
    worlds["honest units beside odd ones"] = sum(
        (found.plain for key, found in results.items() if key[0] == "odd"), Honest()
    )
    for world, found in worlds.items():
        if not found.unit_months:
            continue
        held = no_more(found.flagged, found.unit_months, FLAGGED) and no_more(
            found.quarantined, found.unit_months, QUARANTINED
        )
        yield Row(
            "honest unit-months flagged; quarantined", world, promised,
            f"{rare(found.flagged, found.unit_months)}; "
            f"{rare(found.quarantined, found.unit_months)}",
            held,
        )  # fmt: skip


def _beside_attacked(results: dict[Key, Found]) -> Iterator[Row]:
    """Of the same provinces under each attack: they are worth as many as one attack's."""
    large = {kind.name for kind in LARGE}
    attacks = {key: found.plain for key, found in results.items() if key[0] == "attack"}
    for world, groups in (
        ("honest units beside attacked ones", [each for key, each in attacks.items()
                                               if key[1] not in large]),
        ("large places beside attacked ones", [each for key, each in attacks.items()
                                               if key[1] in large]),
    ):  # fmt: skip
        if not groups:
            continue
        beside = sum(groups, Honest())
        n = beside.unit_months // len(groups)
        both = (beside.flagged, beside.quarantined)
        counts = [each // len(groups) for each in both]
        yield Row(
            "honest unit-months flagged; quarantined", world, "≤ 0.5 %; ≤ 0.1 %",
            "; ".join(per_cent(each / max(beside.unit_months, 1), digits=2) for each in both),
            no_more(counts[0], n, FLAGGED) and no_more(counts[1], n, QUARANTINED),
        )  # fmt: skip


def _detection(results: dict[Key, Found]) -> Iterator[Row]:
    for (group, *key), found in results.items():
        if group != "attack":
            continue
        where, attack, strength = key[0], ATTACKS[int(key[1])], key[2]
        each = found.attacked
        world = f"{attack.name}: {strength}" + (f"; {where}" if where else "")
        shares = (
            f"{between(each.flagged, each.unit_months)}; "
            f"{between(each.quarantined, each.unit_months)}; "
            f"{per_cent(each.stuffed_aside / max(each.stuffed, 1), digits=0)}, "
            f"{per_cent(each.honest_aside / max(each.honest, 1))}"
        )
        yield Row(
            "attacked unit-months flagged; quarantined; of stuffed, of honest responses aside",
            world, "stated", shares, True,
        )  # fmt: skip
        if attack.burst and not where:
            promise = attack.strengths[strength] >= PRESSES
            held = not promise or no_less(each.next_flagged, each.unit_months, BURSTS)
            yield Row(
                "the same within a day: flagged; quarantined", world,
                "≥ 90 % flagged" if promise else "stated",
                f"{between(each.next_flagged, each.unit_months)}; "
                f"{between(each.next_quarantined, each.unit_months)}",
                held,
            )  # fmt: skip


def _moves(results: dict[Key, Found]) -> Iterator[Row]:
    total = Attacked()
    for key, found in results.items():
        if key[0] == "attack":
            total += found.attacked
    moved = total.nearer + total.farther
    yield Row(
        "the rate after setting aside is nearer to that of the honest",
        "attacked unit-months, all attacks and strengths, in which it moves",
        "≥ 95 %", between(total.nearer, moved), no_less(total.nearer, moved, NEARER),
    )  # fmt: skip
    held = no_less(total.nearer, total.unit_months, NEARER)
    yield Row(
        "the rate after setting aside is nearer to that of the honest",
        "all attacked unit-months, also where nothing is set aside",
        "≥ 95 %",
        f"{between(total.nearer, total.unit_months)}; farther "
        f"{per_cent(total.farther / max(total.unit_months, 1))}",
        held,
        why="" if held else "what is not found is not set aside: the rows above say what that is",
    )
    honest = sum((found.plain for key, found in results.items() if key[0] == "honest"), Honest())
    yield Row(
        "a month's rate of a province moves", "honest provinces, the farthest", "< 0.5 points",
        f"{100 * honest.province_moved:.3f} points", honest.province_moved < HALF_A_POINT,
    )  # fmt: skip
    yield Row(
        "a unit's rate of a month moves by half a point or more", "honest provinces", "≤ 0.1 %",
        rare(honest.moved, honest.unit_months),
        no_more(honest.moved, honest.unit_months, QUARANTINED),
    )  # fmt: skip


#: The judged modules of ``analysis``: what integrity.py and stuffing.py are made of.
CODE = (
    *("integrity", "stuffing", "responses", "kinds", "habits", "paces", "likeness", "copies"),
    *("arrivals", "rushes", "sums_of_kinds", "_validation"),
)
PROMISE = Promise(
    "integrity",
    "Stuffing: found, and not seen where there is none",
    CODE,
    measure,
    ROOT / "docs/integrity.md",
    ("tests/integrity/judge.py", "tests/integrity/judging.py", "tests/integrity/worlds/*.py"),
    lambda only: measure(True, only=only),
)
