"""The dashboard's lists of units: sorted, searched, and with icons that say what they mean."""

import csv
import html
import io
import re

from tests.figures.district import FELL, FORM, SMALL
from tests.web.dashboard.words import LINK, OF_FELL, WORDS, words_of


def icons(answer, *, within=""):
    """What the icons of a page say to those who do not see them."""
    text = answer.text
    if within:
        text = re.search(within, text, flags=re.S)[0]
    found = re.findall(r'<svg class="icon [^>]*role="img" aria-label="([^"]+)"', text)
    return [html.unescape(each) for each in found]


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
    link, _ = re.findall(r'href="(/dashboard/charts/units/league\.csv[^"]*)"', found.text)
    text = open_page(html.unescape(link)).text.lstrip("\ufeff")
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(rows)
    nobody = open_page(f"/dashboard/units?{LINK}&find=zzz")
    assert "Không đơn vị nào khớp" in words_of(nobody)


def test_a_link_is_made_whole_with_what_the_list_asks_for(open_page):
    answer = open_page("/dashboard/units?unit=D1&period=2026-H1&find=hoa&sort=-n")
    assert {"find": "hoa", "sort": "-n", "kind": "commune"}.items() <= dict(
        answer.url.params
    ).items()


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
    assert page.text.count("/league.csv?") == 2, "for every spreadsheet, and for a Vietnamese Excel"


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
