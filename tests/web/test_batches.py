"""The pages of suspected batches: a list, one with reasons and pictures, a decision by form."""

import re

import pytest

from app.access import credentials
from app.access.models import Account, Right
from app.access.roles import Role
from app.integrity.models import State, SuspectBatch
from app.integrity.reviewing import ReasonShown
from app.messages.words import Words
from app.web.staff import batch_words
from tests.integrity.suspected import batch_of, suspected


@pytest.fixture
def batch(province, client):
    return suspected(province, client)


@pytest.fixture
def analyst(province):
    return province.person((Role.PROVINCIAL_ANALYST, None))


def test_the_list_says_of_each_batch_what_how_probable_and_why(
    client, database, province, batch, analyst
):
    batch_of(database, province.units["W1"], [], state=State.RELEASED)
    page = client.get("/integrity", headers=analyst.headers).text
    for said in (
        "Đơn vị C1 (C1)", "tháng 9 năm 2026", "gần như chắc chắn (&gt;\N{NO-BREAK SPACE}99,9%)",
        "cùng một mức cho mọi câu, sát một phiếu khác cùng nguồn; thường là 12,0%.",
        "Phiếu có thể không do người dân gửi (phiên bản 1)", "Đang chờ, phiếu vẫn được tính",
        f'href="/integrity/{batch.id}"',
    ):  # fmt: skip
        assert said in page, said
    assert "(W1)" not in page
    page = client.get("/integrity?state=released", headers=analyst.headers).text
    assert "(W1)" in page and "(C1)" not in page
    page = client.get("/integrity?state=all", headers=analyst.headers).text
    assert "(W1)" in page and "(C1)" in page
    page = client.get("/integrity?state=nonsense", headers=analyst.headers).text
    assert "(C1)" in page and "(W1)" not in page
    english = {"Cookie": analyst.headers["Cookie"] + "; language=en"}
    page = client.get("/integrity", headers=english).text
    assert "26 of 30 responses were answered faster than a hand can be; usual is 1.0%." in page


def test_a_batch_is_drawn_and_the_same_stands_in_tables(client, province, batch, analyst):
    page = client.get(f"/integrity/{batch.id}", headers=analyst.headers).text
    assert page.count("<svg") == 6
    assert "style=" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    for said in (
        "khoảng 29", "16:00–16:59", "29/09/2026", "5. ", "100,0%", "70 – 89", "Trung vị",
        f'action="/integrity/{batch.id}/release"', f'formaction="/integrity/{batch.id}/reject"',
        "30 phiếu nghi vấn; 40 phiếu khác",
    ):  # fmt: skip
        assert said in page, said
    for id in batch.responses:
        assert id not in page


def test_a_decision_needs_a_reason_a_form_of_ours_and_is_shown_with_its_name(
    client, batch, analyst
):
    path = f"/integrity/{batch.id}"

    def press(decision, reason, csrf=True):
        data = {"reason": reason} | (analyst.csrf if csrf else {})
        return client.post(f"{path}/{decision}", data=data, headers=analyst.headers)

    assert press("reject", "x", csrf=False).status_code == 403
    refused = press("reject", " ")
    # Once, beside the field; above the form only that there is something.
    assert refused.status_code == 422 and refused.text.count("Thiếu trường này") == 1
    assert "Xin xem lại chỗ được đánh dấu bên dưới." in refused.text
    refused = press("reject", "y" * 600)
    assert refused.status_code == 422 and "dài nhất 500 ký tự" in refused.text
    answer = press("reject", "Đã xem <camera>")
    assert answer.headers["location"] == f"{path}?done=batch_rejected"
    page = client.get(answer.headers["location"], headers=analyst.headers).text
    assert "Đã loại lô phiếu" in page and "Đã loại, phiếu không được tính" in page
    assert "Người thứ 1" in page and "Đã xem &lt;camera&gt;" in page
    # What is rejected is to be released alone.
    assert f"{path}/release" in page and f"{path}/reject" not in page
    assert press("release", "nhầm").headers["location"] == f"{path}?done=batch_released"


def test_a_part_is_counted_before_it_is_rejected_and_the_rest_released(client, batch, analyst):
    path = f"/integrity/{batch.id}"
    page = client.get(path, headers=analyst.headers).text
    assert "Chỉ loại một phần" in page and "Loại phần này" not in page
    burst = {"from": "2026-09-29T16:40", "to": "2026-09-29T16:48"}
    wrong = {
        "Không phiếu nào": burst | {"from": "2026-09-28T16:40", "to": "2026-09-28T17:40"},
        "Cả lô được trả lời": burst | {"to": "2026-09-29T18:00"},
        "đứng trước lúc bắt đầu": burst | {"to": "2026-09-29T16:00"},
        "không phải là ngày và giờ": burst | {"to": "mai"},
        "Thiếu trường này": {"from": burst["from"]},
    }
    for said, asked in wrong.items():
        refused = client.get(path, params=asked, headers=analyst.headers)
        assert refused.status_code == 422 and said in refused.text, said
        assert "Loại phần này" not in refused.text
    page = client.get(path, params=burst, headers=analyst.headers).text
    assert "Trong khoảng này: 27 phiếu, sẽ bị loại. Ngoài khoảng này: 3 phiếu" in page
    answer = client.post(f"{path}/reject", data=burst | analyst.csrf, headers=analyst.headers)
    assert answer.status_code == 422 and "Loại phần này" in answer.text
    sent = burst | {"reason": "Đã xem giờ"} | analyst.csrf
    answer = client.post(f"{path}/reject", data=sent, headers=analyst.headers)
    assert answer.headers["location"] == f"{path}?done=batch_divided"
    page = client.get(answer.headers["location"], headers=analyst.headers).text
    assert "Đã loại, phiếu không được tính" in page and "27 phiếu nghi vấn; 43 phiếu khác" in page
    released = client.get("/integrity?state=released", headers=analyst.headers).text
    assert "Đơn vị C1" in released
    (new,) = re.findall(r'href="/integrity/(\d+)"', released)
    page = client.get(f"/integrity/{new}", headers=analyst.headers).text
    assert "khoảng 3<" in page and "Chỉ loại một phần" not in page
    again = client.post(f"/integrity/{new}/reject", data=sent, headers=analyst.headers)
    assert again.status_code == 409


def test_a_part_is_split_off_by_the_interface_too(client, province, batch):
    rights = (Right.READ_BATCHES, Right.REVIEW_BATCHES, Right.READ_SMALL_CELLS)
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    with province.database.writing() as session:
        own = session.get_one(Account, analyst.account_id)
        key = credentials.issue(session, "máy của tôi", rights, None, account=own)
    path, headers = f"/api/v1/batches/{batch.id}/reject", {"Authorization": f"Bearer {key}"}
    body = {"reason": "x", "from": "2026-09-29T09:40:00Z"}
    half = client.post(path, json=body, headers=headers)
    assert half.status_code == 422 and half.json()["errors"][0]["field"] == "to"
    answer = client.post(path, json=body | {"to": "2026-09-29T16:48:00+07:00"}, headers=headers)
    assert answer.json() == {"state": "rejected", "moved": 27, "stayed": 0}


def test_of_what_the_rule_suspects_no_longer_it_is_said_that_nobody_decided(
    client, database, province, analyst
):
    id = batch_of(database, province.units["W1"], [])
    with database.writing() as session:
        session.get_one(SuspectBatch, id).state = State.RELEASED.value
    page = client.get(f"/integrity/{id}", headers=analyst.headers).text
    assert "Không ai quyết định; quy tắc không còn nghi vấn lô này." in page


def test_who_is_of_the_unit_reads_why_somebody_else_reviews(client, province, batch, analyst):
    path = f"/integrity/{batch.id}"
    both = province.person((Role.PROVINCIAL_ANALYST, None), (Role.DESK_STAFF, "C1"))
    page = client.get(path, headers=both.headers).text
    assert "Ông/Bà có vai trò ở đơn vị này" in page and "/reject" not in page
    sent = {"reason": "x"} | both.csrf
    headers = both.headers | {"Accept": "text/html"}
    answer = client.post(f"{path}/reject", data=sent, headers=headers)
    assert answer.status_code == 403 and "Người của đơn vị không tự xem xét" in answer.text
    head = province.person((Role.UNIT_HEAD, "C1"))
    page = client.get(path, headers=head.headers).text
    assert "người phân tích cấp trên quyết định" in page
    assert "<svg" not in page and "Hình ảnh chỉ hiện" in page
    assert "Một số phiếu được trả lời nhanh" in page and "26 trên 30" not in page
    assert client.get("/integrity", headers=head.headers).text.count("(C1)") > 0
    for role, unit, status in (
        (Role.UNIT_HEAD, "C2", 404), (Role.DESK_STAFF, "C1", 403), (Role.OPERATOR, None, 403),
    ):  # fmt: skip
        other = province.person((role, unit))
        assert client.get(path, headers=other.headers).status_code == status


def test_the_audit_log_says_it_in_words(client, province, batch, analyst):
    data = {"reason": "đã hỏi đơn vị"} | analyst.csrf
    client.post(f"/integrity/{batch.id}/reject", data=data, headers=analyst.headers)
    auditor = province.person((Role.AUDITOR, None))
    page = client.get("/audit", headers=auditor.headers).text
    assert "Loại một lô phiếu nghi vấn" in page and f"Số {batch.id}" in page
    assert "đã hỏi đơn vị" in page and analyst.email in page


def test_the_menu_leads_there_whoever_may_see_batches(client, province, analyst):
    assert 'href="/integrity"' in client.get("/", headers=analyst.headers).text
    desk = province.person((Role.DESK_STAFF, "C1"))
    assert 'href="/integrity"' not in client.get("/", headers=desk.headers).text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "gần như chắc chắn (>\N{NO-BREAK SPACE}99,9%)"),
        (0.99, "gần như chắc chắn (99,0%)"),
        (0.95, "rất có thể (95,0%)"),
        (0.5, "có thể (50,0%)"),
        (0.2, "ít có thể (20,0%)"),
        (0.0, "ít có thể (0,0%)"),
    ],
)
def test_a_probability_in_words(value, said):
    assert batch_words.probability(Words("vi"), value) == said


@pytest.mark.parametrize(("usual", "said"), [(0.0, "dưới 1%"), (0.01, "1%"), (0.12, "12%")])
def test_what_is_told_without_numbers_is_usual_in_whole_per_cent_and_never_in_none(usual, said):
    words = batch_words.reason(Words("vi"), ReasonShown("instant", None, None, usual))
    assert words.startswith("Một số phiếu") and words.endswith(f"thường là {said}.")
