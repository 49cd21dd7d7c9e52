"""Who is told: the webhooks of a unit, of those above it and of all units, until they end."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.registry.models import Unit
from app.webhooks import service
from app.webhooks.models import Delivery, Webhook


def test_a_unit_is_told_of_to_those_above_it_and_to_no_others(database, province):
    now = datetime.now(UTC)
    with database.writing() as session:
        hooks = {
            code: service.add_webhook(
                session,
                f"http://127.0.0.1/{code}",
                session.get_one(Unit, province.units[code]) if code else None,
            ).id
            for code in ("C1", "D1", "H1", "")
        }
        ended = service.add_webhook(session, "http://127.0.0.1/ended", None).id
        service.end_webhook(session, ended)
        service.tell_later(session, province.units["C1"], "{}", now, 600)
    with database.reading() as session:
        told = session.execute(select(Delivery.webhook_id, Delivery.due_at)).all()
        assert session.get_one(Webhook, ended).ended_at is not None
    assert {id for id, _ in told} == {hooks["C1"], hooks["D1"], hooks[""]}
    assert all(timedelta(seconds=60) <= due - now <= timedelta(seconds=600) for _, due in told)
