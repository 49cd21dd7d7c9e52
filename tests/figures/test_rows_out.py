"""What leaves anonymised and then stands, beside figures of answers that came after it was made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.lattices import Axis
from app.access.callers import owner
from app.export.anonymous import AnonymousWish, prepare_anonymous
from app.export.formats import Format
from app.figures import visible
from app.figures.lattice import decided, lattice_of
from app.figures.lattice_axes import Axes, time_axis
from app.figures.placed_sums import Placed
from app.figures.release import ReleaseRule
from app.figures.rows_out import RowsOut
from app.figures.unit_places import UnitPlaces, members
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.rollups.measure_counts import Measure
from app.settings import Settings
from tests.intake.test_store import Preparing
from tests.small_province import body

LEAST = 10
WARD = "moh-inpatient"
MONTHS = [date(2026, n, 1) for n in range(1, 7)]
UNITS = {1: 0, 2: 1, 3: 2}
SETS = [{1}, {2}, {3}, {1, 2, 3}]


def axes_of() -> Axes:
    periods, of_time = time_axis(MONTHS)
    places = UnitPlaces(
        UNITS, {frozenset(each): i for i, each in enumerate(SETS)},
        Axis(np.array([3, 3, 3, -1])),
    )  # fmt: skip
    return Axes(places, {"qr": 1}, periods, {Measure(): 0}, of_time, Axis(np.array([-1])))


def shown(people: np.ndarray, rows: Sequence[Placed]) -> list[np.ndarray]:
    """Each cell that is shown, as the atoms (unit, month) that are in it."""
    axes = axes_of()
    n = np.zeros((4, 2, len(axes.periods)), dtype=np.int64)
    for (unit, month), count in np.ndenumerate(people):
        n[unit, 1, axes.periods[f"{MONTHS[month]:%Y-%m}"]] = count
    lattice = decided(axes, n, n[:, 1][None].copy(), LEAST, rows_out=RowsOut(rows))
    found = []
    for (at, units), (name, place) in product(enumerate(SETS), axes.periods.items()):
        inside = np.array([
            [unit + 1 in units and place in line(axes, month) for month in range(len(MONTHS))]
            for unit in range(3)
        ])  # fmt: skip
        if (people * inside).sum() and not lattice.hidden[at, 0, place]:
            assert (people * inside).sum() >= LEAST, name
            found.append(inside.astype(np.int64))
    return found


def line(axes: Axes, month: int) -> list[int]:
    at = axes.periods[f"{MONTHS[month]:%Y-%m}"]
    return [int(above[at]) for above in axes.of_time.upwards if above[at] >= 0]


def made(people: np.ndarray) -> tuple[Placed, np.ndarray]:
    """Rows of the first quarter along the figures of its end: units that are shown, and the rest.

    And the class of each unit, -1 of those that are in none.
    """
    before = people.copy()
    before[:, 3:] = 0
    of_then = shown(before, ())
    figures = {each.tobytes() for each in of_then}
    group = np.full(3, -1)
    quarter = np.zeros((3, len(MONTHS)), dtype=np.int64)
    quarter[:, :3] = 1
    if quarter.tobytes() in figures:
        for unit in range(3):
            one = quarter.copy()
            one[np.arange(3) != unit] = 0
            group[unit] = unit if one.tobytes() in figures else 3
        rest = before[group == 3].sum()
        if 0 < rest < LEAST:
            group[:] = 3
        # As analysis.anonymity takes back what gives few away on the day of the making.
        for coarser in (3, -1):
            if few(before, of_then, group):
                group[:] = coarser
    unit, month = np.nonzero(before)
    kept = group[unit] >= 0
    unit, month = unit[kept], month[kept]
    n = before[unit, month][:, None]
    names = np.array([f"{MONTHS[each]:%Y-%m}" for each in month.tolist()], dtype=np.str_)
    qr = np.full(len(unit), "qr")
    return Placed(unit + 1, qr, names, group[unit], [Measure()], n), group


def few(
    people: np.ndarray, figures: Sequence[np.ndarray], group: np.ndarray, *, of_two: bool = True
) -> bool:
    """Whether a figure, or what two differ by, less some of the classes is one to nine people."""
    classes = [np.zeros_like(people) for _ in range(4)]
    for unit in range(3):
        classes[group[unit]][unit, :3] = group[unit] >= 0
    vectors = [*figures]
    if of_two:
        vectors += [one - two for one, two in product(figures, repeat=2)]
    for vector in vectors:
        least = (np.abs(vector) * people)[group < 0].sum()
        least += (np.abs(vector) * people)[group >= 0][:, 3:].sum()
        for inside in classes:
            within = inside.astype(bool)
            ways = [(vector - times * inside) != 0 for times in (-1, 0, 1)]
            least += min((people * (way & within)).sum() for way in ways)
        if 0 < least < LEAST:
            return True
    return False


@pytest.mark.parametrize("rows", (True, False))
def test_a_quarter_that_is_out_guards_no_later_month(rows):
    people = np.zeros((3, 6), dtype=np.int64)
    people[0] = (60, 2, 60, 0, 8, 0)
    people[1:] = 50
    placed, group = made(people)
    assert set(group.tolist()) == {0, 1, 2}
    figures = shown(people, [placed] if rows else [])
    assert few(people, figures, group) is not rows
    quarter = np.zeros_like(people)
    quarter[0, :3] = 1
    assert any((each == quarter).all() for each in figures) is rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 4, 8, 9, 12, 30, 60]), min_size=18, max_size=18))
def test_no_figure_of_any_later_day_less_rows_is_few(drawn):
    people = np.array(drawn, dtype=np.int64).reshape(3, 6)
    placed, group = made(people)
    for known in range(3, 7):
        so_far = people.copy()
        so_far[:, known:] = 0
        figures = shown(so_far, [placed])
        # What two differ by is promised of the day of the making alone: a later month can bring a
        # sum of the quarter back that was hidden then (docs/security.md).
        assert not few(so_far, figures, group, of_two=False)
        # Who has no rows is promised what they always are.
        alone = np.full(3, -1)
        assert not few(so_far, figures, alone)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_answers_that_are_sent_after_a_quarter_was_made_do_not_follow_from_its_rows(
    database, province
):
    year = datetime.now(UTC).year - 1
    with database.writing() as session:
        points = {unit: current_code(open_point(
            session, session.get_one(Unit, province.units[unit]), WARD, Channel.KIOSK, unit))
            for unit in ("W1", "H1")}  # fmt: skip
    prepare = Preparing(database)

    def send(unit: str, month: int, people: int) -> None:
        prepare.store.append([
            prepare(body(points[unit], {"A1": 1 + n % 5}, questionnaire=WARD,
                         answered_at=f"{year}-{month:02}-{5 + n % 20:02}T09:00:00+07:00"))
            for n in range(people)
        ])  # fmt: skip

    def is_shown(period: str) -> bool:
        with database.reading() as session:
            versions = visible.versions_of(session, WARD)
            lattice = lattice_of(session, versions, ReleaseRule(LEAST, date.max), frozenset())
            structure = visible.structure(session, date.max)
        of = members(structure, structure.tree, province.units["W1"])
        return not lattice.hides(lattice.units.find(of), period)

    for month, people in ((1, 60), (2, 2), (3, 60)):
        send("W1", month, people)
        send("H1", month, 50)
    # Making waits until imports are over; not here.
    rows = prepare_anonymous(
        database, Settings(), owner("test"), AnonymousWish(WARD), Format.CSV, "vi",
        datetime.now(UTC) + timedelta(days=2),
    ).table.to_pylist()  # fmt: skip
    assert sum(row["unit"] == "W1" for row in rows) == 122
    assert is_shown(f"{year}-Q1")
    send("W1", 5, 8)
    send("H1", 5, 50)
    # The half-year has 130, and the rows 122 of them.
    assert is_shown(f"{year}-Q1")
    assert not is_shown(f"{year}-H1") and not is_shown(str(year))
