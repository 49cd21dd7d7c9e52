"""The pages of suspected batches: a list, one with reasons and pictures, a decision by form."""

import re

import pytest

from app.access.roles import Role
from app.integrity.models import State
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
    assert refused.status_code == 422 and "Thiếu trường này" in refused.text
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
