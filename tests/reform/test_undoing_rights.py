"""What was given on a unit that a plan founded ends with the plan, and comes back with no other."""

from datetime import UTC, datetime

from sqlalchemy import select

from app.access.callers import Callers
from app.access.credentials import issue
from app.access.models import Right
from app.registry.models import Unit
from app.registry.points import open_point
from app.settings import Settings
from app.webhooks.models import Delivery, Webhook
from app.webhooks.service import add_webhook, tell_later
from tests.reform.test_reform import RECODED, carried, key_unit, undone
from tests.registry.plans import MERGER, plan
from tests.small_province import body


def founded(province, done):
    return next(each.unit_id for each in done.changes.foundings)


def test_a_key_made_for_what_was_founded_ends_with_it(province, tmp_path):
    merger = plan(tmp_path, *MERGER)
    done = carried(province, merger)
    id = founded(province, done)
    with province.database.writing() as session:
        secret = issue(
            session, "new", frozenset({Right.READ_FIGURES}), unit=session.get_one(Unit, id)
        )
    callers = Callers(province.database, Settings(cache_s=0))
    assert callers.find(secret) is not None
    undone(province, done.id)
    assert callers.find(secret) is None
    # The same number is a unit's again, by a plan of others: it opens nothing there either.
    again = carried(province, merger)
    assert founded(province, again) == id and callers.find(secret) is None


def test_a_key_follows_again_after_a_plan_was_undone(people, tmp_path):
    first = carried(people, plan(tmp_path, *RECODED))
    assert key_unit(people) == "H9"
    undone(people, first.id)
    assert key_unit(people) == "H1"
    carried(people, plan(tmp_path, *RECODED))
    assert key_unit(people) == "H9"


def test_what_a_webhook_of_what_was_founded_is_still_to_be_told_is_told(people, tmp_path):
    done = carried(people, plan(tmp_path, *RECODED))
    id = founded(people, done)
    with people.database.writing() as session:
        tell_later(session, id, "{}", datetime.now(UTC), 0)
        add_webhook(session, "https://else.example.vn", session.get_one(Unit, id))
        tell_later(session, id, '{"n":2}', datetime.now(UTC), 0)
    undone(people, done.id)
    with people.database.reading() as session:
        alive = session.scalars(select(Webhook).where(Webhook.ended_at.is_(None))).one()
        told = session.scalars(select(Delivery).where(Delivery.webhook_id == alive.id)).all()
        assert (alive.unit_id, sorted(each.body for each in told)[::-1]) == (
            people.units["H1"], ["{}", '{"n":2}'],
        )  # fmt: skip


def test_a_device_at_what_was_founded_sends_nothing_after_the_undoing(province, client, tmp_path):
    merger = plan(tmp_path, *MERGER)
    done = carried(province, merger)
    with province.database.writing() as session:
        unit = session.get_one(Unit, founded(province, done))
        point = open_point(session, unit, "sipas-desk", "kiosk", "Quầy mới")
        session.flush()
        secret = issue(session, "máy", frozenset({Right.SUBMIT}), point)
        code = point.codes[0].code
    headers = {"Authorization": f"Bearer {secret}"}

    def sent():
        answer = client.post("/api/v1/responses", json=body(code), headers=headers)
        return answer.status_code, answer.json().get("type")

    undone(province, done.id)
    assert sent() == (422, "/problems/point-closed")
    # A plan that was mended and carried out again finds its points and devices as they were.
    carried(province, merger)
    assert sent() == (201, None)
