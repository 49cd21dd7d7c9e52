"""Lists of units: searched without marks, sorted both ways with the figureless last, in parts."""

import re
from datetime import date

import pytest

from app.figures.change_results import Change
from app.figures.results import Names, UnitOut
from app.messages.words import Words
from app.registry.former_names import FormerName
from app.reports.views.results import UnitRow
from app.web.unit_list import ROWS, Against, Column, Selection, by_name, listed

WORDS = Words("vi")


def row(code, name, rate=0.9, respondents=20, change=None, position=None):
    unit = UnitOut(code=code, kind="commune", name=Names(vi=name, en=name), within=None)
    moved = None if change is None else Change.model_construct(estimate=change)
    return UnitRow.model_construct(
        unit=unit, rate=rate, respondents=respondents, position=position, change=moved
    )


ROWS_OF_UNITS = [
    row("A1", "Xã Hòa Hội", 0.95, 53, 0.012, "above"),
    row("A2", "Xã Đất Đỏ", 0.80, 11, -0.05, "below"),
    row("A3", "Phường Phước Hoà", 0.90, 5, None, "not_distinguishable"),
    row("A4", "Xã Im Lặng", None, 0, None, None),
    row("A5", "Phường 10", 0.85, 30, 0.03, "not_distinguishable"),
    row("A6", "Phường 9", 0.86, 31, 0.0, "not_distinguishable"),
]


def codes(**fields):
    first = fields.pop("first", ())
    shown = listed(
        WORDS, ROWS_OF_UNITS, Selection(**fields), path="/list", about={"unit": "D1"}, first=first
    )
    return [each.unit.code for each in shown.rows]


@pytest.mark.parametrize(
    ("typed", "found"),
    [("hoa", ["A1", "A3"]), ("HÒA", ["A1", "A3"]), ("dat do", ["A2"]), ("đat", ["A2"]),
     ("a5", ["A5"]), ("  phuoc   hoa ", ["A3"]), ("không có", [])],
)  # fmt: skip
def test_a_unit_is_found_by_letters_without_their_marks(typed, found):
    assert codes(find=typed) == found


@pytest.mark.parametrize("typed", ["b'lao", "B’Lao", "bà rịa - b", "Bà Rịa–B", "ba ria – b'lao"])
def test_a_unit_is_found_whichever_apostrophe_or_dash_is_typed(typed):
    rows = [row("B1", "Phường Bà Rịa – B’Lao"), row("B2", "Phường Bà Rịa")]
    shown = listed(WORDS, rows, Selection(find=typed), path="/list", about={})
    assert [each.unit.code for each in shown.rows] == ["B1"]


@pytest.mark.parametrize(
    ("column", "down", "order"),
    [
        (Column.RATE, True, ["A1", "A3", "A6", "A5", "A2", "A4"]),
        (Column.RATE, False, ["A2", "A5", "A6", "A3", "A1", "A4"]),
        (Column.RESPONDENTS, True, ["A1", "A6", "A5", "A2", "A3", "A4"]),
        (Column.CHANGE, True, ["A5", "A1", "A6", "A2", "A3", "A4"]),
        (Column.CHANGE, False, ["A2", "A6", "A1", "A5", "A3", "A4"]),
        (Column.NAME, False, ["A6", "A5", "A3", "A2", "A1", "A4"]),
    ],
)
def test_units_are_sorted_and_those_without_a_figure_come_last(column, down, order):
    assert codes(column=column, down=down) == order


def test_only_those_on_one_side_of_the_target_are_listed():
    assert codes(against=Against.BELOW) == ["A2"]
    assert codes(against=Against.NEITHER) == ["A3", "A6", "A5"]


def test_chosen_units_stand_first():
    assert codes(first=("A2", "A5"))[:3] == ["A5", "A2", "A1"]


def test_a_list_is_cut_into_parts_that_lead_to_one_another():
    many = [row(f"U{n:03}", f"Xã {n}", 0.5 + n / 1000) for n in range(2 * ROWS + 7)]
    about = {"unit": "D1", "beside": ("X", "Y"), "kind": None}
    chosen = Selection(find="xa", page=2)
    shown = listed(WORDS, many, chosen, path="/list", about=about)
    assert (shown.found, shown.whole, shown.pages, len(shown.rows)) == (107, 107, 3, ROWS)
    assert shown.part(3) == "/list?unit=D1&beside=X&beside=Y&find=xa&sort=-rate&page=3"
    # Another order begins at its first part; the same heading turns the order round.
    assert shown.heading(Column.RATE).endswith("find=xa&sort=rate")
    assert shown.heading(Column.NAME).endswith("find=xa&sort=name")
    assert shown.sorted_by(Column.RATE) == "descending" and shown.sorted_by(Column.NAME) is None
    last = listed(WORDS, many, Selection(page=99), path="/list", about=about)
    assert last.page == 3 and len(last.rows) == 7 and list(last.near) == [1, 2, 3]
    assert ("beside", "Y") in shown.hidden and "kind" not in dict(shown.hidden)
    seen = [
        each.unit.code
        for page in (1, 2, 3)
        for each in listed(WORDS, many, Selection(page=page), path="/list", about=about).rows
    ]
    assert sorted(seen) == sorted(each.unit.code for each in many)


def test_a_list_may_be_by_name_until_another_order_is_asked_for():
    assert by_name(Selection(), "").sort == "name"
    assert by_name(Selection(), "-rate").sort == "-rate"


def test_every_order_has_a_name():
    shown = listed(WORDS, [], Selection(), path="/list", about={})
    for language in ("vi", "en"):
        for order in shown.orders:
            assert re.search(r"\w", Words(language)(f"sort.{order}"))


FORMER = {
    "A2": [
        FormerName("26680", "Thị trấn Long Điền", "Long Dien", date(2025, 7, 1)),
        FormerName("26683", "Xã An Ngãi", "An Ngai", date(2025, 7, 1)),
        FormerName("26683", "Xã An Nghĩa", "An Nghia", date(2024, 1, 1)),
    ],
    "A1": [FormerName("A0", "Xã Hội Cũ", "Old", date(2025, 7, 1))],
}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("long dien", {"A2": "trước 01/07/2025: Thị trấn Long Điền (26680)"}),
        ("26683", {"A2": "trước 01/07/2025: Xã An Ngãi (26683); "
                         "trước 01/01/2024: Xã An Nghĩa (26683)"}),
        ("hoi", {"A1": None}),
        ("long", {"A2": "trước 01/07/2025: Thị trấn Long Điền (26680)", "A7": None}),
        ("xa an long", {}),
    ],
)  # fmt: skip
def test_a_unit_is_found_by_what_it_was_called_before(typed, found):
    """And that is said where its name of today does not say why it was found."""
    rows = [*ROWS_OF_UNITS, row("A7", "Xã Long Sơn")] if "A7" in found else ROWS_OF_UNITS
    shown = listed(
        WORDS, rows, Selection(find=typed), path="/list", about={}, former=FORMER
    )  # fmt: skip
    assert {each.unit.code for each in shown.rows} == set(found)
    assert shown.former == {code: said for code, said in found.items() if said}
