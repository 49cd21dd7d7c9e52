"""Heads outside: a log that was computed anew, cut or exchanged is known by them."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import delete, text

from app.audit import log, signing
from app.audit.heads import present_head, read_heads
from app.audit.models import AuditEntry
from app.audit.signing import record_signed
from app.audit.verifying import compare
from app.settings import Settings


@pytest.fixture
def keyed(database_url, tmp_path):
    file = tmp_path / "audit.pem"
    public = signing.make_key(file)
    return Settings(database_url=database_url, audit_key=file), public


@pytest.fixture
def grown(database, keyed):
    """A log with two heads of it outside, the one three entries before the other."""

    def grow(entries):
        for n in range(entries):
            with database.writing(actor="command:an") as session:
                log.record(session, "test.change", n)

    grow(2)
    first = head_of(database, keyed[0])
    grow(3)
    return first, head_of(database, keyed[0])


def head_of(database, settings, **changes):
    with database.reading() as session:
        return present_head(session, settings, **changes)


def compared(database, heads, *publics, **more):
    with database.reading() as session:
        return compare(session, heads, publics, **more)


def forge(database, change, first=1):
    """What somebody does who owns the database: no triggers, and the whole chain computed anew."""
    with database.writing() as session:
        if database.locks_whole_database:
            for what in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER audit_entry_no_{what}"))
        else:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        change(session)
        before = log.GENESIS
        for entry in list(log.entries(session)):
            entry.hash = before = log.hash_of(entry, before)


def test_an_untouched_log_is_confirmed_as_far_as_its_last_head(database, keyed, grown):
    with database.writing() as session:
        log.record(session, "test.change", "x")
    seen = compared(database, grown, keyed[1])
    assert not seen.wrong and seen.confirmed == grown[1].entry == seen.entries - 1
    assert "the 1 since are confirmed by none yet" in seen.told[-1]


def test_a_log_that_was_computed_anew_is_known_by_a_head(database, keyed, grown):
    changed = grown[0].entry + 2

    def blame_another(session):
        session.get(AuditEntry, changed).actor = "somebody else"

    forge(database, blame_another)
    alone = compared(database, [])
    assert not alone.wrong and "nobody outside could confirm" in alone.told[0]
    seen = compared(database, grown, keyed[1])
    (told,) = seen.wrong
    assert f"entries {grown[0].entry + 1} to {grown[1].entry} on" in told
    assert grown[0].entry < changed <= grown[1].entry and seen.confirmed == grown[0].entry


def test_where_heads_stand_close_the_very_entry_is_named(database, keyed, grown):
    last = grown[1]
    with database.writing() as session:
        log.record(session, "test.change", "x")
    heads = [*grown, head_of(database, keyed[0])]

    def blame_another(session):
        session.get(AuditEntry, last.entry + 1).actor = "somebody else"

    forge(database, blame_another)
    (told,) = compared(database, heads, keyed[1]).wrong
    assert f"rewritten from entry {last.entry + 1} on" in told


def test_a_log_that_was_cut_is_known_by_a_head(database, keyed, grown):
    first, last = grown
    forge(database, lambda s: s.execute(delete(AuditEntry).where(AuditEntry.id >= last.entry - 1)))
    assert not compared(database, [first], keyed[1]).wrong
    (told,) = compared(database, grown, keyed[1]).wrong
    assert f"cut: entries from {last.entry - 1} on are missing" in told
    assert f"had {last.entry} on" in told


def test_a_log_that_was_cut_and_continued_is_known_by_a_head(database, keyed, grown):
    first, last = grown
    forge(database, lambda s: s.execute(delete(AuditEntry).where(AuditEntry.id >= last.entry - 1)))
    for n in range(5):
        with database.writing() as session:
            log.record(session, "test.change", n)
    (told,) = compared(database, grown, keyed[1]).wrong
    assert f"one of the entries {first.entry + 1} to {last.entry} on" in told


def test_a_log_rewritten_from_its_first_entry_is_no_other_databases(database, keyed, grown):
    def blame_another(session):
        session.get(AuditEntry, 1).actor = "somebody else"

    forge(database, blame_another)
    (told,) = compared(database, grown, keyed[1]).wrong
    assert "exchanged or rewritten from its first entry on" in told
    later = head_of(database, keyed[0])  # heads go on leaving
    assert len(compared(database, [*grown, later], keyed[1]).wrong) == 1


def test_heads_of_another_database_are_told_apart(database, keyed, grown):
    settings, public = keyed
    other = dataclasses.replace(grown[1], chain="ab" * 32, entry=900, signature=None)
    other = dataclasses.replace(other, signature=signing.sign(other.payload, settings))
    (told,) = compared(database, [*grown, other], public).wrong
    assert "--apart abababababab" in told
    assert not compared(database, [*grown, other], public, apart=["ab" * 6]).wrong


def test_what_is_not_signed_well_does_not_count_and_is_told(database, keyed, grown, tmp_path):
    public, (first, last) = keyed[1], grown
    stranger = Settings(audit_key=tmp_path / "other.pem")
    signing.make_key(stranger.audit_key)
    made_up = dataclasses.replace(last, hash="cd" * 32)
    seen = compared(database, [first, made_up], public)
    assert "1 head with a signature that does not hold" in seen.wrong[0]
    assert seen.confirmed == first.entry
    unsigned = dataclasses.replace(made_up, signature=None)
    strange = dataclasses.replace(made_up, signature=signing.sign(made_up.payload, stranger))
    seen = compared(database, [first, unsigned, strange], public)
    assert not seen.wrong and "without a signature" in seen.told[0]
    assert "signed by a key that was not given" in seen.told[1]
    seen = compared(database, [first, unsigned])  # whoever has no key trusts what was kept
    assert "rewritten" in seen.wrong[0] and "signatures of heads were not checked" in seen.told[0]


def test_a_restored_backup_is_explained_by_a_signed_entry_alone(database, keyed, grown):
    settings, public = keyed
    first, last = grown
    kept = first.entry + 1

    def restore(session):
        session.execute(delete(AuditEntry).where(AuditEntry.id > kept))

    forge(database, restore)
    with database.writing(actor="command:an") as session:
        log.record(session, "restore", "a.age", head_entry=kept)
    seen = compared(database, grown, public)
    assert "cut" in seen.wrong[0] and "explains nothing" in seen.told[0]
    with database.writing(actor="command:an") as session:
        record_signed(session, settings, "restore", "a.age", head_entry=kept)
    seen = compared(database, grown, public)
    assert not seen.wrong and seen.confirmed == first.entry
    assert f"up to entry {last.entry}: explained by a signed entry" in seen.told[1]
    # It explains nothing that came after it.
    after = head_of(database, settings, now=datetime.now(UTC) + timedelta(seconds=1))
    with database.reading() as session:
        restored = session.get(AuditEntry, after.entry)
        before = session.get(AuditEntry, after.entry - 1).hash
        assert signing.signed_by(restored, before, [public])
    missing = dataclasses.replace(after, entry=after.entry + 2, hash="ef" * 32, signature=None)
    missing = dataclasses.replace(missing, signature=signing.sign(missing.payload, settings))
    assert "cut" in compared(database, [*grown, missing], public).wrong[0]
    # Nor does one that was copied to another place.
    copied = json.loads(restored.details)
    with database.writing() as session:
        log.record(session, "restore", "a.age", **copied)
    told = compared(database, grown, public).told
    assert f"entry {after.entry + 1} says that a backup was restored, and is not" in " ".join(told)


def test_a_restore_explains_nothing_of_what_its_backup_had(database, keyed, grown):
    """The backup itself was rewritten before it was restored, and the restore is a true one."""
    settings, public = keyed
    first, last = grown

    def blame_another(session):
        session.get(AuditEntry, first.entry).actor = "somebody else"

    forge(database, blame_another)
    with database.writing(actor="command:an") as session:
        record_signed(session, settings, "restore", "a.age", head_entry=last.entry - 1)
    (told,) = compared(database, grown, public).wrong
    assert f"entry {first.entry} was another on" in told


def test_a_restore_that_is_made_younger_explains_no_more_than_it_did(database, keyed, grown):
    """Somebody rewrites all that came after a true restore, and has it look as if it came later.

    The chain is computed anew, and the entry's signature holds; heads that left since do not agree.
    """
    settings, public = keyed
    with database.writing(actor="command:an") as session:
        record_signed(session, settings, "restore", "a.age", head_entry=grown[1].entry)
    for n in range(3):
        with database.writing(actor="command:an") as session:
            log.record(session, "test.change", n)
    since = head_of(database, settings)

    def rewrite(session):
        session.get(AuditEntry, since.entry).actor = "somebody else"
        session.get(AuditEntry, since.entry - 3).at += timedelta(days=1)

    forge(database, rewrite)
    (told,) = compared(database, [*grown, since], public).wrong
    assert f"entry {since.entry} was another on" in told


def test_heads_are_found_in_what_others_keep(database, keyed, grown):
    first, last = grown
    mail = EmailMessage()
    mail.set_content(f"Đây là đầu nhật ký:\n{first.line}\n", cte="quoted-printable")
    syslog = f"<109>1 2026-11-28T00:00:00+00:00 h hailong 1 audit-head - {last.line}"
    receiver = json.dumps({"body": last.line})
    found = [*read_heads(mail.as_string()), *read_heads(syslog), *read_heads(receiver)]
    assert found == [first, last, last]
    assert not compared(database, found, keyed[1]).wrong
    assert list(read_heads(first.line.replace('"entry": ', '"entry": -'))) == []
    assert list(read_heads('{"hailong_head": 1, "chain": 5, "entry": "x", "hash": "y"}')) == []


def test_without_a_key_a_head_leaves_unsigned(database):
    head = head_of(database, Settings())
    assert head.signature is None and list(read_heads(head.line)) == [head]


def test_an_empty_log_has_no_head(database, keyed):
    forge(database, lambda session: session.execute(delete(AuditEntry)))
    assert head_of(database, keyed[0]) is None
