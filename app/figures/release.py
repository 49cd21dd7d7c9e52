"""What figures may give away, and when: to those who may not see what few respondents said.

Somebody at a desk who knows who stood there last could tell from two figures, one before and one
after, what that citizen said. So they are told answers of the running month by batches. A batch
is a run of days that are over, of one unit, questionnaire and channel, with at least as many
respondents as a figure must have to be shown; and as many, or none, of each factor and question
(``app.rollups.measure_counts``). It is told once as many others have answered after it, everything
that somebody answered in it. Whatever two moments they compare, the figures of the month differ by
no answers or by at least so many, also when the month is over and told whole. How many answered is
told at once, if it is not few.
What a kiosk brings late waits until ten have come (``app.figures.late``).

For the same reason they ask for periods of the calendar (``app.figures.lattice``): of two periods
that a day with one respondent sets apart, the difference would tell what that one said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.access.models import Right
from app.clock import local_today
from app.figures import cell_reading
from app.figures.late import CellSelection, Withheld, find_late_aside, find_withheld
from app.figures.session_cache import per_session
from app.registry.questionnaires import Published
from app.rollups import queries
from app.rollups.measure_counts import counts_by_measure, measures_of_all
from app.rollups.queries import CellRows
from app.settings import Settings

CellsByVersion = list[tuple[Published, CellRows]]


@dataclass(frozen=True)
class ReleaseRule:
    """From how many respondents on a figure is shown to everybody who may read it, and the day.

    ``invitation_days`` is how long after its case an invitation may be answered.
    """

    least: int
    today: date
    invitation_days: int = 0

    @classmethod
    def of(cls, settings: Settings) -> ReleaseRule:
        """The rule that the settings give, on the local day."""
        today = local_today(settings.zone)
        return cls(settings.least_respondents, today, settings.invitation_days)


def everything(today: date) -> ReleaseRule:
    """The rule for the owner of the machine, who may read the database."""
    return ReleaseRule(1, today)


@dataclass(frozen=True)
class Unreleased:
    """The answers to one questionnaire that a caller is not told yet.

    ``released`` is the last day of the running month that is shown, by unit and channel; where a
    pair is missing none is. ``exempt`` are the units of which the caller is shown everything.
    """

    month: date
    released: Mapping[tuple[int, str], np.datetime64]
    exempt: frozenset[int]
    #: Late answers that are not told where they count, by version, and their ids.
    withheld: Mapping[int, Withheld] = field(default_factory=dict)
    late: frozenset[str] = frozenset()

    def among(
        self, unit_id: NDArray[np.int64], day: NDArray[np.datetime64], channel: NDArray[np.str_]
    ) -> NDArray[np.bool_]:
        """Which of n answers or cells are unreleased; arrays of length n."""
        running = day >= np.datetime64(self.month)
        unreleased = np.zeros(len(day), dtype=np.bool_)
        none = np.datetime64(self.month) - np.timedelta64(1, "D")
        for name in np.unique(channel[running]).tolist():
            at = np.flatnonzero(running & (channel == name))
            units, unit = np.unique(unit_id[at], return_inverse=True)
            last = np.array([self.released.get((id, name), none) for id in units.tolist()])
            exempt = np.isin(units, list(self.exempt))
            unreleased[at] = (day[at] > last[unit]) & ~exempt[unit]
        return unreleased

    def holds(self, unit_id: int, day: date, channel: str) -> bool:
        """Whether one answer is unreleased."""
        unreleased = self.among(
            np.array([unit_id], dtype=np.int64),
            np.array([day], dtype="datetime64[D]"),
            np.array([channel]),
        )
        return bool(unreleased[0])

    def touches(self, last: date | None) -> bool:
        """Whether a period that ends on a day may contain answers that are unreleased."""
        return last is None or last >= self.month or bool(self.withheld)

    def without(self, rows: CellRows, version: Published, selection: CellSelection) -> CellRows:
        """The cells of a version again, as they were asked for, without what is unreleased."""
        if version.id in self.withheld:
            rows = self.withheld[version.id].without(rows, self.exempt, selection)
        kept = ~self.among(rows.unit_id, rows.day, rows.channel)
        return rows if kept.all() else rows[kept]


def publishing(caller: Caller) -> Caller:
    """The caller without the right to small cells: reports and screens are read by anybody."""
    grants = tuple(
        replace(grant, rights=grant.rights - {Right.READ_SMALL_CELLS}) for grant in caller.grants
    )
    return Caller(caller.name, grants)


def find_unreleased(
    session: Session,
    versions: Sequence[Published],
    release_rule: ReleaseRule,
    exempt: frozenset[int] | None,
) -> Unreleased | None:
    """What is unreleased of the answers to all versions of one questionnaire.

    ``exempt`` are the units of which the caller may see small figures; None for all of them, to
    whom everything is released.
    """
    if exempt is None:
        return None
    found = per_session(
        session,
        ("unreleased", tuple(version.id for version in versions), release_rule),
        lambda: _batches(session, versions, release_rule),
    )
    return replace(found, exempt=exempt)


def released_cells(
    session: Session,
    versions: Sequence[Published],
    release_rule: ReleaseRule,
    exempt: frozenset[int],
) -> tuple[CellsByVersion, CellsByVersion]:
    """The cells of which strangers' figures are made, by version, and what is set aside."""
    unreleased = find_unreleased(session, versions, release_rule, exempt)
    read, aside = CellsByVersion(), CellsByVersion()
    for version in versions:
        rows = cell_reading.cells(session, version, first=None, last=None, units=None, channels=())
        more = cell_reading.cells_aside(
            session, version, first=None, last=None, units=None, channels=()
        ).rows
        if unreleased is not None:
            rows = unreleased.without(rows, version, CellSelection())
            more = more[~unreleased.among(more.unit_id, more.day, more.channel)]
        # What the reader sees anyway can be subtracted from everything: it guards nothing.
        for each, into in ((rows, read), (more, aside)):
            into.append((version, each[~np.isin(each.unit_id, list(exempt))] if exempt else each))
    return read, aside


def _batches(
    session: Session, versions: Sequence[Published], release_rule: ReleaseRule
) -> Unreleased:
    month = release_rule.today.replace(day=1)
    withheld, late = find_withheld(session, versions, release_rule.least, release_rule.today)
    read = []
    for version in versions:
        rows = queries.read(session, version, first=month)
        if version.id in withheld:
            rows = withheld[version.id].without(rows, frozenset(), CellSelection(first=month))
        read.append(rows)
    counts = [
        counts_by_measure(versions, version, rows.cells)
        for version, rows in zip(versions, read, strict=True)
    ]
    pairs: dict[tuple[int, str], int] = {}
    place = [
        pairs.setdefault((unit, channel), len(pairs))
        for rows in read
        for unit, channel in zip(rows.unit_id.tolist(), rows.channel.tolist(), strict=True)
    ]
    if not pairs:
        return Unreleased(month, {}, frozenset(), withheld, late)
    day = np.concatenate([rows.day for rows in read]) - np.datetime64(month)
    days = int(day.astype(np.int64).max()) + 1
    n = np.zeros((len(pairs), days, counts[0].shape[1]), dtype=np.int32)
    np.add.at(n, (np.array(place), day.astype(np.int64)), np.concatenate(counts))
    everybody = n + _aside(session, versions, month, pairs, days)
    last = last_released(n, everybody, release_rule.least, over=(release_rule.today - month).days)
    return Unreleased(
        month,
        {
            pair: np.datetime64(month) + np.timedelta64(int(last[i]), "D")
            for pair, i in pairs.items()
            if last[i] >= 0
        },
        frozenset(),
        withheld,
        late,
    )


def _aside(
    session: Session,
    versions: Sequence[Published],
    month: date,
    pairs: Mapping[tuple[int, str], int],
    days: int,
) -> NDArray[np.int32]:
    """How many are set aside, by pair, day of the month and measure; not of what came late."""
    n = np.zeros((len(pairs), days, len(measures_of_all(versions))), dtype=np.int32)
    for version in versions:
        late = find_late_aside(session, version, month)
        aside = queries.read_aside(session, version, first=month).rows
        for rows, sign in ((aside, 1), (late, -1)):
            counts = counts_by_measure(versions, version, rows.cells)
            day = (rows.day - np.datetime64(month)).astype(np.int64)
            keys = zip(rows.unit_id.tolist(), rows.channel.tolist(), strict=True)
            place = np.array([pairs.get(key, -1) for key in keys], dtype=np.intp)
            known = (place >= 0) & (day < days)
            np.add.at(n, (place[known], day[known]), sign * counts[known])
    return n


def last_released(
    n: NDArray[np.int32], everybody: NDArray[np.int32], least: int, *, over: int
) -> NDArray[np.intp]:
    """The last day of each row that is told; -1 where none is.

    A batch ends on the first day by which each measure has enough respondents, or none. Whether
    it is told changes with those after it alone, so what was told is never taken back. Where some
    are set aside, several batches of everybody are told as one, in which enough count: a batch
    that ended elsewhere for those that are set aside would tell, with them, of the few between.

    Parameters
    ----------
    n
        Respondents by day and measure, shape (rows, days, measures); first those of the index.
    everybody
        The same with those that are set aside.
    over
        How many of the days are over.
    """
    both = np.concatenate([n, everybody], axis=2)
    after = both.sum(axis=1)
    since = np.zeros_like(after)
    piece = np.zeros_like(after[:, n.shape[2] :])
    last = np.full(len(n), -1, dtype=np.intp)
    for day in range(min(over, n.shape[1])):
        since += both[:, day]
        after -= both[:, day]
        piece += everybody[:, day]
        whole = ((piece == 0) | (piece >= least)).all(axis=1) & (piece[:, 0] >= least)
        piece[whole] = 0
        # What nobody answered in the batch does not move with it, and needs nobody after it.
        enough = (since == 0) | ((since >= least) & (after >= least))
        ends = whole & enough.all(axis=1) & (since[:, 0] >= least)
        last[ends], since[ends] = day, 0
    return last
