"""Charts are drawn on the server as pages and papers need them, and differ by shape, not by hue.

Past 400 lines because every chart is drawn for the same papers and looked at alike.
"""

import json
import re
from datetime import date, datetime

import pytest

from app.figures.trend_results import ControlLimits, NhsRule, Rule, Variation
from app.messages.words import Words
from app.reports.charts import colours, comparison_charts, drawing, trend_chart, unit_charts
from app.reports.views.results import ComparisonView, Units, UnitView
from tests.results import result

WORDS = {language: Words(language) for language in ("vi", "en")}


def rows(count, target=0.9):
    """Units of which a third lies below the target, a third above it."""
    found = []
    for i in range(count):
        middle = (0.8, 0.9, 0.97)[i % 3]
        found.append(
            {
                "unit": {
                    "code": f"U{i}", "kind": "commune", "name": {"vi": f"Xã {i}", "en": f"C {i}"},
                    "within": None,
                },
                "rate": middle, "low": middle - 0.02, "high": min(1.0, middle + 0.02),
                "respondents": 10 + i, "suppressed": False, "latitude": 10 + i / 50,
                "longitude": 107 + i / 70, "rank_low_simultaneous": 1,
                "rank_high_simultaneous": count, "change": None,
                "position": ("below", "not_distinguishable", "above")[i % 3],
            }
        )  # fmt: skip
    return found


def units(found):
    fields = {"period": "2026-Q3", "target": 0.9, "respondents": 500, "rows": found}
    return result(Units, fields)


def answer(count=9):
    return units(rows(count))


@pytest.mark.parametrize("language", WORDS)
def test_a_chart_needs_no_inline_style_and_no_script(language):
    svg = drawing.svg(comparison_charts.league(WORDS[language], answer()).spec, language)
    assert svg.startswith("<svg")
    assert "style=" not in svg and "<style" not in svg and "<script" not in svg


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


def point(period, *, rate=0.9, target=0.9, variation=None, signals=(), part_of=()):
    limits = {"centre": 0.85, "limit_low": 0.7, "limit_high": 1.0} if variation else {}
    return {
        "period": period, "target": target, "rate": rate, "low": 0.8, "high": 0.95,
        "respondents": 1020, **limits,
        "variation": variation and Variation(variation), "signals": list(map(Rule, signals)),
        "part_of": list(map(Rule, part_of)),
    }  # fmt: skip


def trend_of(points, *, starts=("2025-01",), target=0.9, noted=()):
    segments = [
        {"start": start, "baseline_first": start, "rests_on": 12, "left_out": []}
        for start in starts
    ]
    limits = {"segments": segments, "least_periods": 12, "periods_judged": 0}
    return result(UnitView, {
        "target": target,
        "trend": {
            "step": "month", "limits": limits, "points": points,
            "action_notes": [
                {"day": day, "text": text, "recorded_by": "Lê"} for day, text in noted
            ],
        },
    })  # fmt: skip


def layers(words, view):
    """The layers of a trend: runs, lines, intervals, the line of rates, marks."""
    spec = trend_chart.trend(words, view).spec
    found = spec["datasets"]
    return [{**layer, "values": found[layer["data"]["name"]]} for layer in spec["layer"]]


def values(layer):
    return layer["values"]


MONTHS = [f"2025-{month:02}" for month in range(1, 13)]
EIGHT = "8 in a row on one side"


def test_points_differ_by_direction_in_colour_and_in_shape():
    words = WORDS["vi"]
    what = [None, "common cause", "improvement", "concern"]
    view = trend_of([point(m, variation=v) for m, v in zip(MONTHS, what, strict=False)])
    marks = layers(words, view)[-1]
    keys = ("unjudged", "common_cause", "improvement", "concern")
    assert [row["kind"] for row in values(marks)] == [words(f"chart.{key}") for key in keys]
    looks = {}
    for channel in ("color", "shape"):
        scale = marks["encoding"][channel]["scale"]
        for name, value in zip(scale["domain"], scale["range"], strict=True):
            looks.setdefault(name, []).append(value)
    assert looks[words("chart.improvement")] == [colours.ABOVE, "triangle-up"]
    assert looks[words("chart.concern")] == [colours.BELOW, "triangle-down"]
    assert looks[words("chart.common_cause")] == [colours.NEITHER, "circle"]
    assert len({shape for _, shape in looks.values()}) == 4


def test_a_period_without_limits_is_not_said_to_lie_within_them():
    words = WORDS["vi"]
    unjudged = words("chart.unjudged")
    for points, named in (
        ([point("2025-01")], [unjudged]),
        ([point("2025-01"), point("2025-02", variation="common cause")], None),
        ([point("2025-02", variation="common cause")], None),
    ):
        marks = layers(words, trend_of(points))[-1]
        domain = marks["encoding"]["color"]["scale"]["domain"]
        assert named is None or domain == named
        assert (unjudged in domain) == any(row["kind"] == unjudged for row in values(marks))
        assert (words("chart.concern") in domain) == (len(domain) > 1)


def test_all_points_of_a_run_are_highlighted_and_a_gap_breaks_none():
    run = {"variation": "concern", "part_of": [EIGHT]}
    points = [
        point(MONTHS[0], variation="common cause"),
        *[point(m, **run) for m in MONTHS[1:4]],
        point(MONTHS[4], rate=None, part_of=[]),
        *[point(m, **run) for m in MONTHS[5:8]],
        point(MONTHS[8], **run, signals=[EIGHT]),
        point(MONTHS[9], variation="improvement", part_of=["ewma"]),
    ]
    runs = values(layers(WORDS["vi"], trend_of(points))[0])
    assert [row["period"] for row in runs] == [*MONTHS[1:4], *MONTHS[5:10]]
    assert len({row["run"] for row in runs}) == 2
    assert runs[-1]["run"] != runs[-2]["run"]


def test_centre_and_limits_are_drawn_and_begin_anew_with_a_segment():
    words = WORDS["en"]
    points = [point(m, variation="common cause") for m in MONTHS]
    lines = layers(words, trend_of(points, starts=(MONTHS[0], MONTHS[6])))[1]
    named = {row["line"]: set() for row in values(lines)}
    for row in values(lines):
        named[row["line"]].add(row["part"])
    assert {name: len(parts) for name, parts in named.items()} == {
        words("chart.centre"): 2, words("chart.limits"): 4, words("chart.target"): 1,
    }  # fmt: skip
    assert lines["encoding"]["strokeDash"]["scale"]["domain"] == list(named)
    at = {row["at"] for row in values(lines) if row["line"] == words("chart.centre")}
    assert at == {0.85}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("vi", {
            "Kỳ": "tháng 2 năm 2025", "Tỷ lệ hài lòng": "90,0%",
            "Khoảng tin cậy 95%": "80,0\u00a0–\u00a095,0%", "Người trả lời": "1.020",
            "Đường giữa": "85,0%", "Giới hạn kiểm soát": "70,0\u00a0–\u00a0100,0%",
            "Mục tiêu": "90,0%", "Loại biến động": "đáng lo",
            "Dấu hiệu": "ngoài giới hạn 3 sigma; "
            "thuộc chuỗi kỳ: 8 kỳ liên tiếp ở cùng một phía của đường giữa",
        }),
        ("en", {
            "Period": "February 2025", "Rate of satisfaction": "90.0%",
            "95% confidence interval": "80.0\u00a0–\u00a095.0%", "Respondents": "1,020",
            "Centre line": "85.0%", "Control limits": "70.0\u00a0–\u00a0100.0%",
            "Target": "90.0%", "Variation": "concern",
            "Signals": "beyond the limits of 3 sigma; "
            "part of a run: 8 periods in a row on one side of the centre line",
        }),
    ],
)  # fmt: skip
def test_the_pointer_is_told_the_period_its_limits_and_its_rules_in_words(language, said):
    told = point("2025-02", variation="concern", signals=["beyond 3 sigma"], part_of=[EIGHT])
    marks = layers(WORDS[language], trend_of([told]))[-1]
    (row,) = values(marks)
    found = {each["title"]: row[each["field"]] for each in marks["encoding"]["tooltip"]}
    assert found == said


def test_a_target_that_changes_is_drawn_in_steps():
    words = WORDS["vi"]
    points = [
        point(m, variation="common cause", target=t)
        for m, t in zip(MONTHS, (0.85, 0.85, 0.92), strict=False)
    ]
    lines, marks = layers(words, trend_of(points))[1], layers(words, trend_of(points))[-1]
    drawn = [row["at"] for row in values(lines) if row["line"] == words("chart.target")]
    assert drawn == [0.85, 0.85, 0.92] and lines["mark"]["interpolate"] == "step"
    assert [row["target_told"] for row in values(marks)][1:] == ["85,0%", "92,0%"]


def test_what_was_done_is_a_dotted_line_with_its_number_and_a_list():
    points = [point(m, variation="common cause") for m in MONTHS[:4]]
    noted = [(date(2025, 1, 9), "Mở quầy 3"), (date(2025, 3, 1), "Đào tạo"),
             (date(2025, 3, 30), "Sửa nhà")]  # fmt: skip
    view = trend_of(points, noted=noted)
    lines, numbers = layers(WORDS["vi"], view)[:2]
    assert lines["mark"]["type"] == "rule" and lines["mark"]["strokeDash"] == [1, 3]
    assert values(lines) == values(numbers) == [
        {"label": "01/2025", "numbers": "1"}, {"label": "03/2025", "numbers": "2, 3"},
    ]  # fmt: skip
    assert numbers["encoding"]["text"]["field"] == "numbers"
    chart = trend_chart.trend(WORDS["vi"], view)
    assert chart.numbered[0] == "09/01/2025: Mở quầy 3 (Lê ghi)" and len(chart.numbered) == 3
    assert ">2, 3</text>" in drawing.svg(chart.spec, "vi")
    assert layers(WORDS["vi"], trend_of(points))[0]["mark"]["type"] == "line"


def test_every_rule_has_its_name():
    for words in WORDS.values():
        names = [trend_chart.signal(words, rule) for rule in (*Rule, *NhsRule)]
        assert len(set(names)) == len(names)


def test_a_trend_of_one_period_and_one_without_limits_are_drawn():
    for count, variation in ((1, None), (1, "concern"), (3, None)):
        points = [point(m, variation=variation) for m in MONTHS[:count]]
        chart = trend_chart.trend(WORDS["vi"], trend_of(points))
        assert drawing.svg(chart.spec, "vi").startswith("<svg")


def segment(start, *, count, decided=False, last=None):
    by = {"decided_by": "Lê", "decided_at": datetime(2026, 11, 28), "reason": "mới"}
    return {
        "start": start, "baseline_first": start, "baseline_last": last, "rests_on": count,
        "decision": by if decided else None, "left_out": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        ([segment("2025-01", count=13)],
         ["mọi kỳ trước kỳ được xét: 13 kỳ đối với kỳ cuối, ít nhất 12 kỳ."]),
        ([segment("2025-01", count=0)], ["Chưa có giới hạn kiểm soát: cần 12 kỳ"]),
        # What the first limits rest on is told of the time before the decision only.
        ([segment("2025-01", count=13), segment("2026-01", count=12, decided=True, last="2026-12")],
         ["Trước tháng 1 năm 2026, giới hạn kiểm soát dựa trên mọi kỳ trước kỳ được xét, ít nhất",
          "Từ tháng 1 năm 2026, giới hạn kiểm soát dựa trên", "Lê quyết định"]),
        ([segment("2025-01", count=0), segment("2025-06", count=0, decided=True)],
         ["Trước tháng 6 năm 2025 chưa có giới hạn kiểm soát",
          "Từ tháng 6 năm 2025 chưa có giới hạn kiểm soát", "Lê quyết định"]),
    ],
)  # fmt: skip
def test_what_limits_rest_on_is_told_without_contradiction(segments, said):
    about = {
        "variation": None, "assurance": None, "target": 0.9, "segments": segments,
        "least_periods": 12, "periods_judged": 0, "false_marks": None,
    }  # fmt: skip
    found = trend_chart.limits(WORDS["vi"], result(ControlLimits, about))
    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


def test_nothing_is_drawn_where_nothing_has_a_figure():
    unknown = {"factor": "A", "name": {"vi": "A", "en": "A"}, "rate": None}
    nothing = result(UnitView, {"factors": [unknown], "items": [unknown | {"item": "A1"}]})
    for draw in (unit_charts.factors, unit_charts.items):
        assert draw(WORDS["vi"], nothing) is None


def test_numbers_are_written_as_the_language_writes_them():
    spec = comparison_charts.league(WORDS["vi"], answer(2)).spec
    assert re.search(r"\d,\d%", drawing.svg(spec, "vi")) is None or "," in drawing.svg(spec, "vi")
    narrow = [{**row, "rate": 0.9, "low": 0.895, "high": 0.905} for row in rows(2)]
    spec = comparison_charts.league(WORDS["vi"], units(narrow)).spec
    assert re.search(r"\d,\d%", drawing.svg(spec, "vi"))
    assert re.search(r"\d\.\d%", drawing.svg(spec, "en"))


def test_ids_of_several_charts_on_one_page_do_not_meet():
    one = drawing.svg(comparison_charts.league(WORDS["vi"], answer(3)).spec, "vi")
    other = drawing.svg(comparison_charts.league(WORDS["vi"], answer(6)).spec, "vi")
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, other)]
    assert not ids[0] & ids[1]
    for svg, own in zip((one, other), ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= own


def test_what_was_drawn_is_not_drawn_again(monkeypatch):
    spec = comparison_charts.league(WORDS["vi"], answer(4)).spec
    first = drawing.svg(spec, "vi")

    def broken(*args, **options):
        raise AssertionError("drawn again")

    monkeypatch.setattr(drawing.vl_convert, "vegalite_to_svg", broken)
    assert drawing.svg(json.loads(json.dumps(spec)), "vi") == first
    with pytest.raises(AssertionError):
        drawing.svg(spec, "en")


def test_a_png_is_one_of_twice_the_size():
    png = drawing.png(comparison_charts.league(WORDS["vi"], answer(3)).spec, "vi")
    assert png.startswith(b"\x89PNG")


def test_a_chart_has_its_table_its_note_and_its_figures():
    found = comparison_charts.league(WORDS["vi"], answer())
    assert len(found.table.rows) == len(found.rows) == 9
    assert all(len(row) == len(found.table.headings) for row in found.table.rows)
    assert "n = 500" in found.note and "quý 3 năm 2026" in found.note
    assert found.table.rows[0][2] == "80,0%"


def test_a_part_is_drawn_with_what_it_is_part_of():
    hospital = {"code": "H1", "name": {"vi": "Bệnh viện", "en": "Hospital"}}
    shown = rows(9)
    shown[0]["unit"] |= {"within": hospital}
    found = comparison_charts.league(WORDS["vi"], units(shown))
    assert "Xã 0 (Bệnh viện)" in drawing.svg(found.spec, "vi")
    whose = {
        name: [row[name] for row in found.rows[:2]] for name in found.rows[1] if "within" in name
    }
    assert whose == {
        "within_code": ["H1", None], "within_vi": ["Bệnh viện", None],
        "within_en": ["Hospital", None],
    }  # fmt: skip


def test_what_is_suppressed_is_in_no_chart():
    hidden = dict.fromkeys(("rate", "low", "high", "respondents")) | {"suppressed": True}
    shown = units([*rows(3), rows(4)[3] | hidden])
    found = comparison_charts.league(WORDS["vi"], shown)
    assert len(found.table.rows) == 3
    assert "Xã 3" not in drawing.svg(found.spec, "vi")
    assert len(comparison_charts.places(WORDS["vi"], shown).table.rows) == 3


def test_the_script_holds_what_a_strict_policy_needs():
    script = drawing.script().decode()
    assert "vegaEmbed" in script and len(script) < 1_100_000


def test_made_ready_the_script_is_there():
    drawing.script.cache_clear()
    drawing.make_ready()
    before = drawing.script.cache_info().misses
    assert b"vegaEmbed" in drawing.script()
    assert drawing.script.cache_info().misses == before
