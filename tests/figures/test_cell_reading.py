"""What a session reads piece by piece is what it would read at once."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np

from app.access import scope
from app.access.callers import Caller, Grant
from app.access.models import Right
from app.figures import cell_reading as reading
from app.figures import visible as seen
from app.figures.session_cache import CELLS, FIGURES, per_session
from app.registry import questionnaires
from app.registry.questionnaires import published
from app.reports.views.context import Chosen, ViewContext
from app.reports.views.overview import overview
from app.reports.views.unit import unit
from app.rollups import queries
from app.settings import Settings
from tests.intake.test_store import Preparing
from tests.small_province import body

TODAY = datetime.now(UTC).date()


def stored(database, province):
    prepare = Preparing(database)
    code = province.points[("C1", "sipas-desk")]
    rng = np.random.default_rng(3)
    moments = [datetime.now(UTC) - timedelta(days=int(d)) for d in rng.integers(0, 60, 80)]
    prepare.store.append([prepare(body(code, answered_at=m.isoformat())) for m in moments])


def test_any_days_in_any_order_are_read_once(database, province, monkeypatch):
    stored(database, province)
    rng, plainly, asked = np.random.default_rng(4), queries.read, []

    def noted(session, version, **options):
        asked.append((options["first"] or date.min, options["last"] or date.max))
        return plainly(session, version, **options)

    monkeypatch.setattr(queries, "read", noted)
    for _ in range(10):
        with database.reading() as session:
            version = next(v for v in published(session) if v.form.code == "sipas-desk")
            asked.clear()
            for _ in range(8):
                ends = sorted(TODAY - timedelta(days=int(d)) for d in rng.integers(-3, 64, 2))
                first, last = (end if rng.random() < 0.9 else None for end in ends)
                options = {"first": first, "last": last, "units": None, "channels": ()}
                found = reading.cells(session, version, **options)
                right = plainly(session, version, **options)
                assert (np.diff(found.day).astype(int) >= 0).all()
                assert sorted(found.day) == sorted(right.day)
                assert found.cells["sums"].sum() == right.cells["sums"].sum()
            pieces = sorted(asked)
            assert all(a[1] < b[0] for a, b in pairwise(pieces))


def test_a_page_asks_once_for_what_its_reader_sees(database, province, monkeypatch):
    """Every figure of a page needs the units, the forms and the rights: none reads them again."""
    stored(database, province)
    asked = Counter()

    def counted(module, name):
        plainly = getattr(module, name)

        def noted(session, *rest):
            callers = (each.grants for each in rest if isinstance(each, Caller))
            asked[name, *callers, *(each for each in rest if isinstance(each, Right))] += 1
            return plainly(session, *rest)

        monkeypatch.setattr(module, name, noted)

    counted(scope, "units")
    counted(scope, "unit_ids")
    counted(questionnaires, "published")
    counted(seen, "is_synthetic")
    head = Caller("head", (Grant(frozenset({Right.READ_FIGURES}), province.units["C1"]),))
    settings = Settings(database_url=str(database.url))
    for view in (overview, unit):
        asked.clear()
        with database.reading() as session:
            view(ViewContext.of(session, head, settings, Chosen("C1", "sipas-desk")))
        assert len(asked) >= 4 and set(asked.values()) == {1}, asked


def test_a_session_that_writes_reads_anew(database, province):
    with database.writing("somebody") as session:
        version = next(v for v in published(session) if v.form.code == "sipas-desk")
        options = {"first": None, "last": None, "units": None, "channels": ()}
        assert len(reading.cells(session, version, **options).day) == 0
    stored(database, province)
    with database.writing("somebody") as session:
        assert len(reading.cells(session, version, **options).day) > 0


def test_what_a_session_read_goes_with_its_transaction(database, province):
    with database.reading() as session:
        version = questionnaires.versions_of(session, "sipas-desk")[-1]
        reading.cells(session, version, first=None, last=None, units=None, channels=())
        per_session(session, ("a figure",), lambda: session)  # as a page refers to its session
        assert {CELLS, FIGURES} <= set(session.info)
    assert not {CELLS, FIGURES} & set(session.info)
