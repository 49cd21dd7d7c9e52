"""What units were called before, along renamings, mergers and divisions, before a day."""

from datetime import date

import pytest

from app.registry.former_names import former_names
from app.registry.structures import Step, UnitHistory, Units, UnitState

JULY, JANUARY = date(2025, 7, 1), date(2026, 1, 1)
START, EVE = date(2020, 1, 1), date(2025, 6, 30)


def unit(id, code, first, last, *states):
    return UnitHistory(
        id, code, first, last,
        tuple(UnitState(day, "commune", name, f"{name} en", None) for day, name in states),
    )  # fmt: skip


@pytest.fixture
def units():
    """A and B become N (under A's code), which is renamed; B is divided between N and M."""
    histories = [
        unit(1, "A", START, EVE, (START, "An Ngãi"), (date(2024, 1, 1), "An Nghĩa")),
        unit(2, "B", START, EVE, (START, "Long Điền")),
        unit(3, "A", JULY, None, (JULY, "Long Hải"), (JANUARY, "Long Hòa")),
        unit(4, "M", JULY, None, (JULY, "Đất Đỏ")),
        unit(5, "V", date(2021, 1, 1), date(2020, 12, 31), (date(2021, 1, 1), "Chưa từng có")),
    ]
    return Units(
        {each.id: each for each in histories},
        after={1: [Step(3, None)], 2: [Step(3, None), Step(4, None)], 5: [Step(3, None)]},
        before={3: [1, 2, 5], 4: [2]},
    )


def said(units, day):
    found = former_names(units, units.on(day).tree.nodes.values(), day)
    return {
        code: [(each.code, each.name("vi"), each.until) for each in names]
        for code, names in found.items()
    }


def test_names_of_today_and_of_those_that_a_unit_was_made_of_the_latest_first(units):
    assert said(units, JANUARY) == {
        "A": [
            ("A", "Long Hải", JANUARY),
            ("A", "An Nghĩa", JULY),
            ("B", "Long Điền", JULY),
            ("A", "An Ngãi", date(2024, 1, 1)),
        ],
        "M": [("B", "Long Điền", JULY)],
    }


def test_what_lies_ahead_of_a_day_is_not_said_on_it(units):
    assert said(units, EVE) == {"A": [("A", "An Ngãi", date(2024, 1, 1))]}
    assert [name for _, name, _ in said(units, JULY)["A"]] == ["An Nghĩa", "Long Điền", "An Ngãi"]


def test_a_name_written_otherwise_is_the_same_name(units):
    other = unit(6, "M", START, EVE, (START, "ĐẤT ĐỎ"))
    units = Units({**units.histories, 6: other}, units.after, {**units.before, 4: [6]})
    assert "M" not in said(units, JANUARY)
