"""The page of dead letters, and the start page's lines."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app import main
from app.access.roles import Role
from app.audit.log import entries
from app.invitations.models import SmsMessage
from app.web.staff.failure_words import Cause, cause_of
from app.webhooks import service
from app.webhooks.models import Delivery
from tests.conftest import serving

NOW = datetime.now(UTC)
DEAD = {"failed_at": NOW - timedelta(minutes=5), "tries": 3}
LINK = "https://hailong.example.vn/i/SECRETLINK"


@pytest.fixture
def letters(database):
    """Two SMS that were not sent, one that waits, one in hand, and a webhook told in vain."""

    def sms(phone, fate=None, reason=None, **more):
        return SmsMessage(phone=phone, body=LINK, fate=fate, reason=reason, **more)

    with database.writing() as session:
        hook = service.add_webhook(session, "https://x.example.vn/told", None)
        session.flush()
        told = {"webhook_id": hook.id, "body": "{}", "fate": "given-up", "reason": "<HTTP 404>"}
        session.add_all(
            [
                sms("+84912345678", "refused", "HTTP 400", **DEAD),
                sms("+84912345679", "unsure", "ReadTimeout", **DEAD),
                sms("+84912345670", due_at=NOW + timedelta(hours=1)),
                sms("+84912345671", "unconfirmed", failed_at=datetime.now(UTC)),
                Delivery(id=1, **told, **DEAD),
            ]
        )


def test_the_page_says_what_to_whom_and_why_without_number_or_link(client, province, letters):
    operator = province.person((Role.OPERATOR, None))
    page = client.get("/dead-letters", headers=operator.headers).text
    for said in (
        "…678", "…679", "Nơi nhận từ chối", "HTTP 400", "ReadTimeout", "&lt;HTTP 404&gt;",
        "Nơi nhận từ chối: nơi nhận không chấp nhận tin", "SMS số 1", "Tin báo webhook số 1",
        "Nơi nhận không trả lời rõ: nơi nhận không trả lời kịp",
        "https://x.example.vn/told", "Nơi nhận có thể đã nhận được tin này",
    ):  # fmt: skip
        assert said in page, said
    for kept in ("12345", "SECRETLINK", "…670", "…671", "<HTTP"):
        assert kept not in page, kept
    assert page.count("/retry") == page.count("/drop") == 3
    auditor = province.person((Role.AUDITOR, None))
    page = client.get("/dead-letters", headers=auditor.headers).text
    assert "…678" in page and '<form method="post" action="/dead-letters' not in page
    english = operator.headers["Cookie"] + "; language=en"
    assert (
        "Refused by the receiver" in client.get("/dead-letters", headers={"Cookie": english}).text
    )


def test_an_operator_sends_again_and_drops_which_the_log_shows(client, province, letters, database):
    operator = province.person((Role.OPERATOR, None))

    def press(path, **data):
        return client.post(path, headers=operator.headers, data=operator.csrf | data)

    answer = press("/dead-letters/sms/2/retry")
    assert (answer.status_code, answer.headers["location"]) == (
        303, "/dead-letters?done=letter_due",
    )  # fmt: skip
    assert press("/dead-letters/sms/1/drop").status_code == 303
    assert press("/dead-letters/webhook/1/retry").status_code == 303
    # One that waits, one in hand, one that is dropped, one that never was, a sort that is none.
    for path in ("sms/3/retry", "sms/4/drop", "sms/1/retry", "webhook/9/drop", "mail/1/drop"):
        assert press(f"/dead-letters/{path}").status_code in (404, 422), path
    foreign = client.post("/dead-letters/sms/2/drop", headers=operator.headers)
    assert foreign.status_code == 403
    page = client.get("/dead-letters", headers=operator.headers).text
    assert "Mọi tin đều đã gửi được" in page
    with database.reading() as session:
        queue = session.scalars(select(SmsMessage).order_by(SmsMessage.id)).all()
        log = [(e.actor, e.action, e.subject, e.details) for e in entries(session)][-3:]
    assert [each.id for each in queue] == [2, 3, 4]
    assert queue[0].due_at >= NOW and queue[0].failed_at is None and queue[0].tries == 0
    assert [each[1:3] for each in log] == [
        ("sms.retry", "2"), ("sms.drop", "1"), ("delivery.retry", "1"),
    ]  # fmt: skip
    assert json.loads(log[0][3]) == {"reason": "ReadTimeout"} and "12345" not in str(log)
    assert operator.email in {each[0] for each in log} or "Người" in log[0][0]
    shown = client.get("/audit", headers=operator.headers).text
    assert "Gửi lại tin nhắn" in shown and "Số 2" in shown


def test_reports_that_could_not_be_mailed_stand_there_too(settings, province, tmp_path):
    folder = tmp_path / "reports/2026-10"
    folder.mkdir(parents=True)

    def note(name, failed_at, again_at):
        said = {"tries": 2, "reason": "550 <unknown>", "failed_at": f"{failed_at.isoformat()}"}
        said["again_at"] = again_at and again_at.isoformat()
        (folder / f"{name}.unmailed").write_text(json.dumps({f"{name}@tinh.vn": said}))

    note("moi", NOW, NOW + timedelta(hours=2))
    note("thoi", NOW, None)
    note("cu", NOW - timedelta(days=40), None)
    with serving(settings.model_copy(update={"report_folder": tmp_path / "reports"})) as client:
        page = client.get("/dead-letters", headers=province.person((Role.AUDITOR, None)).headers)
    assert "moi@tinh.vn" in page.text and "thoi@tinh.vn" in page.text
    assert "cu@tinh.vn" not in page.text and "550 &lt;unknown&gt;" in page.text
    assert page.text.count("Đã gửi nhiều lần không được") == 1
    assert "Mọi tin đều đã gửi được" not in page.text


def test_the_start_page_tells_whoever_runs_it_that_they_wait(client, province, letters):
    for role, unit, told in (
        (Role.OPERATOR, None, True), (Role.AUDITOR, None, True), (Role.OPERATOR, "D1", False),
        (Role.UNIT_HEAD, "C1", False),
    ):  # fmt: skip
        page = client.get("/", headers=province.person((role, unit)).headers).text
        assert ("Có 3 tin không gửi được" in page) is told, role
        assert ('href="/dead-letters"' in page) is told
        assert "đang ngừng" not in page


def test_the_start_page_names_tasks_that_do_not_run(settings, province, monkeypatch):
    class Broken(main.Supervisor):
        def not_running(self):
            return ["sms", "webhooks"]

    monkeypatch.setattr(main, "Supervisor", Broken)
    with serving(settings) as client:
        page = client.get("/", headers=province.person((Role.OPERATOR, None)).headers).text
        assert "đang ngừng: gửi SMS (sms), gửi tin báo webhook (webhooks)" in page
        page = client.get("/", headers=province.person((Role.DESK_STAFF, "C1")).headers).text
        assert "đang ngừng" not in page
        assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("HTTP 401", Cause.NOT_LET_IN),
        ("HTTP 404", Cause.NOT_TAKEN),
        ("HTTP 503", Cause.BROKEN),
        ("ConnectError: [Errno 111] Connection refused", Cause.NOT_REACHED),
        ("ConnectTimeout", Cause.NOT_REACHED),
        ("ReadTimeout", Cause.NO_ANSWER),
        ("TimeoutError", Cause.NO_ANSWER),
        ("RemoteProtocolError: Server disconnected", Cause.NO_ANSWER),
        ("UnsupportedProtocol: no scheme", Cause.BAD_ADDRESS),
        ("OSError: [Errno 28] No space left on device", Cause.NO_ROOM),
        ("ValueError: HTTP 503 is no date", None),
        ("", None),
    ],
)
def test_what_the_machine_says_is_told_in_words(reason, cause):
    assert cause_of(reason) is cause
