"""What is published, and what is not: periods that are over, no small cell, nothing by default."""

import csv
import io
import re
from datetime import date

import pytest

from app.api.feed import COLUMNS
from app.messages.words import alphabetical
from app.settings import Settings
from app.web.public import routes as public
from app.web.public.published import finished
from tests.figures.district import FELL, FORM, SMALL, standing

PATHS = ("/public", "/public/data.csv", "/public/dictionary.csv", "/public/77/badge.svg",
         "/public/77/card")  # fmt: skip


@pytest.fixture(scope="module")
def world(templates, postgres, tmp_path_factory):
    """One store: what is published is what the views say, and these are asked on both."""
    folder = tmp_path_factory.mktemp("public")
    with standing("sqlite", templates, postgres, folder, public_page=True) as world:
        yield world


@pytest.mark.parametrize("path", [*PATHS, "/wall/77"])
def test_nothing_is_published_by_default(client, path):
    answer = client.get(path, headers={"Accept": "text/html"})
    if path.startswith("/wall/"):  # a screen of one's own is let in by a key
        assert answer.headers["location"].startswith("/screen?")
    else:
        assert answer.status_code == 404


def test_the_page_shows_rates_with_intervals_method_and_data(world):
    answer = world.client.get(f"/public?period=2026-Q1&kind=commune&questionnaire={FORM.code}")
    assert answer.status_code == 200
    assert "public" in answer.headers["cache-control"]
    rows = world.client.get(
        "/api/v1/views/units",
        params={"unit": "77", "questionnaire": FORM.code, "period": "2026-Q1", "level": "commune"},
        headers=world.public,
    ).json()["rows"]
    for row in rows:
        if row["rate"] is not None:
            assert f"{100 * row['rate']:.1f}".replace(".", ",") in answer.text
    for words in ("Phương pháp", "Dữ liệu mở", "/public/data.csv", "Trong khoảng"):
        assert words in answer.text
    assert "Lê Thị" not in answer.text and " style=" not in answer.text


def test_the_list_is_searched_and_sorted_by_its_address(world):
    base = f"/public?period=2026-Q1&kind=commune&questionnaire={FORM.code}"

    def names(more=""):
        text = world.client.get(base + more).text
        return re.findall(r'<th scope="row">([^<]+)</th>', text)

    every = names()
    assert len(every) > 3 and every == sorted(every, key=alphabetical)
    assert names("&sort=-name") == every[::-1]
    assert names(f"&find=xa+{SMALL.lower()}") == [f"Xã {SMALL}"]
    page = world.client.get(base + "&sort=-rate").text
    assert 'aria-sort="descending"' in page and "sort=change" not in page
    rates = [float(rate.replace(",", ".")) for rate in re.findall(r"of-rate\"[^>]*>([\d,]+)", page)]
    assert rates == sorted(rates, reverse=True) and len(set(rates)) > 1


def test_a_small_cell_is_published_nowhere(world):
    page = world.client.get(f"/public?period=2025-Q1&kind=commune&questionnaire={FORM.code}").text
    row = re.search(rf"<th scope=\"row\">Xã {SMALL}</th>(.*?)</tr>", page, re.S)[1]
    assert "quá ít" in row and "%" not in row
    data = csv.DictReader(io.StringIO(world.client.get("/public/data.csv").text.lstrip("\ufeff")))
    own = [row for row in data if row["unit_code"] == SMALL and row["respondents"] != "0"]
    assert own and all(row["rate"] == row["respondents"] == "" for row in own)
    assert all(row["suppressed"] == "true" for row in own)
    badge = world.client.get(f"/public/{SMALL}/badge.svg").text
    assert "chưa đủ người trả lời" in badge and "%" not in badge


def test_the_data_are_described_by_their_dictionary(world):
    text = world.client.get("/public/data.csv").text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    excel = world.client.get("/public/data.csv?csv=semicolon").text.lstrip("\ufeff")
    theirs = list(csv.DictReader(io.StringIO(excel), delimiter=";"))
    assert [row["rate"].replace(".", ",") for row in rows] == [row["rate"] for row in theirs]
    described = csv.DictReader(
        io.StringIO(world.client.get("/public/dictionary.csv").text.lstrip("\ufeff"))
    )
    assert list(rows[0]) == [row["column"] for row in described] == list(COLUMNS)
    asked = {"unit": FELL, "questionnaire": FORM.code, "from": "2026-01-01", "to": "2026-03-31"}
    (right,) = world.client.get("/api/v1/satisfaction", params=asked, headers=world.public).json()[
        "rows"
    ]
    (row,) = [
        row for row in rows
        if (row["unit_code"], row["period"], row["factor"]) == (FELL, "2026-Q1", "")
    ]  # fmt: skip
    assert float(row["rate"]) == right["rate"] and int(row["respondents"]) == right["respondents"]


def test_what_is_not_over_is_not_published(world):
    today = date.today()
    for period in (f"{today.year + 1}-Q1", "2026-01-01..2026-03-31"):
        assert world.client.get(f"/public?period={period}").status_code == 422
    text = world.client.get("/public/data.csv").text
    last = finished(None, Settings()).last
    ends = {row["last_day"] for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")))}
    assert max(ends) <= str(last)


@pytest.mark.parametrize(
    ("length", "names", "others"),
    [
        ("month", ["2026-02", "2026-01"], ["2026-Q1", "2025", "2025-H2"]),
        ("quarter", ["2026-Q1", "2025-Q4"], ["2026-01", "2025", "2025-H2", "2025-9M"]),
        ("year", ["2025"], ["2026-Q1", "2025-12", "2025-H2"]),
    ],
)
def test_periods_of_one_length_are_published(world, monkeypatch, length, names, others):
    """No two of them overlap, so that their difference tells nothing."""
    monkeypatch.setattr(
        public,
        "published_by",
        lambda request: request.app.state.settings.model_copy(update={"public_period": length}),
    )
    page = world.client.get(f"/public?questionnaire={FORM.code}").text
    offered = re.findall(r'<option value="(20[^"]*)"', page)
    assert set(names) <= set(offered) and not set(others) & set(offered)
    for name in names:
        assert world.client.get(f"/public?period={name}").status_code == 200
    for name in others:
        assert world.client.get(f"/public?period={name}").status_code == 422
    text = world.client.get("/public/data.csv").text.lstrip("\ufeff")
    assert {row["period"] for row in csv.DictReader(io.StringIO(text))} <= set(offered)


def test_a_badge_and_a_card_stand_in_other_sites(world):
    badge = world.client.get("/public/77/badge.svg?language=en")
    assert badge.headers["content-type"] == "image/svg+xml"
    assert badge.headers["cross-origin-resource-policy"] == "cross-origin"
    assert ("Satisfied" in badge.text and "n = " in badge.text) or "too few" in badge.text
    card = world.client.get("/public/77/card")
    assert "frame-ancestors *" in card.headers["content-security-policy"]
    assert "script-src" not in card.headers["content-security-policy"]
    # All other pages stand in no frame.
    page = world.client.get("/public")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert world.client.get("/public/none/card").status_code == 404


def test_a_wall_screen_needs_no_session_where_figures_are_published(world):
    page = world.client.get(f"/wall/{FELL}")
    assert page.status_code == 200 and "Xã K01" in page.text
    with world.client.stream("GET", f"/wall/{FELL}/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        line = next(line for line in answer.iter_lines() if line.startswith("data: "))
    assert '"today":0' in line
