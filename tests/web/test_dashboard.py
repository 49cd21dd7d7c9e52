"""The dashboard's pages over HTTP: what they show is what the API says, and links open the same."""

import csv
import html
import io
import re
from datetime import date, datetime, timedelta

import openpyxl
import pytest
from PIL import Image
from sqlalchemy import func, select

from app.access.roles import Role
from app.audit.models import AuditEntry
from app.figures import periods
from app.messages.words import Words
from app.registry.models import Unit
from app.reports.charts.drawing import script_name
from app.settings import Settings
from tests.figures.district import FELL, FORM, SMALL, standing

LINK = f"unit=D1&questionnaire={FORM.code}&period=2026-H1&kind=commune"
OF_FELL = f"unit={FELL}&questionnaire={FORM.code}&period=2026-H1"
PAGES = ("overview", "units", "unit", "comparison", "sections", "items", "quality")
WORDS = Words("vi")


@pytest.fixture(scope="module")
def world(templates, postgres, tmp_path_factory):
    """One store: pages show what the views say, and these are asked on both."""
    folder = tmp_path_factory.mktemp("dashboard")
    with standing("sqlite", templates, postgres, folder) as world:
        world.opened = {}
        world.person = world.province.person((Role.PROVINCIAL_ANALYST, None))
        yield world


@pytest.fixture
def open_page(world):
    def get(path, person=None, status=200, **headers):
        if person is None and not headers and path in world.opened:
            return world.opened[path]
        sent = (person or world.person).headers | headers
        answer = world.client.get(path, headers=sent)
        for _ in range(2):  # a client that follows by itself would leave the cookie behind
            if answer.status_code == 303:
                answer = world.client.get(answer.headers["location"], headers=sent)
        assert answer.status_code == status, answer.text[:2000]
        if person is None and not headers and "comments" not in path:
            world.opened[path] = answer  # what does not change is not asked for again
        return answer

    return get


def icons(answer, *, within=""):
    """What the icons of a page say to those who do not see them."""
    text = answer.text
    if within:
        text = re.search(within, text, flags=re.S)[0]
    found = re.findall(r'<svg class="icon [^>]*role="img" aria-label="([^"]+)"', text)
    return [html.unescape(each) for each in found]


def words_of(answer):
    """What a page says, without its marks."""
    text = re.sub(r"<(script|style|svg|datalist).*?</\1>", " ", answer.text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def view(world):
    def get(name, **parameters):
        asked = {"unit": "D1", "questionnaire": FORM.code, "period": "2026-H1"} | parameters
        return world.client.get(f"/api/v1/views/{name}", params=asked, headers=world.analyst).json()

    return get


def shown(row):
    """A rate, its interval and its respondents as a page writes them."""
    texts = [
        WORDS.percent(row["rate"]),
        WORDS.between(row["low"], row["high"]),
        WORDS.number(row["respondents"]),
    ]
    return [" ".join(text.split()) for text in texts]


def test_a_link_is_made_whole_and_opens_the_same_page(world, open_page):
    bare = open_page("/dashboard")
    assert bare.url.path == "/dashboard/overview"
    query = dict(bare.url.params)
    assert {"unit", "questionnaire", "period"} <= query.keys()
    again = open_page(str(bare.url))
    assert str(again.url) == str(bare.url) and words_of(again) == words_of(bare)


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_communes_speak_of_files_and_one_way_of_per_cent(open_page, page):
    said = words_of(open_page(f"/dashboard/{page}?{LINK}"))
    assert "Theo đơn vị và mục" in said and "Theo khoa" not in said
    assert "lượt khám" not in said and "lượt người bệnh" not in said
    assert not re.search(r"\d\s%", said) and "p = 1,000" not in said and "còn cần 0" not in said


def test_words_that_need_explaining_are_explained_where_they_stand(open_page):
    units = words_of(open_page(f"/dashboard/units?{LINK}"))
    assert "luôn đạt" in units and "vẫn có thể “chưa rõ”" in units
    overview = words_of(open_page(f"/dashboard/overview?{LINK}"))
    assert "Cảnh báo so mỗi đơn vị với mức của chính mình" in overview
    assert "trung bình trượt có trọng số giảm dần (EWMA)" in overview
    one = words_of(open_page(f"/dashboard/units?{OF_FELL}"))
    assert "Tải cả 1" not in one


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_complete_light_and_free_of_inline_code(open_page, page):
    answer = open_page(f"/dashboard/{page}?{LINK}")
    assert len(answer.content) < 200_000
    assert " style=" not in answer.text and "<style" not in answer.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    assert "onclick" not in answer.text
    assert "quý" in answer.text or "6 tháng đầu năm 2026" in answer.text
    assert re.search(rf'href="(/api/v1/views/{page}\?[^"]+)"', answer.text)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_another_system_gets_by_the_call_it_names(world, open_page, page):
    answer = open_page(f"/dashboard/{page}?{LINK}")
    call = html.unescape(re.search(rf'href="(/api/v1/views/{page}\?[^"]+)"', answer.text)[1])
    document = world.client.get(call, headers=world.person.headers).json()
    assert (document["unit"]["code"], document["period"]) == ("D1", "2026-H1")
    text = words_of(answer)
    for row in [document.get("index"), *document.get("rows", []), *document.get("factors", [])]:
        if row and row["rate"] is not None:
            assert shown(row)[0] in text


def test_the_unit_page_has_every_figure_of_the_api(open_page, view):
    text = words_of(open_page(f"/dashboard/unit?{OF_FELL}"))
    answer = view("unit", unit=FELL)
    index = answer["index"]
    limits = [WORDS.percent(index[name]).replace("\u00a0", " ") for name in ("low", "high")]
    assert f"Trong khoảng {limits[0]} đến {limits[1]} ({index['respondents']} người" in text
    for row in [*answer["factors"], *answer["items"]]:
        for written in shown(row):
            assert written in text
    assert "Phiếu này không có câu hỏi về hài lòng chung" in text
    for row in answer["lowest"]["rows"]:
        told = f"{row['factor']}. {row['name']['vi']}: {WORDS.points(row['difference'])} điểm"
        assert (told in text) == row["below"]
    (plan,) = answer["collecting"]["rows"]
    assert f"còn cần {plan['needed_to_publish']} để có 10 người" in text


def test_the_plain_sentences(open_page):
    text = words_of(open_page(f"/dashboard/overview?{LINK}"))
    assert re.search(r"Trong khoảng \d+,\d% đến \d+,\d% \([\d.]+ người trả lời\)", text)
    assert "giảm vượt quá ngẫu nhiên so với kỳ trước: Xã K01" in text
    english = (
        words_of(
            open_page(f"/dashboard/overview?{LINK}", Cookie=""),
        )
        if False
        else None
    )
    assert english is None
    text = words_of(open_page(f"/dashboard/unit?{OF_FELL}"))
    assert "Thấp hơn mức chung" in text and "vượt quá ngẫu nhiên" in text


@pytest.mark.parametrize(
    ("page", "figure"),
    [("unit", "factors"), ("unit", "items"), ("unit", "trend"),
     ("units", "league"), ("comparison", "funnel"), ("items", "items")],
)  # fmt: skip
def test_charts_are_downloaded_as_picture_and_as_figures(open_page, page, figure):
    base = f"/dashboard/charts/{page}/{figure}"
    svg = open_page(f"{base}.svg?{LINK}")
    assert svg.text.startswith("<svg") and "attachment" in svg.headers["content-disposition"]
    picture = Image.open(io.BytesIO(open_page(f"{base}.png?{LINK}").content))
    assert picture.width > 600
    lines = open_page(f"{base}.csv?{LINK}").text.splitlines()
    assert len(lines) > 2 and "period" in lines[0]
    assert "layer" in open_page(f"{base}.json?{LINK}").json()


def listed_units(answer):
    return re.findall(r'<th scope="row"><a href="/dashboard/unit\?unit=([^&"]+)', answer.text)


def test_units_are_sorted_searched_and_filtered_by_the_address(open_page, view):
    rows = view("units")["rows"]
    counts = {row["unit"]["code"]: row["respondents"] for row in rows}
    page = open_page(f"/dashboard/units?{LINK}&sort=n")
    shown = listed_units(page)
    assert sorted(shown) == sorted(counts)
    known = [counts[code] for code in shown if counts[code] is not None]
    assert known == sorted(known) and len(set(known)) > 1
    heads = dict(
        re.findall(r'<th scope="col"( aria-sort="[a-z]+")?><a href="[^"]*sort=(-?\w+)', page.text)
    )
    assert heads[' aria-sort="ascending"'] == "-n"
    below = [row["unit"]["code"] for row in rows if row["position"] == "below"]
    assert below and listed_units(open_page(f"/dashboard/units?{LINK}&standing=below")) == below
    found = open_page(f"/dashboard/units?{LINK}&find=XA+{FELL.lower()}")
    assert listed_units(found) == [FELL] and f"1 trong {len(rows)} đơn vị" in words_of(found)
    # What is downloaded is the whole all the same.
    (link,) = re.findall(r'href="(/dashboard/charts/units/league\.csv[^"]*)"', found.text)
    text = open_page(html.unescape(link)).text.lstrip("\ufeff")
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(rows)
    nobody = open_page(f"/dashboard/units?{LINK}&find=zzz")
    assert "Không đơn vị nào khớp" in words_of(nobody)


def test_a_link_is_made_whole_with_what_the_list_asks_for(open_page):
    answer = open_page("/dashboard/units?unit=D1&period=2026-H1&find=hoa&sort=-n")
    assert {"find": "hoa", "sort": "-n", "kind": "commune"}.items() <= dict(
        answer.url.params
    ).items()


def test_a_running_period_is_said_to_run_and_a_whole_one_is_not(open_page, view):
    year = str(datetime.now(Settings().zone).year)
    last = WORDS.day(date.fromisoformat(view("overview", period=year)["running_to"]))
    said = f"năm {year} (đang diễn ra, đến ngày {last})"
    page = open_page(f"/dashboard/overview?{LINK}".replace("2026-H1", year))
    assert said in words_of(page) and f"năm {year} (đang diễn ra)</option>" in page.text
    whole = open_page(f"/dashboard/overview?{LINK}")
    assert "đang diễn ra, đến ngày" not in words_of(whole)


def test_a_head_lands_on_the_last_whole_quarter_on_pages_and_on_the_wall(world, open_page):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    api = world.client.get("/api/v1/views/overview", headers=head.headers).json()
    assert api["index"]["rate"] is not None
    landed = open_page("/dashboard", person=head)
    assert landed.url.params["period"] == api["period"] == "2026-Q2"
    assert shown(api["index"])[0] in words_of(landed)
    wall = words_of(open_page(f"/wall/{FELL}", person=head))
    assert "quý 2 năm 2026" in wall and shown(api["index"])[0] in wall


def test_the_comparison_has_its_rows_once_and_the_chosen_units_first(open_page, view):
    rows = view("units")["rows"]
    last = [row["unit"]["code"] for row in rows if row["rate"] is not None][-1]
    page = open_page(f"/dashboard/comparison?{LINK}&beside={last}")
    assert listed_units(page)[0] == last and sorted(listed_units(page)) == sorted(
        row["unit"]["code"] for row in rows
    )
    # A table of the league beside that list would say the same again.
    league = re.search(r'<figure[^>]*id="league".*?</figure>', page.text, re.S)[0]
    assert "<svg" in league and "<table" not in league
    assert page.text.index('id="beside"') < page.text.index('id="funnel"')
    assert page.text.count("/league.csv?") == 1


def test_the_csv_of_a_trend_names_each_rows_own_period(open_page, view):
    page = open_page(f"/dashboard/unit?{LINK}").text
    (link,) = re.findall(r'href="(/dashboard/charts/unit/trend\.csv[^"]*)"', page)
    text = open_page(html.unescape(link)).text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    points = view("unit")["trend"]["points"]
    assert [row["period"] for row in rows] == [point["period"] for point in points]
    assert len({row["period"] for row in rows}) == len(rows) > 1
    for row in rows:
        days = periods.span(row["period"])
        assert (row["first"], row["last"]) == (str(days.first), str(days.last))
        assert row["questionnaire"] == FORM.code


def test_the_csv_of_a_chart_has_the_apis_figures(open_page, view):
    text = open_page(f"/dashboard/charts/unit/factors.csv?{LINK}").text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    for row, right in zip(rows, view("unit")["factors"], strict=True):
        assert row["factor"] == right["factor"]
        assert float(row["rate"]) == right["rate"] and float(row["low"]) == right["low"]


@pytest.mark.parametrize(
    "path",
    ["/dashboard/none", "/dashboard/charts/none/x.svg", "/dashboard/charts/unit/none.svg",
     "/charts/none.js", "/dashboard/unit?unit=none"],
)  # fmt: skip
def test_what_is_not_there(open_page, path):
    open_page(path, status=404, Accept="text/html")


def test_the_script_is_kept_for_good_and_compressed(world):
    answer = world.client.get(f"/charts/{script_name()}.js")
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert "vegaEmbed" in answer.text
    plain = world.client.get(f"/charts/{script_name()}.js", headers={"Accept-Encoding": "identity"})
    assert plain.text == answer.text


def test_somebody_sees_their_own_units_and_few_respondents_are_hidden(world, open_page):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    text = words_of(open_page("/dashboard", head))
    assert "Xã K01" in text and "Xã K02" not in text
    open_page(f"/dashboard/unit?unit=K02&questionnaire={FORM.code}&period=2026-H1", head, 404)
    of_small = world.province.person((Role.UNIT_HEAD, SMALL))
    page = f"/dashboard/unit?unit={SMALL}&questionnaire={FORM.code}&period=2025-H1"
    text = words_of(open_page(page, of_small))
    assert "quá ít nên không nêu tỷ lệ" in text and "n = –" not in text
    assert not re.search(r"\d+,\d% – ", text)


def test_a_page_that_is_refused_leads_back_to_itself(world, open_page):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    page = "/dashboard/unit?period=2026-01-05..2026-01-20"
    refused = open_page(page, head, 422, accept="text/html")
    assert "tháng" in words_of(refused)
    assert '<a class="button" href="/dashboard/unit">' in refused.text
    assert open_page("/dashboard/unit", head).status_code == 200
    # Where the address itself is wrong, no page is offered again.
    lost = open_page("/dashboard/none?period=2026", head, 404, accept="text/html")
    assert 'href="/dashboard/none"' not in lost.text and 'class="button" href="/"' in lost.text


def test_a_page_says_no_alerts_only_where_some_were_looked_for(world, open_page):
    text = words_of(open_page(f"/dashboard/overview?{OF_FELL}"))
    assert "Cảnh báo" in text and "Mức đã dịch chuyển" in text and "Ai cần giúp" not in text
    silent = "/dashboard/overview?unit=H1&questionnaire=moh-inpatient&period=2026-H1"
    text = words_of(open_page(silent))
    assert "Không có cảnh báo" not in text and "Chưa xét được cảnh báo" in text


def test_a_form_that_a_unit_does_not_use_is_not_to_be_collected(open_page):
    used = "Còn phải thu bao nhiêu phiếu"
    assert used in words_of(open_page(f"/dashboard/unit?{OF_FELL}"))
    other = f"/dashboard/unit?unit=W1&questionnaire={FORM.code}&period=2026-H1"
    assert used not in words_of(open_page(other))


def test_a_head_without_survey_points_is_told_so(world, open_page):
    head = world.province.person((Role.UNIT_HEAD, "H1"), (Role.UNIT_HEAD, "A1"))
    assert open_page("/dashboard", head).status_code == 200
    with world.province.database.writing() as session:
        unit = Unit(code="NEW", kind="commune", name_vi="Xã mới", name_en="New",
                    valid_from=date(2026, 1, 1))  # fmt: skip
        session.add(unit)
        session.flush()
        world.province.units["NEW"] = unit.id
    lonely = world.province.person((Role.UNIT_HEAD, "NEW"))
    assert "Chưa có điểm khảo sát nào" in words_of(open_page("/dashboard", lonely))


def test_reading_comments_is_logged_and_bound_to_the_right(world, open_page):
    def readings():
        with world.province.database.reading() as session:
            return session.scalar(select(func.count()).where(AuditEntry.action == "comments.read"))

    before = readings()
    page = "/dashboard/comments?unit=D1&month=2026-05"
    assert "được ghi vào nhật ký" in words_of(open_page(page))
    assert readings() == before + 1
    desk = world.province.person((Role.DESK_STAFF, "D1"))
    open_page(page, desk, 403)
    assert "/dashboard/comments" not in open_page(f"/dashboard/unit?{LINK}", desk).text
    assert readings() == before + 1


def test_a_report_is_a_button_away(world, open_page):
    page = open_page(f"/dashboard/report?{LINK}")
    assert 'action="/api/v1/reports"' in page.text
    answer = open_page(
        f"/api/v1/reports?unit=D1&questionnaire={FORM.code}&period=2026-H1&format=xlsx"
    )
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames[0] == "Tóm tắt"


def icon(kind, word):
    return f"{WORDS(f'chart.{kind}')}: {WORDS(f'chart.{word}')}"


def test_icons_tell_variation_and_assurance_in_words(open_page, view):
    page = open_page(f"/dashboard/unit?{OF_FELL}")
    limits = view("unit", unit=FELL)["trend"]["limits"]
    assert (limits["variation"], limits["assurance"]) == ("concern", "hit and miss")
    said = [icon("variation", "concern"), icon("assurance", "hit_and_miss")]
    assert icons(page, within=r'<figure[^>]* id="trend".*?</figure>') == said
    for name in ("concern", "hit_and_miss"):
        assert WORDS(f"chart.{name}") in words_of(page)


def test_icons_stand_in_the_table_only_where_limits_say_something(open_page, view):
    rows = view("units", kind="commune")["rows"]
    for row in rows:
        line = rf'<tr><th scope="row"><a href="/dashboard/unit\?unit={row["unit"]["code"]}&.*?</tr>'
        found = icons(open_page(f"/dashboard/units?{LINK}"), within=line)
        words = [
            ("variation", {"improvement": "improvement", "concern": "concern",
                           "common cause": "common_cause"}),
            ("assurance", {"consistently passing": "passing", "consistently failing": "failing",
                           "hit and miss": "hit_and_miss"}),
        ]  # fmt: skip
        assert found == [icon(kind, names[row[kind]]) for kind, names in words if row[kind]]
    assert {row["variation"] for row in rows} >= {None, "improvement", "concern"}


def test_without_limits_there_is_no_icon(open_page):
    page = open_page(f"/dashboard/unit?unit={SMALL}&questionnaire={FORM.code}&period=2026-H1")
    assert icons(page) == []


def test_of_one_unit_there_is_one_sentence_in_place_of_empty_cards(open_page):
    def cards(link):
        text = open_page(f"/dashboard/comparison?{link}").text
        return text.count("Xếp hạng kèm độ chắc chắn"), WORDS("view.nothing_to_rank") in text, text

    _, said, one = cards(OF_FELL)
    assert said and 'id="league"' not in one and 'id="casemix"' not in one
    assert "Có ít hơn hai đơn vị" not in one and not re.search(r"</h2>\s*</section>", one)
    ranked, said, many = cards(LINK)
    assert ranked and not said and 'id="league"' in many
    assert 'id="league"' not in open_page(f"/dashboard/sections?{OF_FELL}").text


def test_sections_are_searched_in_pages_and_labelled_on_a_phone(open_page, view):
    page = open_page(f"/dashboard/sections?{LINK}&find=K03")
    assert "khoảng của thay đổi là của riêng từng đơn vị" in page.text  # p is not
    assert listed_units(page) == ["K03"]
    named = [f"{row['factor']}. {row['name']['vi']}" for row in view("sections")["factors"]]
    assert " · ".join(named) in words_of(page)
    (row,) = (r for r in view("sections")["rows"] if r["unit"]["code"] == "K03")
    for section in row["sections"]:
        cell = (
            f'<span class="thin-only">{section["factor"]}</span> {WORDS.percent(section["rate"])}'
        )
        assert cell in page.text
    assert 'name="find"' in page.text and "thay đổi" in words_of(page)


def test_comments_open_with_the_last_whole_month_and_offer_others(open_page):
    page = open_page("/dashboard/comments?unit=K03")
    today = datetime.now(Settings().zone).date()
    whole = today.replace(day=1) - timedelta(days=1)
    assert dict(page.url.params) == {"unit": "K03", "month": f"{whole:%Y-%m}"}
    offered = re.findall(r'<option value="(20\d\d-\d\d)"( selected)?>', page.text)
    assert [month for month, chosen in offered if chosen] == [f"{whole:%Y-%m}"]
    assert offered[0][0] == f"{today:%Y-%m}" and len(offered) > 24
    old = open_page("/dashboard/comments?unit=K03&month=2021-02")
    assert '<option value="2021-02" selected>' in old.text
    open_page("/dashboard/comments?unit=K03&month=2026", status=422)


def test_comments_name_the_unit_and_open_with_the_month_of_the_page(world, open_page):
    page = open_page(f"/dashboard/unit?unit=K03&questionnaire={FORM.code}&period=2026-Q1")
    link = "/dashboard/comments?unit=K03&amp;month=2026-03"
    assert link in page.text
    heading = words_of(open_page(link.replace("&amp;", "&")))
    assert "Xã K03" in heading and "tháng 3 năm 2026" in heading.lower()
