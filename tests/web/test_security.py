"""Every answer carries the headers that tell a browser what it may do with it."""

import re

import pytest

from app.web.security import HEADERS
from tests.small_province import body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/docs", 200),
        ("GET", "/static/documentation.js", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/healthz", 200),
        ("GET", "/api/v1/satisfaction", 401),
        ("GET", "/none", 404),
        ("DELETE", "/healthz", 405),
        ("POST", "/api/v1/responses", 415),
    ],
)
def test_every_answer_has_them(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value]


def test_a_defect_has_them_too(client, province, monkeypatch):
    from app.intake import service

    def broken(*_, **__):
        raise RuntimeError("a defect")

    monkeypatch.setattr(service.Intake, "submit", broken)
    answer = client.post("/api/v1/responses", json=body(), headers=province.device())
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert "a defect" not in answer.text
    assert answer.headers["content-security-policy"]


def test_scripts_and_styles_come_from_here_and_none_is_inline(client):
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy and "http" not in policy and "default-src 'none'" in policy
    page = client.get("/docs").text
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert (
        "<style" not in page
        and " style=" not in page
        and " on" not in re.sub(r">[^<]*<", "><", page)
    )


@pytest.mark.parametrize(
    "path",
    ["/static/../settings.py", "/static/%2e%2e/routes.py", "/static//etc/passwd", "/static/"],
)
def test_static_files_lead_nowhere_else(client, path):
    assert client.get(path).status_code == 404
