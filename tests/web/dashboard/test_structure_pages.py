"""The dashboard across a reorganisation: one line, a mark with words, and the tree of then."""

import re
from html import unescape
from io import BytesIO

import pytest
from openpyxl import load_workbook

from app.access.roles import Role
from app.settings import Settings
from tests.conftest import serving
from tests.databases import BACKENDS
from tests.reorganised import DECISION, standing
from tests.small_province import SmallProvince

pytestmark = pytest.mark.usefixtures("month_over")
ASKED = {"questionnaire": "sipas-desk"}
MERGED = "01/07/2025: sáp nhập Phường 1, Phường 2"


@pytest.fixture(scope="module", params=BACKENDS)
def world(request, templates, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("structure-pages")
    with (
        standing(request.param, templates, postgres, folder) as (made, database, url),
        serving(Settings(database_url=url, cache_s=0, public_page=True)) as client,
    ):
        yield client, SmallProvince(database, made.units)


@pytest.fixture
def read(world):
    client, province = world

    def read(path, unit=None, role=Role.PROVINCIAL_ANALYST, **params):
        person = province.person((role, unit))
        answer = client.get(path, params={**ASKED, **params}, headers=person.headers)
        while answer.is_redirect:  # to the same page with a whole address
            answer = client.get(answer.headers["location"], headers=person.headers)
        assert answer.status_code == 200, answer.text
        return answer

    return read


def test_the_head_of_a_merged_commune_sees_one_line_and_why_it_is_judged_anew(read):
    page = read("/dashboard/unit", "P1", Role.UNIT_HEAD, period="2026-Q2")
    text = unescape(page.text)
    assert "Phường Một" in text and f"{MERGED} ({DECISION})." in text
    assert "chính đơn vị đã thay đổi" in text
    spec = read("/dashboard/charts/unit/trend.json", "P1", Role.UNIT_HEAD, period="2026-Q2").json()
    rows = [row for values in spec["datasets"].values() for row in values]
    points = {row["label"] for row in rows if row.get("rate") is not None}
    assert {"06/2025", "07/2025"} <= points
    (told,) = {row["told"] for row in rows if "told" in row}
    assert told == MERGED


def test_a_page_of_before_the_day_is_of_today_or_of_then_and_its_address_says_so(read):
    today = read("/dashboard/units", period="2025-Q2", kind="commune")
    assert "structure=" not in str(today.url) and "Phường Một" in today.text
    assert 'name="structure"' in today.text and "Phường 2</a>" not in today.text
    then = read("/dashboard/units", period="2025-Q2", kind="commune", structure="then")
    assert "structure=then" in str(then.url) and "Phường 2</a>" in then.text
    assert "Phường Một" not in then.text and "structure=then" in then.text
    # Where nothing changed since, there is nothing to choose.
    assert 'name="structure"' not in read("/dashboard/units", period="2026-Q2").text


def test_what_could_not_be_divided_is_named(read):
    page = unescape(read("/dashboard/overview", period="2025-Q2").text)
    assert "Chưa chia được theo từng đơn vị" in page and "phiếu của Huyện 1, Phường 3." in page
    assert "phiếu của" not in unescape(read("/dashboard/overview", period="2026-Q2").text)


def test_a_report_has_the_choice_of_the_page_that_it_is_made_from(read):
    field = '<input type="hidden" name="structure" value="{}">'
    assert field.format("then") in read("/dashboard/report", structure="then").text
    assert 'name="structure"' not in read("/dashboard/report").text


def test_a_report_compares_units_of_then_and_one_that_names_a_tree_is_of_that_alone(read):
    def units(**params):
        asked = {"unit": "77", "period": "2025-Q2", "format": "xlsx", **params}
        book = load_workbook(BytesIO(read("/api/v1/reports", **asked).content))
        codes = {row[0] for row in book["Đơn vị"].values}
        return codes, [row[0] for row in book["Phương pháp"].values]

    codes, said = units()
    assert "P2" in codes and "P5" not in codes and "ngày 30/06/2025" in said[1]
    codes, said = units(structure="today")
    assert "P5" in codes and "P2" not in codes and "30/06/2025" not in " ".join(said)
    codes, said = units(structure="2025-06-30")
    assert "P2" in codes and "ngày 30/06/2025" in said[0]


def test_the_public_page_and_its_data_are_of_today_or_of_the_tree_that_is_named(world):
    client, _ = world

    def public(path="", **params):
        answer = client.get(f"/public{path}", params={**ASKED, **params})
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    today = public(period="2025-Q2", kind="commune")
    assert "Phường Một" in today and 'value="then"' in today and '/public/data.csv"' in today
    then = public(period="2025-Q2", kind="commune", structure="then")
    assert "Phường 2" in then and "Phường Một" not in then
    assert "ngày 30/06/2025" in then and "/public/data.csv?structure=2025-06-30" in then
    assert "\nP2," in public("/data.csv", structure="2025-06-30")
    assert "\nP2," not in public("/data.csv")
    assert 'name="structure"' not in public(period="2026-Q1")


def test_a_unit_is_found_by_the_name_and_code_of_before(read):
    for find in ("phuong 2", "P2"):
        text = unescape(read("/dashboard/units", period="2026-Q2", kind="commune", find=find).text)
        assert "trước 01/07/2025: Phường 2 (P2)" in text.split("<tbody>")[1]
    offered = unescape(read("/dashboard/overview", period="2026-Q2").text)
    (named,) = re.findall(r'<option value="P1">([^<]*)', offered)
    assert named.startswith("Phường Một (trước 01/07/2025: Phường 1 (P1), Phường 2 (P2)")


def test_the_page_of_an_ended_unit_says_until_when_and_leads_on(world, read):
    client, province = world
    headers = province.person((Role.PROVINCIAL_ANALYST, None)).headers | {"Accept": "text/html"}
    asked = {**ASKED, "unit": "P2", "period": "2026-Q2"}
    page = client.get("/dashboard/unit", params=asked, headers=headers)
    text = unescape(page.text)
    assert page.status_code == 404
    assert "Phường 2 (từ 01/01/2024 đến 30/06/2025), nay là Phường Một (P1)" in text
    assert not re.search(r"\d{4}-\d\d-\d\d", re.sub("<[^>]*>", "", text))
    onward, back = re.findall(r'<li><a href="(/dashboard/unit\?[^"]*)">', text)
    assert "Phường Một" in read(onward).text
    then = read(back).text
    assert "Phường 2" in then and "tháng 6 năm 2025" in then
    # Nobody is led to what is not theirs, nor where there never was a unit.
    desk = province.person((Role.UNIT_HEAD, "P3")).headers | {"Accept": "text/html"}
    for who, unit in ((desk, "P2"), (headers, "nothing")):
        page = client.get("/dashboard/unit", params=asked | {"unit": unit}, headers=who)
        assert page.status_code == 404 and "unit=P1" not in page.text
