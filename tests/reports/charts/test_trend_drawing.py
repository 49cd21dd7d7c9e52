"""Charts of a course: points, limits, runs, targets and notes, and what the pointer is told."""

import re
from datetime import date, datetime

import pytest

from app.figures.trend_results import ControlLimits, NhsRule, Reorganising, Rule, Variation
from app.reports.charts import colours, drawing, trend_chart
from app.reports.views.results import UnitView
from tests.reports.charts.made_up import WORDS, layers
from tests.results import result


def point(period, *, rate=0.9, target=0.9, variation=None, signals=(), part_of=()):
    limits = {"centre": 0.85, "limit_low": 0.7, "limit_high": 1.0} if variation else {}
    return {
        "period": period, "target": target, "rate": rate, "low": 0.8, "high": 0.95,
        "respondents": 1020, **limits,
        "variation": variation and Variation(variation), "signals": list(map(Rule, signals)),
        "part_of": list(map(Rule, part_of)),
    }  # fmt: skip


def trend_of(points, *, starts=("2025-01",), target=0.9, noted=(), changed=()):
    segments = [
        {"start": start, "baseline_first": start, "rests_on": 12, "left_out": []}
        for start in starts
    ]
    limits = {"segments": segments, "least_periods": 12, "periods_judged": 0}
    return result(UnitView, {
        "target": target,
        "trend": {
            "step": "month", "limits": limits, "points": points, "reorganised": list(changed),
            "earlier_decisions": [],
            "action_notes": [
                {"day": day, "text": text, "recorded_by": "Lê"} for day, text in noted
            ],
        },
    })  # fmt: skip


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


def test_a_day_on_which_the_unit_changed_is_a_line_with_words_and_on_a_phone_the_day():
    named = [{"vi": f"Phường {n}", "en": f"Ward {n}"} for n in (1, 2, 3)]
    mark = {
        "day": date(2025, 7, 1), "how": Reorganising.MERGED, "units": named,
        "decisions": ["Nghị quyết 202"],
    }  # fmt: skip
    view = trend_of([point(month) for month in MONTHS], changed=[mark])
    line, said = layers(WORDS["vi"], view)[:2]
    assert line["values"][0]["label"] == "07/2025" and said["encoding"]["text"]["field"] == "told"
    assert said["values"][0]["told"] == "01/07/2025: sáp nhập Phường 1, Phường 2 …"
    chart = trend_chart.trend(WORDS["vi"], view)
    narrow = [each for each in chart.narrow["layer"] if "text" in each.get("encoding", {})]
    assert narrow[0]["encoding"]["text"]["field"] == "day"
    assert chart.about[0] == ("01/07/2025: sáp nhập Phường 1, Phường 2, Phường 3 (Nghị quyết 202).")


@pytest.mark.parametrize("month", [1, 6, 7, 12])
def test_what_is_said_of_a_day_stays_within_the_picture_and_off_the_axis(month):
    name = "Phường Bà Rịa Vũng Tàu Long Hải Phước Hải"
    mark = {
        "day": date(2025, month, 1), "how": Reorganising.MERGED,
        "units": [{"vi": name, "en": name}] * 2, "decisions": [],
    }  # fmt: skip
    wide = []
    for changed in ((), (mark,)):
        view = trend_of([point(each) for each in MONTHS], changed=changed)
        picture = drawing.svg(trend_chart.trend(WORDS["vi"], view).spec, "vi")
        wide.append(float(re.search(r'width="([\d.]+)"', picture)[1]))
    assert wide[0] == wide[1]  # a longer text would make the picture wider
    said = layers(WORDS["vi"], view)[1]["mark"]
    assert said["limit"] < 560 and said["dy"] < -4
    assert said["align"] == ("left" if month <= 6 else "right")


@pytest.mark.parametrize(("months", "named"), [(1, 1), (24, 24), (25, 13), (33, 17), (60, 20)])
def test_labels_of_many_periods_do_not_touch_and_the_last_period_has_one(months, named):
    periods = [f"{2020 + n // 12}-{n % 12 + 1:02}" for n in range(months)]
    drawn = layers(WORDS["vi"], trend_of([point(period) for period in periods]))
    along = [layer["encoding"]["x"] for layer in drawn if "x" in layer["encoding"]]
    assert along
    for x in along:
        said, last = x["axis"]["values"], periods[-1]
        assert len(said) == named and said[-1] == f"{last[5:]}/{last[:4]}"
