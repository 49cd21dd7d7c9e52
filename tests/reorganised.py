"""A small province that was reorganised: answers on both sides of 1 July 2025.

Until 30 June 2025                     From 1 July 2025
77 ─┬─ A1 "Sở cũ"                      77 ─┬─ A1 "Sở mới", the same people
    └─ D1 ─┬─ P1, 96 % satisfied           ├─ H1, moved
           ├─ P2, 80 %                     ├─ P1, made of P1 and P2
           ├─ P3                           ├─ P3 and P5, made of P3: nobody knows who went where
           ├─ P4                           └─ P4 and P6, 75 % and 25 % of P4
           └─ H1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.engine import URL

from app.db import Database
from app.invitations.models import Invitation
from app.registry.models import (
    Channel,
    Reorganisation,
    ServiceVolume,
    Succession,
    Unit,
    UnitPeriod,
)
from app.registry.points import current_code, find_by_code, open_point
from tests.databases import BACKENDS, PostgresServer, new_database
from tests.intake.test_store import Preparing
from tests.small_province import body

#: By unit, respondents a month and the share of satisfied answers.
People = Mapping[str, tuple[int, float]]
FOUNDED, DAY, LAST = date(2024, 1, 1), date(2025, 7, 1), date(2025, 6, 30)
TODAY = date(2026, 7, 15)
MONTHS = [f"{2024 + m // 12}-{m % 12 + 1:02}" for m in range(30)]
DECISION = "Nghị quyết 202/2025/QH15"
#: Name here, code, kind, name, name above, first and last day.
UNITS = (
    ("77", "77", "province", "Tỉnh 77", None, FOUNDED, None),
    ("D1", "D1", "district", "Huyện 1", "77", FOUNDED, LAST),
    ("A1", "A1", "agency", "Sở mới", "77", FOUNDED, None),
    ("H1", "H1", "hospital", "Bệnh viện 1", "77", FOUNDED, None),
    ("old P1", "P1", "commune", "Phường 1", "D1", FOUNDED, LAST),
    ("old P2", "P2", "commune", "Phường 2", "D1", FOUNDED, LAST),
    ("old P3", "P3", "commune", "Phường 3", "D1", FOUNDED, LAST),
    ("old P4", "P4", "commune", "Phường 4", "D1", FOUNDED, LAST),
    ("P1", "P1", "commune", "Phường Một", "77", DAY, None),
    ("P3", "P3", "commune", "Phường Ba", "77", DAY, None),
    ("P5", "P5", "commune", "Phường Năm", "77", DAY, None),
    ("P4", "P4", "commune", "Phường Bốn", "77", DAY, None),
    ("P6", "P6", "commune", "Phường Sáu", "77", DAY, None),
)
STEPS = (
    ("old P1", "P1", None),
    ("old P2", "P1", None),
    ("old P3", "P3", None),
    ("old P3", "P5", None),
    ("old P4", "P4", 0.75),
    ("old P4", "P6", 0.25),
)
BEFORE: People = {
    "A1": (5, 0.9), "D1": (3, 0.7), "H1": (4, 0.85), "old P1": (10, 0.96), "old P2": (10, 0.80),
    "old P3": (6, 0.75), "old P4": (8, 0.85),
}  # fmt: skip
AFTER: People = {
    "A1": (5, 0.9), "H1": (4, 0.85), "P1": (20, 0.88), "P3": (4, 0.75), "P5": (3, 0.75),
    "P4": (6, 0.85), "P6": (2, 0.85),
}  # fmt: skip
#: By unit and month the invited, and of them those who answered.
INVITED = {
    ("old P1", "2025-05"): (20, 8), ("old P3", "2025-05"): (10, 5), ("old P4", "2025-05"): (16, 8),
    ("P1", "2025-08"): (12, 6),
}  # fmt: skip
#: What was written, with its day.
COMMENTS = (
    ("old P1", date(2025, 6, 3), "Chờ lâu"),
    ("old P3", date(2025, 6, 4), "Tốt"),
    ("old P4", date(2025, 6, 5), "Nhanh"),
    ("H1", date(2025, 6, 6), "Sạch sẽ"),
)
ITEMS = ("A1", "A2", "B1", "B2", "C1", "C2", "D1", "E1")


@dataclass
class Reorganised:
    """Ids by the names that stand above, and everything that was answered."""

    units: dict[str, int] = field(default_factory=dict)
    points: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, date, dict[str, Any]]] = field(default_factory=list)

    @classmethod
    def found(cls, database: Database, after: People | None = None) -> Reorganised:
        """Write units and successions as a plan does, and answers as the intake does.

        ``after`` says who answers since the day, where it is not ``AFTER``.
        """
        made = cls()
        with database.writing("a test") as session:
            rows: dict[str | None, Unit] = {}
            for name, code, kind, vi, above, first, last in UNITS:
                rows[name] = Unit(
                    code=code, kind=kind, name_vi=vi, name_en=f"{vi} (en)", parent=rows.get(above),
                    valid_from=first, valid_to=last,
                )  # fmt: skip
                session.add(rows[name])
            session.flush()
            plan = Reorganisation(
                name="Sắp xếp 2025", decision=DECISION, plan="", first_day=DAY,
                applied_by="a test", applied_at=datetime.now(UTC),
            )  # fmt: skip
            session.add(plan)
            session.flush()
            for one, other, share in STEPS:
                session.add(
                    Succession(
                        from_id=rows[one].id, to_id=rows[other].id, day=DAY, share=share,
                        reorganisation_id=plan.id,
                    )
                )  # fmt: skip
            periods = (
                ("A1", FOUNDED, "agency", "Sở cũ", "77"), ("A1", DAY, "agency", "Sở mới", "77"),
                ("H1", FOUNDED, "hospital", "Bệnh viện 1", "D1"),
                ("H1", DAY, "hospital", "Bệnh viện 1", "77"),
            )  # fmt: skip
            for name, first, kind, vi, above in periods:
                session.add(
                    UnitPeriod(
                        unit_id=rows[name].id, first_day=first, kind=kind, name_vi=vi,
                        name_en=f"{vi} (en)", parent_id=rows[above].id,
                    )
                )  # fmt: skip
            for name in {*BEFORE, *AFTER}:
                point = open_point(session, rows[name], "sipas-desk", Channel.QR, name)
                made.points[name] = current_code(point)
            for month in MONTHS:
                first = date.fromisoformat(f"{month}-01")
                for name, (people, _) in (BEFORE if first < DAY else AFTER).items():
                    session.add(
                        ServiceVolume(unit_id=rows[name].id, month=first, cases=10 * people)
                    )
            for (name, month), (issued, answered) in INVITED.items():
                for k in range(issued):
                    mark = f"{name} {month} {k}"
                    session.add(
                        Invitation(
                            number=mark, token_hash=mark, case_hash=mark, unit_id=rows[name].id,
                            point_id=find_by_code(session, made.points[name]).id,
                            finished_on=date.fromisoformat(f"{month}-10"),
                            expires_at=datetime(2027, 1, 1, tzinfo=UTC), answered=k < answered,
                        )
                    )  # fmt: skip
            made.units = {str(name): row.id for name, row in rows.items()}
        made.answers = list(_drawn(20, after or AFTER))
        prepare = Preparing(database)
        group = [
            prepare(body(made.points[name], answers, answered_at=f"{day}T09:00:00+07:00"))
            for name, day, answers in made.answers
        ]
        for start in range(0, len(group), 400):
            prepare.store.append(group[start : start + 400])
        return made

    def people(self, *names: str, first: date = FOUNDED, last: date = TODAY) -> int:
        """How many answered about some units in a period."""
        return sum(name in names and first <= day <= last for name, day, _ in self.answers)


@contextmanager
def standing(
    backend: str,
    templates: Callable[[str], URL],
    postgres: PostgresServer,
    folder: Path,
    after: People | None = None,
) -> Iterator[tuple[Reorganised, Database, str]]:
    """The province in a store of a kind, and its address."""
    url = new_database(backend, templates, postgres, folder)
    with closing(Database(url)) as database:
        yield Reorganised.found(database, after), database, url


def standing_in(folder: str) -> Any:
    """A module's fixture: the province and its database, on both stores."""

    @pytest.fixture(scope="module", params=BACKENDS)
    def world(
        request: pytest.FixtureRequest,
        templates: Callable[[str], URL],
        postgres: PostgresServer,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Iterator[tuple[Reorganised, Database, str]]:
        with standing(request.param, templates, postgres, tmp_path_factory.mktemp(folder)) as found:
            yield found

    return world


def _drawn(seed: int, since: People) -> Iterator[tuple[str, date, dict[str, Any]]]:
    rng = np.random.default_rng(seed)
    for month in MONTHS:
        first = date.fromisoformat(f"{month}-01")
        for name, (people, rate) in (BEFORE if first < DAY else since).items():
            for k in range(people):
                answers = {item: 5 if rng.random() < rate else 2 for item in ITEMS}
                yield name, first.replace(day=1 + k), answers
    for name, day, text in COMMENTS:
        yield name, day, dict.fromkeys(ITEMS, 5) | {"comment": text}
