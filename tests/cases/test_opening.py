"""Who wants a reply has one case, whatever happens; low marks are told of by ten and more alone."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from app.access.roles import Role
from app.audit.models import AuditEntry
from app.cases import batching, finding, opening
from app.cases.batching import open_batches
from app.cases.finding import open_misconduct
from app.cases.models import Case, CaseList, CasePass, CaseState, CaseSubject, Origin
from app.cases.opening import open_wishes
from app.intake.models import ReplyCode, Response, ResponseText
from tests.cases.sent import (
    ELEVENTH,
    GOOD,
    LOW,
    MONTH,
    SECOND_ELEVENTH,
    SETTINGS,
    all_cases,
    form,
    keep,
    new_code,
    sent,
    subjects,
)
from tests.server import ROOT
from tests.small_province import SmallProvince

BRIBE = "Cán bộ gợi ý đưa phong bì"
DAYS = timedelta(days=1)


def test_a_wish_is_a_case_of_its_unit_and_says_no_moment(database, province):
    version, at = form(database), province.units
    day = MONTH + 13 * DAYS
    ids = keep(
        database,
        [
            sent(version, at["C1"], day, LOW, comment="Chờ ba tiếng", code=new_code()),
            sent(version, at["C2"], day, GOOD),
        ],
    )
    assert open_wishes(database, SETTINGS, day) == 1
    assert open_wishes(database, SETTINGS, day + DAYS) == 0
    (case,) = all_cases(database)
    assert (case.origin, case.state) == (Origin.WISH, CaseState.OPEN)
    assert (case.unit_id, case.handed_to_id, case.confidential) == (at["C1"], at["C1"], False)
    assert (case.month, case.opened_day, case.due_day) == (MONTH, day, day + 10 * DAYS)
    assert case.low_items == '{"A1": 1}' and subjects(database) == {ids[0]: case.id}
    # Its number is none of a row of numbers.
    assert 100_000_000 <= case.id < 1_000_000_000


def test_what_speaks_of_misconduct_goes_above_to_who_is_not_of_the_unit(database, province):
    version, at = form(database), province.units

    def handed(unit):
        keep(database, [sent(version, at[unit], comment=BRIBE, code=new_code())])
        before = {case.id for case in all_cases(database)}
        assert open_wishes(database, SETTINGS, MONTH) == 1
        (new,) = [case for case in all_cases(database) if case.id not in before]
        assert new.confidential and new.unit_id == at[unit]
        return next((code for code, id in at.items() if id == new.handed_to_id), None)

    # Nobody is there: the topmost unit, where whoever has the right everywhere finds it.
    assert handed("C1") == "77" and handed("77") is None
    province.person((Role.DESK_STAFF, "D1"))
    assert handed("C1") == "77"
    # A care desk of the district that is head of the commune is told nothing of it.
    province.person((Role.CARE_DESK, "D1"), (Role.UNIT_HEAD, "C1"))
    assert handed("C1") == "77" and handed("C2") == "D1"
    province.person((Role.UNIT_HEAD, "D1"))
    assert handed("C1") == "D1" and handed("D1") == "77"


def test_misconduct_without_a_wish_is_opened_by_the_week(database, province):
    version, unit = form(database), province.units["C1"]
    monday = finding.latest_monday(ELEVENTH)
    friday = monday - 3 * DAYS
    words = [
        sent(version, unit, friday, comment=BRIBE, received=friday),
        sent(version, unit, friday, comment="hoi lo", received=monday - DAYS),
        sent(version, unit, friday, comment="Tốt", received=friday),
        sent(version, unit, friday, comment=BRIBE, received=monday),
        # History: imported now, of a day that no device could date back to.
        sent(version, unit, friday - 60 * DAYS, comment=BRIBE, received=friday),
        sent(version, unit, friday, comment=BRIBE, received=friday, code=new_code()),
    ]
    ids = keep(database, words)
    assert open_misconduct(database, SETTINGS, monday + 2 * DAYS) == 2
    assert set(subjects(database)) == {ids[0], ids[1]}
    assert open_misconduct(database, SETTINGS, monday + 6 * DAYS) == 0
    assert open_misconduct(database, SETTINGS, monday + 7 * DAYS) == 1
    assert open_wishes(database, SETTINGS, monday) == 1
    cases = all_cases(database)
    assert all(case.confidential and case.handed_to_id != unit for case in cases)
    assert Counter(case.origin for case in cases) == {Origin.MISCONDUCT: 3, Origin.WISH: 1}


def test_low_marks_are_a_case_from_ten_on_in_a_month_that_is_over(database, province):
    version, at = form(database), province.units
    keep(
        database,
        [
            *(sent(version, at["C1"], MONTH + n * DAYS, LOW, comment=f"Ý {n}") for n in range(8)),
            *(sent(version, at["C1"], MONTH, GOOD) for _ in range(30)),
            # Of this one the unit is told otherwise; the other is counted, and shown elsewhere.
            sent(version, at["C1"], MONTH, LOW, code=new_code()),
            sent(version, at["C1"], MONTH, LOW, comment=BRIBE),
            *(
                sent(version, at["C2"], MONTH + n * DAYS, LOW | {"B1": n % 2 + 2})
                for n in range(12)
            ),
        ],
    )
    assert open_batches(database, SETTINGS, ELEVENTH - DAYS) == 0
    # Whenever the server runs again, it is as of the eleventh.
    keep(database, [sent(version, at["C1"], MONTH, LOW, received=ELEVENTH)])
    assert open_batches(database, SETTINGS, ELEVENTH + 3 * DAYS) == 1
    assert open_batches(database, SETTINGS, ELEVENTH + 4 * DAYS) == 0
    (case,) = all_cases(database)
    assert (case.unit_id, case.responses, case.came_before) == (at["C2"], 12, ELEVENTH)
    counted = {code: n for code, n in json.loads(case.low_items).items() if n}
    assert counted == {"A1": 12, "B1": 6}
    # The tenth came late: told a month later, and not on its own day.
    assert open_batches(database, SETTINGS, SECOND_ELEVENTH + 5 * DAYS) == 1
    later = next(case for case in all_cases(database) if case.came_before == SECOND_ELEVENTH)
    assert (later.unit_id, later.responses, later.month) == (at["C1"], 10, MONTH)


def test_a_batch_has_nobody_of_the_batch_before_it(database, province):
    version, unit = form(database), province.units["C1"]
    first = keep(database, [sent(version, unit, MONTH, LOW) for _ in range(11)])
    assert open_batches(database, SETTINGS, ELEVENTH) == 1
    second = keep(
        database, [sent(version, unit, MONTH, LOW, received=ELEVENTH + DAYS) for _ in range(10)]
    )
    assert open_batches(database, SETTINGS, SECOND_ELEVENTH) == 1
    found = sorted(all_cases(database), key=lambda case: case.came_before)
    with database.reading() as session:
        members = [set(batching.members(session, SETTINGS, case, version)) for case in found]
    assert members == [set(first), set(second)]


def test_from_the_database_and_the_audit_log_no_moment_of_a_batchs_follows(database, province):
    """What a batch case adds to the database is equal, whenever in the month its people came."""
    version, at = form(database), province.units
    for unit, days in (("C1", range(12)), ("C2", [27] * 12)):
        keep(database, [sent(version, at[unit], MONTH + n * DAYS, LOW) for n in days])
    assert open_batches(database, SETTINGS, ELEVENTH) == 2
    one, other = all_cases(database)
    columns = [c.name for c in Case.__table__.columns if c.name not in ("id", "unit_id")]
    told = [{name: getattr(case, name) for name in columns} for case in (one, other)]
    for each, case in zip(told, (one, other), strict=True):
        assert each.pop("handed_to_id") == case.unit_id
    assert told[0] == told[1]
    # Nor does a row of any other table of cases, or of the log, name a response.
    assert subjects(database) == {}
    with database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.like("case%"))).all()
        assert entries == []
        ids = session.scalars(select(Response.id)).all()
        for table in ("citizen_case", "case_pass", "case_message", "case_note"):
            rows = " ".join(map(str, session.execute(text(f"SELECT * FROM {table}")).all()))
            assert not any(id in rows or id.replace("-", "") in rows for id in ids), table


# --- any sequence of responses, wishes, and servers that die


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def land(own_database):
    return SmallProvince.found(own_database)


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("send"), st.sampled_from(["C1", "C2", "H1"]), st.booleans(), st.booleans(),
            st.booleans(), st.integers(1, 11),
        ),
        st.tuples(st.just("open"), st.integers(0, 3)),
        st.tuples(st.just("days"), st.integers(1, 40)),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_each_wish_is_one_case_and_each_batch_ten_or_more(own_database, land, steps):
    database, version = own_database, form(own_database)
    with database.writing() as session:
        for table in (CaseSubject, Case, CasePass, CaseList, ReplyCode, ResponseText, Response):
            session.execute(delete(table))
    today, wishes, low, looked_from = MONTH, set(), Counter(), []

    def open_all(killed_after):
        """Open what is due; the process dies at its n-th commit, before that is done."""
        commits = []

        def die():
            commits.append(1)
            if len(commits) > killed_after:
                raise KilledError

        database.before_writing = die if killed_after else None
        try:
            open_wishes(database, SETTINGS, today)
            open_misconduct(database, SETTINGS, today)
            open_batches(database, SETTINGS, today)
        except KilledError:
            pass
        finally:
            database.before_writing = None
        with database.reading() as session:
            done = session.get(CasePass, batching.PASS)
            if done is not None and not looked_from:
                looked_from.append(batching._months(done.until)[-1])

    for step in steps:
        if step[0] == "days":
            today += step[1] * DAYS
        elif step[0] == "open":
            open_all(step[1])
        else:
            _, unit, is_low, wish, speaks, n = step
            answers = LOW if is_low else GOOD
            made = [
                sent(version, land.units[unit], today, answers,
                     comment=BRIBE if speaks else None, code=new_code() if wish else None)
                for _ in range(n)
            ]  # fmt: skip
            ids = keep(database, made)
            if wish:
                wishes |= set(ids)
            # A wish that speaks of misconduct is kept from the unit, so a batch counts it.
            if is_low and (speaks or not wish):
                low[unit, today.replace(day=1)] += n
    today += 75 * DAYS
    open_all(0)
    cases, about = all_cases(database), subjects(database)
    of_wishes = {case.id for case in cases if case.origin == Origin.WISH}
    assert {id for id, case in about.items() if case in of_wishes} == wishes
    assert len(of_wishes) == len(wishes) and len(set(about.values())) == len(about)
    shown = Counter()
    for case in cases:
        if case.origin == Origin.BATCH:
            assert case.responses >= SETTINGS.least_respondents
            assert case.opened_day > case.month + 37 * DAYS
            code = next(code for code, id in land.units.items() if id == case.unit_id)
            shown[code, case.month] += case.responses
    # All of these came in their month: from the first month that is looked at on, all or none.
    assert shown.keys() <= low.keys()
    for key, n in low.items():
        enough = n >= SETTINGS.least_respondents and key[1] >= looked_from[0]
        assert shown[key] == (n if enough else 0), key


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_processes_that_open_at_once_open_each_wish_once(database, province):
    version, unit = form(database), province.units["C1"]
    keep(database, [sent(version, unit, code=new_code()) for _ in range(250)])
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_wishes(database, SETTINGS, MONTH), range(4)))
    while opening._any_waits(database):
        opened.append(open_wishes(database, SETTINGS, MONTH))
    assert sum(opened) == 250 == len(all_cases(database)) == len(set(subjects(database)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_is_killed_leaves_its_wishes_to_the_next(database, database_url, province):
    """A real process, killed while it opens; what it leaves is opened by another."""
    version, unit = form(database), province.units["C1"]
    keep(database, [sent(version, unit, code=new_code()) for _ in range(230)])
    program = f"""
import os, signal
from app.cases import opening
from app.db import Database
from app.settings import Settings
from datetime import date
real, calls = opening._open, []
def dying(new, waiting):
    done = real(new, waiting)
    calls.append(done)
    if len(calls) == 2:
        new.session.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return done
opening._open = dying
opening.open_wishes(Database({database_url!r}), Settings(), date(2026, 9, 1))
"""
    ended = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=300,
    )
    assert ended.returncode == -signal.SIGKILL
    assert len(all_cases(database)) == 100
    assert open_wishes(database, SETTINGS, MONTH) == 130
    assert len(subjects(database)) == len(all_cases(database)) == 230
