"""The audit log: every change in it, appended only, and no tampering unnoticed."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.access import credentials
from app.access.models import Right
from app.audit.log import GENESIS, entries, hash_of, record, verify
from app.audit.models import AuditEntry
from app.intake.rollup_rebuild import rebuild
from app.registry.models import PointState
from app.registry.points import change_state, find_by_code, reprint


def log_of(database):
    with database.reading() as session:
        found = [(e.actor, e.action, e.subject, json.loads(e.details)) for e in entries(session)]
    return found


def verdict(database, head=None):
    with database.reading() as session:
        return verify(session, head)


def tamper(database, statement):
    """Change the log as somebody would who owns the database."""
    with database.writing() as session:
        if database.locks_whole_database:
            for what in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER audit_entry_no_{what}"))
        else:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        session.execute(text(statement))


@pytest.fixture
def five(database):
    for n in range(5):
        with database.writing(actor=f"person {n}") as session:
            record(session, "test.change", n, was=n - 1, name="Đỏ")
    return database


def first_of(database):
    return verdict(database).entries - 5


def test_what_changes_is_logged_with_its_actor_and_without_secrets(database, province):
    before = len(log_of(database))
    with database.writing(actor="command:an") as session:
        point = find_by_code(session, province.points[("C1", "sipas-desk")])
        change_state(session, point, PointState.PAUSED)
        change_state(session, point, PointState.PAUSED)  # no change, no entry
        reprint(session, point)
        secret = credentials.issue(session, "kiosk", [Right.SUBMIT], point)
        credentials.revoke(session, 1)
        credentials.revoke(session, 1)
    rebuild(database, actor="command:an")
    new = log_of(database)[before:]
    assert [(actor, action) for actor, action, *_ in new] == [
        ("command:an", "point.change_state"),
        ("command:an", "point.reprint"),
        ("command:an", "key.issue"),
        ("command:an", "key.revoke"),
        ("command:an", "rollups.rebuild"),
    ]
    assert new[0][3] == {"before": "active", "after": "paused"}
    assert secret not in json.dumps(new) and secret.removeprefix("hl_") not in json.dumps(new)
    actions = {action for _, action, *_ in log_of(database)}
    assert {"questionnaire.publish", "point.open"} <= actions
    assert verdict(database).breach is None


def test_a_change_that_is_rolled_back_leaves_no_entry(five):
    before = verdict(five)
    with pytest.raises(RuntimeError, match="no"), five.writing() as session:
        record(session, "test.change", "x")
        raise RuntimeError("no")
    assert verdict(five) == before


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"]
)
def test_the_database_refuses_to_alter_or_delete(five, statement):
    with pytest.raises(DBAPIError, match="appended only"), five.writing() as session:
        session.execute(text(statement))
    assert verdict(five).breach is None


@pytest.mark.parametrize(
    ("statement", "entry"),
    [
        ("UPDATE audit_entry SET actor = 'somebody else' WHERE id = {second}", 2),
        ("UPDATE audit_entry SET details = '{{}}' WHERE id = {second}", 2),
        ("UPDATE audit_entry SET hash = (SELECT hash FROM audit_entry WHERE id = {third}) "
         "WHERE id = {second}", 2),
        ("DELETE FROM audit_entry WHERE id = {second}", 2),
    ],
)  # fmt: skip
def test_whoever_tampers_breaks_the_chain_there(five, statement, entry):
    start = first_of(five)
    tamper(five, statement.format(second=start + 2, third=start + 3))
    assert verdict(five).breach.entry == start + entry


def test_whoever_makes_the_changed_entrys_hash_anew_breaks_the_next_one(five):
    second = first_of(five) + 2
    with five.reading() as session:
        before = session.get(AuditEntry, second - 1).hash
        forged = session.get(AuditEntry, second)
        forged.actor = "somebody else"
        new_hash = hash_of(forged, before)
        session.expunge(forged)
    tamper(
        five,
        f"UPDATE audit_entry SET actor = 'somebody else', hash = '{new_hash}' WHERE id = {second}",
    )
    assert verdict(five).breach.entry == second + 1


def test_a_log_that_was_cut_at_its_end_is_known_by_the_hash_that_was_noted(five):
    head, count = verdict(five).head, verdict(five).entries
    assert verdict(five, head).breach is None
    tamper(five, f"DELETE FROM audit_entry WHERE id >= {count - 1}")
    assert verdict(five).breach is None
    assert "cut" in verdict(five, head).breach.reason
    assert verdict(five, GENESIS).breach is None


def test_several_writers_take_turns(database):
    before = verdict(database).entries

    def write(n):
        with database.writing(actor=str(n)) as session:
            record(session, "test.change", n)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    after = verdict(database)
    assert (after.entries, after.breach) == (before + 40, None)
    with database.reading() as session:
        actors = set(session.scalars(select(AuditEntry.actor).where(AuditEntry.id > before)))
    assert actors == {str(n) for n in range(40)}
