"""A form that stands ready: past the layers it is what it is by the long way, and as safe."""

import logging
import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product

import httpx
import pytest

from app.access.server_secrets import Signer
from app.clock import local_today
from app.registry.models import Unit
from app.registry.points import Point
from app.web.citizen.opening import FormOpening
from app.web.identifying import HEADER
from app.web.security import HEADERS
from tests import changed_tree
from tests.conftest import serving

ID = "01a22bb1-514d-74aa-9440-7307ddde6da5"
#: What is another one with each page: ids, the page's token and moment, and the code for a reply.
DRAWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r'|[0-9]+-[0-9a-f]{12}-[0-9a-f]{20}|(?<=name="opened" value=")[0-9]+|\b[0-9A-HJKMNP-TV-Z]{16}\b'
)


@pytest.fixture
def ways(monkeypatch):
    """Which way each request for a form went; ``long`` has the next ones go the long way."""

    class Ways(list):
        long = False

    taken, short = Ways(), FormOpening._open

    def noted(self, scope):
        opened = None if taken.long else short(self, scope)
        taken.append("long" if opened is None else "short")
        return opened

    monkeypatch.setattr(FormOpening, "_open", noted)
    return taken


def told(answer):
    """An answer without what is drawn for it and what counts its bytes."""
    headers = [
        (name, DRAWN.sub("?", value))
        for name, value in answer.headers.multi_items()
        if name not in ("date", "content-length", HEADER.lower())
    ]
    return answer.status_code, sorted(headers), DRAWN.sub("?", answer.text)


@pytest.fixture
def trusting(settings):
    """Settings by which what was found is trusted for as long as a test takes."""
    return settings.model_copy(update={"cache_s": 3600})


@pytest.fixture
def client(trusting):
    with serving(trusting) as client:
        yield client


def ready(client, code, ways):
    """Have the pages of a point ready for both whom it is new to and whom it is not."""
    for headers in ({}, {}, {"Cookie": f"response={ID}"}, {"Cookie": f"response={ID}"}):
        httpx.get(f"{client.base_url}/q/{code}", headers=headers)
    assert ways[1] == ways[3] == "short"
    ways.clear()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("public_url", [None, "https://hailong.example"])
def test_both_ways_answer_alike(trusting, code, ways, public_url):
    with serving(trusting.model_copy(update={"public_url": public_url})) as client:
        for encoding, language, cookie in product(
            ("gzip, br", "identity"),
            ("vi", "en-GB,en;q=0.9", ""),
            ("", f"response={ID}", "language=en; response=x", "language=xx"),
        ):
            asked = {"Accept-Encoding": encoding, "Accept-Language": language}
            asked |= {"Cookie": cookie} if cookie else {}
            page = partial(httpx.get, f"{client.base_url}/q/{code}", headers=asked)
            ways.long = False
            page()
            short = page()
            ways.long = True
            long = page()
            assert ways[-2:] == ["short", "long"]
            assert told(short) == told(long) and short.status_code == 200
            assert int(short.headers["content-length"]) == short.num_bytes_downloaded
            secure = "secure" in short.headers["set-cookie"].lower()
            assert secure == (public_url is not None)


def test_every_page_has_the_headers_for_browsers_and_an_id_of_its_own(client, code, ways):
    pages = [httpx.get(f"{client.base_url}/q/{code}") for _ in range(6)]
    assert ways == ["long"] + ["short"] * 5
    for page in pages:
        assert set(HEADERS) - {"Content-Security-Policy"} <= {
            name for name in HEADERS if page.headers.get_list(name) == [HEADERS[name]]
        }
        (policy,) = page.headers.get_list("content-security-policy")
        assert "default-src 'none'" in policy and "unsafe" not in policy
    drawn = [DRAWN.findall(page.text + page.headers["set-cookie"]) for page in pages]
    for own in zip(*([each for each in one if not each.isdigit()] for one in drawn), strict=True):
        assert len(set(own)) == len(pages)
    assert len({page.headers[HEADER] for page in pages}) == len(pages)


def test_what_is_asked_for_otherwise_goes_the_long_way(client, code, ways):
    ready(client, code, ways)
    answers = [
        client.get(f"/q/{code}?lang=en"),
        client.get(f"/q/{code.lower()}"),
        client.get("/q/NONE"),
        client.get(f"/q/{code}", headers={"Cookie": f"response={ID}.done"}),
        client.head(f"/q/{code}"),
    ]
    assert [answer.status_code for answer in answers] == [200, 303, 404, 200, 405]
    assert "đã được ghi nhận" in answers[3].text
    assert "short" not in ways
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_that_was_opened_at_once_is_taken(client, code, ways):
    httpx.get(f"{client.base_url}/q/{code}")
    page = client.get(f"/q/{code}")
    data = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]+)"', page.text))
    assert client.post(f"/q/{code}", data=data | {"a.A1": "5"}).status_code == 303
    assert ways == ["long", "short"]


def test_what_was_found_anew_is_shown_as_it_is_now(settings, code, database, province, ways):
    with serving(settings.model_copy(update={"cache_s": 0.5})) as client:
        url = f"{client.base_url}/q/{code}"
        until = time.monotonic() + 30
        while "short" not in ways and time.monotonic() < until:
            assert "Đơn vị C1" in httpx.get(url).text
        with database.writing() as session:
            unit, today = session.get_one(Unit, province.units["C1"]), local_today(settings.zone)
            changed_tree.rename(session, unit, "Tên mới", today, today=today)
        while "Tên mới" not in httpx.get(url).text and time.monotonic() < until:
            time.sleep(0.05)
        ways.clear()
        while "short" not in ways and time.monotonic() < until:
            assert "Tên mới" in httpx.get(url).text


def test_beginnings_of_pages_are_kept_of_so_many_points(client, code, ways, monkeypatch):
    monkeypatch.setattr("app.web.citizen.opening._MOST_FILLERS", 1)
    asked = [("gzip", "vi"), ("identity", "vi"), ("gzip", "en"), ("identity", "en")]
    for _ in range(2):
        pages = [
            httpx.get(
                f"{client.base_url}/q/{code}",
                headers={"Accept-Encoding": encoding, "Accept-Language": language},
            )
            for encoding, language in asked
        ]
    assert ways[4:] == ["short"] * 4
    for page, (_, language) in zip(pages, asked, strict=True):
        assert f'<html lang="{language}">' in page.text


def test_what_fails_is_told_in_the_log_and_goes_the_long_way(client, code, caplog, monkeypatch):
    def broken(*given):
        raise RuntimeError("a defect")

    httpx.get(f"{client.base_url}/q/{code}")
    monkeypatch.setattr("app.web.citizen.opening.parts_of_page", broken)
    assert client.get(f"/q/{code}").status_code == 200
    (line,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert line.getMessage() == "defect while opening a form at once" and line.exc_info


def test_each_is_an_access_in_the_log(trusting, code, ways, caplog):
    caplog.set_level(logging.INFO, "hailong.access_log")
    with serving(trusting.model_copy(update={"access_log": True})) as client:
        for _ in range(2):
            httpx.get(f"{client.base_url}/q/{code}")
    said = [(r.method, r.route, r.status) for r in caplog.records if r.name == "hailong.access_log"]
    assert ways == ["long", "short"] and said == [("GET", "/q/{token}", 200)] * 2


def test_an_id_begins_with_the_time_that_is_believed(trusting, code, ways):
    off = [timedelta(0)]
    with serving(trusting, wall=lambda: datetime.now(UTC) + off[0]) as client:
        client.get(f"/q/{code}")
        off[0] = timedelta(days=400)  # in doubt: nobody believes it
        for _ in range(2):
            page = httpx.get(f"{client.base_url}/q/{code}")
            ms = int(page.cookies["response"].replace("-", "")[:12], 16)
            assert abs(ms / 1000 - datetime.now(UTC).timestamp()) < 60
    assert "short" in ways


def test_whoever_says_to_have_a_key_is_looked_at(client, code, ways):
    ready(client, code, ways)
    page = partial(httpx.get, f"{client.base_url}/q/{code}")
    assert page(headers={"Authorization": "Bearer x"}).status_code == 401
    assert (page().status_code, ways) == (200, ["long", "short"])


def test_of_a_header_that_came_twice_the_first_counts(client, code, ways):
    ready(client, code, ways)
    twice = [("Accept-Language", "en"), ("Accept-Language", "vi")]
    page = httpx.get(f"{client.base_url}/q/{code}", headers=twice)
    assert '<html lang="en">' in page.text and ways == ["long"]
    page = httpx.get(f"{client.base_url}/q/{code}", headers=twice)
    assert '<html lang="en">' in page.text and ways == ["long", "short"]


def test_no_language_of_a_browser_is_a_defect(client, code, ways):
    ready(client, code, ways)
    for weight in ("nan", "inf", "-1", "x", ""):
        asked = {"Accept-Language": f"en;q={weight}"}
        assert httpx.get(f"{client.base_url}/q/{code}", headers=asked).status_code == 200


def test_a_point_that_closes_while_it_is_remembered_is_closed(client, code, ways, monkeypatch):
    ready(client, code, ways)
    monkeypatch.setattr(Point, "takes_answers_of", lambda point, moment: False)
    page = httpx.get(f"{client.base_url}/q/{code}")
    assert "<form" not in page.text and ways == ["long"]


def test_the_database_is_asked_by_nobody_who_opens_at_once(client, code, ways, monkeypatch):
    ready(client, code, ways)
    monkeypatch.setattr(Signer, "at_hand", False)
    assert httpx.get(f"{client.base_url}/q/{code}").status_code == 200
    assert ways == ["long"], "its secret would have to be read"
