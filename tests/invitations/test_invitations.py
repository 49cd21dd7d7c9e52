"""Invitations: one a case, one answer each, and nothing that says which answer it was."""

import hashlib
import hmac
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
import zxingcpp
from sqlalchemy import func, select, update
from statsmodels.stats.proportion import proportion_confint

from app.access.models import Right
from app.access.roles import Role
from app.db import Base
from app.figures.periods import end_of_month
from app.figures.release import ReleaseRule
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.invitations.models import Invitation, SmsMessage
from app.registry.points import find_by_code
from app.webhooks import service as webhooks
from app.webhooks.models import Delivery
from tests.conftest import serving
from tests.listening import listening, wait_for
from tests.small_province import body

URL = "/api/v1/invitations"
NOW = datetime.now(UTC)


@pytest.fixture
def software(province):
    """The header of the one-stop software of D1's units."""
    return province.credential(Right.INVITE, unit="D1")


def a_case(province, case="H05.1", **changes):
    return {
        "case": case,
        "unit": "C1",
        "point": province.points[("C1", "sipas-desk")],
        "finished_at": datetime.now(UTC).isoformat(),
    } | changes


def invite(client, province, software, case="H05.1", **changes):
    answer = client.post(URL, json=a_case(province, case, **changes), headers=software)
    assert answer.status_code == 201, answer.text
    return "/i/" + answer.json()["link"].rpartition("/")[2]


def fill(client, path, **answers):
    form = dict(re.findall(r'name="(id|opened)" value="([^"]+)"', client.get(path).text))
    return client.post(path, data=form | {f"a.{item}": v for item, v in answers.items()})


def stored(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


def test_a_link_is_answered_once_and_its_channel_tells_it_apart(
    client, province, software, database
):
    path = invite(client, province, software)
    assert "Đơn vị C1" in client.get(path).text
    answer = fill(client, path, A1="5", B1="4")
    assert answer.headers["location"] == f"{path}/thanks"
    assert "Cảm ơn" in client.get(answer.headers["location"]).text
    with httpx.Client(base_url=client.base_url) as other:
        for again in (other.get(path), fill(other, path, A1="1")):
            assert again.status_code == 410 and "đã được trả lời" in again.text
    with database.reading() as session:
        row = session.scalars(select(Response)).one()
        assert row.channel == "invitation"
    rates = client.get(
        "/api/v1/satisfaction?by=channel&questionnaire=sipas-desk&unit=C1",
        headers=province.reader(),
    ).json()["rows"]
    assert {row["channel"]: row["respondents"] for row in rates} == {"invitation": 1}
    assert verify(database) == []


def test_a_double_tap_is_counted_once_and_thanked_for(client, province, software, database):
    path = invite(client, province, software)
    form = dict(re.findall(r'name="(id|opened)" value="([^"]+)"', client.get(path).text))
    form |= {"a.A1": "5"}

    def tap(_):
        return httpx.post(f"{client.base_url}{path}", data=form).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(tap, range(4))) == [303] * 4
    assert stored(database) == 1 and verify(database) == []


def test_of_many_who_share_a_link_one_is_counted(client, province, software, database):
    path = invite(client, province, software)

    def answer(_):
        with httpx.Client(base_url=client.base_url, timeout=30) as phone:
            return fill(phone, path, A1="5").status_code

    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(answer, range(6)))
    assert codes == [303] + [410] * 5
    assert stored(database) == 1 and verify(database) == []


def test_mistakes_do_not_use_the_link_up(client, province, software, database):
    path = invite(client, province, software)
    assert fill(client, path).status_code == 422
    assert fill(client, path, A1="9").status_code == 422
    assert fill(client, path, A1="3").status_code == 303
    assert stored(database) == 1


def test_asked_again_it_is_the_same_link_and_by_another_it_is_refused(
    client, province, software, database
):
    sent = a_case(province)
    first = client.post(URL, json=sent, headers=software)
    again = client.post(URL, json=sent, headers=software)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["link"] == again.json()["link"]
    other = province.credential(Right.INVITE)
    refused = client.post(URL, json=sent, headers=other)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/already-invited")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Invitation)) == 1


def test_a_case_is_invited_once_however_many_ask_at_once(client, province, software, database):
    sent = a_case(province, phone="0912345678")

    def ask(_):
        return httpx.post(f"{client.base_url}{URL}", json=sent, headers=software, timeout=30)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert sum(answer.status_code == 201 for answer in answers) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SmsMessage)) == 1


def test_link_case_and_answer_stand_nowhere_together(client, province, software, database):
    path = invite(client, province, software, case="H05.12.2026-777")
    fill(client, path, A1="5")
    token = path.rpartition("/")[2]
    with database.reading() as session:
        response = session.scalars(select(Response)).one()
        for table in Base.metadata.tables.values():
            for row in session.execute(select(table)):
                kept = repr(tuple(row))
                assert token not in kept and "H05.12.2026-777" not in kept
                if table.name == "invitation":
                    assert response.id not in kept
        # Neither has a moment that would lead to the other.
        assert "answered_at" not in {column.name for column in Invitation.__table__.columns}
        assert not any("invit" in column.name for column in Response.__table__.columns)


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"unit": "A1"}, 404, "unknown-unit", "unit"),
        ({"unit": "X9"}, 404, "unknown-unit", "unit"),
        ({"point": "NOSUCH2"}, 422, "no-point-to-invite-to", "point"),
        ({"finished_at": (NOW - timedelta(days=31)).isoformat()}, 422,
         "finished-too-long-ago", "finished_at"),
        ({"finished_at": (NOW + timedelta(days=3)).isoformat()}, 422,
         "finished-too-long-ago", "finished_at"),
        ({"phone": "12"}, 422, "not-a-phone", "phone"),
        ({"phone": "+1 202 555 0123"}, 422, "not-a-phone", "phone"),
    ],
)  # fmt: skip
def test_what_cannot_be_invited_is_named(client, province, software, change, status, code, field):
    answer = client.post(URL, json=a_case(province, **change), headers=software)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}")
    assert answer.json()["field"] == field


def test_an_old_link_and_one_that_never_was_are_told_kindly(client, province, software, database):
    path = invite(client, province, software)
    with database.writing() as session:
        session.execute(update(Invitation).values(expires_at=NOW))
    for answer in (client.get(path), client.post(path, data={"a.A1": "5"})):
        assert answer.status_code == 410 and "quá hạn" in answer.text
    assert client.get("/i/ABCD").status_code == 404
    assert "tin nhắn" in client.get("/i/ABCD").text
    assert stored(database) == 0


def test_a_point_may_take_invited_answers_only(client, province, software, database):
    code = province.points[("C1", "sipas-desk")]
    with database.writing() as session:
        find_by_code(session, code).invitations_only = True
    assert "đường dẫn riêng" in client.get(f"/q/{code}").text
    refused = client.post("/api/v1/responses", json=body(code))
    assert refused.json()["type"] == "/problems/invitation-needed"
    assert fill(client, invite(client, province, software), A1="5").status_code == 303
    # Paper forms of that time are still typed in.
    paper = client.post("/api/v1/responses", json=body(code), headers=province.importer())
    assert paper.status_code == 201


def test_the_slip_carries_the_link_as_a_code(client, province, software):
    answer = client.post(f"{URL}?qr=true", json=a_case(province), headers=software).json()
    import io

    from PIL import Image

    from app.qr_codes import png

    assert answer["qr"].startswith("<?xml") and answer["link"] in answer["qr"]
    picture = np.array(Image.open(io.BytesIO(png(answer["link"]))).convert("L"))
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [answer["link"]]


def test_response_rates_are_known_by_unit_and_month(client, province, software, monkeypatch):
    """Wilson's interval as statsmodels 0.14 computes it."""
    paths = [invite(client, province, software, case=f"c{n}") for n in range(12)]
    for path in paths[:5]:
        with httpx.Client(base_url=client.base_url) as phone:
            assert fill(phone, path, A1="4").status_code == 303
    for unit, times in (("D1", 9), ("C2", 10)):
        for n in range(times):
            invite(client, province, software, case=f"{unit}{n}", unit=unit,
                   point=province.points[(unit, "sipas-desk")])  # fmt: skip
    head = province.person((Role.UNIT_HEAD, "D1"))
    local = (NOW + timedelta(hours=7)).date()
    months = {"from": f"{local:%Y-%m}-01", "to": f"{end_of_month(local)}"}
    year = {"from": f"{local:%Y}-01-01", "to": f"{local:%Y}-12-31"}

    def told(day):
        rule = classmethod(lambda cls, given: cls(given.least_respondents, day, 30))
        monkeypatch.setattr(ReleaseRule, "of", rule)
        answer = client.get("/api/v1/response-rates", params=months, headers=head.headers)
        return answer.json()["rows"]

    # Somebody invited on the last day of the month may answer for thirty days.
    settled = end_of_month(local) + timedelta(days=31)
    assert {row["issued"] for row in told(settled - timedelta(days=1))} == {None}
    rows = told(settled)
    by_unit = {row["unit"]["code"]: row for row in rows}
    low, high = proportion_confint(5, 12, method="wilson")
    assert (by_unit["C1"]["issued"], by_unit["C1"]["answered"]) == (12, 5)
    assert by_unit["C1"]["rate"] == pytest.approx(5 / 12)
    assert by_unit["C1"]["low"] == pytest.approx(low)
    assert by_unit["C1"]["high"] == pytest.approx(high)
    # Nine were invited about D1 itself: too few to be shown to its head, not to an analyst; and
    # these would follow from the whole, were C2 shown too.
    for unit in ("D1", "C2"):
        assert by_unit[unit]["suppressed"] and by_unit[unit]["answered"] is None
    analyst = province.person((Role.PROVINCIAL_ANALYST, "D1"))
    answer = client.get("/api/v1/response-rates", params=year, headers=analyst.headers)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["rows"]
    assert {row["unit"]["code"]: row["issued"] for row in rows} == {
        "C1": 12, "C2": 10, "D1": 9,
    }  # fmt: skip


# --- what is sent ---------------------------------------------------------------------------


def test_an_sms_goes_through_the_gateway_and_its_number_is_forgotten(
    settings, province, software, database
):
    with listening() as (url, taken):
        with_sms = settings.model_copy(update={"sms_url": url, "sms_token": "t0ken"})
        with serving(with_sms) as client:
            path = invite(client, province, software, phone="0912 345-678")
            wait_for(lambda: taken)
            wait_for(lambda: not numbers(database))
    (headers, content) = taken[0]
    assert headers["Authorization"] == "Bearer t0ken"
    assert json.loads(content)["to"] == "+84912345678" and path in json.loads(content)["text"]
    # In one SMS, of letters that need no more than seven bits.
    assert json.loads(content)["text"].isascii() and len(json.loads(content)["text"]) <= 160
    assert len(taken) == 1


def numbers(database):
    with database.reading() as session:
        return session.scalars(select(SmsMessage.phone)).all()


def test_a_trial_writes_sms_to_a_file(settings, province, software, tmp_path):
    outbox = tmp_path / "new/outbox.jsonl"
    with serving(settings.model_copy(update={"sms_outbox": outbox})) as client:
        invite(client, province, software, phone="+84 912 345 678", language="en")
        wait_for(outbox.exists)
    assert json.loads(outbox.read_text("utf-8"))["text"].startswith("Your case is finished")


def test_webhooks_tell_of_answers_without_content_and_are_signed(
    settings, province, software, database
):
    with listening((500, 200)) as (url, taken):
        with database.writing() as session:
            from app.registry.models import Unit

            unit = session.get_one(Unit, province.units["D1"])
            secret = webhooks.add_webhook(session, url, unit).secret
            elsewhere = session.get_one(Unit, province.units["H1"])
            webhooks.add_webhook(session, f"{url}other", elsewhere)
        with serving(settings.model_copy(update={"webhook_delay_s": 0})) as client:
            answer = client.post(URL, json=a_case(province), headers=software).json()
            path = "/i/" + answer["link"].rpartition("/")[2]
            fill(client, path, A1="1", comment="rất chậm")
            wait_for(lambda: [each.reason for each in waiting(database)] == ["HTTP 500"])
            with database.writing() as session:
                session.execute(update(Delivery).values(due_at=NOW))
            wait_for(lambda: waiting(database) == [])
    for headers, content in taken:
        told = json.loads(content)
        assert told["type"] == "invitation.answered" and told["invitation"] == answer["invitation"]
        assert set(told) == {"id", "type", "invitation"}
        moment, signature = re.fullmatch(
            r"t=(\d+),v1=([0-9a-f]{64})", headers["Hailong-Signature"]
        ).groups()
        mine = hmac.new(secret.encode(), f"{moment}.{content}".encode(), hashlib.sha256)
        assert hmac.compare_digest(mine.hexdigest(), signature)
        assert abs(int(moment) - time.time()) < 60
    assert len(taken) == 2 and taken[0][1] == taken[1][1]


def waiting(database):
    """What is to be told yet."""
    with database.reading() as session:
        return session.scalars(select(Delivery)).all()


def test_a_webhook_is_told_some_minutes_later_by_chance(client, province, software, database):
    with database.writing() as session:
        webhooks.add_webhook(session, "http://127.0.0.1:9/", None)
    for n in range(8):
        with httpx.Client(base_url=client.base_url) as phone:
            fill(phone, invite(client, province, software, case=f"c{n}"), A1="5")
    with database.reading() as session:
        due = session.scalars(select(Delivery.due_at)).all()
    waits = [(each - datetime.now(UTC)).total_seconds() for each in due]
    assert len(set(waits)) == 8 and all(40 < wait <= 600 for wait in waits)
