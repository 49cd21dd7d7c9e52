"""A small province with drawn responses of two forms, some with words, on some days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import update

from app.intake.models import ReceivedDay, Response
from tests.intake.test_store import Preparing
from tests.small_province import SmallProvince, body

SIPAS = [f"{f}{i}" for f, n in zip("ABCDE", (4, 5, 6, 3, 4), strict=True) for i in range(1, n + 1)]
NOW = datetime.now(UTC)
#: When all that was written in a test is settled.
LATER = NOW + timedelta(days=1)
WORDS = '=HYPERLINK("x";"Cảm ơn; tốt")\nDòng hai, "nháy"'


def answered(database, province, people=120, seed=7):
    """Responses as drawn, by id: (unit, form, day, answers), and stored as devices send them."""
    rng = np.random.default_rng(seed)
    prepare, drawn, group = Preparing(database), {}, []
    places = [("C1", "sipas-desk"), ("C2", "sipas-desk"), ("C1", "kiosk-face"),
              ("W1", "moh-inpatient")]  # fmt: skip
    for n in range(people):
        unit, form = places[n % len(places)]
        moment = NOW - timedelta(days=int(rng.integers(40, 60)))
        answers: dict = {}
        if form == "sipas-desk":
            level = rng.normal(3.8, 0.9)
            answers = {
                item: int(np.clip(round(rng.normal(level, 0.8)), 1, 5))
                for item in SIPAS if rng.random() < 0.8
            } or {"A1": 4}  # fmt: skip
            if n % 16 == 0:
                answers["comment"] = WORDS
        elif form == "kiosk-face":
            answers = {"S1": int(rng.integers(1, 6))}
            if answers["S1"] <= 3:
                answers["reason"] = [1, 3] if n % 8 == 2 else []
        else:
            answers = {"A1": int(rng.integers(2, 6)), "B2": 0, "E5": 4}
        sent = body(province.points[(unit, form)], answers, questionnaire=form,
                    answered_at=moment.isoformat(),
                    duration_s=int(rng.integers(20, 400)))  # fmt: skip
        prepared = prepare(sent)
        group.append(prepared)
        drawn[prepared.row.id] = (unit, form, prepared.row.day, answers)
    prepare.store.append(group)
    return drawn


def received(session, ids, moment):
    """As if responses had been received at a moment."""
    session.execute(update(Response).where(Response.id.in_(ids)).values(received_at=moment))
    session.merge(ReceivedDay(day=moment.date(), begins=(NOW - timedelta(days=99)).date()))


@pytest.fixture(scope="module")
def world(own_database):
    """The province, and what its citizens were drawn to answer."""
    province = SmallProvince.found(own_database)
    return own_database, province, answered(own_database, province)
