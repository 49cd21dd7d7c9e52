"""A questionnaire written on pages is answered in all ways, and all ways are one figure."""

import json
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from playwright.sync_api import expect
from typer.testing import CliRunner

from app.access.models import Right
from app.access.roles import Role
from app.cli import cli
from app.settings import Settings
from tests.web.citizen import choose
from tests.web.conftest import needs_browser
from tests.web.staff_visits import GOOD

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def write_questionnaire(page):
    """Two rated questions under one factor, published from nothing."""
    page.goto("/questionnaires")
    page.fill("#title_vi", "Quầy mới")
    page.fill("#title_en", "New desk")
    page.fill("#code", "quay-moi")
    page.get_by_role("button", name="Bắt đầu soạn").click()
    draft = page.url.partition("?")[0]

    def part(name, at="", check="", **fields):
        page.goto(f"{draft}/edit?part={name}&at={at}")
        for field, value in fields.items():
            page.fill(f"[id='{field.replace('_', '.')}']", value)
        if check:
            page.locator(f"input[name='{check}']").check()
        page.get_by_role("button", name="Lưu", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Đã lưu")

    part("factor", code="A", title_vi="Tiếp đón", title_en="Welcome")
    part("item", "0", code="A1", text_vi="Nhân viên lịch sự?", text_en="Was the staff polite?")
    part("item", "0", code="A2", text_vi="Giải thích dễ hiểu?", text_en="Was it explained?")
    part("scoring", check="index.A")
    page.goto(draft)
    page.locator("#publish button").click()
    expect(page.get_by_role("status")).to_be_visible()


def test_a_phone_a_workbook_and_a_bundle_are_one_figure(
    visit, client, province, settings, monkeypatch, tmp_path
):
    for role, email in ((Role.PROVINCIAL_ANALYST, "soan"), (Role.OPERATOR, "nhap")):
        province.person((role, None), email=f"{email}@tinh.vn", password=GOOD)
    writer = visit()
    writer.sign_in("soan@tinh.vn")
    write_questionnaire(writer.page)
    exported = writer.page.request.get("/questionnaires/quay-moi/versions/1/file?format=fhir-r4")
    asked = exported.json()

    monkeypatch.setenv("HAILONG_DATABASE_URL", settings.database_url)
    opened = CliRunner().invoke(cli, ["points", "add", "C1", "quay-moi"])
    assert opened.exit_code == 0, opened.output
    point = opened.output.strip()

    # By phone, from the poster's address.
    phone = visit().page
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.goto(f"/q/{point}")
    choose(phone, "A1", 5)
    choose(phone, "A2", 4)
    phone.get_by_role("button", name="Gửi ý kiến").click()
    expect(phone.locator("h1")).to_contain_text("Cảm ơn")

    # By a workbook, whose columns are told on the page.
    book = openpyxl.Workbook()
    book.active.append(["Ngày", "Nhân viên lịch sự?", "Giải thích dễ hiểu?", "Họ tên"])
    earlier = datetime.now(Settings().zone).replace(microsecond=0, tzinfo=None) - timedelta(hours=1)
    book.active.append([earlier, "Hài lòng", "Không hài lòng", "Nguyễn Văn An"])
    book.save(tmp_path / "phieu.xlsx")
    importer = visit()
    importer.sign_in("nhap@tinh.vn")
    page = importer.page
    page.goto("/response-imports")
    page.set_input_files("#file", tmp_path / "phieu.xlsx")
    page.select_option("#questionnaire", "quay-moi:1")
    page.fill("#point", point)
    page.get_by_role("button", name="Xem tệp").click()
    for column, meaning in enumerate(("role:answered_at", "item:A1", "item:A2", "out")):
        page.select_option(f"[name='m{column}']", meaning)
    page.fill("#source", "Excel của quầy")
    page.get_by_role("button", name="Thử lại").click()
    page.get_by_role("button", name="Nhập", exact=True).click()
    expect(page.get_by_text("1 phiếu đã nhận")).to_be_visible()

    # By a Bundle of a hospital's engine, with the codings that the questionnaire's own file names.
    def given(item, place):
        return {"linkId": item["linkId"], "answer": [item["answerOption"][place]]}

    rated = [item for group in asked["item"] for item in group.get("item", [])
             if item["linkId"] in ("A1", "A2")]  # fmt: skip
    answered = {
        "resourceType": "QuestionnaireResponse", "id": "1", "status": "completed",
        "identifier": {"system": "urn:oid:1.2.3", "value": "1"},
        "questionnaire": f"{asked['url']}|{asked['version']}",
        "authored": datetime.now(UTC).isoformat(timespec="seconds"),
        "item": [{"linkId": "group:A", "item": [given(rated[0], 0), given(rated[1], 1)]}],
    }  # fmt: skip
    post = {"method": "POST", "url": "QuestionnaireResponse"}
    bundle = {"resourceType": "Bundle", "type": "batch",
              "entry": [{"resource": answered, "request": post}]}  # fmt: skip
    sent = client.post(
        "/api/v1/fhir", params={"point": point}, content=json.dumps(bundle),
        headers=province.credential(Right.IMPORT_HISTORY, unit="C1")
        | {"Content-Type": "application/fhir+json"},
    )  # fmt: skip
    assert [e["response"]["status"][:3] for e in sent.json()["entry"]] == ["201"], sent.text

    # A1: 5, 4, 1 and A2: 4, 2, 2: three of six answers satisfied, of three respondents.
    today = datetime.now(Settings().zone).date()
    of_these = {"unit": "C1", "questionnaire": "quay-moi", "from": earlier.date(), "to": today}
    found = client.get("/api/v1/satisfaction", params=of_these, headers=province.reader())
    (row,) = found.json()["rows"]
    assert (row["respondents"], row["rate"]) == (3, 0.5), found.text
