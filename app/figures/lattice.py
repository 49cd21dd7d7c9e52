"""What whoever may not see few respondents is shown: cells of a lattice, decided once for all.

A figure shown to strangers is one of the lattice's: a unit of some structure, alone or with all
below it (``app.figures.unit_places``), one channel or all, a month, quarter, half-year or year, and
the index; or, over all channels, a factor or an item. Which cells are hidden does not depend on who
asks nor on what is asked for, so no two questions tell more than one (``analysis.lattices``). What
is no cell of it is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from analysis.lattices import Axis
from app.audit.log import last_change
from app.figures import visible
from app.figures.lattice_axes import LENGTHS, Axes, add_upwards, time_axis
from app.figures.periods import Length, name_of, span
from app.figures.placed_sums import earlier_of
from app.figures.query import Key, Query
from app.figures.release import ReleaseRule, released_cells
from app.figures.rows_out import RowsOut, protect_beside
from app.figures.session_cache import per_session
from app.figures.unit_places import Standing, UnitPlaces, unit_places
from app.problems import Problem
from app.registry.questionnaires import Published
from app.rollups.cells import SUMS
from app.rollups.measure_counts import Measure, counted, measures_of_all
from app.rollups.queries import CellRows
from app.rollups.version import version as rollup_version


class CalendarPeriodsOnly(Problem):
    """Who may not see what few respondents said asks for days that are no calendar period."""

    code, status = "calendar-periods-only", 422


class TooFine(Problem):
    """Who may not see what few respondents said asks for a figure that the lattice does not have.

    It has factors and items over all channels, one channel or all of them, and units one by one.
    """

    code, status = "too-fine", 422


Places = NDArray[np.intp]
Mask = NDArray[np.bool_]

#: The whole index over all channels: places on their axes.
_WHOLE = 0


@dataclass(frozen=True)
class Lattice:
    """Which figures of a questionnaire are hidden from strangers.

    To a reader who sees everything of some units their people are none: of each figure only the
    others are told, and a figure without others tells nothing new.
    """

    units: UnitPlaces
    channels: dict[str, int]
    periods: dict[str, int]
    measures: dict[Measure, int]
    #: Respondents, and which are hidden, shape (units, channels, periods): of the index.
    people: NDArray[np.int64]
    hidden: Mask
    #: Shape (measures, units, periods): of all channels together.
    hidden_measures: Mask
    #: Shape (units, periods): where anybody answered anything.
    answered: Mask

    def hides(
        self,
        at: Standing,
        period: str | None,
        *,
        measure: Measure = Measure(),  # noqa: B008 - frozen
        channel: str | None = None,
    ) -> bool:
        """Whether a figure is hidden; ``period`` is a name, None for all that is known.

        A set of units that is left out is hidden where any of them has answers.
        """
        if not at.places and not at.left_out:
            return False
        months = self._periods(period)
        if at.left_out and self.answered[np.ix_(at.left_out, months)].any():
            return True
        place = _WHOLE if channel is None else self.channels.get(channel)
        if place is None:
            return False
        number = self.measures.get(measure) if channel is None else None
        if number is None or measure == Measure():
            return bool(self.hidden[np.ix_(at.places, [place], months)].any())
        return bool(self.hidden_measures[np.ix_([number], at.places, months)].any())

    def _periods(self, period: str | None) -> list[int]:
        """The cells that make up a period; none where nobody answered in it."""
        if period is None:
            names = [name for name in self.periods if len(name) == 4]
        else:
            names = parts_of(period)
        return [self.periods[name] for name in names if name in self.periods]


def parts_of(period: str) -> list[str]:
    """The periods of the lattice that make up one by name: nine months are a half and a quarter."""
    found = span(period)
    if found.length is Length.NINE_MONTHS:
        return [f"{found.first.year}-H1", f"{found.first.year}-Q3"]
    return [period]


def named_period(
    first: date | None, last: date | None, known: tuple[date, date] | None
) -> str | None:
    """The name of the calendar period that some days are, as far as answers are known.

    None where they are all that is known, or none of it.

    Raises
    ------
    CalendarPeriodsOnly
        Where they are another run of days.
    """
    if known is None:
        return None
    begin, end = max(first or known[0], known[0]), min(last or known[1], known[1])
    if begin > end or (begin, end) == known:
        return None
    for length in (*LENGTHS, Length.NINE_MONTHS):
        found = span(name_of(begin, length))
        if (max(found.first, known[0]), min(found.last, known[1])) == (begin, end):
            return found.name
    raise CalendarPeriodsOnly(field="from" if first is not None and first > known[0] else "to")


def check_steps(query: Query, known: tuple[date, date] | None) -> None:
    """Refuse rows by period of which the first or the last is not whole, or of days and weeks.

    Raises
    ------
    CalendarPeriodsOnly
        Naming the parameter that cuts a period.
    """
    if {Key.DAY, Key.WEEK} & set(query.by):
        raise CalendarPeriodsOnly(field="by")
    if query.step is None or known is None:
        return
    length = Length(query.step.value)
    first, last = query.first, query.last
    begins = first is None or not known[0] < first <= known[1]
    if first is not None and not begins and span(name_of(first, length)).first != first:
        raise CalendarPeriodsOnly(field="from")
    ends = last is None or not known[0] <= last < known[1]
    if last is not None and not ends and span(name_of(last, length)).last != last:
        raise CalendarPeriodsOnly(field="to")


def lattice_of(
    session: Session,
    versions: Sequence[Published],
    release_rule: ReleaseRule,
    exempt: frozenset[int],
) -> Lattice:
    """The lattice of a questionnaire, for who sees everything of ``exempt`` and nothing else."""
    key = (tuple(version.id for version in versions), release_rule, exempt)

    def compute() -> Lattice:
        return _build(session, versions, release_rule, exempt)

    return per_session(session, ("lattice", *key), lambda: _KEPT.get(session, key, compute))


def lattice_of_session(
    session: Session, versions: Sequence[Published], release_rule: ReleaseRule
) -> Lattice:
    """A stranger's lattice of what this session reads, and of nothing that others read later."""
    return _build(session, versions, release_rule, frozenset())


#: Bytes of lattices that are kept; one is kept even where it is larger.
MOST_BYTES = 32 * 1024 * 1024


class _Kept:
    """Lattices by what they depend on: they are computed anew only after a change.

    One at a time: each is made of all cells there are, and threads that make several at once take
    turns at the interpreter anyway. What is older than the last change is never asked for again.
    """

    def __init__(self, most: int = 32, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lattices: WeakKeyDictionary[Engine, LRUCache[tuple[Hashable, object], Lattice]] = (
            WeakKeyDictionary()
        )
        self._lock, self._computing = Lock(), Lock()

    def get(self, session: Session, key: Hashable, compute: Callable[[], Lattice]) -> Lattice:
        """The lattice under a key, computed if figures or units changed since."""
        engine = session.get_bind().engine
        now = (rollup_version(session), last_change(session))
        with self._lock:
            kept = self._lattices.setdefault(engine, LRUCache(self._most))
            found = kept.get((key, now))
        if found is not None:
            return found
        with self._computing:
            with self._lock:
                found = kept.get((key, now))
            if found is None:
                found = compute()
                with self._lock:
                    for old in [each for each in kept if each[1] != now]:
                        del kept[old]
                    kept[(key, now)] = found
                    while len(kept) > 1 and _bytes_of(kept.values()) > self._most_bytes:
                        kept.popitem()
        return found


def _bytes_of(lattices: Iterable[Lattice]) -> int:
    arrays = (
        array
        for each in lattices
        for array in (each.people, each.hidden, each.hidden_measures, each.answered)
    )
    return sum(array.nbytes for array in arrays)


_KEPT = _Kept()


def _build(
    session: Session,
    versions: Sequence[Published],
    release_rule: ReleaseRule,
    exempt: frozenset[int],
) -> Lattice:
    read, aside = released_cells(session, versions, release_rule, exempt)
    units = unit_places(
        visible.units_of_all_times(session),
        release_rule.today,
        {int(id) for _, rows in (*read, *aside) for id in np.unique(rows.unit_id)},
    )
    names = sorted({str(name) for _, rows in (*read, *aside) for name in np.unique(rows.channel)})
    channels = {name: i for i, name in enumerate(names, start=1)}
    days = [np.unique(rows.day.astype("datetime64[M]")).tolist() for _, rows in (*read, *aside)]
    periods, of_time = time_axis({day for each in days for day in each})
    measures, of_measures = _measure_axis(versions)
    axes = Axes(units, channels, periods, measures, of_time, of_measures)
    people, by_measure = _counts(axes, read)
    read.clear()  # all cells there are, of which the rest needs nothing
    least = max(release_rule.least, 1)
    # With what is set aside first: which cells guard others is then the same before and after
    # something is set aside. Were it others, whoever kept both would have a hidden one alone.
    rows_out = RowsOut(earlier_of(session, versions[0].form.code), exempt)
    guarding = None
    if any(len(rows.day) for _, rows in aside):
        others, others_by_measure = _counts(axes, aside)
        guarding = decided(axes, people + others, by_measure + others_by_measure, least,
                           rows_out=rows_out)  # fmt: skip
    return decided(axes, people, by_measure, least, guarding, rows_out)


def _counts(
    axes: Axes, read: Iterable[tuple[Published, CellRows]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Who answered about each unit alone, as ``decided`` takes it."""
    shape = (len(axes.units.axis.parent), 1 + len(axes.channels), len(axes.periods))
    people = np.zeros(shape, dtype=np.int64)
    by_measure = np.zeros((len(axes.measures), shape[0], shape[2]), dtype=np.int64)
    for version, rows in read:
        if not len(rows.day):
            continue
        ids, where = np.unique(rows.unit_id, return_inverse=True)
        unit = np.array([axes.units.alone[id] for id in ids.tolist()], dtype=np.intp)[where]
        channel = _places(rows.channel, axes.channels)
        month = _places(np.datetime_as_string(rows.day, unit="M"), axes.periods)
        n = rows.cells["sums"][:, 0, SUMS.index("n")]
        np.add.at(people, (unit, channel, month), n)
        for measure, count in counted(version, rows.cells):
            np.add.at(by_measure[axes.measures[measure]], (unit, month), count)
    return people, by_measure


def decided(
    axes: Axes,
    people: NDArray[np.int64],
    by_measure: NDArray[np.int64],
    least: int,
    guarding: Lattice | None = None,
    rows_out: RowsOut = RowsOut(),  # noqa: B008 - frozen
) -> Lattice:
    """The lattice with what it hides, from who answered about each unit in each month.

    ``people`` by unit alone, channel and month, ``by_measure`` by measure, unit alone and month,
    with empty places for all sums of these: they are added up in place. What ``guarding`` hides
    is hidden here too. Beside ``rows_out`` nothing few follows either.
    """
    for axis, number in ((axes.units.axis, 0), (axes.of_channels, 1), (axes.of_time, 2)):
        add_upwards(people, axis, number)
    for axis, number in ((axes.units.axis, 1), (axes.of_time, 2)):
        add_upwards(by_measure, axis, number)
    known, known_measures = rows_out.known(axes, people, by_measure)
    hidden = np.zeros(people.shape, dtype=np.bool_)
    anyway = np.zeros((1, 1, 1), dtype=np.bool_)
    if guarding is not None:
        hidden, anyway = guarding.hidden, guarding.hidden_measures
    while True:
        hidden = protect_beside(
            people, (axes.units.axis, axes.of_channels, axes.of_time), least, hidden, known
        )
        hidden_measures = protect_beside(
            by_measure, (axes.of_measures, axes.units.axis, axes.of_time), least,
            np.broadcast_to(anyway | hidden[:, _WHOLE], by_measure.shape), known_measures,
        )  # fmt: skip
        # Where a factor has nothing else to hide behind, the index goes with it.
        more = hidden_measures[_WHOLE] & ~hidden[:, _WHOLE]
        if not more.any():
            break
        hidden[:, _WHOLE] |= more
    answered = (people[:, _WHOLE] > 0) | (by_measure > 0).any(axis=0)
    return Lattice(
        axes.units, axes.channels, axes.periods, axes.measures, people, hidden, hidden_measures,
        answered,
    )  # fmt: skip


def _measure_axis(versions: Sequence[Published]) -> tuple[dict[Measure, int], Axis]:
    """The index, its factors and their items, over all versions, and the questions besides."""
    within = measures_of_all(versions)
    parent = [-1 if whole is None else whole for whole in within.values()]
    places = {measure: i for i, measure in enumerate(within)}
    return places, Axis(np.array(parent, dtype=np.intp), nested=False)


def _places(values: NDArray[np.str_], places: dict[str, int]) -> Places:
    used, where = np.unique(values, return_inverse=True)
    return np.array([places[value] for value in used.tolist()], dtype=np.intp)[where]
