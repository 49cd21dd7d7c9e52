"""Nobody joins a response to a person: tried by who has the database, a copy of it and all logs.

A real server with its access log on, and heads of its audit log sent away, is answered by people of
whom everything is known here: their numbers, names, addresses, browsers' cookies, invitations and
codes. They write of themselves, wish for replies, write back and withdraw. Then all that is kept is
searched for each of them, plain and hashed in every way that whoever holds it could; and what has a
moment or an order is held beside the moments and the order of their answers.

What does join is tried as well, so that the attack is known to be one: with the file of keys, which
lies apart, addresses of the last minutes are found; and by her own code a response is hers.
"""

import hashlib
import itertools
import json
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from limits import parse
from sqlalchemy import DateTime, select, text

from app.access.buckets import neighbourhood_of, network_of
from app.access.models import DailySalt, RateBucket, RateCount, ServerSecret
from app.access.rate_limits import RateLimits
from app.audit.models import AuditEntry
from app.cases.models import Case
from app.db import Base, Database, UtcDateTime
from app.db.overwriting import empty_journal
from app.intake.models import Response
from app.invitations.mixing import mix_answered
from app.invitations.models import Invitation, SmsMessage
from app.registry.models import SurveyPoint
from app.settings import Settings
from app.text_keys import TextKeys
from app.webhooks.models import Delivery
from app.webhooks.service import add_webhook
from tests.cases.sent import hash_of_code
from tests.end_to_end.joining import Kept, World, cases_of, citizens, copies, live, wait_for
from tests.server import ServerProcess
from tests.small_province import SmallProvince


@pytest.fixture
def world(database_url, tmp_path, hailong, monkeypatch):
    """The service has run, and stands still; what is kept lies before whoever wants to join it."""
    heads = tmp_path / "heads"
    heads.mkdir()
    settings = Settings(database_url=database_url)
    people = citizens()
    with closing(Database(database_url)) as database:
        province = SmallProvince.found(database)
        with database.writing() as session:
            # A system that takes no telling, so that tellings wait.
            add_webhook(session, "http://127.0.0.1:9/hook", None)
        began = datetime.now(UTC)
        log = tmp_path / "server.log"
        server = ServerProcess(
            database_url, log, access_log=True, log_level="debug", log_format="json", cache_s=0,
            audit_heads=f"file://{heads / 'heads.jsonl'}", case_code_rate="1000 per 1 minute",
            sms_outbox=tmp_path / "outbox.jsonl", webhook_delay_s=600,
        )  # fmt: skip
        try:
            server.wait_until_ready()
            answered = live(server, database, province, people)
            with database.reading() as session:
                wait_for(lambda: not session.scalars(select(SmsMessage.id)).all()
                         or session.rollback())  # fmt: skip
        finally:
            server.stop()
        monkeypatch.setenv("HAILONG_AUDIT_HEADS", f"file://{heads / 'heads.jsonl'}")
        hailong("audit", "heads", "--send")
        hailong("audit", "export", tmp_path / "audit.jsonl", code=(0, 1, 2))
        shared = written_together(database)
        # As each night and each minute have it.
        mix_answered(database, datetime.now(UTC))
        assert empty_journal(database)
        files = [log, *heads.iterdir(), tmp_path / "audit.jsonl"]
        files += copies(database, hailong, tmp_path, monkeypatch)
        if database.locks_whole_database:
            own = Path(database.url.database)
            files += [own, own.with_name(own.name + "-wal")]
        kept = Kept(database, files)
        yield World(
            database, settings, people, kept, log.read_text(), answered, began,
            TextKeys.of(settings), shared,
        )  # fmt: skip


def test_nothing_that_is_kept_joins_a_response_to_a_person(world):
    nothing_of_them_stands_anywhere(world)
    what_they_alone_hold_stands_by_its_hash_alone(world)
    addresses_are_not_found_by_trying_them_all(world)
    no_moment_or_order_tells_which_invitation_was_whose(world)
    of_whoever_withdrew_nothing_is_left(world)
    the_logs_say_nothing_but_that_somebody_did(world)
    each_code_opens_its_own_case_alone(world)


def nothing_of_them_stands_anywhere(world):
    for each in world.people:
        for trait in each.traits:
            assert world.kept.holds(trait) == set(), trait
            assert world.kept.holds_hash(trait) == set(), trait
    # The attack would find them: what is no secret it does find, plain and hashed.
    assert "unit.code" in world.kept.holds("C1") and world.kept.holds("/c/withdraw")
    assert world.kept.holds_hash(world.people[0].code) and world.kept.holds("quầy số 3")


def what_they_alone_hold_stands_by_its_hash_alone(world):
    copied = set(world.kept.files)
    for each in world.people:
        assert world.kept.holds(each.code) == set()
        code = {place for place in world.kept.holds_hash(each.code) if place not in copied}
        assert code == (set() if each.withdrawn else {"reply_code.code_hash"})
        if each.token:
            assert world.kept.holds(each.token) == set()
            of_token = {place for place in world.kept.holds_hash(each.token) if place not in copied}
            assert of_token == {"invitation.token_hash"}
        # Her browser knows her response for a day, so that it is not counted twice: who holds it
        # holds her telephone. Nothing that is kept says whose browser it was.
        id = each.cookie.partition(".")[0]
        assert id == each.response
        places = world.kept.holds(id) | world.kept.holds(id.replace("-", ""))
        assert "server.log" not in places and not any("audit" in place for place in places)


def addresses_are_not_found_by_trying_them_all(world):
    """The salt of the day is there, and so is the source; the key outside is not."""
    with world.database.reading() as session:
        there = {bytes(key) for table in (RateBucket, RateCount)
                 for key in session.scalars(select(table.key))}  # fmt: skip
        points = session.scalars(select(SurveyPoint.id)).all()
        secrets = [bytes(one) for one in session.scalars(select(ServerSecret.secret))]
        secrets += [bytes(one) for one in session.scalars(select(DailySalt.salt))]
    assert there
    served = Settings(case_code_rate="1000 per 1 minute")
    shared = round(parse(served.point_rate).amount * (1 - served.point_reserve))
    rates = {
        parse(rate)
        for rate in (served.public_rate, served.pageless_rate, served.case_code_rate,
                     f"{shared} per {parse(served.point_rate).get_expiry()} second")
    }  # fmt: skip

    def found(key):
        limits = RateLimits(world.database, key_outside=lambda: key)
        limits.prepare()
        return {
            each.n
            for each, rate in itertools.product(world.people, rates)
            for place in (network_of(each.address), neighbourhood_of(each.address), each.address)
            for what in (
                ("reply code", place),
                *((name, point, place) for name in ("point", "pageless", "neighbourhood")
                  for point in points),
            )
            if limits.key(rate, *what) in there
        }  # fmt: skip

    assert found(b"") == set()
    for secret in secrets:
        assert found(secret) == set()
    # By the file that lies apart, it is everybody of the last minutes.
    assert found(world.keys.derived(b"limits")) == {each.n for each in world.people}


def moments(database):
    """Every moment that stands in a row, by table and column; of ids those that they hold."""
    found = []
    for table in Base.metadata.sorted_tables:
        columns = [c for c in table.columns if isinstance(c.type, UtcDateTime | DateTime)]
        ids = [c for c in table.columns if "UUID" in str(c.type).upper()]
        with database.reading() as session:
            for row in session.execute(select(table)).mappings():
                found += [(table.name, c.name, row[c.name]) for c in columns if row[c.name]]
                for c in ids:
                    ms = UUID(row[c.name]).int >> 80
                    found.append((table.name, c.name, datetime.fromtimestamp(ms / 1000, UTC)))
    return found


def no_moment_or_order_tells_which_invitation_was_whose(world):
    # What stands beside a moment of an answer: the response itself, and what staff did.
    of_people = {"invitation", "sms_message", "delivery"}
    near = {
        (table, column)
        for table, column, at in moments(world.database)
        if table in of_people
        and any(abs(at - then) < timedelta(seconds=30) for then in world.answered.values())
    }
    assert near == set()
    invited = [each for each in world.people if each.token]
    order = [each.n for each in sorted(invited, key=lambda one: world.answered[one.n])]
    by_hash = {hashlib.sha256(each.token.encode()).hexdigest(): each.n for each in invited}
    with world.database.reading() as session:
        rows = session.execute(select(Invitation.number, Invitation.token_hash)).all()
        by_number = {row.number: by_hash[row.token_hash] for row in rows}
        waiting = session.execute(select(Delivery.id, Delivery.body).order_by(Delivery.id)).all()
        assert len(waiting) == len(invited)
        named = [by_number[json.loads(row.body)["invitation"]] for row in waiting]
        assert sorted(named) == sorted(order)
        # Drawn at random, numbers lie anywhere.
        assert max(row.id for row in waiting) > 10_000
    # The store's own column, of which transaction wrote a row: it would tell, had they lain.
    if not world.database.locks_whole_database:
        # Of who withdrew the response that it was written with is gone.
        assert world.shared == sum(not each.withdrawn for each in invited) > 0
    assert written_together(world.database) == 0


def written_together(database):
    """How many transactions, by PostgreSQL's own columns, wrote an invitation and a response."""
    if database.locks_whole_database:
        return 0
    with database.reading() as session:
        wrote = [
            set(session.scalars(text(f"SELECT xmin::text FROM {table}")))
            for table in ("invitation", "response")
        ]
    return len(wrote[0] & wrote[1])


def of_whoever_withdrew_nothing_is_left(world):
    with world.database.reading() as session:
        ids = set(session.scalars(select(Response.id)))
        assert session.scalars(select(Case.withdrawn)).all().count(True) == 2
    for each in world.people:
        assert (each.response in ids) != each.withdrawn
        if each.withdrawn:
            for trace in (each.response, each.response.replace("-", "")):
                assert world.kept.holds(trace) == set(), trace
            assert world.kept.holds_hash(each.code) == set()
            raw = UUID(each.response).bytes
            assert not any(raw in content for content in world.kept.files.values())


def the_logs_say_nothing_but_that_somebody_did(world):
    lines = [json.loads(line) for line in world.log.splitlines() if line.startswith("{")]
    answered = Counter((line.get("method"), line.get("route")) for line in lines)
    assert answered["POST", "/i/{token}"] == 4 and answered["POST", "/c/withdraw"] == 3
    with world.database.reading() as session:
        entries = session.scalars(select(AuditEntry)).all()
        gone = [one for one in entries if one.action.startswith("response.withdraw")]
        assert sorted((one.subject, one.actor) for one in gone) == [("one", "citizen")] * 3
        for one in entries:
            said = f"{one.subject} {one.details}"
            assert not any(each.response in said or each.code in said for each in world.people)


def each_code_opens_its_own_case_alone(world):
    """All codes against all cases, and what is nearly a code, by the function that pages call."""
    from app.cases import citizens as by_code
    from app.cases.own_response import own_response

    own = cases_of(world.database)
    with world.database.reading() as session:
        for each in world.people:
            wrong = {
                each.code[:-1], each.code + "0", each.code[1:] + each.code[0],
                hash_of_code(each.code), hash_of_code(each.code)[:32], each.response,
                each.cookie, each.token or "x", each.phone, f"%{each.code}", f"{each.code}'--",
                *(each.code[:at] + ("0" if each.code[at] != "0" else "1") + each.code[at + 1 :]
                  for at in range(16)),
            }  # fmt: skip
            if each.withdrawn:
                wrong.add(each.code)
            else:
                assert by_code.response_of(session, each.code) == each.response
                row = own_response(session, each.code)
                assert row.given[0].chosen and (each.response in own)
                seen = by_code.find(session, each.code)
                assert not seen.messages[0].from_citizen
                # What another one wrote stands under no code but hers.
                others = [one.code for one in world.people if one is not each and not one.withdrawn]
                assert all(by_code.response_of(session, code) != each.response for code in others)
            for code in wrong:
                for do in (by_code.find, by_code.response_of, own_response):
                    with pytest.raises(by_code.CodeOpensNothing):
                        do(session, code)
