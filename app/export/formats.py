"""The formats of an export, and what each can carry."""

from __future__ import annotations

from enum import StrEnum

from app.problems import Problem


class Format(StrEnum):
    """In what file responses are written."""

    CSV = "csv"
    #: For an Excel that is set to Vietnamese: semicolons, a comma before decimals.
    CSV_VI = "csv-vi"
    XLSX = "xlsx"
    PARQUET = "parquet"
    SPSS = "sav"
    STATA = "dta"

    @property
    def ending(self) -> str:
        """What the file's name ends with."""
        return "csv" if self is Format.CSV_VI else self.value

    @property
    def file_name(self) -> str:
        """The name of the file with all rows."""
        return f"responses.{self.ending}"

    @property
    def streams(self) -> bool:
        """Whether rows leave as they are read, however many there are."""
        return self in (Format.CSV, Format.CSV_VI, Format.PARQUET)

    @property
    def in_memory(self) -> bool:
        """Whether all rows must be in memory at one time."""
        return self in (Format.SPSS, Format.STATA)


class TooLargeForFormat(Problem):
    """The file would need more memory than the service gives to one; Parquet needs none."""

    code, status = "too-large-for-format", 422
