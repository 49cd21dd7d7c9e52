"""A plan: one line a change of the tree, as its file has it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from openpyxl.utils import get_column_letter

from app.problems import FieldError
from app.registry.models import UnitKind

#: The columns of a plan in the order in which it is kept, and what else each may be called.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "day": ("ngày", "từ ngày"),
    "action": ("thay đổi", "loại thay đổi"),
    "code": ("mã", "mã đơn vị"),
    "to": ("thành", "mã đơn vị mới"),
    "name_vi": ("tên", "tên đơn vị", "tên tiếng Việt"),
    "name_en": ("tên tiếng Anh",),
    "kind": ("loại", "loại đơn vị"),
    "parent": ("mã đơn vị cấp trên",),
    "latitude": ("vĩ độ",),
    "longitude": ("kinh độ",),
    "share": ("tỷ lệ",),
    "main": ("chính", "đơn vị chính"),
    "accounts": ("tài khoản",),
    "decision": ("văn bản", "số văn bản"),
}


class Action(StrEnum):
    """What a line does."""

    #: A unit begins.
    FOUND = "found"
    #: A unit ends, and all of it is part of another one.
    MERGE = "merge"
    #: A unit ends, and several others have a part of it each; a line a part.
    SPLIT = "split"
    #: A unit goes on under another name.
    RENAME = "rename"
    #: A unit goes on below another one.
    MOVE = "move"
    #: A unit ends without successor.
    CLOSE = "close"
    #: A survey point is of another unit.
    POINT = "point"


@dataclass(frozen=True)
class PlanLine:
    """A change; ``code`` names what is on the day before, ``to`` and ``parent`` what is then."""

    number: int
    day: date
    action: Action
    code: str
    to: str = ""
    name_vi: str = ""
    name_en: str = ""
    kind: UnitKind | None = None
    parent: str = ""
    latitude: float | None = None
    longitude: float | None = None
    #: How much of a divided unit goes there.
    share: float | None = None
    #: Of a divided unit the part that its points go to.
    main: bool = False
    #: Whether accounts of the merged unit have their roles on the whole as well.
    accounts: bool = False
    decision: str = ""
    #: Names a cell of the file; without one the cell of the plan as it is kept.
    named: Callable[..., FieldError] | None = field(default=None, compare=False, repr=False)

    def mistake(self, column: str, reason: str, **values: object) -> FieldError:
        """What is wrong with a cell of this line."""
        if self.named is not None:
            return self.named(column, reason, **values)
        cell = f"{get_column_letter(list(COLUMNS).index(column) + 1)}{self.number}"
        place = {"row": self.number, "column": column, "cell": cell}
        return FieldError(cell, "table.cell", {**values, **place}, reason)


@dataclass(frozen=True)
class Plan:
    """All lines, and what the file is called."""

    lines: tuple[PlanLine, ...]
    source: str = "plan.csv"

    def as_csv(self) -> str:
        """The plan as it is kept, and can be read again."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(_cells, self.lines))
        return out.getvalue()


def kept_plan(kept: str, source: str) -> Plan:
    """A plan that was kept as CSV."""
    rows = csv.DictReader(io.StringIO(kept))
    return Plan(tuple(_line(number, row) for number, row in enumerate(rows, start=2)), source)


def _cells(line: PlanLine) -> Iterable[object]:
    for name in COLUMNS:
        value = getattr(line, name)
        if name == "main":
            yield "yes" if value else ""
        elif name == "accounts":
            yield "follow" if value else ""
        else:
            yield "" if value is None else value


def _line(number: int, row: Mapping[str, str]) -> PlanLine:
    def decimal(name: str) -> float | None:
        return float(row[name]) if row[name] else None

    return PlanLine(
        number=number,
        day=date.fromisoformat(row["day"]),
        action=Action(row["action"]),
        code=row["code"],
        to=row["to"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        kind=UnitKind(row["kind"]) if row["kind"] else None,
        parent=row["parent"],
        latitude=decimal("latitude"),
        longitude=decimal("longitude"),
        share=decimal("share"),
        main=row["main"] == "yes",
        accounts=row["accounts"] == "follow",
        decision=row["decision"],
    )
