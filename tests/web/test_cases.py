"""The pages of cases, the interface, and the page where a citizen reads her reply."""

import html
import re
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.access.roles import Role
from app.audit.models import AuditEntry
from app.cases.lists import finder
from app.cases.models import CaseMessage, CaseSubject, Origin
from app.cases.opening import open_wishes
from app.intake.models import AsideResponse
from tests.cases.sent import (
    LOW,
    MONTH,
    SETTINGS,
    case_about,
    form,
    hash_of_code,
    keep,
    new_code,
    sent,
    subjects,
)
from tests.conftest import serving
from tests.small_province import body

#: A server believes its clock by when it last took a response.
YESTERDAY = datetime.now(SETTINGS.zone).date() - timedelta(days=1)


@pytest.fixture
def code(database, province):
    """The code of a citizen of C1."""
    code = new_code()
    unit = province.units["C1"]
    keep(
        database,
        [
            sent(
                form(database),
                unit,
                MONTH,
                LOW,
                comment="Ba tiếng <i>",
                code=code,
                received=YESTERDAY,
            )
        ],
    )
    assert open_wishes(database, SETTINGS, YESTERDAY) == 1
    return code


@pytest.fixture
def desk(province):
    return province.person((Role.CARE_DESK, "C1"))


def press(client, who, id, act, **data):
    return client.post(f"/cases/{id}/{act}", data=data | who.csrf, headers=who.headers)


def test_a_care_desk_deals_with_a_case_and_its_citizen_reads_the_reply(
    client, database, province, code, desk
):
    (id,) = subjects(database).values()
    page = client.get("/cases", headers=desk.headers).text
    for said in (
        f'href="/cases/{id}"',
        "Đơn vị C1 (C1)",
        "Người dân chờ trả lời",
        "tháng 9 năm 2026",
    ):
        assert said in page, said
    assert "Ba tiếng" not in page
    page = client.get(f"/cases/{id}", headers=desk.headers).text
    for said in (
        "Ba tiếng &lt;i&gt;",
        "Nơi ngồi chờ",
        f'action="/cases/{id}/take"',
        "Kết thúc phản ánh",
    ):
        assert said in page, said
    response_id = next(iter(subjects(database)))
    assert response_id not in page and "08:" not in page and code not in page
    # A page that shows what a citizen wrote is a reading, and logged.
    with database.reading() as session:
        read = session.scalars(select(AuditEntry).where(AuditEntry.action == "case.read")).all()
        assert [(entry.actor, entry.subject) for entry in read] == [(desk.email, str(id))]
    assert client.post(f"/cases/{id}/take", headers=desk.headers).status_code == 403
    assert press(client, desk, id, "take").headers["location"] == f"/cases/{id}?done=case_take"
    assert press(client, desk, id, "steal").status_code == 422
    refused = press(client, desk, id, "set", due_day="không", cause="waiting")
    assert refused.status_code == 422 and 'id="due_day-error"' in refused.text
    refused = press(client, desk, id, "hand-on", text=" ")
    assert refused.status_code == 422 and 'id="hand-on-text-error"' in refused.text
    assert refused.text.count("Thiếu trường này") == 1
    refused = press(client, desk, id, "reply", text=" ")
    assert refused.status_code == 422 and 'id="reply-text-error"' in refused.text
    assert press(client, desk, id, "reply", text="Đã mở\r\nthêm quầy <u>").status_code == 303

    # Hers: without a cookie, in the body alone.
    page = client.get("/c")
    assert page.status_code == 200 and "set-cookie" not in page.headers
    answer = client.post("/c", data={"code": code.lower()})
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "content-encoding" not in answer.headers
    for said in ("Đơn vị C1", "Đã trả lời", "Đã mở\nthêm quầy &lt;u&gt;", 'name="text"'):
        assert said in answer.text, said
    assert "Ba tiếng" not in answer.text and "Người thứ" not in answer.text
    wrote = client.post("/c/message", data={"code": code, "text": " "})
    assert wrote.status_code == 422 and "Thiếu trường này" in wrote.text
    wrote = client.post("/c/message", data={"code": code, "text": "Vẫn chậm"})
    assert wrote.status_code == 200 and "Vẫn chậm" in wrote.text and 'name="text"' not in wrote.text
    again = client.post("/c/message?lang=en", data={"code": code, "text": "Nữa"})
    assert again.status_code == 409 and "You may write back a single time" in again.text
    assert "Vẫn chậm" in client.get(f"/cases/{id}", headers=desk.headers).text
    closed = press(client, desk, id, "close", cause="waiting", text="Thêm người trực")
    assert closed.headers["location"].endswith("done=case_close")
    assert "Thêm người trực" in client.post("/c", data={"code": code}).text
    page = client.get("/cases?show=closed&cause=waiting&unit=C1", headers=desk.headers).text
    assert f"/cases/{id}" in page and "Chờ lâu, trễ hẹn" in page
    page = client.get("/cases?unit=D1", headers=desk.headers)
    assert page.status_code == 404 and 'id="e-unit"' in page.text and 'value="D1"' in page.text


def test_what_is_to_be_kept_to_oneself_looks_so_in_the_list(client, database, province):
    for unit, kept in (("C1", True), ("C2", False)):
        case_about(database, province.units[unit], confidential=kept, origin=Origin.WISH)
    whoever = province.person((Role.CARE_DESK, None))
    rows = re.findall(r"<tr>(.*?)</tr>", client.get("/cases", headers=whoever.headers).text, re.S)
    kept = {re.search(r"\((\w+)\)</a>", row)[1]: "Giữ kín" in row for row in rows[1:]}
    assert kept == {"C1": True, "C2": False}


def test_what_a_device_brings_is_a_case_by_itself(client, province, desk):
    """By the running server, within seconds; how soon is asked of no busy machine."""
    code = new_code()
    made = body(answers=LOW | {"comment": "Chờ lâu"}, reply_code_hash=hash_of_code(code))
    answer = client.post("/api/v1/responses", json=made, headers=province.device())
    assert answer.status_code == 201
    until = time.monotonic() + 300
    while "Đơn vị C1" not in (shown := client.post("/c", data={"code": code})).text:
        # Before it is a case, it is known.
        assert shown.status_code in (200, 429) and time.monotonic() < until
        time.sleep(2)
    (case,) = client.get("/api/v1/cases", headers=desk.headers).json()["cases"]
    assert (case["origin"], case["unit"], case["state"]) == ("wish", "C1", "open")


def test_codes_that_open_nothing_are_answered_alike_and_not_without_end(
    settings, database, province, code
):
    rate = "8 per 10 minute"
    with serving(settings.model_copy(update={"case_code_rate": rate})) as client:
        wrong = ["", "x" * 500, new_code(), "0" * 16, code[:-1]]
        answers = [client.post("/c", data={"code": each}) for each in wrong]
        assert {each.status_code for each in answers} == {404}
        texts = {re.sub(r'name="code" value="[^"]*"', "", each.text) for each in answers}
        assert len(texts) == 1
        for path in ("/c", "/c/answers"):
            answer = client.post(path, data={"code": wrong[2], "text": "x"})
            assert answer.status_code == 404
        assert client.post("/c", data={"code": code}).status_code == 200
        full = client.post("/c", data={"code": code})
        assert full.status_code == 429 and int(full.headers["retry-after"]) > 0
        assert "Đơn vị" not in full.text
        # Of another website's page nothing is taken.
        foreign = client.post("/c", data={"code": code}, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403


def test_a_citizen_sees_what_she_answered_and_withdraws_it_without_script(
    client, database, province, code, desk
):
    (id,) = subjects(database).values()
    press(client, desk, id, "take")

    def send(path, **data):
        answer = client.post(f"/c{path}", data=data)
        assert answer.headers["cache-control"] == "no-store" and "set-cookie" not in answer.headers
        assert "content-encoding" not in answer.headers
        return answer

    # By a press alone, and in either language.
    page = send("", code=code).text
    assert 'action="/c/answers?lang=vi"' in page and "Ba tiếng" not in page
    shown = send("/answers", code=code)
    for said in ("Ba tiếng &lt;i&gt;", "Rất không hài lòng", "Nơi ngồi chờ", "01/09/2026"):
        assert said in shown.text, said
    assert "Very dissatisfied" in send("/answers?lang=en", code=code).text
    # It is said before what will go and what cannot; nothing is gone by that.
    for what, says in (("words", "Phản ánh vẫn được xử lý"), ("all", "có 10 người")):
        before = send("/withdraw", code=code, what=what)
        assert before.status_code == 200 and says in before.text and 'value="yes"' in before.text
    assert "Ba tiếng" in send("/answers", code=code).text
    done = send("/withdraw", code=code, what="words", confirmed="yes")
    assert 'role="status"' in done.text and "Điều Ông/Bà viết đã được xóa" in done.text
    shown = send("/answers", code=code).text
    assert "Ba tiếng" not in shown and "Rất không hài lòng" in shown
    assert 'value="words"' not in send("", code=code).text
    page = client.get(f"/cases/{id}", headers=desk.headers).text
    assert "Ba tiếng" not in page and "Nơi ngồi chờ" in page
    foreign = client.post(
        "/c/withdraw", data={"code": code, "confirmed": "yes"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert foreign.status_code == 403
    done = send("/withdraw?lang=en", code=code, what="all", confirmed="yes")
    assert done.status_code == 200 and "This code opens nothing any more" in done.text
    assert code not in done.text
    # Sent again, as by a browser's reload, it says that it may be withdrawn.
    for path in ("", "/answers", "/withdraw", "/message"):
        again = send(path, code=code, what="all", confirmed="yes", text="x")
        assert again.status_code == 404 and "phiếu đã được rút lại" in again.text, path
    page = client.get(f"/cases/{id}", headers=desk.headers).text
    assert "Người gửi đã rút lại phiếu" in page and "Nơi ngồi chờ" not in page
    (case,) = client.get("/api/v1/cases?show=closed", headers=desk.headers).json()["cases"]
    assert (case["id"], case["withdrawn"], case["follows"]) == (id, True, None)
    # Whoever wrote what was done meanwhile is told on the case's page, and keeps their words.
    late = press(client, desk, id, "close", text="Đã thêm ghế ở quầy", cause="waiting")
    assert late.status_code == 409 and 'href="/cases"' in late.text
    assert "Người gửi đã rút lại phiếu" in late.text and "Đã thêm ghế ở quầy" in late.text


def test_what_a_device_was_refused_is_told_by_its_code(client, province, database):
    """The visitor was thanked, and comes to /c: her answer does not count, and she learns why."""
    device, codes = province.device(), [new_code() for _ in range(2)]
    bodies = [
        body(answers=LOW | {"comment": "Chờ lâu"}, reply_code_hash=hash_of_code(code), **wrong)
        for code, wrong in zip(
            codes,
            ({"language": "xx"}, {"duration_s": -1}),
            strict=True,
        )
    ]
    for made in bodies:
        assert client.post("/api/v1/responses", json=made, headers=device).status_code == 422
    for code in codes:
        page = client.post("/c", data={"code": code})
        assert page.status_code == 200 and "không tính được" in page.text
        assert "Đơn vị C1" in page.text and "12 tháng" in page.text
        assert "/c/answers" not in page.text and "Chưa có trả lời" not in page.text
        assert client.post("/c/answers", data={"code": code}).status_code == 404
        before = client.post("/c/withdraw", data={"code": code, "what": "words"})
        assert "vốn không được tính" in before.text and 'value="all"' in before.text
    for code in codes:
        gone = client.post("/c/withdraw", data={"code": code, "confirmed": "yes"})
        assert gone.status_code == 200
        assert client.post("/c", data={"code": code}).status_code == 404
    with database.reading() as session:
        assert session.scalars(select(AsideResponse)).all() == []


def test_the_interface_tells_the_same_as_the_pages(client, database, province, desk):
    at = province.units
    mine = case_about(database, at["C1"])
    secret = case_about(
        database, at["C1"], confidential=True, handed_to_id=at["77"], origin=Origin.MISCONDUCT
    )
    other = case_about(database, at["C2"])

    def ids(who, **query):
        answer = client.get("/api/v1/cases", params=query, headers=who.headers).json()
        assert answer["total"] == len(answer["cases"])
        return {each["id"] for each in answer["cases"]}

    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    assert ids(desk) == {mine} and ids(analyst) == {mine, secret, other}
    assert ids(analyst, origin="misconduct") == {secret} and ids(analyst, unit="D1") == {
        mine, secret, other,
    }  # fmt: skip
    assert client.get(f"/api/v1/cases/{secret}", headers=desk.headers).status_code == 404
    one = client.get(f"/api/v1/cases/{mine}", headers=desk.headers).json()
    assert (one["unit"], one["state"], one["may_handle"]) == ("C1", "open", True)
    # A session changes nothing by the interface.
    change = {"act": "take"}
    assert (
        client.post(f"/api/v1/cases/{mine}", json=change, headers=desk.headers).status_code == 401
    )


def test_a_page_that_refuses_says_of_nothing_that_it_is_done(client, desk):
    headers = desk.headers | {"Accept": "text/html"}
    page = client.get("/cases/1?done=case_take", headers=headers)
    assert page.status_code == 404 and "Không có phản ánh này" in page.text
    assert "đã nhận xử lý" not in page.text
    assert "đã nhận xử lý" in client.get("/cases?done=case_take", headers=headers).text


def test_what_was_written_back_is_looked_for_where_it_stands(client, database, province, desk):
    """Its case has no words of the response: the page does not say that nothing was written."""
    first = case_about(database, province.units["C1"])
    written, silent = (
        case_about(database, province.units["C1"], follows_id=first) for _ in range(2)
    )
    with database.writing() as session:
        session.add(
            CaseMessage(case_id=written, from_citizen=True, body="Vẫn chưa xong.", day=MONTH)
        )
    page = client.get(f"/cases/{written}", headers=desk.headers).text
    assert "Vẫn chưa xong." in page and "lời viết ở phần" in page
    assert "Không có gì ở đây" not in page
    assert "Không có gì ở đây" in client.get(f"/cases/{silent}", headers=desk.headers).text


def test_lists_are_edited_by_who_deals_with_all(client, province, desk):
    everywhere = province.person((Role.CARE_DESK, None))
    assert client.get("/case-lists", headers=desk.headers).status_code == 403
    page = client.get("/case-lists", headers=everywhere.headers).text
    assert "- hối lộ" in page and "code: waiting" in page and "đi kèm phần mềm" in page
    assert "/case-lists" in client.get("/cases", headers=everywhere.headers).text

    def put(entries):
        data = {"entries": entries} | everywhere.csrf
        return client.post("/case-lists/words", data=data, headers=everywhere.headers)

    refused = put("- [a]\r\n")
    assert (
        refused.status_code == 422
        and "- [a]" in refused.text
        and "chưa thay đổi gì" in refused.text
    )
    assert put("- cò mồi\r\n- xin đểu\r\n").headers["location"] == "/case-lists?done=case_list"
    page = client.get("/case-lists", headers=everywhere.headers).text
    assert "Phiên bản 1, Người thứ" in page
    # The version before stands there with what going back would change, and can be put in force.
    old = re.search(r"<ins class=.said.>(.*?)</ins>.*?<del class=.said.>(.*?)</del>", page, re.S)
    assert "- hối lộ" in old[1] and old[2] == "- xin đểu" and "- cò mồi" not in old[1]
    entries = html.unescape(re.search(r"hidden>(.*?)</textarea>", page, re.S)[1])
    assert put(entries.replace("\n", "\r\n")).status_code == 303
    page = client.get("/case-lists", headers=everywhere.headers).text
    assert "Phiên bản 2, Người thứ" in page and "Nội dung giống" in page
    with province.database.reading() as session:
        assert finder(session).find("Họ gợi ý hối lộ") is not None


def test_commands_print_and_set_lists_and_open_what_is_due(hailong, database, province, tmp_path):
    assert "- hối lộ" in hailong("cases", "list", "words")
    file = tmp_path / "words.yaml"
    file.write_text("- [a]", encoding="utf-8")
    assert "not right" in hailong("cases", "set", "words", file, code=1)
    file.write_text("- cò mồi", encoding="utf-8")
    assert "words: version 1" in hailong("cases", "set", "words", file)
    assert "# version 1" in hailong("cases", "list", "words")
    keep(database, [sent(form(database), province.units["C1"], code=new_code())])
    assert "opened: 1 of wishes" in hailong("cases", "open")
    with database.reading() as session:
        assert len(session.scalars(select(CaseSubject)).all()) == 1
