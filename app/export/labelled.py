"""SPSS and Stata: files with labels, written by ReadStat from a frame that is wholly in memory.

ReadStat takes a whole frame and no pieces, so memory is reckoned before anything is read, from
what was measured (``BYTES_A_CELL``, ``BYTES_A_ROW``), and what needs more is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.export.arrow import pa
from app.export.columns import Measure, described
from app.export.formats import Format, TooLargeForFormat
from app.export.names import (
    LONGEST_LABEL,
    LONGEST_LABEL_BYTES,
    LONGEST_VALUE_LABEL_BYTES,
    distinct_labels,
    short_label,
)

if TYPE_CHECKING:
    import pandas

#: Memory beside what the process had, by column and row. Measured by tests/export/measure_memory.py
#: on the longest form, 17 to 23 bytes a cell, texts included (29 November 2026); a half more here.
BYTES_A_CELL = 32
BYTES_A_ROW = 1_000
#: Written as release 118: ReadStat writes 119 for 15, which Stata/MP alone reads.
_STATA_VERSION = 14
#: Stata takes so many bytes, too.
_STATA_LABEL = 80
#: Longest text in a column of fixed width that Stata has.
_DAY = {Format.SPSS: "DATE11", Format.STATA: "%td"}


@dataclass(frozen=True)
class Labels:
    """Labels as a format takes them, and those that were cut for it, by column."""

    columns: Mapping[str, str]
    values: Mapping[str, Mapping[int, str]]
    cut: Mapping[str, tuple[str, ...]]


def reckoned_bytes(rows: int, columns: int) -> int:
    """How much memory a file of so many rows and columns takes, at most."""
    return rows * (BYTES_A_ROW + columns * BYTES_A_CELL)


def check_memory(form: Format, rows: int, columns: int, limit_mb: int) -> None:
    """Raise ``TooLargeForFormat`` where a file needs more memory than it is given."""
    needed = reckoned_bytes(rows, columns)
    if form.in_memory and needed > limit_mb * 2**20:
        most = limit_mb * 2**20 // reckoned_bytes(1, columns)
        raise TooLargeForFormat(
            field="format", format=form.value, rows=rows, megabytes=-(-needed // 2**20),
            limit=limit_mb, most=most,
        )  # fmt: skip


def labels_for(form: Format, schema: pa.Schema, language: str) -> Labels:
    """Labels that the format keeps whole; longer ones are cut here, where it can be said."""
    columns, values, cut = {}, {}, {}
    for each in schema:
        what = described(each)
        full = what.label[language]
        if form is Format.STATA:
            columns[each.name] = short_label(full, LONGEST_LABEL, _STATA_LABEL)
        else:
            columns[each.name] = short_label(full, None, LONGEST_LABEL_BYTES)
        was_cut = [full] if columns[each.name] != full else []
        if what.values:
            whole = what.labels(language)
            values[each.name] = distinct_labels(whole, LONGEST_VALUE_LABEL_BYTES)
            was_cut += [whole[v] for v, text in values[each.name].items() if text != whole[v]]
        if was_cut:
            cut[each.name] = tuple(was_cut)
    return Labels(columns, values, cut)


def write_labelled(
    form: Format,
    file: Path,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    language: str,
    title: str,
) -> None:
    """Write one file for SPSS (.sav) or Stata (.dta).

    Days are days without a zone; what was not answered is missing (system-missing), and whether
    that was "no opinion" is a column of its own: ``haven`` would count a user-missing 0.
    """
    import pyreadstat

    labels = labels_for(form, schema, language)
    frame = _frame(schema, batches)
    values = {name: dict(each) for name, each in labels.values.items()}
    # Given for every column: an empty one would become a text of one letter.
    formats = {each.name: made for each in schema if (made := _format(form, each))}
    if form is Format.SPSS:
        pyreadstat.write_sav(
            frame,
            str(file),
            file_label=short_label(title, None, 60),
            column_labels=dict(labels.columns),
            variable_value_labels=values,  # type: ignore[arg-type]
            variable_measure={each.name: described(each).measure.value for each in schema},
            variable_format=formats,
            row_compress=True,
        )
    else:
        pyreadstat.write_dta(
            frame,
            str(file),
            file_label=short_label(title, LONGEST_LABEL, _STATA_LABEL),
            column_labels=dict(labels.columns),
            variable_value_labels=values,  # type: ignore[arg-type]
            variable_format=formats,
            version=_STATA_VERSION,
        )


def _frame(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> pandas.DataFrame:
    """All rows; numbers with gaps are floats, texts that are missing are empty."""
    table = pa.Table.from_batches(batches, schema)
    arrays = []
    for each in schema:
        column = table.column(each.name)
        if pa.types.is_string(each.type):
            column = column.fill_null("")
        elif pa.types.is_integer(each.type):
            column = column.cast(pa.float64())
        arrays.append(column)
    frame: pandas.DataFrame = pa.table(arrays, names=schema.names).to_pandas(
        date_as_object=True, self_destruct=True, split_blocks=True
    )
    return frame


def _format(form: Format, column: pa.Field) -> str | None:
    kind = column.type
    if pa.types.is_date(kind):
        return _DAY[form]
    if form is not Format.SPSS or pa.types.is_string(kind):
        return None
    if pa.types.is_floating(kind):
        return "F12.4"
    return "F3.0" if described(column).measure is not Measure.SCALE else "F12.0"
