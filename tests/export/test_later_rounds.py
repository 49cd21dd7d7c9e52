"""A later round tells what came since the one before, whatever its ids, and tells it one time."""

from datetime import UTC, datetime, timedelta

import numpy as np

from app.export.cursors import SETTLES
from app.intake.export_ids import ExportIds
from app.intake.ids import made_uuid7, new_id
from tests.export.conftest import LATER, answered
from tests.export.test_following import Copy
from tests.intake.test_store import Preparing
from tests.small_province import body


def test_a_later_round_of_many_pages_tells_everything_once(database, province):
    """Devices bring what they kept for up to nine months, with ids of then."""
    answered(database, province)
    read_at = LATER
    for round, limit in enumerate((1, 3, 7, 30, 31), start=1):
        copy = Copy(database, limit=limit).follow(read_at)
        copy.told.clear()
        rng, prepare, group = np.random.default_rng(round), Preparing(database), []
        now = LATER + timedelta(days=round, hours=1)
        for _ in range(30):
            begun = now - timedelta(days=int(rng.choice([0, 0, 1, 40, 270])))
            sent = body(
                province.points[("C1", "sipas-desk")], {"A1": int(rng.integers(1, 6))},
                id=new_id(begun), duration_s=[None, 0, 80][rng.integers(3)],
            )  # fmt: skip
            made = prepare(sent)
            group.append(made._replace(row=made.row._replace(received_at=now)))
        prepare.store.append(group)
        read_at = now + timedelta(hours=1)
        copy.follow(read_at).check(read_at)
        came = [ExportIds.of(database).of_response(each.row.id) for each in group]
        assert sorted(copy.told) == sorted(("row", id) for id in came)


def test_what_may_not_be_committed_yet_is_told_later(database, province):
    prepare, now = Preparing(database), datetime.now(UTC)
    copy = Copy(database).follow(now)
    group = [prepare(body(province.points[("C1", "sipas-desk")])) for _ in range(2)]
    moments = (now + timedelta(seconds=1), now + timedelta(minutes=9))
    group = [
        made._replace(row=made.row._replace(received_at=at))
        for made, at in zip(group, moments, strict=True)
    ]
    prepare.store.append(group)
    told = [ExportIds.of(database).of_response(each.row.id) for each in group]
    for n, at in enumerate(moments):
        copy.follow(at + SETTLES - timedelta(milliseconds=1))
        assert told[n] not in copy.rows
        copy.follow(at + SETTLES + timedelta(milliseconds=1))
        assert told[n] in copy.rows


def test_what_came_at_the_very_moment_up_to_which_a_round_reads_is_told_once(database, province):
    prepare, now = Preparing(database), datetime.now(UTC)
    copy, at = Copy(database).follow(now), now + timedelta(minutes=5)
    made = prepare(body(province.points[("C1", "sipas-desk")]))
    prepare.store.append([made._replace(row=made.row._replace(received_at=at))])
    told = ("row", ExportIds.of(database).of_response(made.row.id))
    for round in range(1, 4):
        copy.follow(at + SETTLES * round)
        assert copy.told == [told]


def test_the_least_id_of_a_day_is_followed(database, province):
    now = datetime.now(UTC)
    copy, prepare = Copy(database).follow(now), Preparing(database)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    sent = body(province.points[("C1", "sipas-desk")], id=str(made_uuid7(midnight, bytes(10))))
    made = prepare(sent)
    prepare.store.append([made._replace(row=made.row._replace(received_at=now))])
    assert len(copy.follow(now + timedelta(hours=1)).rows) == 1


def test_what_a_stranger_sends_with_an_old_id_is_followed(client, database, province):
    now = datetime.now(UTC)
    copy = Copy(database).follow(now)
    sent = body(province.points[("C1", "sipas-desk")], id=new_id(now - timedelta(days=900)))
    assert client.post("/api/v1/responses", json=sent).status_code == 201
    copy.follow(now + timedelta(hours=1)).check(now + timedelta(hours=1))
    assert copy.told == [("row", ExportIds.of(database).of_response(sent["id"]))]
