"""Health, the interface's documentation without a CDN, and what a problem means."""

import re
from pathlib import Path

import pytest
from fastapi import Request

from app.access.callers import STRANGER
from app.access.roles import Role
from app.problems import BodyTooLarge, NotFound, Problem
from app.serving.problems import Overloaded, RequestTooSlow
from app.web.citizen import surveys
from app.web.kiosk import routes as kiosk
from app.web.pages import problem_shown


def test_health(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def test_the_documentation_comes_from_this_server_alone(client):
    assert client.get("/", follow_redirects=True).url.path == "/sign-in"
    page = client.get("/docs").text
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    assert addresses and all(address.startswith("/") for address in addresses)
    for address in addresses:
        assert client.get(address).status_code == 200
    document = client.get("/openapi.json").json()
    assert document["info"]["title"] == "Hài Lòng"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "Who:" in operation["description"], path


def test_every_problem_explains_itself_at_its_address(client):
    for code, problem in Problem.catalogue.items():
        meaning = client.get(f"/problems/{code}").json()
        assert meaning["status"] == problem.status
        assert meaning["title"]["vi"] and meaning["title"]["en"] and meaning["meaning"]
    answer = client.get("/problems/none")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize(
    ("language", "said"),
    [("vi", "Tham số before: Giá trị không hợp lệ: cần một số nguyên."),
     ("en", "Parameter before: Invalid value: a whole number is needed.")],
)  # fmt: skip
def test_a_page_says_which_parameter_is_wrong_and_leads_back(client, province, language, said):
    person = province.person((Role.OPERATOR, None))
    cookies = f"{person.headers['Cookie']}; language={language}"
    headers = {"Accept": "text/html", "Cookie": cookies}
    page = client.get("/audit?before=x", headers=headers)
    assert page.status_code == 422 and said in page.text
    assert 'href="/audit"' in page.text
    named = {"vi": "Thiếu tham số unit.", "en": "The parameter unit is missing."}[language]
    headers |= {"Referer": f"{client.base_url}/dashboard"}
    for path in ("/limits", "/action-notes"):
        missing = client.get(path, headers=headers)
        assert missing.status_code == 422 and named in missing.text
        assert 'href="/"' in missing.text


def test_the_interface_says_which_parameter_is_missing(client, province):
    url = "/api/v1/satisfaction/trend"
    for language, said in (("vi", "Thiếu tham số"), ("en", "The parameter")):
        headers = province.reader() | {"Accept-Language": language}
        answer = client.get(url, headers=headers)
        assert answer.status_code == 422
        detail = answer.json()["detail"]
        assert said in detail and answer.json()["errors"][0]["field"] in detail


def test_refusals_of_the_framework_are_problems_too(client):
    answer = client.get("/no/such/address")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    answer = client.delete("/healthz")
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["kiosk.html", "faces.html", "main.js", "kiosk_worker.js"])
def test_a_kiosk_takes_a_new_release_with_each_file_that_its_page_is_made_of(monkeypatch, name):
    before, read, changed = kiosk.release(), Path.read_bytes, []

    def other(file):
        changed.append(file.name == name)
        return read(file) + b" " * changed[-1]

    monkeypatch.setattr(Path, "read_bytes", other)
    assert kiosk.release.__wrapped__() != before and sum(changed) == 1


def test_a_citizen_who_mistypes_an_address_is_not_sent_to_sign_in(client, province):
    asked = {"Accept": "text/html", "Accept-Language": "vi"}
    page = client.get("/phieu/ABC", headers=asked)
    assert page.status_code == 404
    assert "xin quét lại mã QR" in page.text and "Trang dành cho cán bộ" in page.text
    person = province.person((Role.OPERATOR, None))
    known = client.get("/phieu/ABC", headers=asked | person.headers).text
    assert "xin quét lại mã QR" not in known and "Về trang chủ" in known


def test_a_page_that_may_open_in_a_moment_leads_to_itself(client, province, monkeypatch):
    """Whoever scanned a code is not led to the pages of staff."""

    def refuse(*_):
        raise Overloaded

    monkeypatch.setattr(surveys, "_described", refuse)
    path = f"/q/{province.points['C1', 'sipas-desk']}?lang=vi"
    page = client.get(path, headers={"Accept": "text/html", "Accept-Language": "vi"})
    assert page.status_code == 503
    assert f'<a class="button" href="{path}">Thử lại</a>' in page.text
    assert "nút quay lại" not in page.text


@pytest.mark.parametrize(
    ("method", "path", "problem", "same", "sent"),
    [
        ("GET", "/dashboard", Overloaded(), "/dashboard", False),
        ("GET", "//other.example.vn/q", Overloaded(), "/", False),
        ("GET", "/dashboard", NotFound(), None, False),
        ("POST", "/sign-in", RequestTooSlow(), None, True),
        ("POST", "/q/ABC", BodyTooLarge(limit=1), None, True),
        ("POST", "/accounts", NotFound(), None, False),
    ],
)
def test_what_a_problem_page_says_of_the_way_back(method, path, problem, same, sent):
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    shown = problem_shown(
        problem, Request({**scope, "server": ("x", 80), "scheme": "http"}), STRANGER
    )
    assert (shown.same, shown.sent) == (same, sent)
