"""A district of communes of which two were made to change, and one has few respondents."""

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
from surveys.loader import FORMS, load_file
from tests.conftest import serving
from tests.databases import BACKENDS, new_database
from tests.small_province import SmallProvince, new_id

URL = "/api/v1/satisfaction"
FORM = load_file(FORMS / "sipas-desk.yaml")
ITEMS = {f.code: [item.code for item in FORM.index_items(f)] for f in FORM.index_factors}
CODES = [code for codes in ITEMS.values() for code in codes]
COMMUNES = [f"K{number:02}" for number in range(1, 17)]
MONTHS = [f"{2025 + m // 12}-{m % 12 + 1:02}" for m in range(18)]
EACH = 10  # respondents a commune and month
FELL, ROSE, SMALL = "K01", "K02", "K16"


def drawn():
    """Bodies by commune; K01 falls and K02 rises in month 11, K16 has four respondents in all."""
    rng = np.random.default_rng(20251)
    for commune in COMMUNES:
        level = rng.normal(1.1, 0.25)
        for m, month in enumerate(MONTHS):
            shift = {FELL: -1.6, ROSE: 1.8}.get(commune, 0.0) if m >= 11 else 0.0
            base = -0.3 if commune == ROSE else level
            for r in range(EACH if commune != SMALL else int(m < 4)):
                mood = base + shift + rng.normal(0, 0.8)
                felt = mood + rng.normal(0, 0.9, len(CODES)) + 0.3 * np.sin(np.arange(len(CODES)))
                levels = 1 + np.searchsorted([-2.2, -1.3, -0.4, 1.6], felt)
                given = rng.random(len(CODES)) < 0.97
                answers = {c: int(v) for c, v, g in zip(CODES, levels, given, strict=True) if g}
                answers["trips"] = int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
                yield commune, m, f"{month}-{1 + (r * 2) % 27:02}T09:00:00+07:00", answers


SENT = list(drawn())
VOLUMES = {commune: 40 + 15 * place for place, commune in enumerate(COMMUNES)}


@contextmanager
def standing(backend, templates, postgres, folder, **settings):
    """The district behind a real server; everything was sent to it over HTTP."""
    url = new_database(backend, templates, postgres, folder)
    with closing(Database(url)) as database:
        province = SmallProvince.found(database)
        points = {}
        with database.writing() as session:
            district = session.get_one(Unit, province.units["D1"])
            for code in COMMUNES:
                unit = Unit(
                    code=code, kind="commune", name_vi=f"Xã {code}", name_en=code, parent=district,
                    valid_from=date(2020, 1, 1),
                )  # fmt: skip
                session.add(unit)
                session.flush()
                province.units[code] = unit.id
                points[code] = current_code(open_point(session, unit, FORM.code, Channel.QR, code))
                province.points[(code, FORM.code)] = points[code]
            rows = [
                (code, date.fromisoformat(f"{month}-01"), cases)
                for code, cases in VOLUMES.items()
                for month in MONTHS
            ]
            keep_volumes(session, rows, "test")
        bodies = [
            {
                "id": new_id(), "questionnaire": FORM.code, "version": FORM.version,
                "point": points[commune], "answered_at": at, "answers": answers,
            }
            for commune, _, at, answers in SENT
        ]  # fmt: skip
        with serving(Settings(database_url=url, cache_s=0, **settings)) as client:
            province.send(client, bodies)
            yield World(client, province)


def district(**settings):
    """The fixture ``world`` of a module: the district on each store in turn."""

    @pytest.fixture(scope="module", params=BACKENDS)
    def world(request, templates, postgres, tmp_path_factory):
        folder = tmp_path_factory.mktemp("district")
        with standing(request.param, templates, postgres, folder, **settings) as world:
            yield world

    return world


class World:
    """A client that asks as an analyst, or as somebody who may not see small figures."""

    def __init__(self, client, province):
        self.client, self.province = client, province
        self.analyst, self.public = province.reader(), province.public_reader()

    def view(self, name, *, headers=None, status=200, **ask):
        """A view of the district and its form, unless others are named."""
        answer = self.client.get(
            f"/api/v1/views/{name}",
            params={"unit": "D1", "questionnaire": FORM.code} | ask,
            headers=headers or self.analyst,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def __call__(self, name, *, headers=None, status=200, **ask):
        answer = self.client.get(
            f"{URL}/{name}",
            params={"questionnaire": FORM.code} | ask,
            headers=headers or self.analyst,
        )
        assert answer.status_code == status, answer.text
        document = answer.json()
        if status == 200:
            carried = ("method", "version", "first", "last", "units", "respondents")
            assert all(document[key] is not None for key in carried)
        return document
