"""A form in a third language: chosen on form and kiosk, and Vietnamese where words are missing."""

import re
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

import app.messages
from app.intake.models import Response
from app.messages import catalogue
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.registry.questionnaires import publish
from surveys import load_file
from surveys.loader import FORMS
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import queue_length, wait_for
from tests.web.pairing import pair

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
QUESTION = "តើអ្នកពេញចិត្តទេ?"
SATISFIED = "ពេញចិត្ត"
KHMER = """
form:
  send: ផ្ញើ
kiosk:
  thanks: សូមអរគុណ
"""


def in_khmer(tmp_path):
    """The form of five faces with some of its words in Khmer, as an operator writes it."""
    text = (FORMS / "kiosk-face.yaml").read_text("utf-8")
    text = text.replace("code: kiosk-face\nversion: 2", "code: face-km\nversion: 1", 1)
    text = text.replace("\nscales:", "\nlanguages: { km: ភាសាខ្មែរ, rad: Êđê }\n\nscales:", 1)
    text = text.replace("en: Satisfied }", f"en: Satisfied, km: {SATISFIED} }}", 1)
    text = text.replace(
        "'Were you satisfied with the service just now?'",
        f"'Were you satisfied with the service just now?', km: '{QUESTION}'",
        1,
    )
    file = tmp_path / "face-km.yaml"
    file.write_text(text, "utf-8")
    return file


@pytest.fixture
def point(database, province, tmp_path, monkeypatch):
    """Opens a point with the form in Khmer, and sentences of the service in Khmer."""
    folder = tmp_path / "further"
    folder.mkdir()
    (folder / "km.yaml").write_text(KHMER, "utf-8")
    monkeypatch.setattr(app.messages, "FURTHER", folder)
    catalogue.cache_clear()

    def make(channel):
        with database.writing() as session:
            publish(session, [load_file(in_khmer(tmp_path))])
        with database.writing() as session:
            unit = session.get_one(Unit, province.units["C1"])
            return current_code(open_point(session, unit, "face-km", channel, "x"))

    yield make
    catalogue.cache_clear()


def languages(database):
    with database.reading() as session:
        return sorted(session.scalars(select(Response.language)))


def test_the_form_speaks_it_and_vietnamese_where_it_has_no_words(client, point, database):
    code = point(Channel.QR)
    page = client.get(f"/q/{code}?lang=km")
    assert '<html lang="km">' in page.text and page.headers["content-language"] == "km"
    assert QUESTION in page.text and SATISFIED in page.text and "ផ្ញើ</button>" in page.text
    # Not translated: the other levels, the title, the promise.
    assert "Rất không hài lòng" in page.text and "Không hỏi tên" in page.text
    assert re.search(r'<button class="lang" lang="rad"[^>]*>Êđê</button>', page.text)
    assert 'class="lang" lang="km"' not in page.text and "ភាសាខ្មែរ" in client.get(f"/q/{code}").text
    data = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page.text))
    wrong = client.post(f"/q/{code}?lang=km", data=data | {"a.S1": "9"})
    assert wrong.status_code == 422 and '<html lang="km">' in wrong.text
    assert "Chỉ nhận một trong các giá trị: 1, 2, 3, 4, 5." in wrong.text
    answer = client.post(f"/q/{code}?lang=km", data=data | {"a.S1": "5"})
    assert answer.headers["location"] == f"/q/{code}/thanks?lang=km"
    thanks = client.get(answer.headers["location"]).text
    assert '<html lang="km">' in thanks and "Cảm ơn ý kiến của Ông/Bà!" in thanks
    assert languages(database) == ["km"]


def test_a_form_speaks_no_language_but_its_own(client, province, point, database):
    code = province.points[("C1", "sipas-desk")]
    assert '<html lang="vi">' in client.get(f"/q/{code}?lang=km").text
    for form, form_code in (("face-km", point(Channel.QR)), ("sipas-desk", code)):
        item = "S1" if form == "face-km" else "A1"
        body = {
            "id": "0192f0c1-0000-7000-8000-00000000000" + ("1" if item == "S1" else "2"),
            "questionnaire": form,
            "version": 1 if form == "face-km" else 2,
            "point": form_code,
            "answered_at": datetime.now(UTC).isoformat(),
            "language": "rad",
            "answers": {item: 5},
        }
        answer = client.post("/api/v1/responses", json=body, headers={"Accept-Language": "vi"})
        if form == "face-km":
            assert answer.status_code == 201
        else:
            assert answer.status_code == 422
            assert "vi, en" in answer.json()["errors"][0]["detail"]
    assert languages(database) == ["rad"]


def test_figures_and_pages_still_work(client, point, province, month_over):
    code = point(Channel.QR)
    for lang in ("km", "rad", "en", "vi") * 3:
        with httpx.Client(base_url=client.base_url, timeout=30) as phone:
            page = phone.get(f"/q/{code}?lang={lang}").text
            data = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))
            sent = phone.post(f"/q/{code}?lang={lang}", data=data | {"a.S1": "4"})
            assert sent.status_code == 303
    asked = {"questionnaire": "face-km"}
    rates = client.get("/api/v1/satisfaction", params=asked, headers=province.reader())
    assert rates.status_code == 200 and rates.json()["rows"][0]["respondents"] == 12
    quality = client.get("/api/v1/views/quality", params=asked, headers=province.reader())
    assert quality.status_code == 200, quality.json()
    for kind in ("pdf", "xlsx"):
        for language in ("vi", "en"):
            report = asked | {"format": kind, "language": language}
            answer = client.get("/api/v1/reports", params=report, headers=province.reader())
            assert answer.status_code == 200, answer.text


@needs_browser
def test_the_kiosk_speaks_it_too(browser, client, point, database):
    context = browser.new_context(base_url=str(client.base_url), locale="vi-VN")
    page = context.new_page()
    pair(page, database, point(Channel.KIOSK))
    page.get_by_role("button", name="ភាសាខ្មែរ").click()
    expect(page.locator("h1")).to_have_text(QUESTION)
    assert page.evaluate("document.documentElement.lang") == "km"
    faces = page.locator(".faces .choice")
    expect(faces.nth(3)).to_have_text(SATISFIED)
    expect(faces.nth(0)).to_have_text("Rất không hài lòng")
    faces.nth(3).click()
    page.wait_for_selector("#thanks")
    expect(page.locator("#thanks h1")).to_have_text("សូមអរគុណ")
    wait_for(lambda: queue_length(page) == 0)
    context.close()
    assert languages(database) == ["km"]
