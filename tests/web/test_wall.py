"""The screen at an entrance without a public page: let in by a key, and back by itself."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect
from sqlalchemy import select

from app.access import credentials
from app.access.doors import ScreenDoor
from app.access.models import Credential, Right

WALL = "/wall/C1?questionnaire=sipas-desk"
PAGE = {"Accept": "text/html"}


def key_of(province, *rights, unit="C1"):
    """A system's key, as it is typed."""
    header = province.credential(*rights, unit=unit)["Authorization"]
    return header.removeprefix("Bearer ")


def give(client, key, target=WALL):
    return client.post(
        "/screen",
        data={"key": key, "next": target},
        headers=PAGE | {"Sec-Fetch-Site": "same-origin"},
    )


def test_a_screen_is_led_to_the_form_for_its_key(client):
    answer = client.get(WALL, headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/screen?next={quote(WALL, safe='')}"
    form = client.get(answer.headers["location"], headers=PAGE)
    assert form.status_code == 200 and 'name="key"' in form.text
    refused = client.get(WALL)  # to a program no page is shown
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/screen-key-needed")


def test_a_key_opens_the_screens_of_its_unit_and_nothing_else(client, province):
    key = key_of(province, Right.READ_FIGURES)
    answer = give(client, f" {key} ")
    assert (answer.status_code, answer.headers["location"]) == (303, WALL)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "Path=/wall" in cookie
    assert client.get(WALL, headers=PAGE).status_code == 200
    assert client.get("/wall/H1?questionnaire=moh-inpatient", headers=PAGE).status_code == 404
    with client.stream("GET", "/wall/C1/stream?questionnaire=sipas-desk") as stream:
        assert next(line for line in stream.iter_lines() if line.startswith("data: "))
    # Even where a browser sends the cookie, no other page takes it.
    client.cookies.set(ScreenDoor.cookie, key, path="/")
    for path in ("/dashboard/overview", "/keys", "/api/v1/satisfaction"):
        assert client.get(path).status_code == 401


def test_a_key_that_is_over_opens_nothing(client, province):
    key = key_of(province, Right.READ_FIGURES)
    give(client, key)
    with province.database.writing() as session:
        issued = session.scalars(select(Credential).order_by(Credential.id.desc())).first()
        credentials.revoke(session, issued.id)
    assert client.get(WALL, headers=PAGE).headers["location"].startswith("/screen")
    assert client.get("/wall/C1/stream").status_code == 401


@pytest.mark.parametrize("kind", ["mistyped", "of a device", "empty"])
def test_a_key_without_figures_is_refused_and_not_kept(client, province, kind):
    key = {
        "mistyped": "x" * 40, "empty": "", "of a device": key_of(province, Right.SUBMIT),
    }[kind]  # fmt: skip
    answer = give(client, key)
    assert answer.status_code == 422
    assert "Khóa này không mở được số liệu" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_form_leads_to_this_server_alone(client, province):
    key = key_of(province, Right.READ_FIGURES)
    assert give(client, key, "//elsewhere.example/").headers["location"] == "/"
    foreign = client.post(
        "/screen", data={"key": key}, headers=PAGE | {"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403 and "set-cookie" not in foreign.headers


def later(page, true):
    """Whether something is true once enough seconds went by on the page's own clock."""
    for _ in range(50):
        page.clock.fast_forward(11_000)
        try:
            page.wait_for_timeout(100)
            page.wait_for_load_state()
            if true():
                return True
        except PlaywrightError:  # the page was just being opened anew
            continue
    return False


def test_a_screen_is_opened_by_hand_once_and_comes_back_by_itself(
    client, province, browser, screenshots
):
    key = key_of(province, Right.READ_FIGURES)
    context = browser.new_context(base_url=str(client.base_url), locale="vi-VN")
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.clock.install()
    page.goto(WALL)
    page.screenshot(path=str(screenshots / "screen_key.png"))
    page.fill("#key", key)
    page.click("main button")
    expect(page.locator("#today")).to_have_text("0")

    # The server is started anew, a proxy answers for it meanwhile, and EventSource gives up.
    away = {"status": 502, "body": "Bad gateway"}
    page.route(re.compile("/stream"), lambda route: route.fulfill(**away))
    page.reload()
    expect(page.locator("#state")).not_to_be_empty()
    page.evaluate("window.stays = true")
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.fulfill(**away)

    page.route(re.compile("/wall/"), refuse)
    assert later(page, lambda: bool(asked))
    expect(page.locator("#today")).to_have_text("0")  # what was known stays
    expect(page.locator("#state")).not_to_be_empty()
    assert page.evaluate("window.stays")
    page.unroute_all()
    assert later(page, lambda: page.evaluate("window.stays === undefined"))
    expect(page.locator("#state")).to_be_empty()
    context.close()
