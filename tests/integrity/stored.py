"""Months of responses as they are stored: honest ones that vary, and presses at closing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from app.clock import local_today
from app.db import Database
from app.intake.contents import ResponseRow
from app.intake.ids import made_uuid7
from app.intake.models import Disposition
from app.intake.prepared import Outcome, Prepared
from app.intake.store import ResponseStore
from app.intake.times import ReceiptRule
from app.registry.models import Channel, Unit
from app.registry.questionnaires import Published, published
from app.settings import Settings
from app.text_keys import TextKeys

ZONE = Settings().zone
MONTH = date(2026, 9, 1)
CLOSING = datetime(2026, 9, 29, 16, 40, tzinfo=ZONE)
FORM = "sipas-desk"
_random = np.random.default_rng(20)


def desk_form(database: Database, code: str = FORM) -> Published:
    """The newest version of a form."""
    with database.reading() as session:
        return [each for each in published(session) if each.form.code == code][-1]


def rated(version: Published) -> list[str]:
    """Codes of the items that enter the index."""
    form = version.form
    return [item.code for factor in form.index_factors for item in form.index_items(factor)]


def one(
    version: Published,
    unit: int,
    at: datetime,
    answers: Mapping[str, Any],
    *,
    channel: Channel = Channel.KIOSK,
    credential: int | None = 7,
    duration: int | None = 90,
    received: datetime | None = None,
    made: datetime | None = None,
    partial: bool = False,
    receipt_rule: ReceiptRule | None = None,
) -> Prepared:
    """A response that passed every check; its id begins with ``made``, or when it was given."""
    packed, texts = version.sheet.pack(answers, partial=partial)
    row = ResponseRow(
        id=str(made_uuid7(made or at, _random.bytes(10))), point_id=1, unit_id=unit,
        version_id=version.id, channel=channel.value, day=at.astimezone(ZONE).date(),
        answered_at=at, claimed_at=made or at, received_at=received or at, duration_s=duration,
        language="vi", disposition=Disposition.COUNTED.value, partial=partial, packed=packed,
        texts_hash=None, credential_id=credential,
    )  # fmt: skip
    return Prepared(row, version, texts, receipt_rule=receipt_rule)


def store(database: Database, responses: Sequence[Prepared]) -> list[str]:
    """Have them stored, with their cells; their ids."""
    outcomes = ResponseStore(database, TextKeys.of(Settings())).append(responses)
    assert set(outcomes) == {Outcome.ACCEPTED}
    return [each.row.id for each in responses]


def desks(database: Database, number: int) -> list[int]:
    """New units, and their ids."""
    with database.writing() as session:
        units = [
            Unit(code=f"X{n:02}", kind="commune", name_vi=f"Xã {n}", name_en=f"Commune {n}",
                 valid_from=date(2020, 1, 1))
            for n in range(number)
        ]  # fmt: skip
        session.add_all(units)
        session.flush()
        return [unit.id for unit in units]


def honest(
    version: Published,
    units: Sequence[int],
    month: date = MONTH,
    each: int = 15,
    seed: int = 1,
) -> list[Prepared]:
    """Of each unit some responses of a month: varied, read in one to four minutes, by day."""
    rng, items, today = np.random.default_rng(seed), rated(version), local_today(ZONE)
    found = []
    for unit in units:
        taste = rng.normal(3.8, 0.3)
        for _ in range(each):
            day = month + timedelta(days=int(rng.integers(0, 28)))
            while day.isoweekday() == 7 or day > today:
                day = month + timedelta(days=int(rng.integers(0, 28)))
            at = datetime(day.year, day.month, day.day, 7, tzinfo=ZONE) + timedelta(
                seconds=int(rng.integers(0, 10 * 3600))
            )
            levels = np.clip(np.rint(rng.normal(taste, 0.9, len(items))), 1, 5).astype(int)
            answers = dict(zip(items, levels.tolist(), strict=True))
            duration = int(rng.lognormal(np.log(110), 0.3))
            found.append(one(version, unit, at, answers, credential=1000 + unit, duration=duration))
    return found


def presses(
    version: Published, unit: int, number: int = 40, begin: datetime = CLOSING, every_s: float = 15
) -> list[Prepared]:
    """Presses of the happy face, one soon after the other, by a unit's own device."""
    best = dict.fromkeys(rated(version), 5)
    rng = np.random.default_rng(3)
    moment, found = begin, []
    for _ in range(number):
        moment += timedelta(seconds=float(rng.uniform(0.4, 1.6)) * every_s)
        duration = int(rng.integers(8, 13))
        found.append(one(version, unit, moment, best, credential=1000 + unit, duration=duration))
    return found
