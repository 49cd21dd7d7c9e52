"""What an examination writes down: flags, what it sets aside, and what a person decided."""

from sqlalchemy import delete, select

from analysis.kinds import Kind
from app.audit.models import AuditEntry
from app.figures.cache import edition
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.integrity import batches
from app.integrity.examination import Found
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.integrity.reading import Source
from app.integrity.recording import keep, withdraw
from app.integrity.rules import Rule, RuleVersion
from app.registry.questionnaires import published
from tests.integrity.suspected import FORM, MONTH, TOGETHER, ZONE, suspected

RULE = RuleVersion("stuffing", 1, Rule(), True, "x", None)


def found_in(database, province, ids, probability):
    with database.reading() as session:
        version = [each for each in published(session) if each.form.code == FORM][-1]
    kind = next(iter(Kind))
    return Found(
        version, MONTH, Source(province.units["C1"], "qr", None), probability, len(ids),
        float(len(ids)), (), tuple((id, kind, 0.99) for id in ids),
    )  # fmt: skip


def kept(database, found):
    with database.writing("rule") as session:
        return keep(session, TOGETHER, RULE, found)


def actions(database):
    with database.reading() as session:
        log = select(AuditEntry.action).where(AuditEntry.action.like("batch.%"))
        return session.scalars(log.order_by(AuditEntry.id)).all()


def test_what_is_suspected_again_is_noted_so_that_no_old_page_is_shown(database, province, client):
    """Figures say of whom something is suspected; their edition counts entries of the log."""
    ids = suspected(province, client).responses
    found = found_in(database, province, ids, 0.7)
    assert kept(database, found).flagged == 1
    with database.writing("rule") as session:
        assert withdraw(session, RULE, MONTH, []).withdrawn >= 1
    with database.reading() as session:
        before = edition(session, ZONE)
        assert batches.suspected_units(session) == frozenset()
    assert kept(database, found).flagged == 1
    with database.reading() as session:
        assert batches.suspected_units(session) == {province.units["C1"]}
        assert edition(session, ZONE) != before
    assert kept(database, found).flagged == 0


def test_what_follows_a_rejected_batch_is_set_aside_and_stands_in_the_log(
    database, province, client
):
    ids = suspected(province, client, suspected=40, others=0).responses
    with database.writing() as session:
        session.execute(delete(SuspectResponse))
        session.execute(delete(SuspectBatch))
    assert kept(database, found_in(database, province, ids[:20], 0.99)).responses == 20
    with database.writing() as session:
        row = session.scalars(select(SuspectBatch)).one()
        batches.reject(session, TOGETHER, row.id, "Nguyễn Thị A", "đã hỏi")
    # Five wait until they are ten.
    assert kept(database, found_in(database, province, ids[:25], 0.99)).responses == 0
    assert kept(database, found_in(database, province, ids, 0.99)).responses == 20
    with database.reading() as session:
        rejected = select(Response.id).where(Response.disposition == "rejected")
        assert set(session.scalars(rejected)) == set(ids)
        assert session.scalars(select(SuspectBatch.state)).one() == State.REJECTED
    assert actions(database) == ["batch.flag", "batch.quarantine", "batch.reject", "batch.follow"]
    assert verify(database) == []
