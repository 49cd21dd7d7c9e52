"""What a device brings late to days that were told already is told with nine others, or not yet."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app.figures.late import CellSelection, Late, Withheld, told_of, tree_in
from app.figures.release import ReleaseRule
from app.intake.models import LateResponse
from app.registry.models import Unit, UnitKind, UnitPeriod
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import Published
from app.registry.structures import UnitHistory, Units, UnitState
from app.rollups.cells import layout_of
from app.rollups.queries import CellRows
from app.settings import Settings
from tests.conftest import serving
from tests.figures.district import FORM
from tests.small_province import body

LEAST = 10
SATISFACTION = "/api/v1/satisfaction"
#: A province, two districts, and three communes of each.
ABOVE = {1: None, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2, 7: 3, 8: 3, 9: 3}
TREE = UnitTree([UnitNode(id, f"U{id}", "unit", "", "", above) for id, above in ABOVE.items()])
MARCH, BEGIN = date(2026, 3, 15), date(2026, 4, 1)


#: Which of the index, one question of it, and one besides somebody answered; None: set aside.
KINDS = ((1, 1, 0), (1, 0, 0), (1, 1, 1), (0, 0, 1), None)


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 20), st.sampled_from(KINDS)), max_size=120
    ),
    st.integers(2, LEAST),
)
def test_whatever_two_days_are_compared_measures_differ_by_none_or_by_enough(arrivals, least):
    late = [
        Late(str(i), 1, unit, "kiosk", MARCH, BEGIN + timedelta(days=day))
        for i, (unit, day, _) in enumerate(arrivals)
    ]
    measured = {str(i): np.array(kind) for i, (*_, kind) in enumerate(arrivals) if kind is not None}
    before: set[tuple[int, str]] = set()
    for day in range(23):
        today = BEGIN + timedelta(days=day)
        come = [each for each in late if each.received <= today]
        told = told_of(come, measured, TREE, least, today)
        assert all(unit in _upwards(late[int(id)].unit_id) for id, unit in told.items())
        now = {(above, id) for id, unit in told.items() for above in _upwards(unit)}
        assert before <= now  # what was told is not taken back
        alone = {(-unit, id) for id, unit in told.items()}
        for moved in (now - before, alone):
            for unit in {unit for unit, _ in moved}:
                n = sum(measured[id] for of, id in moved if of == unit)
                assert ((n == 0) | (n >= least)).all()
        before = now


def test_who_alone_answered_a_question_waits_and_the_others_do_not():
    late = [Late(str(i), 1, 4, "kiosk", MARCH, BEGIN) for i in range(12)]
    measured = {str(i): np.array([1, int(i < 2)]) for i in range(12)}
    tomorrow = BEGIN + timedelta(days=1)
    told = told_of(late, measured, TREE, LEAST, tomorrow)
    assert set(told) == {str(i) for i in range(2, 12)}
    assert told_of(late[:11], measured, TREE, LEAST, tomorrow) == {}


def _upwards(unit):
    return [unit, *(node.id for node in TREE.above(unit))]


def test_what_comes_within_its_month_is_told_with_its_end():
    late = [Late("a", 1, 4, "kiosk", date(2026, 3, 15), date(2026, 3, 20))]
    assert told_of(late, {}, TREE, LEAST, date(2026, 3, 31)) == {}
    assert told_of(late, {}, TREE, LEAST, date(2026, 4, 1)) == {"a": 4}


@pytest.fixture
def offline(database, province, database_url):
    """A server that takes what a device kept for sixty days."""
    with serving(Settings(database_url=database_url, backlog_days=60, cache_s=0)) as client:
        yield client


def test_a_kiosk_that_was_offline_moves_a_finished_month_by_ten_or_by_none(
    offline, database, province, monkeypatch
):
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    today = datetime.now(zone).date()
    # A month that was over yesterday, too: on a month's first day it is the one before the last.
    end = (today - timedelta(days=1)).replace(day=1) - timedelta(days=1)
    at = datetime.combine(end, time(9), zone).isoformat()

    def send(unit, times, headers):
        point = province.points[(unit, "sipas-desk")]
        batch = [body(answered_at=at, point=point) for _ in range(times)]
        answer = offline.post("/api/v1/responses", json={"responses": batch}, headers=headers)
        assert {each["status"] for each in answer.json()["responses"]} == {"accepted"}

    def told(headers, day):
        rule = classmethod(lambda cls, settings: cls(settings.least_respondents, day))
        monkeypatch.setattr(ReleaseRule, "of", rule)
        ask = {"questionnaire": "sipas-desk", "by": "unit", "from": end.replace(day=1), "to": end}
        rows = offline.get(SATISFACTION, params=ask, headers=headers).json()["rows"]
        return {row["unit"]["code"]: row["respondents"] for row in rows}

    devices = {unit: province.device(unit) for unit in ("C1", "C2", "A1")}
    for unit in devices:
        send(unit, 15, province.importer())
    stranger, analyst = province.public_reader(), province.reader()
    tomorrow = today + timedelta(days=1)
    assert [told(stranger, today)[code] for code in ("C1", "C2", "D1", "77")] == [15, 15, 30, 45]
    send("C1", 1, devices["C1"])
    for day in (today, tomorrow, tomorrow + timedelta(days=40)):
        assert told(stranger, day) == {**told(stranger, today), "C1": 15, "D1": 30, "77": 45}
    assert [told(analyst, tomorrow)[code] for code in ("C1", "D1", "77")] == [16, 31, 46]
    # Nine of another channel make no ten with it; with nine of its own it is told of the
    # province, and of neither unit.
    send("C2", 9, devices["C2"])
    assert told(stranger, tomorrow)["77"] == 45
    send("A1", 9, devices["A1"])
    assert told(stranger, today)["77"] == 45  # today is not over
    shown = told(stranger, tomorrow)
    assert [shown[code] for code in ("C1", "C2", "A1", "D1", "77")] == [15, 15, 15, 30, 55]
    # Ten of one unit, come on another day, are told of it.
    with database.writing() as session:
        session.execute(update(LateResponse).values(received=today - timedelta(days=1)))
    send("C1", 10, devices["C1"])
    shown = told(stranger, tomorrow)
    assert [shown[code] for code in ("C1", "D1", "77")] == [25, 40, 65]
    assert told(analyst, tomorrow)["77"] == 74


def test_a_plan_takes_nothing_back_that_was_told_of_late_answers_and_dates_none_before_its_unit(
    offline, database, province, monkeypatch
):
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    today = datetime.now(zone).date()
    end = today.replace(day=1) - timedelta(days=1)
    at = datetime.combine(end, time(9), zone).isoformat()
    rule = classmethod(
        lambda cls, settings: cls(settings.least_respondents, today + timedelta(days=1))
    )
    monkeypatch.setattr(ReleaseRule, "of", rule)

    def send(unit, times, headers):
        point = province.points[(unit, "sipas-desk")]
        batch = [body(answered_at=at, point=point) for _ in range(times)]
        answer = offline.post("/api/v1/responses", json={"responses": batch}, headers=headers)
        assert {each["status"] for each in answer.json()["responses"]} == {"accepted"}

    def told(structure):
        ask = {"questionnaire": "sipas-desk", "by": "unit", "from": end.replace(day=1), "to": end,
               "structure": structure}  # fmt: skip
        found = offline.get(SATISFACTION, params=ask, headers=province.public_reader())
        return {row["unit"]["code"]: row["respondents"] for row in found.json()["rows"]
                if row["respondents"]}  # fmt: skip

    for unit in ("C1", "A1"):
        send(unit, 15, province.importer())
        send(unit, 5, province.device(unit))
    before = told("then")
    assert before == {"C1": 15, "A1": 15, "D1": 15, "77": 40}
    with database.writing() as session:
        new = Unit(
            code="79", kind=UnitKind.PROVINCE, name_vi="Tỉnh mới", name_en="New", valid_from=today
        )
        session.add(new)
        session.flush()
        unit = session.get_one(Unit, province.units["C1"])
        for first, parent_id in ((unit.valid_from, unit.parent_id), (today, new.id)):
            session.add(
                UnitPeriod(
                    unit_id=unit.id, first_day=first, kind=unit.kind, name_vi=unit.name_vi,
                    name_en=unit.name_en, parent_id=parent_id,
                )
            )  # fmt: skip
        unit.parent_id = new.id
    assert told("then") == before
    assert told("today") == {"C1": 15, "A1": 15, "77": 25, "79": 15}


def test_late_answers_join_others_along_the_parents_of_their_month():
    first = date(2020, 1, 1)
    state = UnitState(first, "unit", "", "", None)
    histories = {
        1: UnitHistory(1, "1", first, None, (state,)),
        2: UnitHistory(2, "2", BEGIN, None, (replace(state, first_day=BEGIN),)),
        3: UnitHistory(
            3, "3", first, None,
            (replace(state, parent_id=1), replace(state, first_day=BEGIN, parent_id=2)),
        ),
        # A damaged row: it stands above itself.
        4: UnitHistory(4, "4", first, None, (replace(state, parent_id=4),)),
    }  # fmt: skip
    march = tree_in(Units(histories), [3, 4], date(2026, 3, 1))
    assert {id: node.parent_id for id, node in march.nodes.items()} == {3: 1, 1: None, 4: None}
    april = tree_in(Units(histories), [3], BEGIN)
    assert {id: node.parent_id for id, node in april.nodes.items()} == {3: 2, 2: None}


@given(st.integers(0, 2**32 - 1))
def test_cells_lose_what_is_withheld_of_their_unit_day_and_channel(seed):
    rng = np.random.default_rng(seed)
    layout = layout_of(Published(1, FORM, datetime.now(ZoneInfo("UTC"))))

    def drawn(keys, times):
        cells = layout.empty(len(keys))
        cells["respondents"] = rng.integers(1, 9, len(keys)) * times
        cells["forms"] = rng.integers(1, 9, (len(keys), cells["forms"].shape[1])) * times
        units, days, channels = zip(*keys, strict=True) if keys else ((), (), ())
        return CellRows(
            np.array(units, dtype=np.int64), np.array(days, dtype="datetime64[D]"),
            np.array(channels, dtype=np.str_), cells,
        )  # fmt: skip

    every = [(u, MARCH + timedelta(days=d), c) for u in (4, 5, 6) for d in range(4)
             for c in ("kiosk", "qr")]  # fmt: skip
    some = [every[i] for i in rng.permutation(len(every))[: rng.integers(1, len(every))]]
    few = [every[i] for i in rng.permutation(len(every))[: rng.integers(0, 8)]]
    rows, held, moved = drawn(some, 100), drawn(few, 1), drawn([(2, MARCH, "kiosk")], 1)
    first = MARCH + timedelta(days=1)
    withheld = Withheld(Published(1, FORM, datetime.now(ZoneInfo("UTC"))), held, moved)
    after = withheld.without(rows, frozenset({5}), CellSelection(first=first))
    for name in ("respondents", "forms"):
        for i, key in enumerate(some):
            less = held.cells[name][few.index(key)] if key in few and key[0] != 5 else 0
            assert (after.cells[name][i] == rows.cells[name][i] - less).all()
    assert len(after.unit_id) == len(some)  # what moved lies before
    assert len(withheld.without(rows, frozenset(), CellSelection()).unit_id) == len(some) + 1
