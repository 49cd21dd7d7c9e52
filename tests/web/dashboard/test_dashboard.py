"""The dashboard's pages over HTTP: what they show is what the API says, and links open the same."""

import csv
import html
import io
import re
from datetime import date, datetime

import openpyxl
import pytest
from PIL import Image

from app.drawing import process
from app.drawing.process import DrawingFailed, DrawingProcess
from app.figures import periods
from app.reports.charts.drawing import script_name
from app.settings import Settings
from tests.figures.district import FELL, FORM
from tests.web.dashboard.words import LINK, OF_FELL, WORDS, shown, words_of

PAGES = ("overview", "units", "unit", "comparison", "sections", "items", "quality")


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


def test_a_running_period_is_said_to_run_and_a_whole_one_is_not(open_page, view):
    year = str(datetime.now(Settings().zone).year)
    last = WORDS.day(date.fromisoformat(view("overview", period=year)["running_to"]))
    said = f"năm {year} (đang diễn ra, đến ngày {last})"
    page = open_page(f"/dashboard/overview?{LINK}".replace("2026-H1", year))
    assert said in words_of(page) and f"năm {year} (đang diễn ra)</option>" in page.text
    whole = open_page(f"/dashboard/overview?{LINK}")
    assert "đang diễn ra, đến ngày" not in words_of(whole)


def test_the_csv_of_a_trend_names_each_rows_own_period(open_page, view):
    page = open_page(f"/dashboard/unit?{LINK}").text
    link, _ = re.findall(r'href="(/dashboard/charts/unit/trend\.csv[^"]*)"', page)
    text = open_page(html.unescape(link)).text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    points = view("unit")["trend"]["points"]
    assert [row["period"] for row in rows] == [point["period"] for point in points]
    assert len({row["period"] for row in rows}) == len(rows) > 1
    for row in rows:
        days = periods.span(row["period"])
        assert (row["first"], row["last"]) == (str(days.first), str(days.last))
        assert row["questionnaire"] == FORM.code


def test_where_the_drawing_process_fails_a_page_says_when_to_come_again(world, monkeypatch):
    class Ended(DrawingProcess):
        def draw(self, kind, **what):
            raise DrawingFailed

    # No other test asks for its charts: what was drawn is not drawn again.
    path = f"/dashboard/overview?unit=D1&questionnaire={FORM.code}&period=2026-Q1&kind=commune"
    with monkeypatch.context() as patch:
        patch.setattr(process, "DRAWING", Ended())
        for accepted, words in (("text/html", "Chưa vẽ được"), ("application/json", "retry")):
            answer = world.client.get(path, headers=world.person.headers | {"Accept": accepted})
            assert answer.status_code == 503, answer.text[:300]
            assert int(answer.headers["Retry-After"]) > 0
            assert words in answer.text
    assert world.client.get(path, headers=world.person.headers).status_code == 200


def test_the_csv_of_a_chart_has_the_apis_figures(open_page, view):
    text = open_page(f"/dashboard/charts/unit/factors.csv?{LINK}").text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    for row, right in zip(rows, view("unit")["factors"], strict=True):
        assert row["factor"] == right["factor"]
        assert float(row["rate"]) == right["rate"] and float(row["low"]) == right["low"]


def test_every_csv_is_there_for_an_excel_set_to_vietnamese(open_page):
    for name in ("unit", "units", "comparison", "items"):
        page = open_page(f"/dashboard/{name}?{LINK}").text
        links = [
            html.unescape(each) for each in re.findall(r'href="(/dashboard/charts/[^"]+)"', page)
        ]
        plain = [each for each in links if ".csv?" in each and "csv=semicolon" not in each]
        assert plain and sorted(f"{each}&csv=semicolon" for each in plain) == sorted(
            each for each in links if "csv=semicolon" in each
        )
    plain = open_page(f"/dashboard/charts/unit/factors.csv?{LINK}").text
    theirs = open_page(f"/dashboard/charts/unit/factors.csv?{LINK}&csv=semicolon").text
    one = list(csv.DictReader(io.StringIO(plain.lstrip("\ufeff"))))
    other = list(csv.DictReader(io.StringIO(theirs.lstrip("\ufeff")), delimiter=";"))
    assert [row["rate"].replace(".", ",") for row in one] == [row["rate"] for row in other]
    assert any("," in row["rate"] for row in other)


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


def test_a_report_is_a_button_away(world, open_page):
    page = open_page(f"/dashboard/report?{LINK}")
    assert 'action="/api/v1/reports"' in page.text
    for kind in ("pdf", "docx", "xlsx"):
        assert f'<button name="format" value="{kind}"' in page.text.replace('class="second" ', "")
    for field in ("number", "position", "signer"):
        assert re.search(rf'<label for="{field}">[^<]+</label>\s*<input id="{field}"', page.text)
    answer = open_page(
        f"/api/v1/reports?unit=D1&questionnaire={FORM.code}&period=2026-H1&format=xlsx"
    )
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames[0] == "Tóm tắt"
