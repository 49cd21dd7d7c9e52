"""The page of plans: what it shows, what it carries out, what it refuses."""

import csv
import io
import re
from html import unescape
from tempfile import SpooledTemporaryFile

import openpyxl
import pytest
from sqlalchemy import select
from starlette import formparsers

from app.access.roles import Role
from app.registry.models import Reorganisation
from tests.registry.plans import DAY, MERGER, plan, rows, tree


@pytest.fixture
def operator(province):
    return province.person((Role.OPERATOR, None))


@pytest.fixture
def press(client, operator):
    """Sends a form as an operator."""

    def send(path, files=None, **data):
        return client.post(path, headers=operator.headers, data=operator.csrf | data, files=files)

    return send


def upload(tmp_path, *lines):
    plan(tmp_path, *lines)
    return {"file": ("ke-hoach.csv", (tmp_path / "plan.csv").read_bytes())}


def kept(page):
    return unescape(re.search(r"(?s)<textarea name=\"plan\" hidden>(.*?)</textarea>", page)[1])


def test_a_plan_is_shown_carried_out_listed_and_undone(client, operator, press, province, tmp_path):
    before = rows(province)
    page = press("/reorganisations/check", upload(tmp_path, *MERGER)).text
    for said in (
        "Chưa có gì thay đổi", "Xã Mới", "Đơn vị kết thúc (3)", "Giải thể", "Điểm khảo sát (4)",
        "Cần in lại", "chỉ hiện với người được xem số liệu của ít người",
    ):  # fmt: skip
        assert said in page, said
    # On a phone a row is a card, and every cell says what it is.
    assert "<td>" not in page and 'data-label="Ngày cuối"' in page
    assert rows(province) == before
    answer = press("/reorganisations", plan=kept(page), name="", decision="x")
    assert answer.status_code == 422 and "Xin ghi tên phương án" in answer.text
    assert kept(answer.text) == kept(page) and rows(province) == before
    answer = press("/reorganisations", plan=kept(page), name="Xã Mới", decision="1685/NQ")
    assert answer.headers["location"] == "/reorganisations?done=plan_carried_out"
    assert "N1" in tree(province, DAY)
    with province.database.reading() as session:
        assert session.scalar(select(Reorganisation.applied_by)) == operator.email
    listed = client.get("/reorganisations", headers=operator.headers).text
    assert "1685/NQ" in listed and "/reorganisations/1/undo" in listed
    answer = press("/reorganisations/1/undo", decision="Hủy")
    assert answer.headers["location"] == "/reorganisations?done=plan_undone"
    assert rows(province) == before
    answer = press("/reorganisations/1/undo")
    assert answer.status_code == 409 and "phương án này đã được hủy" in answer.text
    english = operator.headers["Cookie"] + "; language=en"
    listed = client.get("/reorganisations", headers={"Cookie": english}).text
    assert "undoes no. 1" in listed and "/reorganisations/1/undo" not in listed


def test_mistakes_are_named_by_row_and_nothing_is_changed(press, province, tmp_path):
    before = rows(province)
    wrong = upload(tmp_path, "close|C1", "rename|X9|name_vi=A", "move|C2|parent=Z")
    answer = press("/reorganisations/check", wrong)
    assert answer.status_code == 422
    assert "Dòng 3" in answer.text and "không có đơn vị nào mang mã X9" in answer.text
    assert "Dòng 4" in answer.text
    content = wrong["file"][1].decode()
    answer = press("/reorganisations", plan=content, name="n", decision="d")
    assert answer.status_code == 422 and "Dòng 3" in answer.text
    assert press("/reorganisations/check", {"file": ("x.xlsx", b"PK none")}).status_code == 422
    assert press("/reorganisations/check").status_code == 422
    assert rows(province) == before


def test_figures_are_shown_to_whoever_may_see_those_of_few(client, province, tmp_path):
    both = province.person((Role.OPERATOR, None), (Role.PROVINCIAL_ANALYST, None))
    page = client.post(
        "/reorganisations/check", headers=both.headers, data=both.csrf,
        files=upload(tmp_path, *MERGER),
    ).text  # fmt: skip
    assert "Số liệu từ ngày 01/07/2024 đến ngày 30/06/2025" in page
    assert "chỉ hiện với người" not in page


def test_it_is_for_those_who_run_the_whole_service(client, press, province, tmp_path):
    local = province.person((Role.OPERATOR, "D1"))
    sent = {"headers": local.headers, "data": local.csrf}
    assert client.get("/reorganisations", headers=local.headers).status_code == 403
    answer = client.post("/reorganisations/check", files=upload(tmp_path, *MERGER), **sent)
    assert answer.status_code == 403
    assert "/reorganisations" not in client.get("/", headers=local.headers).text


@pytest.fixture
def files_made(monkeypatch):
    """The files that a form's parts are put into; a large one would go to the disk."""
    made = []

    def make(*about, **named):
        made.append(SpooledTemporaryFile(*about, **named))  # noqa: SIM115 - whoever asked closes it
        return made[-1]

    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", make)
    return made


def test_of_fifty_files_none_is_kept(client, press, province, tmp_path, files_made):
    before = rows(province)
    file = upload(tmp_path, *MERGER)["file"]
    answer = press("/reorganisations/check", [("file", file)] * 50)
    assert answer.status_code == 400 and "Too many files" in answer.text
    assert len(files_made) <= 1 and all(file.closed for file in files_made)
    # Who has not signed in is told no more, and brings no more.
    assert client.post("/reorganisations/check", files=[("file", file)] * 50).status_code == 400
    assert len(files_made) <= 2 and all(file.closed for file in files_made)
    assert press("/reorganisations/check", {"file": file}).status_code == 200
    assert rows(province) == before


@pytest.mark.parametrize("path", ["/reorganisations/check", "/reorganisations", "/sign-in"])
def test_five_thousand_fields_are_not_read(press, files_made, path):
    fields = {f"field{n}": "x" for n in range(5000)}
    for files in (None, {"file": ("a.csv", b"day")}):
        answer = press(path, files, **fields)
        assert answer.status_code == 400 and "Too many" in answer.text
    assert all(file.closed for file in files_made)


@pytest.mark.parametrize("path", ["/reorganisations", "/profile/sessions/end", "/sign-in"])
def test_a_form_without_a_file_takes_none(press, files_made, path):
    answer = press(path, {"file": ("a.csv", b"day")}, name="n", decision="d")
    assert answer.status_code == 400 and "Too many files" in answer.text
    assert not files_made


def test_a_workbook_is_taken_as_well(press, province, tmp_path):
    """As a spreadsheet saves it: dates as dates, and a plan to carry out like any other."""
    plan(tmp_path, *MERGER)
    lines = list(csv.reader((tmp_path / "plan.csv").read_text(encoding="utf-8-sig").splitlines()))
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append([DAY if cell == f"{DAY}" else cell or None for cell in line])
    content = io.BytesIO()
    book.save(content)
    page = press("/reorganisations/check", {"file": ("ke-hoach.XLSX", content.getvalue())})
    assert page.status_code == 200 and "Đơn vị kết thúc (3)" in page.text
    answer = press("/reorganisations", plan=kept(page.text), name="Xã Mới", decision="1685/NQ")
    assert answer.headers["location"] == "/reorganisations?done=plan_carried_out"
    assert "N1" in tree(province, DAY)


def test_a_plan_of_more_than_a_megabyte_is_carried_out_from_the_page(press, province, tmp_path):
    plan(tmp_path, *MERGER)
    content = (tmp_path / "plan.csv").read_text(encoding="utf-8-sig")
    long = content + f"\n{' ' * 1000}" * 1200
    answer = press("/reorganisations", plan=long, name="n", decision="d")
    assert answer.headers["location"] == "/reorganisations?done=plan_carried_out"
    assert "N1" in tree(province, DAY)
