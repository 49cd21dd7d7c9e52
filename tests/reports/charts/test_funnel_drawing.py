"""Funnels and maps: units differ by shape, not by hue alone, and have their names on paper."""

import json

import pytest

from app.reports.charts import colours, comparison_charts
from app.reports.views.results import ComparisonView
from tests.reports.charts.made_up import WORDS, answer, rows, units
from tests.results import result


def test_positions_differ_by_shape_as_well_as_by_colour():
    spec = comparison_charts.league(WORDS["vi"], answer()).spec
    found = json.dumps(spec)
    for colour, shape in zip(
        (colours.ABOVE, colours.NEITHER, colours.BELOW), ("triangle-up", "circle", "triangle-down"),
        strict=True,
    ):  # fmt: skip
        assert colour in found and shape in found


def in_funnel(*, own=None, whole=0.72):
    """All lie below the target; of the funnel's limits one is above, one below, three within."""
    places = ("above 99.8 %", "below 99.8 %", "above 95 %", "below 95 %", "inside")
    limits = {"low_95": 0.6, "high_95": 0.8, "low_998": 0.5, "high_998": 0.85}
    common = ("unit", "respondents", "suppressed")
    found = [
        {**{name: row[name] for name in common}, **limits, "position": place, "rate": 0.7,
         "low": 0.65, "high": 0.75, "effective_answers": size, "adjusted_p": 0.5, "z": 3.0}
        for row, place, size in zip(rows(5), places, (20.0, 80.0, 50.0, 50.0, 50.0), strict=True)
    ]  # fmt: skip
    curve = [{"effective_answers": size, **limits} for size in (10.0, 90.0)]
    return result(ComparisonView, {
        "period": "2026-Q3", "target": 0.9, "whole": {"rate": whole},
        "own": found[own]["unit"] if own is not None else None,
        "funnel": {"units": 5, "respondents": 60, "target": 0.7, "rows": found, "curve": curve},
    })  # fmt: skip


def funnel_layers(words, view):
    """The marks, what stands beside points, and the lines across of a funnel."""
    spec = comparison_charts.funnel(words, view).spec
    found = [
        {**layer, "values": spec["datasets"][layer["data"]["name"]]} for layer in spec["layer"]
    ]
    kinds = {"rule": [], "text": [], "point": []}
    for layer in found:
        kinds.get(layer["mark"]["type"], []).append(layer)
    return kinds


def test_a_funnel_marks_units_by_its_own_limits_and_not_by_the_target():
    words = WORDS["vi"]
    (marks,) = funnel_layers(words, in_funnel())["point"]
    within = words("funnel.not_distinguishable")
    assert [row["place"] for row in marks["values"]] == [
        words("funnel.above"), words("funnel.below"), within, within, within,
    ]  # fmt: skip
    assert words("position.below") not in json.dumps(marks, ensure_ascii=False)


def test_units_outside_a_funnel_are_named_where_there_is_room():
    texts = funnel_layers(WORDS["vi"], in_funnel())["text"]
    named = {layer["mark"]["align"]: [row["name"] for row in layer["values"]] for layer in texts}
    assert named == {"left": ["Xã 0", "Xã 2", "Xã 3"], "right": ["Xã 1"]}


@pytest.mark.parametrize("count", [6, 7])
def test_no_point_of_a_map_on_paper_is_without_name_or_number(count):
    words = WORDS["vi"]
    chart = comparison_charts.places(words, units(rows(count)))
    spec = chart.printed
    told = [
        row[layer["encoding"]["text"]["field"]]
        for layer in spec["layer"]
        if layer["mark"]["type"] == "text"
        for row in spec["datasets"][layer["data"]["name"]]
    ]
    if chart.by_number:  # those that need help by name, the others by their place in the list
        assert sorted(told) == ["2", "3", "5", "6", "Xã 0", "Xã 3", "Xã 6"]
    else:
        assert sorted(told) == [f"Xã {i}" for i in range(6)]
    assert chart.by_number == (count > 6)
    assert "number" not in json.dumps([layer["encoding"] for layer in chart.spec["layer"]])


def test_each_point_of_a_funnel_of_few_is_named_on_paper():
    chart = comparison_charts.funnel(WORDS["vi"], in_funnel())
    spec = chart.printed
    told = [
        row[layer["encoding"]["text"]["field"]]
        for layer in spec["layer"]
        if layer["mark"]["type"] == "text"
        for row in spec["datasets"][layer["data"]["name"]]
    ]
    assert sorted(told) == [f"Xã {i}" for i in range(5)] and not chart.by_number


def test_a_funnel_names_the_whole_its_middle_and_the_target():
    words = WORDS["en"]
    (across,) = funnel_layers(words, in_funnel())["rule"]
    assert {row["line"]: row["at"] for row in across["values"]} == {
        "Middle of the units, which the limits are drawn around: 70.0%": 0.7,
        "Target: 90%": 0.9,
        f"The whole, {words('view.all_units')}: 72.0%": 0.72,
    }
    low, high = across["encoding"]["y"]["scale"]["domain"]
    assert low < 0.7 and high > 0.9
    (across,) = funnel_layers(words, in_funnel(whole=None))["rule"]
    assert len(across["values"]) == 2


def test_the_callers_own_unit_is_ringed_and_named_though_it_lies_within():
    layers = funnel_layers(WORDS["vi"], in_funnel(own=4))
    _, ring = layers["point"]
    assert [row["unit_code"] for row in ring["values"]] == ["U4"]
    names = [row["name"] for layer in layers["text"] for row in layer["values"]]
    assert "Xã 4 (đơn vị của người xem)" in names
    assert len(funnel_layers(WORDS["vi"], in_funnel())["point"]) == 1


def test_the_pointer_names_a_unit_of_a_funnel_with_its_limits():
    (marks,) = funnel_layers(WORDS["vi"], in_funnel())["point"]
    row = marks["values"][0]
    found = {each["title"]: row[each["field"]] for each in marks["encoding"]["tooltip"]}
    assert found == {
        "Đơn vị": "Xã 0", "Tỷ lệ hài lòng": "70,0%",
        "Khoảng tin cậy 95%": "65,0\u00a0–\u00a075,0%", "Người trả lời": "10",
        "Giới hạn 95%": "60,0\u00a0–\u00a080,0%",
        "Giới hạn 99,8%": "50,0\u00a0–\u00a085,0%",
        "Vị trí": WORDS["vi"]("funnel.above"),
    }  # fmt: skip
