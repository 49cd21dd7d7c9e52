"""Numbers typed into the citizen's form, into the kiosk and into the files of the office."""

import csv
import json
import random
import re
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook
from playwright.sync_api import expect
from typer.testing import CliRunner

from app.cli import cli
from app.registry.models import Channel
from tests.surveys.number_cases import CASES
from tests.surveys.test_numbers import said
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import queue_length, wait_for
from tests.web.number_form import CODE, NUMBERS, opened_point
from tests.web.pairing import pair
from tests.web.two_versions import stored_answers

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def fill(client, code, query="", **answers):
    page = client.get(f"/q/{code}?new=1").text
    data = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))
    data |= {f"a.{item}": value for item, value in answers.items()}
    return client.post(f"/q/{code}{query}", data=data)


def errors(answer):
    return dict(re.findall(r'class="error" id="e-(\w+)">([^<]+)', answer.text))


@pytest.mark.parametrize(
    ("query", "typed", "taken"),
    [
        ("", {"fee": "50.000"}, {"fee": 50000}),
        ("", {"fee": "1.500.000", "weight": "54,5", "share": "40"},
         {"fee": 1_500_000, "weight": 54.5, "share": 40}),
        ("", {"weight": "54.5"}, {"weight": 54.5}),
        ("?lang=en", {"fee": "50,000", "weight": "1,054.5"}, {"fee": 50000, "weight": 1054.5}),
    ],
)  # fmt: skip
def test_the_form_takes_numbers_as_its_language_writes_them(
    client, province, database, query, typed, taken
):
    code = opened_point(database, province)
    assert fill(client, code, query, **typed).status_code == 303
    assert stored_answers(database) == [(1, taken)]


@pytest.mark.parametrize(
    ("query", "typed", "sentences"),
    [
        ("", {"fee": "50,000"}, {"fee": "Không rõ “50,000” là 50 hay 50000."}),
        ("", {"weight": "50.000"}, {"weight": "Không rõ “50.000” là 50 hay 50000."}),
        ("?lang=en", {"fee": "50.000"}, {"fee": "“50.000” may be 50 or 50000."}),
        ("", {"fee": "1e3", "share": "1_0"},
         {"fee": "Chỉ nhận số từ 0 đến 10.000.000.", "share": "Chỉ nhận số nguyên từ 0 đến 100."}),
        ("?lang=en", {"fee": "10000001", "weight": "x"},
         {"fee": "Takes a number from 0 to 10,000,000.",
          "weight": "Takes a number from 0.0 to 60,000.0."}),
        ("", {"share": "1.000"}, {"share": "Chỉ nhận số nguyên từ 0 đến 100."}),
        ("", {"fee": "1,5"}, {"fee": "Chỉ nhận số nguyên."}),
        ("", {"weight": "1,55"}, {"weight": "Nhiều nhất 1 chữ số thập phân."}),
    ],
)  # fmt: skip
def test_the_form_says_why_a_number_is_not_taken(
    client, province, database, query, typed, sentences
):
    answer = fill(client, opened_point(database, province), query, **typed)
    found = errors(answer)
    assert answer.status_code == 422 and found.keys() == sentences.keys()
    assert all(found[item].startswith(start) for item, start in sentences.items())
    # What was typed stands there still, to be mended.
    assert all(f'value="{text}"' in answer.text for text in typed.values())
    assert stored_answers(database) == []


def write(file, rows):
    if file.suffix == ".csv":
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter=";").writerows(rows)
        return
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(file)


@pytest.mark.parametrize("name", ["forms.csv", "forms.xlsx"])
def test_the_files_of_the_office_are_read_by_the_same_rule(
    client, province, database, database_url, tmp_path, monkeypatch, name
):
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)
    code = opened_point(database, province, Channel.PAPER)
    head, day = ["form_no", "date", "language", "fee", "weight"], "2026-10-24"
    right = [["1", day, "vi", "50.000", "54,5"], ["2", day, "en", "1.500.000", "54.5"]]
    wrong = [["3", day, "vi", "50,000", ""], ["4", day, "vi", "1_0", ""], ["5", day, "", "1e3", ""]]
    file = tmp_path / name
    write(file, [head, *right, *wrong])
    arguments = ["import", "responses", str(file), "--questionnaire", CODE, "--point", code]
    CliRunner().invoke(cli, arguments)
    with file.with_name(f"{name}.errors.csv").open(encoding="utf-8-sig", newline="") as stream:
        mistakes = [(each["row"], each["vi"].split(".")[0]) for each in csv.DictReader(stream)]
    assert mistakes == [
        ("4", "Không rõ “50,000” là 50 hay 50000"),
        ("5", "Không phải số: 1_0"),
        ("6", "Không phải số: 1e3"),
    ]
    found = sorted(answers["fee"] for _, answers in stored_answers(database))
    assert found == [50_000, 1_500_000]
    assert {answers["weight"] for _, answers in stored_answers(database)} == {54.5}


def test_numbers_of_a_workbook_are_taken_as_they_are(
    client, province, database, database_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)
    code = opened_point(database, province, Channel.PAPER)
    file = tmp_path / "forms.xlsx"
    write(file, [["date", "fee", "weight"], ["2026-10-24", 50000, 54.5], ["2026-10-24", 7.0, 5]])
    arguments = ["import", "responses", str(file), "--questionnaire", CODE, "--point", code]
    CliRunner().invoke(cli, arguments)
    found = sorted((a["fee"], a["weight"]) for _, a in stored_answers(database))
    assert found == [(7, 5.0), (50000, 54.5)]


def test_the_interface_takes_numbers_and_no_text_for_them(client, province, database):
    body = {
        "id": "0192f0c1-0000-7000-8000-000000000001",
        "questionnaire": CODE,
        "version": NUMBERS.version,
        "point": opened_point(database, province),
        "answered_at": datetime.now(UTC).isoformat(),
        "answers": {"fee": "50.000"},
    }
    answer = client.post("/api/v1/responses", json=body, headers={"Accept-Language": "vi"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "Chỉ nhận số từ 0 đến 10.000.000."


@needs_browser
def test_the_kiosks_script_reads_every_text_as_the_server_does(browser, client):
    """The table, and many texts of the signs that matter."""
    draw = random.Random(17)
    texts = {"".join(draw.choices("01595.,-", k=draw.randint(1, 10))) for _ in range(4000)}
    odd = "01595.,+-−–% \u00a0\u202f\u2028\u3000\ufeff\u200b\x00\x0b\x1c\x1f\x85\t\n５٣½eE_'"
    texts |= {"".join(draw.choices(odd, k=draw.randint(1, 7))) for _ in range(8000)}
    around = [sign + "1.5" + sign for sign in map(chr, range(0x3100)) if not sign.isalnum()]
    texts |= set(around)
    drawn = [(t, draw.randint(0, 4), draw.choice(["vi", "en"])) for t in sorted(texts)]
    asked = [case[:3] for case in CASES] + drawn
    page = browser.new_page(base_url=str(client.base_url))
    page.goto("/kiosk")
    found = page.evaluate(
        """asked => import('/static/kiosk/numbers.js').then(({ read }) =>
            asked.map(each => read(...each)).map(({ value, two }) => value ?? two ?? null))""",
        asked,
    )
    page.close()
    expected = json.loads(json.dumps([said(*each) for each in asked]))
    assert len(asked) > 3000
    different = [
        (*each, theirs, ours)
        for each, theirs, ours in zip(asked, found, expected, strict=True)
        if theirs != ours
    ]
    assert different == []


@needs_browser
def test_the_kiosk_says_what_it_does_not_take_and_sends_what_was_meant(
    browser, client, province, database, screenshots
):
    context = browser.new_context(base_url=str(client.base_url), locale="vi-VN")
    page = context.new_page()
    pair(page, database, opened_point(database, province, Channel.KIOSK))
    page.get_by_role("button", name="Bắt đầu").click()
    page.locator(".faces .choice").last.click()
    error, go_on = page.locator(".error.wrong"), page.get_by_role("button", name="Tiếp tục")
    expect(page.locator("h1")).to_have_text("Lệ phí")
    for typed, sentence in (
        ("50,000", "Không rõ “50,000” là 50 hay 50000."),
        ("10.000.001", "Chỉ nhận số từ 0 đến 10.000.000."),
        ("1e3", "Chỉ nhận số từ 0 đến 10.000.000."),
        ("1,5", "Chỉ nhận số nguyên."),
    ):
        page.locator(".typed input").fill(typed)
        go_on.click()
        expect(error).to_contain_text(sentence)
        expect(page.locator("h1")).to_have_text("Lệ phí")
    page.screenshot(path=str(screenshots / "kiosk_number.png"))
    # In English the same text is one number; typed in Vietnamese again, another says it.
    page.locator(".typed input").fill("50,000")
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("h1")).not_to_have_text("Lệ phí")
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Tiếng Việt").click()
    go_on.click()
    expect(page.locator(".typed input")).to_have_attribute("aria-invalid", "true")
    expect(error).to_contain_text("50 hay 50000")
    page.locator(".typed input").fill("50.000")
    expect(error).to_have_text("")
    go_on.click()
    expect(page.locator("h1")).to_have_text("Cân nặng")
    page.locator(".typed input").fill("54,5")
    go_on.click()
    page.get_by_role("button", name="Quay lại").click()
    expect(page.locator(".typed input")).to_have_value("54,5")
    go_on.click()
    go_on.click()
    page.wait_for_selector("#thanks")
    wait_for(lambda: queue_length(page) == 0)
    context.close()
    assert stored_answers(database) == [(1, {"A1": 2, "fee": 50000, "weight": 54.5})]
