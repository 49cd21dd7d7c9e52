"""What is told of one unit is told of all at once: by one family, whoever asks, on every page."""

import csv
import io
import re

import openpyxl
import pypdfium2 as pdfium
import pytest
from statsmodels.stats.multitest import multipletests

from app.access.roles import Role
from app.messages.words import Words
from tests.figures.district import COMMUNES, FORM, SMALL, standing

TARGET = 0.77
PERIOD = "2026-H1"
#: Of 2025 all sixteen communes have answers, and everybody may see but fifteen of them.
WITH_SMALL = "2025-H1"
WORDS = Words("vi")


@pytest.fixture(scope="module")
def world(templates, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("families")
    settings = {"target_rate": TARGET, "public_page": True, "public_period": "quarter"}
    with standing("sqlite", templates, postgres, folder, **settings) as world:
        yield world


@pytest.fixture(scope="module")
def view(world):
    """What a view answers; as nothing is sent meanwhile, each question is put once."""
    answers = {}

    def ask(name, **changed):
        question = {"headers": world.public, "period": PERIOD} | changed
        key = f"{name} {sorted(question.items())}"
        if key not in answers:
            answers[key] = world.view(name, **question)
        return answers[key]

    return ask


def by_code(rows):
    return {row["unit"]["code"]: row for row in rows}


def adjusted_by_hand(p, unseen):
    """Holm's adjusted p as statsmodels has it, ones in the place of what may not be seen."""
    return multipletests([*p, *[1.0] * unseen], method="holm")[1][: len(p)]


def test_the_call_is_holms_over_all_units_of_the_kind(view):
    for period, unseen in ((PERIOD, 0), (WITH_SMALL, 2)):
        rows = [row for row in view("units", period=period)["rows"] if row["rate"] is not None]
        adjusted = adjusted_by_hand([row["target_p"] for row in rows], unseen)
        for row, p in zip(rows, adjusted, strict=True):
            assert row["target_adjusted_p"] == pytest.approx(p)
            assert row["judged_together"] == len(rows) + unseen
            side = "above" if row["rate"] > TARGET else "below"
            assert row["position"] == (side if p <= 0.05 else "not_distinguishable")
            alone = side if row["low"] > TARGET or row["high"] < TARGET else "not_distinguishable"
            assert row["interval_position"] == alone
        # The two are not the same of all, or nothing would be tested.
        if period == WITH_SMALL:
            assert any(row["position"] != row["interval_position"] for row in rows)


def test_a_change_is_more_than_chance_among_all_units_of_the_kind(view):
    rows = [row for row in view("units")["rows"] if row["change"] and row["change"]["p"]]
    rejected, adjusted, *_ = multipletests([row["change"]["p"] for row in rows], method="fdr_bh")
    for row, p, discovery in zip(rows, adjusted, rejected, strict=True):
        assert row["change"]["adjusted_p"] == pytest.approx(p)
        assert row["change"]["discovery"] == discovery
        previous = view("unit", unit=row["unit"]["code"])["index"]["previous"]
        assert previous["adjusted_p"] == pytest.approx(p)
        assert (previous["discovery"], previous["judged_together"]) == (discovery, len(rows))
    assert 0 < sum(rejected) < len(rows)


def test_what_few_said_follows_from_nobodys_call(view, world):
    """K16 has four respondents: an analyst sees its call, and all others' as a stranger does."""
    public = by_code(view("units", period=WITH_SMALL)["rows"])
    analyst = by_code(view("units", period=WITH_SMALL, headers=world.analyst)["rows"])
    names = ("position", "target_adjusted_p", "judged_together")
    hidden = [code for code in COMMUNES if public[code]["suppressed"]]
    assert SMALL in hidden and len(hidden) > 1
    for code in COMMUNES:
        if code not in hidden:
            assert [public[code][n] for n in names] == [analyst[code][n] for n in names]
            continue
        assert public[code]["position"] is public[code]["target_p"] is None
        own = analyst[code]
        # By how many there are alone: whoever sees it learns nothing of the others either.
        assert own["target_adjusted_p"] == pytest.approx(min(1.0, 16 * own["target_p"]))
        shown = view("unit", unit=code, period=WITH_SMALL, headers=world.analyst)["index"]
        assert [shown[n] for n in names] == [own[n] for n in names]


def test_of_days_that_nobody_may_be_told_of_the_number_of_units_is_all_that_counts(view, world):
    days = "2026-01-01..2026-05-20"
    shown = by_code(view("units", period=days, headers=world.analyst)["rows"])["K04"]
    # Communes with a survey point of the form, also those where nobody answered yet.
    assert shown["judged_together"] == len(COMMUNES) + 2
    assert shown["target_adjusted_p"] == pytest.approx(min(1.0, 18 * shown["target_p"]))
    assert shown["change"]["adjusted_p"] == pytest.approx(min(1.0, 18 * shown["change"]["p"]))


def test_where_nobody_else_may_ask_for_the_days_before_the_number_of_units_counts(view, world):
    """Nine months have no period of the calendar before them."""
    months = {"period": "2026-9M", "headers": world.analyst}
    shown = by_code(view("units", **months)["rows"])["K04"]
    assert shown["judged_together"] != len(COMMUNES) + 2 and shown["position"]
    previous = view("unit", unit="K04", **months)["index"]["previous"]
    assert previous["first"] == "2025-04-01" and previous["judged_together"] == len(COMMUNES) + 2
    for change in (previous, shown["change"]):
        assert change["adjusted_p"] == pytest.approx(min(1.0, 18 * change["p"]))


def test_sections_and_a_units_factors_are_one_family(view):
    rows = view("sections", period=WITH_SMALL)["rows"]
    cells = [cell for row in rows for cell in row["sections"] if cell["rate"] is not None]
    unseen = 2 * len(rows[0]["sections"])
    for cell, p in zip(
        cells, adjusted_by_hand([c["target_p"] for c in cells], unseen), strict=True
    ):
        assert cell["target_adjusted_p"] == pytest.approx(p)
        assert cell["judged_together"] == len(cells) + unseen
    assert any(c["position"] != c["interval_position"] for c in cells)
    for row in rows:
        factors = view("unit", unit=row["unit"]["code"], period=WITH_SMALL)["factors"]
        assert [f["position"] for f in factors] == [c["position"] for c in row["sections"]]


def test_items_are_judged_with_the_units_own(view):
    items = view("items", unit="K07", period="2026-Q1")["items"]
    adjusted = adjusted_by_hand([item["target_p"] for item in items], 0)
    assert [item["target_adjusted_p"] for item in items] == pytest.approx(adjusted.tolist())
    assert {item["judged_together"] for item in items} == {len(items)}


def pdf_text(content):
    document = pdfium.PdfDocument(content)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(text.replace("\u00a0", " ").split())


def page_text(answer):
    text = re.sub(r"<(script|style|svg).*?</\1>", " ", answer.text, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\u00a0", " ").split())


#: In the first quarter of 2026: one that is surely above, one whose own interval alone is, one of
#: which nothing is known, and one that is surely below.
WARDS = {"K12": "above", "K04": "not_distinguishable", "K07": "not_distinguishable", "K01": "below"}


def test_one_unit_has_one_answer_everywhere(view, world):
    """On all pages, in the interface, the files and on the public page, whoever asks."""
    period = "2026-Q1"
    link = f"questionnaire={FORM.code}&period={period}"
    staff = world.province.person((Role.PROVINCIAL_ANALYST, None)).headers

    def page(path, headers=staff):
        answer = world.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text[:500]
        return answer

    def report(unit, kind):
        asked = {"unit": unit, "questionnaire": FORM.code, "period": period, "format": kind}
        answer = world.client.get("/api/v1/reports", params=asked, headers=world.analyst)
        assert answer.status_code == 200, answer.text
        return answer.content

    # Each account is an entry of the audit log, after which figures are computed anew.
    heads = {code: world.province.person((Role.UNIT_HEAD, code)).headers for code in WARDS}
    units = by_code(view("units", period=period)["rows"])
    assert {code: units[code]["position"] for code in WARDS} == WARDS
    assert units["K04"]["interval_position"] == "above"
    annex = pdf_text(report("D1", "pdf"))
    sheet = openpyxl.load_workbook(io.BytesIO(report("D1", "xlsx")))["Đơn vị"]
    heading, *lines = sheet.iter_rows(values_only=True)
    lines = {line[0]: dict(zip(heading, line, strict=True)) for line in lines}
    public = page(f"/public?{link}&kind=commune", headers={}).text
    charts = [
        by_text(page(f"/dashboard/charts/{name}/league.csv?{link}&unit=D1&kind=commune"))
        for name in ("units", "comparison")
    ]
    for code, call in WARDS.items():
        head = heads[code]
        mark = f'<span class="mark {call}">'
        for headers in (world.public, world.analyst):
            for unit in ("D1", "77"):
                asked = {"unit": unit, "period": period, "kind": "commune", "headers": headers}
                assert by_code(view("units", **asked)["rows"])[code]["position"] == call
                assert by_code(view("sections", **asked)["rows"])[code]["position"] == call
                league = view("comparison", **asked)["league"]
                assert by_code(league["rows"])[code]["position"] == call
                standing_ = view("overview", **asked)["standing"]
                assert [standing_[name] for name in ("above", "below")] == [
                    league["above"], league["below"],
                ]  # fmt: skip
        for headers in (world.public, world.analyst, head):
            index = view("unit", unit=code, period=period, headers=headers)["index"]
            assert index["position"] == call
            assert index["target_adjusted_p"] == units[code]["target_adjusted_p"]
        for headers in (staff, head):
            told = page(f"/dashboard/unit?{link}&unit={code}", headers)
            assert f'class="rate {call}"' in told.text
            assert sentence(call, units[code]) in page_text(told)
        for name in ("units", "comparison"):
            table = page(f"/dashboard/{name}?{link}&unit=D1&kind=commune").text
            (row,) = re.findall(rf"unit={code}[&\"].*?</tr>", table, re.S)[-1:]
            assert mark in row
        (row,) = re.findall(rf"<th scope=\"row\">Xã {code}</th>.*?</tr>", public, re.S)
        assert mark in row
        for chart in charts:
            assert chart[code]["position"] == call
        assert lines[code]["So với mục tiêu"] == WORDS(f"position.{call}")
        (placed,) = re.findall(rf"{code} Xã {code} \S+ [\d,]+% \S+ – \S+% \d+ (\S+(?: rõ)?)", annex)
        assert placed == WORDS(f"standing.{call}")
        changed = by_code(view("sections", period=period)["rows"])[code]["change"]
        assert changed == units[code]["change"]
        assert (
            view("unit", unit=code, period=period)["index"]["previous"]["discovery"]
            == (changed["discovery"])
        )
        if code == "K12":  # reports take long, and say what the page says
            continue
        assert sentence(call, units[code]) in pdf_text(report(code, "pdf"))
        summary = openpyxl.load_workbook(io.BytesIO(report(code, "xlsx")))["Tóm tắt"]
        summary = " ".join(str(cell) for line in summary.values for cell in line if cell)
        assert sentence(call, units[code]) in summary.replace("\u00a0", " ")


def by_text(answer):
    return {
        row["unit_code"]: row for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    }


def sentence(call, row):
    """What is said of a unit's index and the target."""
    if call != "not_distinguishable":
        return f"Chắc chắn {'trên' if call == 'above' else 'dưới'} mục tiêu 77%."
    if row["interval_position"] == "above":
        together = row["judged_together"]
        return (
            "Khoảng tin cậy riêng nằm hẳn trên mục tiêu 77%, nhưng xét cùng "
            f"{together} đơn vị thì chưa chắc."
        )
    return "Chưa phân biệt được với mục tiêu 77%."
