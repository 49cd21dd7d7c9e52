"""The dashboard in a real browser, on the demonstration, as each kind of user opens it.

The four questions that it is for are answered by what stands on its pages: which wards of a
hospital fell this quarter and is it real; which communes may be the best ten; what should a
commune improve first; how many responses must a desk still collect. Every page is looked at on a
phone, a desk and a wall, checked by axe-core, and free of complaints on the console.
"""

import re
import socket
import subprocess
import sys
from contextlib import closing

import httpx
import pytest
from playwright.sync_api import expect

from app.access import credentials
from app.access.models import Right
from app.db import Database
from app.settings import Settings
from tests.conftest import serving
from tests.small_province import body
from tests.web.conftest import needs_browser
from tests.web.dashboard.visit import PERIOD, Visit

pytestmark = [needs_browser, pytest.mark.xdist_group("dashboard")]


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    """A demonstration of an eighth of the usual size, loaded by its own command, and served."""
    folder = tmp_path_factory.mktemp("demonstration")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "app.cli", "demo", "--stop", "--size", "5000",
               "--until", "2026-11-24", "--folder", str(folder), "--port", str(port)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    settings = Settings(
        database_url=f"sqlite:///{folder / 'hailong.db'}", cache_s=1, public_page=True
    )
    with closing(Database(settings.database_url)) as database, database.writing() as session:
        key = credentials.issue(
            session, "test", [Right.READ_FIGURES, Right.READ_SMALL_CELLS, Right.READ_REGISTRY]
        )
    with serving(settings) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client, (folder / "password").read_text()


@pytest.fixture
def visit(browser, demonstration, screenshots):
    opened: list[Visit] = []

    def begin(who=None):
        opened.append(Visit(browser, demonstration, screenshots, who))
        return opened[-1]

    yield begin
    for each in opened:
        each.page.context.close()


PATHS = {
    "overview": f"/dashboard/overview?period={PERIOD}",
    "units": "/dashboard/units?period=2026",
    "unit": "/dashboard/unit?unit=26506&period=2026",
    "comparison": "/dashboard/comparison?period=2026&beside=26506&beside=26526",
    "sections": f"/dashboard/sections?unit=BV01&questionnaire=moh-inpatient&period={PERIOD}",
    "items": f"/dashboard/items?period={PERIOD}",
    "quality": f"/dashboard/quality?period={PERIOD}",
    "report": f"/dashboard/report?period={PERIOD}",
}


def test_every_page_fits_every_screen_and_everybody(visit):
    window = visit("cchc")
    for name, path in PATHS.items():
        window.page.goto(path)
        if window.page.locator("figure[data-spec]").count():
            window.page.locator("figure[data-spec]").first.scroll_into_view_if_needed()
            expect(window.page.locator("figure[data-live]").first).to_be_visible()
        window.look(name)


#: What of the visible charts is cut off by a phone: pictures wider than their place or the screen,
#: and texts in them that lie outside.
CUT_OFF = """() => {
  const found = [];
  const inside = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1
    && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
  for (const svg of document.querySelectorAll("figure .drawn svg")) {
    const box = svg.getBoundingClientRect();
    if (!box.width) continue;
    const name = svg.closest("figure").id;
    const place = svg.closest(".drawn").getBoundingClientRect();
    if (!inside(box, place)) found.push(`${name}: container`);
    if (box.left < 0 || box.right > innerWidth) found.push(`${name}: screen`);
    for (const text of svg.querySelectorAll("text")) {
      const its = text.getBoundingClientRect();
      if (its.width && !inside(its, box)) found.push(`${name}: ${text.textContent}`);
      if (its.width && its.height < 9) found.push(`${name}: ${its.height} px, ${text.textContent}`);
    }
  }
  return found;
}"""


def test_on_a_phone_no_page_scrolls_sideways_and_every_chart_is_whole(visit):
    window = visit("cchc")
    window.page.set_viewport_size({"width": 360, "height": 740})
    charts = 0
    public = f"/public?period={PERIOD}"
    for name, path in (PATHS | {"public": public, "wall": "/wall/26506"}).items():
        window.page.goto(path)
        # As it comes, and as the script draws it again.
        live = window.page.locator("figure[data-spec]:has(.drawn)")
        for place in [None, *range(live.count())]:
            if place is not None:
                live.nth(place).scroll_into_view_if_needed()
                expect(live.nth(place)).to_have_attribute("data-live", "")
            wide = window.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 360, f"{name} is {wide} px wide"
            assert window.page.evaluate(CUT_OFF) == [], name
        charts += window.page.locator("figure .drawn:visible").count()
        # A map names no rates; all others do, by their axis or by the row.
        for drawn in window.page.locator("figure:not(#map) .drawn:visible").all():
            assert any("%" in text for text in drawn.locator("svg text").all_text_contents())
    assert charts >= 12
    assert window.complaints == []


#: Lines of text that are longer than 28 centimetres, and charts narrower than half of that.
ILL_FILLED = """() => {
  const found = [];
  for (const each of document.querySelectorAll(".board .card :is(p, li)")) {
    const range = document.createRange();
    range.selectNodeContents(each);
    const wide = Math.max(0, ...[...range.getClientRects()].map((line) => line.width));
    if (wide > 1058) found.push(`${wide} px: ${each.textContent.slice(0, 40)}`);
  }
  for (const svg of document.querySelectorAll("figure .drawn svg")) {
    const { width } = svg.getBoundingClientRect();
    if (width && width < 529) found.push(`${svg.closest("figure").id}: ${width} px`);
  }
  return found;
}"""
#: Lists of units, and of wards by section, that are wider than their place.
SCROLLED = """() => [...document.querySelectorAll(".table:has(.units, .sections)")]
  .filter((place) => place.scrollWidth > place.clientWidth)
  .map((place) => `${place.getAttribute("aria-label")}: ${place.scrollWidth}`)"""


def test_every_column_of_a_list_of_units_is_seen_without_scrolling(visit):
    window = visit("cchc")
    for language in ("vi", "en"):
        window.page.goto(f"/language/{language}")
        for name in ("units", "comparison", "sections"):
            window.page.goto(PATHS[name])
            for width in (360, 768, 1024, 1280, 1920):
                window.page.set_viewport_size({"width": width, "height": 800})
                assert window.page.evaluate(SCROLLED) == [], f"{name}, {language}, {width} px"


def test_a_phone_says_the_whole_name_and_which_figure_is_the_change(visit):
    window = visit("cchc")
    window.page.set_viewport_size({"width": 360, "height": 740})
    window.page.goto(f"/dashboard/units?questionnaire=moh-inpatient&kind=ward&period={PERIOD}")
    name, change = "table.units tbody th", "table.units tbody td.change:not(:empty)"
    assert window.page.locator(change).count() > 5
    assert all(
        re.match(r"\s*thay đổi [+−]?\d", told)
        for told in window.page.locator(change).all_inner_texts()
    )
    wide = window.page.locator(name).evaluate_all(
        "(all) => all.filter((each) => each.scrollWidth > each.clientWidth).length"
    )
    assert wide == 0


def test_a_wide_screen_is_used(visit):
    window = visit("cchc")
    window.page.set_viewport_size({"width": 1920, "height": 1080})
    for name in ("overview", "unit", "comparison", "items", "sections", "quality"):
        window.page.goto(PATHS[name])
        assert window.page.locator(".board").bounding_box()["width"] > 1700, name
        assert window.page.evaluate(ILL_FILLED) == [], name
        # What stands on the page reaches its right edge: no column is left empty from top to end.
        right = window.page.evaluate(
            "Math.max(...[...document.querySelectorAll('.board .card')]"
            ".map((card) => card.getBoundingClientRect().right))"
        )
        assert right > 1800, name


def test_the_units_are_searched_and_sorted_on_every_screen(visit):
    window = visit("cchc")
    # Before the reform there were more communes than a page shows.
    period = "2025-Q1"
    answer = window.view("units", period=period, structure="then")
    names = [row["unit"]["name"]["vi"] for row in answer["rows"]]
    wanted = [name for name in names if re.search("h[oò][aà]", name.lower())]
    for width, lines in ((1280, 1), (360, 2)):
        window.page.set_viewport_size({"width": width, "height": 800})
        window.page.goto(f"/dashboard/units?period={period}&structure=then")
        rows = window.page.locator("table.units tbody tr")
        assert rows.count() == 50
        # A line of text is some 24 pixels high, and some 12 are left free around.
        high = [rows.nth(place).bounding_box()["height"] for place in range(50)]
        assert sorted(high)[45] <= 24 * lines + 14
        assert window.page.evaluate("document.documentElement.scrollHeight") < 7000
        window.page.get_by_role("link", name="Tiếp").click()
        expect(window.page.locator("nav.parts [aria-current]")).to_have_text("2")
        assert rows.count() == len(names) - 50
        window.page.fill("#find", "hoa")
        window.page.click(".list button")
        expect(window.page.locator("[role=status]")).to_contain_text(
            f"{len(wanted)} trong {len(names)}"
        )
        assert sorted(rows.locator("th a").all_inner_texts()) == sorted(wanted)
    window.page.set_viewport_size({"width": 1280, "height": 800})
    window.page.goto(f"/dashboard/units?period={period}&structure=then")
    window.page.get_by_role("link", name="Người trả lời").click()
    expect(window.page.locator("th[aria-sort=descending]")).to_contain_text("Người trả lời")
    counts = [int(each.replace(".", "")) for each in window.page.locator("td.n").all_inner_texts()]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]
    assert window.complaints == []


def test_a_chart_tells_a_units_name_under_the_pointer(visit):
    window = visit("cchc")
    window.page.set_viewport_size({"width": 1280, "height": 900})
    window.page.goto(PATHS["comparison"])
    figure = window.page.locator("figure#funnel")
    figure.scroll_into_view_if_needed()
    expect(window.page.locator("figure#funnel[data-live]")).to_be_visible()
    mark = figure.locator(".mark-symbol.role-mark path").nth(3)
    mark.hover(force=True)
    tooltip = window.page.locator("#vg-tooltip-element")
    expect(tooltip).to_be_visible()
    names = {row["unit"]["name"]["vi"] for row in window.view("units", period="2026")["rows"]}
    assert any(name[:30] in tooltip.inner_text() for name in names)
    assert re.search(r"\d+,\d ?%", tooltip.inner_text())
    assert window.complaints == []


def test_without_script_every_page_is_complete(browser, demonstration, visit):
    window = visit("cchc")
    cookies = window.page.context.cookies()
    context = browser.new_context(
        base_url=str(demonstration[0].base_url), java_script_enabled=False
    )
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(PATHS["unit"])
    assert page.locator("figure .drawn svg").count() >= 3
    assert page.locator("figure table").count() >= 3
    page.select_option("#period", PERIOD)
    page.click(".chooser button")
    assert "quý 3 năm 2026" in page.locator("h1").inner_text()
    context.close()


def test_the_department_sees_which_wards_fell_and_whether_it_is_real(visit):
    window = visit("soyte")
    window.page.goto("/dashboard")
    # Wards of many hospitals have the same name: over all of them each is named with its own.
    hospital = window.view("overview", unit="BV01")["unit"]["name"]["vi"]
    window.page.goto(f"/dashboard/units?questionnaire=moh-inpatient&period={PERIOD}&kind=ward")
    assert f"Khoa Nội {hospital}" in window.text("table.units")
    window.page.fill("#unit", "BV01")
    window.page.click(".chooser button")
    window.page.get_by_role("link", name="Theo khoa và mục").click()
    window.page.select_option("#period", PERIOD)
    window.page.click(".chooser button")
    told = window.text("#changed")
    answer = window.view("sections", unit="BV01", questionnaire="moh-inpatient")
    fell = [row["unit"]["name"]["vi"] for row in answer["fell"]]
    if fell:
        assert all(name in told for name in fell)
    else:
        assert "Không đơn vị nào giảm vượt quá ngẫu nhiên" in told
    table = window.text(".sections")
    assert "Khoa Nội" in table and hospital not in table
    for row in answer["rows"]:
        if row["change"] and row["change"]["p"] is not None:
            real = row["change"]["discovery"]
            assert ("Giảm thật" in table or "Tăng thật" in table) if real else "ngẫu nhiên" in table
    # Nothing of what is not health's.
    assert window.page.goto("/dashboard/overview?unit=26506").status == 404


def test_the_reform_office_sees_which_communes_may_be_the_best_ten(visit):
    window = visit("cchc")
    window.page.goto("/dashboard")
    window.page.get_by_role("link", name="Các đơn vị", exact=True).click()
    window.page.select_option("#period", "2026")
    window.page.click(".chooser button")
    answer = window.view("units", period="2026", best=10)
    best = [row["unit"]["name"]["vi"] for row in answer["rows"] if row["may_be_best"]]
    text = window.text()
    doubted = sum(bool(row["doubts"]) for row in answer["rows"] if row["rank"])
    apart = len(best) + doubted < answer["ranked"]
    # Where nobody is told apart nothing is said of the best.
    assert ("đơn vị đứng đầu:" in text) == apart
    assert (f"{len(best)} " in text and f"{answer['best']} đơn vị đứng đầu:" in text) or not apart
    listed = window.page.locator("details:has(.names)")
    assert listed.count() == (apart and len(best) > 12)
    if listed.count():
        listed.first.locator("summary").click()
        text = window.text()
    assert not apart or all(name in text for name in best)


def test_a_chairman_sees_what_to_improve_first_and_a_desk_what_to_collect(visit):
    window = visit("chutich")
    window.page.goto("/dashboard")
    assert "Phường Vũng Tàu" in window.page.locator("h1").inner_text()
    window.page.get_by_role("link", name="Một đơn vị").click()
    window.page.select_option("#period", "2026")
    window.page.click(".chooser button")
    answer = window.view("unit", unit="26506", period="2026")
    told = window.text("#improve")
    for factor in answer["drivers"]["improve_first"] if answer["drivers"] else []:
        assert f"{factor}. " in told
    lagging = answer["lowest"]
    for row in lagging["rows"] if lagging and answer["no_drivers"] == "outcome-needed" else []:
        assert (f"{row['factor']}. " in told) or not row["below"]
    if lagging:
        assert re.search("Câu hỏi nên bắt đầu|Các câu có tỷ lệ thấp nhất", told)
    else:
        assert "Quá ít người trả lời để biết yếu tố nào thấp hơn" in told
    (plan,) = answer["collecting"]["rows"]
    desk = visit("quay")
    desk.page.goto("/dashboard/unit")
    told = desk.text("#collecting")
    have = plan["respondents"]
    if have is None or 0 < have < 10:  # how many is not told a desk
        assert "chưa đủ 10 người trả lời" in told and "cần 10 người để công bố" in told
    else:
        publish = plan["needed_to_publish"]
        assert f"đã có {have} người trả lời" in told
        assert (f"còn cần {publish} để có 10 người mà" if publish else "đủ để công bố") in told
        assert "sai số không quá" in told


def test_a_page_printed_has_its_tables(visit):
    window = visit("cchc")
    window.page.goto(PATHS["unit"])
    window.page.emulate_media(media="print")
    window.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(window.page.locator("figure#factors table")).to_be_visible()
    expect(window.page.locator(".chooser")).to_be_hidden()
    assert window.page.pdf().startswith(b"%PDF")


def test_the_public_page_and_its_card(visit):
    window = visit()
    window.page.goto(f"/public?period={PERIOD}")
    window.look("public")
    window.page.goto("/public/26506/card")
    window.look("card", sizes=("phone",))


def test_a_wall_screen_tells_of_an_answer_at_once(visit):
    window = visit()
    window.page.set_viewport_size({"width": 1920, "height": 1080})
    window.page.goto("/wall/26506")
    before = int(window.page.locator("#today").inner_text().replace(".", ""))
    window.look("wall", sizes=("wall", "phone"))
    answer_about(window, "26506")
    expect(window.page.locator("#today")).to_have_text(str(before + 1))
    assert window.complaints == []


def answer_about(window, unit):
    """One citizen answers behind the QR code of a unit's desk."""
    points = window.client.get("/api/v1/points", params={"unit": unit}).json()["points"]
    code = next(point["code"] for point in points if point["questionnaire"] == "sipas-desk")
    # With the desk's public code, as anybody may; not with the test's key.
    url = window.client.base_url.join("/api/v1/responses")
    answer = httpx.post(url, json=body(code))
    assert answer.status_code == 201, answer.text
