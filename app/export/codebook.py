"""The codebook of an export: what it is of, in one typed whole, from which documents are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from app import RELEASE
from app.export.arrow import pa
from app.export.columns import CHANGE, Described, described
from app.export.formats import Format
from app.export.labelled import labels_for
from app.export.selection import Selection
from app.messages import LANGUAGES


@dataclass(frozen=True)
class Generalised:
    """A column that others may know of a respondent, and in how many rows it is withheld."""

    name: str
    withheld: int


@dataclass(frozen=True)
class Anonymity:
    """What was done so that nobody is found in an anonymised export.

    ``left_out`` are respondents of the quarters, of all units, who are in no row; None beside rows
    of some units, of which it would tell nothing.
    """

    least: int
    quarters: tuple[str, ...]
    left_out: int | None
    columns: tuple[Generalised, ...]

    @property
    def few_left_out(self) -> bool:
        """Whether so few are left out that it is not said how many."""
        return self.left_out is not None and 0 < self.left_out < self.least


@dataclass(frozen=True)
class Codebook:
    """What an export is of: questionnaire, units, days, rows, and its columns."""

    schema: pa.Schema
    format: Format
    language: str
    title: Mapping[str, str]
    source: Mapping[str, str]
    questionnaire: str
    versions: tuple[int, ...]
    units: tuple[str, ...]
    first: date | None
    last: date | None
    channels: tuple[str, ...]
    aside: bool
    texts: bool
    #: From which day on responses were kept; the first of all where all are.
    kept_from: date
    made_at: datetime
    synthetic: bool
    #: Rows, where they were counted before.
    rows: int | None = None
    #: What the responses stand in: a file, or of Parquet in rounds a folder.
    file: str = ""
    #: Of an anonymised export.
    anonymity: Anonymity | None = None
    release: str = RELEASE
    cut: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        """Which labels the format cuts."""
        cut: Mapping[str, tuple[str, ...]] = {}
        if self.format.in_memory:
            cut = labels_for(self.format, self.schema, self.language).cut
        object.__setattr__(self, "cut", cut)
        object.__setattr__(self, "file", self.file or self.format.file_name)

    @classmethod
    def of(
        cls,
        selection: Selection,
        form: Format,
        language: str,
        made_at: datetime,
        *,
        synthetic: bool,
        rows: int | None = None,
        file: str = "",
    ) -> Codebook:
        """The codebook of a selection in a format."""
        wish, newest = selection.wish, max(selection.versions, key=lambda v: v.form.version).form
        return cls(
            schema=selection.columns.schema,
            format=form,
            language=language,
            title={at: newest.title.in_language(at) for at in LANGUAGES},
            source={at: newest.source.in_language(at) for at in LANGUAGES},
            questionnaire=wish.questionnaire,
            versions=tuple(sorted(each.form.version for each in selection.versions)),
            units=wish.units,
            first=wish.first,
            last=wish.last,
            channels=wish.channels,
            aside=wish.aside,
            texts=wish.texts,
            kept_from=selection.kept_from,
            made_at=made_at,
            synthetic=synthetic,
            rows=rows,
            file=file,
        )

    @property
    def in_rounds(self) -> bool:
        """Whether the file is one of several rounds, each of which changes those before."""
        return CHANGE in self.schema.names

    @property
    def columns(self) -> list[tuple[str, pa.DataType, Described]]:
        """Each column's name, type and what it says."""
        return [(each.name, each.type, described(each)) for each in self.schema]
