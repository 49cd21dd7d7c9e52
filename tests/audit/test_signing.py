"""The key outside the database: what it signs holds, and nothing else does."""

import json
import stat

import pytest

from app.audit import log, signing
from app.audit.models import AuditEntry
from app.settings import Settings


@pytest.fixture
def keyed(database_url, tmp_path):
    file = tmp_path / "keys" / "audit.pem"
    public = signing.make_key(file)
    return Settings(database_url=database_url, audit_key=file), public


def test_a_key_is_readable_by_its_owner_alone_and_never_overwritten(tmp_path):
    file = tmp_path / "audit.pem"
    public = signing.make_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert signing.public_key(Settings(audit_key=file)) == public
    with pytest.raises(signing.WrongKeyError, match="already"):
        signing.make_key(file)
    assert signing.public_key(Settings(audit_key=file)) == public


def test_a_signature_holds_for_its_payload_and_key_alone(tmp_path):
    settings = Settings(audit_key=tmp_path / "one.pem")
    public, other = signing.make_key(settings.audit_key), signing.make_key(tmp_path / "two.pem")
    signature = signing.sign("Đã ký".encode(), settings)
    assert signature.key == signing.fingerprint(public) != signing.fingerprint(other)
    assert signing.holds("Đã ký".encode(), signature, public)
    assert not signing.holds("Đã kí".encode(), signature, public)
    assert not signing.holds("Đã ký".encode(), signature, other)
    renamed = signing.Signature(signing.fingerprint(other), signature.value)
    assert not signing.holds("Đã ký".encode(), renamed, public)
    assert not signing.holds("Đã ký".encode(), signing.Signature(signature.key, "?"), public)
    assert signing.sign(b"x", Settings()) is None


@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_what_is_no_key_is_refused_in_words(tmp_path, content):
    file = tmp_path / "audit.pem"
    if content is not None:
        file.write_bytes(content)
        file.chmod(0o600)
    with pytest.raises(signing.WrongKeyError, match=r"no key of|cannot be read"):
        signing.sign(b"x", Settings(audit_key=file))


def test_a_key_that_others_may_read_signs_nothing(tmp_path):
    settings = Settings(audit_key=tmp_path / "audit.pem")
    signing.make_key(settings.audit_key)
    settings.audit_key.chmod(0o644)
    with pytest.raises(signing.WrongKeyError, match="chmod 600"):
        signing.sign(b"x", settings)


@pytest.mark.parametrize("text", ["", "hailong-audit-", "hailong-audit-é", "ssh-ed25519 AAAA"])
def test_what_is_no_public_key_is_refused_in_words(text):
    with pytest.raises(signing.WrongKeyError, match="no public key"):
        signing.fingerprint(text)


def test_a_signed_entry_holds_where_it_stands_and_nowhere_else(database, keyed):
    settings, public = keyed
    with database.writing(actor="command:an") as session:
        log.record(session, "test.change", 1)
        signing.record_signed(session, settings, "restore", "a.age", file="Bản sao")
        log.record(session, "test.change", 2)
        signing.record_signed(session, Settings(), "restore", "unsigned.age")
    with database.reading() as session:
        first, signed, later, unsigned = list(log.entries(session))[-4:]
        assert log.verify(session).breach is None
    assert json.loads(signed.details)["file"] == "Bản sao"
    assert signing.signed_by(signed, first.hash, [public])
    assert not signing.signed_by(unsigned, later.hash, [public])
    assert not signing.signed_by(first, log.GENESIS, [public])
    assert not signing.signed_by(signed, later.hash, [public])
    moved = AuditEntry(id=unsigned.id, action="restore", details=signed.details)
    assert not signing.signed_by(moved, later.hash, [public])
    renamed = AuditEntry(id=signed.id, action="accounts.add", details=signed.details)
    assert not signing.signed_by(renamed, first.hash, [public])
