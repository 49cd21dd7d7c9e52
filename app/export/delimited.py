"""CSV and Parquet: written batch after batch, in the memory of one batch."""

from __future__ import annotations

from typing import Protocol

from app.export.arrow import pa, pc
from app.export.columns import Role, described
from app.export.formats import Format

#: Without it Excel takes Vietnamese letters for others.
MARK = "\ufeff".encode()
#: A spreadsheet takes a text that begins so for a formula.
_FORMULA = r"^[=+\-@\t\r]"


#: The column whose values are all different.
_NEVER_AGAIN = ("response",)
_LOOKED_FOR = ("change", "version", "unit", "day", "channel", "disposition")


class Outlet(Protocol):
    """What takes bytes one after the other, and cannot be sought in."""

    def write(self, data: bytes, /) -> int | None: ...  # noqa: D102


class Writer(Protocol):
    """Writes batches into an open file."""

    def write(self, batch: pa.RecordBatch) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class CsvWriter:
    """CSV in UTF-8; ``appends`` writes neither mark nor header, to go on in a file."""

    def __init__(
        self, out: Outlet, schema: pa.Schema, *, vietnamese: bool, appends: bool = False
    ) -> None:
        self._vietnamese = vietnamese
        self._texts = [
            each.name for each in schema
            if described(each).role is Role.TEXT
        ]  # fmt: skip
        self._schema = pa.schema([self._written(each) for each in schema])
        if not appends:
            out.write(MARK)
        options = pa.csv.WriteOptions(
            include_header=not appends, delimiter=";" if vietnamese else ",", quoting_style="needed"
        )
        self._writer = pa.csv.CSVWriter(out, self._schema, write_options=options)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch."""
        arrays = []
        for column, kind in zip(batch.columns, batch.schema, strict=True):
            if self._vietnamese and pa.types.is_floating(kind.type):
                column = pc.replace_substring(column.cast(pa.string()), ".", ",")
            elif kind.name in self._texts:
                # Excel would compute a citizen's words; line ends stay, within quotes.
                column = pc.replace_substring_regex(column, _FORMULA, r"'\0")
            arrays.append(column)
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """End the file."""
        self._writer.close()

    def _written(self, column: pa.Field) -> pa.Field:
        if self._vietnamese and pa.types.is_floating(column.type):
            return pa.field(column.name, pa.string())
        return pa.field(column.name, column.type)


class ParquetWriter:
    """Parquet, a row group a batch; types that DuckDB, Spark, R and pandas all read."""

    def __init__(self, out: Outlet, schema: pa.Schema) -> None:
        # A dictionary of what is never twice the same would be made and thrown away.
        again = [each for each in schema.names if each not in _NEVER_AGAIN]
        self._writer = pa.parquet.ParquetWriter(
            out,
            schema,
            compression="zstd",
            use_dictionary=again,
            # Of what rows are looked for by; and few calls of the writer, for columns are small.
            write_statistics=[each for each in _LOOKED_FOR if each in schema.names],
            write_batch_size=1 << 16,
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch."""
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Write the footer, without which it is no file."""
        self._writer.close()


def writer(form: Format, out: Outlet, schema: pa.Schema) -> Writer:
    """The writer of a format that streams."""
    if form is Format.PARQUET:
        return ParquetWriter(out, schema)
    return CsvWriter(out, schema, vietnamese=form is Format.CSV_VI)
