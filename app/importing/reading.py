"""From the rows of a file to the bodies of responses, by a mapping.

Safe to run twice: a response's id is made of the mapping's source and the row's own id, or, where
the file has none, of the row's content and how many like it came before. It is made with a key, so
that an id tells nobody of which row of the other program a response is. Rows without an id of
their own stay the same when columns are added that are empty in them. A row of another file that
is equal may be the same answers or another person's, which nothing but a moment to the second
tells; where a person says that a file is others' answers, its batch's name is of the content, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.importing.cells import Answer, CellRefused, ItemCells, NotGiven
from app.importing.fitting import check_fit
from app.importing.folding import folded
from app.importing.headers import UNNAMED, Column, Headed
from app.importing.mapping import ColumnMeaning, Mapping, Role
from app.importing.moments import NOT_KEPT, TwoDaysError, moment_of
from app.importing.words import ticked
from app.intake.ids import made_uuid7
from app.intake.schemas import FIRST_MOMENT, LAST_MOMENT
from app.problems import FieldError
from app.tables import Row, Value, text
from app.text_keys import TextKeys
from surveys import AnswerSheet

#: Longest time that a form is open, in seconds; of a longer one it is not known how long it took.
_LONGEST_S = 86_400
#: Most signs of a row's own id.
_LONGEST_ID = 300
_PURPOSE = b"importing"


@dataclass(frozen=True)
class RowRead:
    """A row as read: the body that it makes, or why not; or that it was never finished."""

    row: Row
    body: dict[str, object] | None = None
    errors: tuple[FieldError, ...] = ()
    former_ids: tuple[str, ...] = ()
    unfinished: bool = False
    #: Whether it has neither an id nor a moment to the second, and is known by what stands in it.
    by_content: bool = False
    #: In a file of others' answers: the ids that it would have in earlier files of its source.
    elsewhere: tuple[str, ...] = ()


class Reader:
    """Reads the rows of one file by a mapping; knows which rows without an id came before.

    ``codes`` are, by a point's code of today, all that it had, the first one first. ``batch`` is
    the name of a file that holds others' answers than all files of its source; ``batches`` are
    those of earlier ones.

    Raises
    ------
    WrongTable
        Where mapping, file and form do not fit: a column that is not there, or not decided about;
        an item that the form has not.
    """

    def __init__(
        self,
        headed: Headed,
        mapping: Mapping,
        sheet: AnswerSheet,
        zone: ZoneInfo,
        keys: TextKeys,
        codes: AnyMapping[str, Sequence[str]],
        point: str = "",
        batch: str = "",
        batches: Sequence[str] = (),
    ) -> None:
        self._batches = [batch] if batch else ["", *batches]
        self._elsewhere = [each for each in ("", *batches) if batch and each != batch]
        self._moments = self._to_the_second = 0
        self._headed, self._mapping, self._sheet = headed, mapping, sheet
        self._zone = ZoneInfo(mapping.zone) if mapping.zone else zone
        self._keys, self._codes, self._point = keys, codes, point or mapping.point or ""
        self._came: Counter[bytes] = Counter()
        self._missing = frozenset(mapping.missing)
        check_fit(headed, mapping, sheet, self._point)
        self._roles: dict[Role, tuple[Column, ColumnMeaning]] = {}
        self._items: list[tuple[Column, ColumnMeaning, ItemCells]] = []
        items = {item.code: item for item in sheet.form.items}
        for column in headed.columns:
            meaning = mapping.columns.get(column.name)
            if meaning is None:
                continue
            if meaning.role is not None:
                self._roles[meaning.role] = column, meaning
            elif meaning.item is not None:
                cells = ItemCells(
                    meaning, items[meaning.item], sheet.form, self._missing, mapping.numbers
                )
                self._items.append((column, meaning, cells))
        #: Codes of languages by the names that they have themselves.
        self.languages = {folded(name): code for code, name in sheet.form.spoken.items()}
        # Numbers of rows are others in the next file.
        self._known_by = [
            (folded(column.name), column) for column in headed.columns if column.name != UNNAMED
        ]
        #: Where a title stands.
        self.titled = frozenset(column.place for column in headed.columns)
        self._role_words = {
            role: {folded(word): str(meant) for word, meant in meaning.words.items()}
            for role, (_, meaning) in self._roles.items()
        }
        #: The column of each item, by the intake's name of it; of several the first.
        self.columns = {
            f"answers.{meaning.item}": column for column, meaning, _ in reversed(self._items)
        }
        self.columns |= {role.value: column for role, (column, _) in self._roles.items()}
        if Role.SUBMITTED_AT in self._roles:
            self.columns["answered_at"] = self._roles[Role.SUBMITTED_AT][0]

    def read(self, row: Row) -> RowRead:
        """One row."""
        read = _RowReading(self, row)
        if (
            self._mapping.unfinished == "leave-out"
            and not read.errors  # an error in a cell is no emptiness
            and self._unfinished(row)
        ):
            return RowRead(row, unfinished=True)
        answers, answered_at = read.answers(), read.moment(Role.ANSWERED_AT, Role.SUBMITTED_AT)
        started = read.moment(Role.STARTED_AT)
        if answered_at is None and self._unfinished(row):
            answered_at = started
        place = read.point()
        own = read.own_id()
        language = read.language()
        duration = read.duration(started, answered_at)
        read.needs(answered_at, place)
        if read.errors or answered_at is None:
            return RowRead(row, errors=tuple(read.errors))
        body: dict[str, object] = {
            "questionnaire": self._sheet.form.code,
            "version": self._sheet.form.version,
            "point": place,
            "answered_at": answered_at.isoformat(),
            "language": language,
            "answers": answers,
        }
        if duration is not None:
            body["duration_s"] = duration
        if self._unfinished(row):
            body["partial"] = True
        (first, *former), elsewhere = self._ids(row, place, own, answered_at)
        second = bool(answered_at.second or answered_at.microsecond)
        self._moments, self._to_the_second = self._moments + 1, self._to_the_second + second
        known_by_content = not own and not second
        return RowRead(
            row, body | {"id": first}, (), tuple(former), by_content=known_by_content,
            elsewhere=tuple(elsewhere) if known_by_content else (),
        )  # fmt: skip

    @property
    def to_the_second(self) -> bool:
        """Whether moments are kept to the second, so that no two people's are equal.

        Where they are, one in 60 has none; a few that have some, as of one who typed them, are
        no such file.
        """
        without = self._moments - self._to_the_second
        return self._to_the_second > without and 10 * without <= max(self._moments, 10)

    def cell(self, row: Row, column: Column) -> Value:
        """What stands in a column."""
        return row.cells[column.place] if column.place < len(row.cells) else None

    def is_missing(self, written: str) -> bool:
        """Whether a text stands for none."""
        return not written or written in self._missing

    def said(self, row: Row, role: Role) -> tuple[Column, Value, str] | None:
        """The column of a role, its cell and what it says; none where the file has no such."""
        if role not in self._roles:
            return None
        column, _ = self._roles[role]
        value = self.cell(row, column)
        written = text(value)
        given = self._role_words[role]
        if given and (meant := given.get(folded(written))) is not None:
            value = written = meant
        return (
            column,
            None if self.is_missing(written) else value,
            ("" if self.is_missing(written) else written),
        )

    def _unfinished(self, row: Row) -> bool:
        said = self.said(row, Role.SUBMITTED_AT)
        if said is not None and not said[2]:
            return True
        said = self.said(row, Role.FINISHED)
        return said is not None and (not said[2] or ticked(folded(said[2])) is False)

    def _ids(
        self, row: Row, place: str, own: str, answered_at: datetime
    ) -> tuple[list[str], list[str]]:
        elsewhere: Sequence[bytes] = ()
        source = self._mapping.source
        if own:
            # The id must not depend on the day or the point: what is corrected in the mapping
            # would count a second time instead of being named as a conflict.
            moment = datetime(2000, 1, 1, tzinfo=self._zone)
            digests = self._keys.hashes(_PURPOSE, ["id", source, own])
        else:
            moment = answered_at
            said = sorted(
                (title, written)
                for title, column in self._known_by
                if (written := text(self.cell(row, column)))
            )
            places = self._codes.get(place, [place])
            contents = [["row", source, code, said] for code in places]
            first, *_ = self._keys.hashes(_PURPOSE, contents[0])
            self._came[first] += 1
            numbered = [(key, self._came[first]) for key in contents]
            digests = self._hashes(numbered, self._batches)
            elsewhere = self._hashes(numbered, self._elsewhere)
        ids, others = (
            [str(made_uuid7(moment, hash[-10:])) for hash in dict.fromkeys(hashes)]
            for hashes in (digests, elsewhere)
        )
        return ids, others

    def _hashes(
        self, numbered: Sequence[tuple[object, int]], batches: Sequence[str]
    ) -> tuple[bytes, ...]:
        """The hashes of a row's content with how many like it came before, in each batch."""
        keys = [[*each, *filter(None, [batch])] for each in numbered for batch in batches]
        return tuple(hash for key in keys for hash in self._keys.hashes(_PURPOSE, key))

    @property
    def mapping(self) -> Mapping:
        """What the columns mean."""
        return self._mapping

    @property
    def zone(self) -> ZoneInfo:
        """The zone of moments without an offset."""
        return self._zone

    @property
    def items(self) -> Sequence[tuple[Column, ColumnMeaning, ItemCells]]:
        """The columns with answers."""
        return self._items

    @property
    def given_point(self) -> str:
        """The point of rows that name none."""
        return self._point

    def at(self, place: int) -> Column:
        """The column at a place."""
        return self._headed.column(place)

    def mistake(self, row: Row, column: Column | None, reason: str, **values: object) -> FieldError:
        """What is wrong with a cell, or a row."""
        return self._headed.mistake(row, None if column is None else column.place, reason, **values)


class _RowReading:
    """One row while it is read, with what is wrong so far."""

    def __init__(self, reader: Reader, row: Row) -> None:
        self._reader, self._row = reader, row
        used = {column.place for column in reader.columns.values()}
        used |= {column.place for column, _, _ in reader.items}
        # What stands in columns that are left out does not matter.
        self.errors = [
            reader.mistake(row, reader.at(fault.column), fault.reason, **fault.values)
            for fault in row.faults
            if fault.column in used
        ]
        self.errors += [
            reader.mistake(row, reader.at(place), "table.no_title", value=cell)
            for place, cell in enumerate(row.cells)
            if place not in reader.titled and text(cell)
        ]
        if row.counted and len(row.cells) <= max(reader.titled):
            # Whatever was cut off, or shifted, nobody knows what the other cells are.
            count = max(reader.titled) + 1
            self.errors.append(reader.mistake(row, None, "table.short_row", count=count))
        self._faulty = {fault.column for fault in row.faults}

    def answers(self) -> dict[str, Answer]:
        """The answers by item; of an item in several columns, all options that are ticked."""
        found: dict[str, Answer] = {}
        for column, meaning, cells in self._reader.items:
            if column.place in self._faulty or meaning.item is None:
                continue
            value = self._reader.cell(self._row, column)
            try:
                if meaning.option is None:
                    found[meaning.item] = cells.answer(value)
                    continue
                said = cells.ticks(value)
            except NotGiven:
                continue
            except CellRefused as refused:
                self._wrong(column, refused.reason, item=meaning.item, **refused.values)
                continue
            if said is not None:
                options = found.setdefault(meaning.item, [])
                if said and isinstance(options, list):
                    options.append(meaning.option)
        return found

    def moment(self, *roles: Role) -> datetime | None:
        """The moment of the first of the roles that has one."""
        for role in roles:
            said = self._reader.said(self._row, role)
            if said is None or not said[2] or said[0].place in self._faulty:
                continue
            column, value, written = said
            try:
                found = moment_of(value, self._reader.zone, self._reader.mapping.dates)
                if found is not None and not FIRST_MOMENT <= found < LAST_MOMENT:
                    found = None
            except TwoDaysError as two:
                days = {"one": f"{two.one:%d/%m/%Y}", "other": f"{two.other:%d/%m/%Y}"}
                self._wrong(column, "importing.two_days", value=written, **days)
                continue
            except (ValueError, OverflowError):
                found = None
            if found is None:
                self._wrong(column, "import.bad_date", value=written)
            elif found.replace(tzinfo=None) == NOT_KEPT:
                self._wrong(column, "importing.no_times", value=written)
            else:
                return found
        return None

    def point(self) -> str:
        """The public code of the survey point."""
        said = self._reader.said(self._row, Role.POINT)
        written = said[2] if said else ""
        # Public codes have capital letters alone.
        return (written or self._reader.given_point).strip().upper()

    def own_id(self) -> str:
        """What tells the row from all others, if the file has a column for it."""
        said = self._reader.said(self._row, Role.ID)
        if said is None:
            return ""
        column, _, written = said
        if not written:
            self._wrong(column, "importing.no_id")
        elif len(written) > _LONGEST_ID:
            self._wrong(column, "table.too_long", most=_LONGEST_ID)
        return written

    def language(self) -> str:
        """The language in which it was answered, in small letters, without a region."""
        said = self._reader.said(self._row, Role.LANGUAGE)
        written = said[2].lower() if said else ""
        # Some programs write a language by its name.
        written = self._reader.languages.get(folded(written), written)
        return (written or self._reader.mapping.language).replace("_", "-").split("-")[0]

    def duration(self, started: datetime | None, ended: datetime | None) -> int | None:
        """How many seconds it took, where that is known."""
        said = self._reader.said(self._row, Role.DURATION)
        if said is None or not said[2]:
            seconds = (ended - started).total_seconds() if started and ended else -1.0
        else:
            try:
                seconds = float(said[2])
            except ValueError:
                self._wrong(said[0], "import.not_a_number", value=said[2])
                return None
        return round(seconds) if 0 <= seconds <= _LONGEST_S else None

    def needs(self, answered_at: datetime | None, place: str) -> None:
        """Name what no response may lack."""
        wrong = {error.field for error in self.errors}
        column = self._reader.columns.get("answered_at")
        if answered_at is None and (
            column is None or f"{column.letter}{self._row.number}" not in wrong
        ):
            self._wrong(column, "importing.no_moment")
        if not place:
            self._wrong(self._reader.columns.get("point"), "importing.no_point")

    def _wrong(self, column: Column | None, reason: str, **values: object) -> None:
        self.errors.append(self._reader.mistake(self._row, column, reason, **values))
