"""Themes over months, what rose beside the months before, and the page of comments."""

import re
from html import unescape

import pytest
from scipy.stats import fisher_exact
from sqlalchemy import select
from statsmodels.stats.proportion import proportion_confint

from app.access.roles import Role
from app.audit.models import AuditEntry
from app.settings import Settings
from tests.conftest import serving
from tests.small_province import SmallProvince, body

#: By month, of how many comments about C1 how many blame waiting, and how many are praise.
MONTHS = {
    "2026-01": (14, 2, 6),
    "2026-02": (12, 1, 5),
    "2026-03": (13, 2, 6),
    "2026-04": (24, 15, 6),
}
URL = "/api/v1/comments/themes"


@pytest.fixture(scope="module")
def world(own_database):
    province = SmallProvince.found(own_database)
    url = own_database.url.render_as_string(hide_password=False)
    with serving(Settings(database_url=url, cache_s=0)) as client:
        bodies = []
        for month, (n, waiting, praise) in MONTHS.items():
            texts = ["Chờ lâu"] * waiting + ["Cán bộ nhiệt tình"] * praise
            texts += ["Nhà vệ sinh bẩn"] * (n - len(texts))
            for number, text in enumerate(texts):
                bodies.append(sent(province, "C1", month, number, f"{text} {number}"))
        # Of few, all of whom blame: nothing of them is told.
        bodies += [sent(province, "D1", "2026-04", n, f"Chờ lâu ở huyện {n}") for n in range(9)]
        bodies += [sent(province, "D1", "2026-05", n, f"Ở huyện {n}") for n in range(4)]
        province.send(client, bodies)
        yield client, province


def sent(province, unit, month, number, text):
    return body(
        province.points[unit, "sipas-desk"],
        answers={"A1": 4, "comment": text},
        answered_at=f"{month}-{number % 20 + 1:02}T09:00:00+07:00",
    )


@pytest.fixture(scope="module")
def head(world):
    return world[1].person((Role.UNIT_HEAD, "D1"))


@pytest.fixture
def figures(world, head):
    def ask(person=head, **query):
        answer = world[0].get(URL, params=query, headers=person.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


@pytest.fixture
def page(world, head):
    def ask(person=head, status=200, **query):
        answer = world[0].get(
            "/dashboard/comments", params=query, headers=person.headers | {"accept": "text/html"}
        )
        assert answer.status_code == status, answer.text
        return answer.text

    return ask


def words_of(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_themes_over_months_are_shares_of_what_may_be_read(figures):
    found = {each["theme"]: each["months"] for each in figures(month="2026-04")["trends"]}
    assert set(found) == {"waiting", "attitude", "cleanliness"}
    months = {each["month"]: each for each in found["waiting"]}
    assert len(months) == 12 and months["2025-12"]["share"] is None
    for month, (n, waiting, _) in MONTHS.items():
        low, high = proportion_confint(waiting, n, method="wilson")
        row = months[month]
        assert (row["comments"], row["about"]) == (n, waiting)
        assert (row["share"], row["low"], row["high"]) == pytest.approx((waiting / n, low, high))


def test_what_rose_is_fishers_test_with_all_themes_in_mind(figures):
    found = figures(month="2026-04")
    assert found["before"] == ["2026-01", "2026-02", "2026-03"]
    (row,) = found["risen"]
    table = [[15, 24 - 15], [5, 39 - 5]]
    p = fisher_exact(table, alternative="greater").pvalue
    assert row["theme"] == "waiting" and row["p"] == pytest.approx(p)
    # Praise rises nowhere; of the blamed there are two, waiting and cleanliness.
    assert found["compared"] == 2 and row["adjusted_p"] == pytest.approx(2 * p)
    assert len(row["examples"]) == 3
    assert all(each["body"].startswith("Chờ lâu") for each in row["examples"])
    assert figures(month="2026-03")["risen"] == []
    assert figures(month="2026-02")["compared"] == 2


def test_whoever_may_see_few_has_them_in_the_figures_and_nobody_else(figures, world):
    analyst = world[1].person((Role.PROVINCIAL_ANALYST, None))
    for person, n, about in ((None, 24, 15), (analyst, 33, 24)):
        asked = {"person": person} if person else {}
        found = {
            each["theme"]: each["months"] for each in figures(month="2026-04", **asked)["trends"]
        }
        assert (found["waiting"][-1]["comments"], found["waiting"][-1]["about"]) == (n, about)
    assert figures(month="2026-05")["compared"] == 0


def test_examples_that_are_read_are_logged(figures, world, head):
    figures(month="2026-04")
    with world[1].database.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.actor, entry.action) == (head.email, "comments.read")
    assert '"comments": 3' in entry.details and '"risen"' in entry.details


def test_the_page_opens_with_the_latest_month_that_has_comments_to_show(page):
    html = page(unit="D1")
    assert "<h1>Đơn vị D1 <small>" in html and "tháng 4 năm 2026" in words_of(html)
    assert "D1" not in re.search(r"<title>(.*?)</title>", html)[1].replace("Đơn vị D1", "")
    offered = re.findall(r'<option value="(20\d\d-\d\d)"( selected)?>', html.split('id="to"')[0])
    assert [month for month, _ in offered] == ["2026-05", *sorted(MONTHS, reverse=True)]
    assert [month for month, chosen in offered if chosen] == ["2026-04"]
    page(unit="D1", month="2026", status=422)
    page(unit="A1", status=404)


def test_the_page_says_what_is_not_shown_and_never_that_there_is_none(page):
    said = words_of(page(unit="D1", month="2026-05"))
    assert "Không có ý kiến nào như đã chọn để hiện ở đây" in said
    assert "có ít hơn 10 người trả lời" in said and "0 ý kiến" not in said
    assert "ít hơn 10 người" not in words_of(page(unit="C1", month="2026-04"))
    withheld = re.search(
        r'<p class="hint" id="not-shown">(.*?)</p>', page(unit="D1", month="2026-04")
    )
    for query in ({"search": "huyện"}, {"theme": "fees"}, {"search": "gà"}):
        html = page(unit="D1", month="2026-04", **query)
        assert withheld[0] in html and "Chờ lâu ở huyện" not in html


def test_praise_stands_first_and_what_rose_is_shown_with_three_comments(page):
    html = page(unit="D1", month="2026-04")
    assert html.index('id="praise"') < html.index('id="blame"') < html.index('id="risen"')
    said = words_of(html)
    assert "Được khen" in said and said.index("Cán bộ nhiệt tình") < said.index("Chờ lâu")
    risen = html.split('id="risen"')[1].split("</section>")[0]
    assert "15 trong 24 ý kiến" in words_of(risen) and risen.count("<q>") == 3
    assert "theme=waiting" in risen and 'id="theme-months"' in html
    assert "Chưa đủ mười ý kiến" in words_of(page(unit="D1", month="2026-05"))


def test_a_link_from_an_alert_leads_to_the_first_month_of_its_period(page):
    html = page(unit="C1", since="2026-Q1")
    assert 'value="2026-01" selected' in html.split('id="to"')[0]
    page(unit="C1", since="nonsense", status=422)


def test_pages_have_fifty_and_keep_what_was_chosen(page):
    html = page(unit="D1", month="2026-01", to="2026-04", search="")
    assert html.count("<q>") == 50 and "63 ý kiến" in words_of(html)
    following = unescape(re.search(r'href="(/dashboard/comments[^"]*)" rel="next"', html)[1])
    assert "to=2026-04" in following and "page=2" in following
    last = page(unit="D1", month="2026-01", to="2026-04", page=2)
    assert last.count("<q>") == 13 and 'rel="next"' not in last


def test_every_filter_may_be_left_empty_as_a_form_sends_it(page):
    whole = dict.fromkeys(
        ("to", "search", "theme", "tone", "questionnaire", "item", "level", "channel"), ""
    )
    assert page(unit="D1", month="2026-04", **whole).count("<q>") >= 24
    # By a channel all of C1's are told: there is one.
    assert "24 ý kiến" in words_of(page(unit="D1", month="2026-04", channel="qr"))
    # All are content alike, so that tells nothing of anybody either.
    assert "24 ý kiến" in words_of(page(unit="D1", month="2026-04", level="high"))


def test_the_english_page_names_themes_in_english(world, head):
    client, _ = world
    cookie = head.headers["Cookie"] + "; language=en"
    html = client.get(
        "/dashboard/comments",
        params={"unit": "D1", "month": "2026-04"},
        headers={"accept": "text/html", "Cookie": cookie},
    ).text
    assert "Praised" in html and "Waiting · blame" in html
