"""Kept cells equal a recount, whatever is submitted; groups of several writers do not clash."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Event

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update
from sqlalchemy.engine import make_url

from app.access.callers import Caller, Grant
from app.access.models import Right
from app.access.rate_limits import RateLimits
from app.db import Database
from app.intake import retained
from app.intake.directory import Directory
from app.intake.models import Disposition, LateResponse, ReceiptDated, Response, ResponseText
from app.intake.prepared import Outcome
from app.intake.rollup_rebuild import count_responses, rebuild, verify
from app.intake.schemas import ResponseIn
from app.intake.service import Intake
from app.intake.store import ResponseStore
from app.intake.times import Clock
from app.problems import Problem
from app.registry.points import as_point, find_by_code
from app.registry.questionnaires import published
from app.rollups.models import AsideCell, RollupCell
from app.rollups.version import RollupVersion
from app.settings import Settings
from app.text_keys import TextKeys
from tests.databases import BACKENDS, new_database
from tests.small_province import SmallProvince, body

CALLER = Caller("import", (Grant(frozenset({Right.IMPORT_HISTORY})),), credential_id=1)
NOW = datetime.now(UTC)


class Preparing:
    """Prepares bodies as the intake does."""

    def __init__(self, database):
        self.store = ResponseStore(database, TextKeys.of(Settings()))
        self._intake = Intake(Settings(), Directory(database, 60), self.store, RateLimits(database))
        with database.reading() as session:
            self._versions = {(v.form.code, v.form.version): v for v in published(session)}
            self._database = database
        self._settings, self._points = Settings(), {}

    def __call__(self, sent):
        response = ResponseIn.model_validate(sent)
        if response.point not in self._points:
            with self._database.reading() as session:
                self._points[response.point] = as_point(find_by_code(session, response.point))
        version = self._versions[(response.questionnaire, response.version)]
        return self._intake.prepare(
            response, version, self._points[response.point],
            Clock(self._settings, CALLER, datetime.now(UTC)),
        )  # fmt: skip


@pytest.fixture
def prepare(database, province):
    return Preparing(database)


@pytest.mark.parametrize(("later", "kept"), [(0, 1), (1, 0)])
def test_words_are_kept_from_the_day_on_from_which_they_are(
    database, prepare, province, later, kept
):
    response = prepare(body(province.points[("C1", "sipas-desk")], answers={"comment": "x"}))
    with database.writing() as session:
        retained.note(session).texts_from = response.row.day + timedelta(days=later)
    assert prepare.store.append([response]) == [Outcome.ACCEPTED]
    with database.reading() as session:
        assert len(session.scalars(select(ResponseText)).all()) == kept


def cells(database):
    with database.reading() as session:
        rows = session.execute(
            select(
                RollupCell.day,
                RollupCell.unit_id,
                RollupCell.version_id,
                RollupCell.channel,
                RollupCell.packed,
            )
        )
        return {tuple(row[:4]): bytes(row[4]) for row in rows}


def test_outcomes_within_one_group(prepare, province, database):
    code = province.points[("C1", "sipas-desk")]
    one, two = body(code), body(code)
    other_content = one | {"answers": {"A1": 1}}
    group = [prepare(sent) for sent in (one, one, other_content, two)]
    assert prepare.store.append(group) == [
        Outcome.ACCEPTED,
        Outcome.DUPLICATE,
        Outcome.CONFLICT,
        Outcome.ACCEPTED,
    ]
    three = prepare(body(code))
    assert prepare.store.append([*group, three]) == [
        Outcome.DUPLICATE,
        Outcome.DUPLICATE,
        Outcome.CONFLICT,
        Outcome.DUPLICATE,
        Outcome.ACCEPTED,
    ]
    with database.reading() as session:
        assert count_responses(session) == 3
    assert verify(database) == []


answers_of = {
    "sipas-desk": st.dictionaries(
        st.sampled_from(["A1", "A2", "B5", "C6", "E4"]),
        st.one_of(st.integers(1, 5), st.none()),
        min_size=1,
    ),
    "kiosk-face": st.fixed_dictionaries({"S1": st.integers(4, 5)}),
    "moh-inpatient": st.dictionaries(
        st.sampled_from(["A1", "B1", "C9", "D7", "G1", "age"]), st.integers(1, 5), min_size=1
    ),
}
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("submit"),
            st.lists(
                st.tuples(
                    st.integers(0, 5),  # which point
                    st.integers(0, 400),  # days ago
                    st.data(),
                ),
                min_size=1,
                max_size=8,
            ),
        ),
        st.tuples(st.just("again"), st.integers(0, 10_000)),
        st.tuples(st.just("quarantine"), st.integers(0, 10_000)),
        st.tuples(st.just("rebuild"), st.none()),
    ),
    max_size=8,
)


@pytest.fixture(scope="module", params=BACKENDS)
def founded(request, templates, postgres, tmp_path_factory):
    """A database of each kind with a province, in which examples follow one another."""
    url = new_database(request.param, templates, postgres, tmp_path_factory.mktemp("store"))
    with closing(Database(url)) as database:
        yield database, SmallProvince.found(database)
    if request.param == "postgresql":
        postgres.drop(make_url(url))


@given(steps=steps)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_kept_cells_equal_a_recount(founded, steps):
    database, province = founded
    # Each example begins with nothing: neither answers nor cells of the one before.
    with database.writing() as session:
        for kept in (
            LateResponse, ReceiptDated, Response, RollupCell, AsideCell, RollupVersion
        ):  # fmt: skip
            session.execute(delete(kept))
    with database.reading() as session:
        assert count_responses(session) == 0
    _walk(database, province, steps)


def _walk(database, province, steps):
    prepare = Preparing(database)
    points = list(province.points.items())
    sent = []
    for step, what in steps:
        if step == "submit":
            group = []
            for place, days, data in what:
                (_, form), code = points[place]
                moment = NOW - timedelta(days=days, hours=days % 24)
                answers = data.draw(answers_of[form])
                group.append(
                    body(code, answers, questionnaire=form, answered_at=moment.isoformat())
                )
            outcomes = prepare.store.append([prepare(each) for each in group])
            assert outcomes == [Outcome.ACCEPTED] * len(group)
            sent += group
        elif step == "again" and sent:
            again = [sent[what % len(sent)]] * 2 + [sent[what // 2 % len(sent)]]
            outcomes = prepare.store.append([prepare(each) for each in again])
            assert outcomes == [Outcome.DUPLICATE] * 3
        elif step == "quarantine" and sent:
            # What a reviewer's decision does, and then a rebuild reproduces.
            id = sent[what % len(sent)]["id"]
            with database.writing() as session:
                session.execute(
                    update(Response)
                    .where(Response.id == id)
                    .values(disposition=Disposition.QUARANTINED, aside_rule="stuffing")
                )
            rebuild(database)
        elif step == "rebuild":
            before = cells(database)
            rebuild(database)
            assert cells(database) == before
        assert verify(database) == []


def test_a_difference_is_named_and_a_rebuild_mends_it(prepare, province, database):
    code = province.points[("C1", "sipas-desk")]
    prepare.store.append([prepare(body(code)) for _ in range(3)])
    right = cells(database)
    with database.writing() as session:
        first = session.scalars(select(Response).limit(1)).one()
        session.delete(first)
    (difference,) = verify(database)
    assert (difference.kept_respondents, difference.recounted_respondents) == (3, 2)
    rebuild(database)
    assert verify(database) == []
    assert cells(database).keys() == right.keys() and cells(database) != right


def test_a_cell_that_an_older_server_wrote_is_named_and_a_rebuild_mends_it(
    prepare, province, database
):
    """One that ran on beside the new schema writes cells that are shorter."""
    prepare.store.append([prepare(body(province.points[("C1", "sipas-desk")])) for _ in range(3)])
    right = cells(database)
    with database.writing() as session:
        session.execute(text("UPDATE rollup_cell SET packed = substr(packed, 1, 80)"))
    (difference,) = verify(database)
    assert (difference.kept_respondents, difference.recounted_respondents) == (0, 3)
    rebuild(database)
    assert verify(database) == [] and cells(database) == right


def days_ago(days):
    return (NOW - timedelta(days=days)).isoformat()


def test_many_writers_and_rebuilds_neither_clash_nor_lose(database, province):
    # Several stores stand for several server processes: each has its own memory of cells.
    preparing = [Preparing(database) for _ in range(4)]
    codes = [code for (_, form), code in province.points.items() if form == "sipas-desk"]
    rng = np.random.default_rng(3)
    groups = [
        [
            body(
                codes[rng.integers(len(codes))],
                answered_at=(NOW - timedelta(days=int(d))).isoformat(),
            )
            for d in rng.integers(0, 3, 20)
        ]
        for _ in range(24)
    ]
    shared = groups[0]  # sent by everybody

    def write(place):
        prepare = preparing[place]
        mine = groups[place::4]
        return [
            outcome
            for group in (mine[0], shared, *mine[1:])
            for outcome in prepare.store.append([prepare(sent) for sent in group])
        ]

    def rebuild_meanwhile():
        while not written.is_set():
            rebuild(database)

    written = Event()
    with ThreadPoolExecutor(5) as pool:
        rebuilding = pool.submit(rebuild_meanwhile)
        try:
            outcomes = [outcome for each in pool.map(write, range(4)) for outcome in each]
        finally:  # or a writer that breaks would have it made anew for ever
            written.set()
        rebuilding.result()
    assert outcomes.count(Outcome.ACCEPTED) == 24 * 20
    assert outcomes.count(Outcome.DUPLICATE) == 4 * 20
    assert verify(database) == []


def test_cells_that_another_program_deleted_are_made_again(prepare, province, database):
    code = province.points[("C1", "sipas-desk")]
    prepare.store.append([prepare(body(code))])
    with database.writing() as session:
        session.execute(text("DELETE FROM rollup_cell"))
    try:
        prepare.store.append([prepare(body(code))])
    except Exception as error:  # noqa: BLE001 - PostgreSQL: told to come again
        assert "gone" in str(error)
        prepare.store.append([prepare(body(code))])
    rebuild(database)
    assert verify(database) == []


def test_impossible_answers_never_reach_the_store(prepare, province):
    with pytest.raises(Problem):
        prepare(body(province.points[("C1", "sipas-desk")], {"A1": 99}))
