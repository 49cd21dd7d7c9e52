"""A district whose two communes do not change, while the second comes to send more answers.

In the third quarter the agency is asked for the first time, by few.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import date

import numpy as np
import pytest

from app.db import Database
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.registry.volumes import keep_volumes
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.small_province import SmallProvince, body

FORM = "sipas-desk"
ITEMS = ("A1", "B1", "C1")
#: Unit, channel, people in the second and in the third quarter, share of those satisfied.
SENDING = (
    ("C1", "qr", 150, 60, 0.95),
    ("C2", "paper", 60, 130, 0.70),
    ("C2", "kiosk", 5, 20, 0.70),
    ("A1", "qr", 0, 12, 0.8),
)
QUARTERS = ("2026-04", "2026-07")


def drawn():
    """Unit, channel, quarter (0 or 1), day and the levels of each person's answers."""
    rng = np.random.default_rng(202617)
    for unit, channel, *sizes, rate in SENDING:
        for quarter, size in enumerate(sizes):
            satisfied = rng.random(size) < rate
            for place, good in enumerate(satisfied):
                month = int(QUARTERS[quarter][-2:]) + place % 3
                levels = rng.choice([4, 5] if good else [2, 3, 5], len(ITEMS))
                day = f"2026-{month:02}-{1 + place % 28:02}T09:00:00+07:00"
                yield unit, channel, quarter, day, dict(zip(ITEMS, map(int, levels), strict=True))


SENT = list(drawn())


def sums(part, quarter):
    """Satisfied answers and answers of a unit, or a unit's channel, in a quarter."""
    unit, _, channel = part.partition(".")
    levels = [
        level
        for u, c, q, _, given in SENT
        if (u, q) == (unit, quarter) and channel in ("", c)
        for level in given.values()
    ]
    return sum(level >= 4 for level in levels), len(levels)


def serve(session, served):
    """Write down for the months of the third quarter that so many were served in a year."""
    rows = [
        (unit, date(2026, month, 1), cases // 4)
        for unit, cases in served.items()
        for month in (7, 8, 9)
    ]
    keep_volumes(session, rows, "test")


def mixed(prepare=lambda session, province: None):
    """The fixture ``world`` of a module: the district's client, and its province."""

    @pytest.fixture(scope="module")
    def world(templates, tmp_path_factory):
        with standing(templates, tmp_path_factory.mktemp("mixed"), prepare) as world:
            yield world

    return world


@contextmanager
def standing(templates, folder, prepare=lambda session, province: None):
    """The district behind a real server, with a client that asks it."""
    url = address(copy_sqlite(templates("sqlite"), folder / "mixed.db"))
    with closing(Database(url)) as database:
        province = SmallProvince.found(database)
        with database.writing() as session:
            commune = session.get_one(Unit, province.units["C2"])
            kiosk = current_code(open_point(session, commune, FORM, Channel.KIOSK, "C2 kiosk"))
            prepare(session, province)
        with serving(Settings(database_url=url, cache_s=0)) as client:
            bodies = [
                body(
                    point=kiosk if channel == "kiosk" else province.points[(unit, FORM)],
                    answers=answers,
                    answered_at=day,
                )
                for unit, channel, _, day, answers in SENT
            ]
            province.send(client, bodies)
            yield client, province
