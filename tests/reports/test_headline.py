"""Which rate of a parent stands first: in the API, on pages and in files, against a recount."""

import io

import openpyxl
import pypdfium2 as pdfium
import pytest

from app.access.roles import Role
from app.messages.words import Words
from tests.figures.mixed import FORM, mixed, serve, sums

SERVED = {"C1": 3000, "C2": 1000}
ASKED = {"questionnaire": FORM, "period": "2026-Q3"}


world = mixed(lambda session, province: serve(session, SERVED))


@pytest.fixture
def headline(world):
    client, province = world

    def ask(unit, **more):
        answer = client.get(
            "/api/v1/views/overview",
            params=ASKED | {"unit": unit} | more,
            headers=province.reader(),
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["index"]

    return ask


def by_hand():
    """Each commune's rate, weighted by what it serves."""
    rate = {unit: sums(unit, 1)[0] / sums(unit, 1)[1] for unit in SERVED}
    return sum(SERVED[unit] * rate[unit] for unit in SERVED) / sum(SERVED.values())


def test_where_all_volumes_are_known_the_rate_is_by_volume(world, headline):
    client, province = world
    index = headline("D1")
    first = index["headline"]
    assert first["weighting"] == "by_volume" and first["missing_volumes"] == []
    assert first["estimate"] == pytest.approx(by_hand())
    assert first["cases"] == 750 * 4 and first["covered"] == 1
    # The pooled rate is another one, and stands beside it.
    a, m = (sum(sums(unit, 1)[i] for unit in SERVED) for i in (0, 1))
    assert index["rate"] == pytest.approx(a / m) and abs(a / m - by_hand()) > 0.01
    stratified = client.get(
        "/api/v1/satisfaction/stratified",
        params={"unit": "D1", "questionnaire": FORM, "from": "2026-07-01", "to": "2026-09-30"},
        headers=province.reader(),
    ).json()["rows"][0]["stratified"]
    assert [first["low"], first["high"]] == [stratified["low"], stratified["high"]]


def test_where_some_are_not_known_it_is_pooled_and_they_are_named(headline):
    index = headline("77")
    first = index["headline"]
    assert first["weighting"] == "pooled" and first["estimate"] == index["rate"]
    assert [unit["code"] for unit in first["missing_volumes"]] == ["A1"]
    # Of the quarter before nothing is known of any.
    before = headline("D1", period="2026-Q2")["headline"]
    assert {unit["code"] for unit in before["missing_volumes"]} == {"C1", "C2"}
    assert headline("C1")["headline"]["weighting"] == "one_unit"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_say_whose_rate_it_is(world, headline, language):
    client, province = world
    person = province.person((Role.PROVINCIAL_ANALYST, None))
    headers = {"Cookie": f"{person.headers['Cookie']}; language={language}"}
    words = Words(language, served="cases")

    def page(unit):
        asked = ASKED | {"unit": unit, "kind": "commune"}
        answer = client.get("/dashboard/overview", params=asked, headers=headers)
        assert answer.status_code == 200
        return answer.text

    index = headline("D1")
    shown = page("D1")
    assert f">{words.percent(index['headline']['estimate'])}</p>" in shown
    assert words("tell.by_volume", cases="3", rate="", interval="").split("3")[0] in shown
    assert words.percent(index["rate"]) in shown
    headline_ = words.percent(index["headline"]["estimate"])
    assert words("tell.by_volume_published", headline=headline_) in shown
    pooled = page("77")
    assert (
        words("tell.pooled") in pooled
        and words("tell.volumes_missing", n=1, units="").split(":")[0] in pooled
    )


def test_files_say_it_too(world, headline):
    client, province = world
    first, words = headline("D1")["headline"], Words("vi", served="cases")
    asked = ASKED | {"unit": "D1"}
    book = client.get(
        "/api/v1/reports", params=asked | {"format": "xlsx"}, headers=province.public_reader()
    )
    assert book.status_code == 200, book.text
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0]
    cells = {row[0].value: row[1].value for row in sheet.iter_rows(max_col=2)}
    assert cells[words("tell.rate_by_volume")] == pytest.approx(first["estimate"])
    assert cells[words("tell.rate_pooled")] == pytest.approx(headline("D1")["rate"])
    file = client.get("/api/v1/reports", params=asked, headers=province.public_reader())
    text = "".join(
        page.get_textpage().get_text_range() for page in pdfium.PdfDocument(file.content)
    )
    text = " ".join(text.split())
    assert words("tell.rate_by_volume") in text
    published = words("tell.by_volume_published", headline=words.percent(first["estimate"]))
    assert any(published in str(row[1].value) for row in sheet.iter_rows(max_col=2))
    assert published in text
    assert words.percent(first["estimate"]).replace("\N{NO-BREAK SPACE}", " ") in text.replace(
        "\N{NO-BREAK SPACE}", " "
    )
