"""What is said of alerts, in both languages."""

from datetime import date

import pytest

from app.figures.statistic_results import Limits
from app.figures.trend_results import AlertRow
from app.messages.words import Words
from app.reports import sentences, served
from app.reports.views.index_results import HeadlineRate, PeriodDifference, Placed
from app.reports.views.results import (
    AlertsShown,
    Headline,
    Overview,
    Standing,
    UnitRow,
    Units,
    UnitView,
)
from tests.results import result

ROW = {
    "rule": "level shift",
    "since": "2026-06",
    "before": 0.9,
    "after": 0.8,
    "change": {"low": -0.15, "high": -0.05},
    "against_others": False,
}
MOVED = {
    "moved": True,
    "since": "2026-06",
    "change": -0.5,
    "before": 0.9,
    "after": 0.845,
    "after_low": 0.82,
    "after_high": 0.87,
    "season_allowed": True,
}
LEARNT = {"learnt": True, "season_allowed": True}


def said(language, together=MOVED, **noise):
    shown = result(AlertsShown, {"together": together, "noise": LEARNT | noise})
    return sentences.together(Words(language), shown)


def test_a_movement_of_all_is_told_with_its_size_and_date():
    (english,) = said("en")
    assert "All units together fell since June 2026" in english and "84.5" in english
    (vietnamese,) = said("vi")
    assert "cùng giảm từ" in vietnamese and "84,5" in vietnamese
    assert "rose" in said("en", MOVED | {"change": 0.5})[0]
    assert said("en", MOVED | {"moved": False}) == said("en", None) == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_could_not_be_learnt_is_said(language):
    assert len(said(language, None, learnt=False)) == 1
    assert len(said(language, None, season_allowed=False)) == 1
    # A season that cannot be told from the movement is said of the movement.
    assert len(said(language, MOVED | {"season_allowed": False}, season_allowed=False)) == 3


def test_a_unit_that_moved_against_the_others_is_said_to_have():
    plain = sentences.alert(Words("en"), result(AlertRow, ROW))
    against = sentences.alert(Words("en"), result(AlertRow, ROW | {"against_others": True}))
    assert against.startswith(plain) and "did not surely move" in against


@pytest.mark.parametrize("language", ["vi", "en"])
def test_an_alert_says_where_it_may_be_the_mix_alone(language):
    words = Words(language)
    held = {"estimate": -0.01, "low": -0.04, "high": 0.02, "mix": -0.09}
    parted = sentences.alert(words, result(AlertRow, ROW | {"fixed_mix": held}))
    interval = words.change(result(Limits, {"low": -0.04, "high": 0.02}))
    values = {"change": words.points(-0.01), "interval": interval, "mix": words.points(-0.09)}
    assert parted.endswith(words("tell.alert_may_be_mix", **values))
    own = held | {"estimate": -0.09, "low": -0.14, "high": -0.04, "mix": -0.01}
    fell = sentences.alert(words, result(AlertRow, ROW | {"fixed_mix": own}))
    assert words.points(-0.09) in fell and words("tell.alert_may_be_mix", **values) not in fell
    assert sentences.alert(words, result(AlertRow, ROW)) in fell


def index_of(first, year_before):
    """A unit's index, and what it was in the period before and the year before."""
    other = {"estimate": 0.05, "low": 0.01, "high": 0.09}
    return result(
        Headline,
        {
            "unreleased": 0, "period": "2026", "target": 0.9, "running_to": None,
            "index": {
                "suppressed": False, "respondents": 50, "rate": 0.95, "low": 0.92, "high": 0.97,
                "headline": {
                    "estimate": 0.95, "low": 0.92, "high": 0.97, "position": "above",
                    "weighting": "one_unit",
                },
                "position": "above", "previous": other | {"first": first},
                "year_before": other | {"first": year_before},
            },
        },
    )  # fmt: skip


def test_of_a_whole_year_the_year_before_is_compared_once():
    words = Words("en")
    year, quarter = date(2025, 1, 1), date(2026, 4, 1)
    assert len(sentences.index(words, index_of(quarter, year))) == 3
    once = sentences.index(words, index_of(year, year))
    assert len(once) == 2 and "same period last year" in once[1]


@pytest.mark.parametrize(
    ("position", "own", "vietnamese", "english"),
    [
        ("above", "above", "Chắc chắn trên mục tiêu 90", "Surely above"),
        ("below", "below", "Chắc chắn dưới mục tiêu 90", "Surely below"),
        ("not_distinguishable", "not_distinguishable", "Chưa phân biệt được", "Not disting"),
        ("not_distinguishable", "above", "nằm hẳn trên mục tiêu 90", "lies wholly above"),
        ("not_distinguishable", "below", "nằm hẳn dưới mục tiêu 90", "lies wholly below"),
    ],
)
def test_where_a_units_own_interval_says_more_than_all_together_both_are_told(
    position, own, vietnamese, english
):
    fields = {"position": position, "interval_position": own, "judged_together": 82}
    row = result(Placed, fields)
    told = {code: sentences.against_target(Words(code), row, 0.9) for code in ("vi", "en")}
    assert vietnamese in told["vi"] and english in told["en"]
    differ = position != own
    assert ("xét cùng 82 đơn vị thì chưa chắc" in told["vi"]) == differ
    assert ("judged with all 82 units this is not sure" in told["en"]) == differ
    assert ("Surely" in told["en"]) == (position != "not_distinguishable")


def test_a_change_that_is_sure_of_one_unit_alone_is_told_as_that():
    fields = {"estimate": -0.05, "low": -0.09, "high": -0.01, "judged_together": 28}
    words = Words("en")

    def told(**more):
        return sentences.change(words, result(PeriodDifference, fields | more), "then")

    assert told(discovery=True).startswith("Fell against then")
    alone = told(discovery=False)
    assert "by more than chance" in alone and "judged with all 28 units this may be" in alone
    rose = told(discovery=False, low=0.01, estimate=0.05, high=0.09)
    assert "alone it rose" in rose and "may be chance" in rose
    assert "which may be chance" in told(discovery=False, high=0.01)
    # The year before is not told of units beside one another.
    assert told(judged_together=None).startswith("Fell against then")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_nobody_answered_not_released_and_too_few_are_three_sentences(language):
    words = Words(language)
    facts = {
        "nobody": {"suppressed": False, "respondents": 0, "unreleased": 0},
        "not released": {"suppressed": False, "respondents": 0, "unreleased": 7},
        "too few": {"suppressed": True, "respondents": None, "unreleased": 0},
    }
    told = {
        name: sentences.index(
            words,
            result(
                Headline,
                {"unreleased": fact.pop("unreleased"), "period": "2026-Q4",
                 "running_to": date(2026, 11, 27), "index": fact},
            ),
        )
        for name, fact in facts.items()
    }  # fmt: skip
    assert len({text for (text,) in told.values()}) == 3
    assert "7" in told["not released"][0] and "27" in told["nobody"][0]
    rows = [
        result(UnitRow, {"suppressed": suppressed, "waiting": waiting})
        for suppressed, waiting in ((False, False), (False, True), (True, False))
    ]
    assert len({sentences.figureless(words, row) for row in rows}) == 3


def test_where_no_unit_has_a_figure_it_is_said_why():
    found = result(Standing, {"units": 0, "suppressed": 3, "waiting": 5, "silent": 2})
    said = sentences.standing(Words("vi"), found, 0.9)
    assert "Trong 0 đơn vị" not in said
    assert "3 đơn vị có quá ít" in said and "5 đơn vị có trả lời nhưng chưa công bố" in said
    assert "2 đơn vị chưa có ai trả lời" in said


@pytest.mark.parametrize(
    ("language", "said"),
    [("vi", "Trong 36 đơn vị có tỷ lệ được nêu"), ("en", "whose rate is given")],
)
def test_the_units_that_are_set_against_the_target_are_not_said_to_be_all(language, said):
    counts = {"units": 36, "above": 1, "below": 2, "not_distinguishable": 33, "suppressed": 46}
    assert said in sentences.standing(Words(language), result(Standing, counts), 0.9)


def test_no_unit_fell_is_said_only_where_a_fall_could_be_looked_for():
    view = {"fell": [], "rose": [], "rows": [], "compared": 0}
    (said,) = sentences.changed(Words("vi"), result(Units, view))
    assert said.startswith("Chưa xét được đơn vị nào tăng hay giảm")
    looked = sentences.changed(Words("vi"), result(Units, view | {"compared": 4}))
    assert looked[0].startswith("Không đơn vị nào giảm") and said not in looked


def test_a_change_with_the_mix_held_fixed_is_judged_with_all_units():
    held = {"estimate": -0.05, "low": -0.09, "high": -0.01, "crude": 0.02, "mix": 0.07}
    fields = {"estimate": 0.02, "low": -0.01, "high": 0.05, "judged_together": 28}
    row = result(PeriodDifference, fields | {"fixed_mix": held, "discovery": False})
    said = sentences.change(Words("en"), row, "then")
    assert "alone it fell" in said and "judged with all 28 units" in said
    assert "mix of units and channels held fixed" in said
    sure = row.model_copy(update={"discovery": True})
    assert sentences.change(Words("en"), sure, "then").startswith("Fell against then")


@pytest.mark.parametrize(
    ("position", "own", "key"),
    [
        ("above", "above", "above_target"),
        ("above", "not_distinguishable", "above_target_pooled"),
        ("below", "above", "below_target_pooled"),
        ("not_distinguishable", "above", "above_target_by_volume"),
        ("not_distinguishable", "below", "below_target_by_volume"),
        ("not_distinguishable", "not_distinguishable", "near_target"),
    ],
)
def test_where_the_interval_by_volume_says_another_thing_than_the_pooled_call_both_are_told(
    position, own, key
):
    fields = {"position": position, "interval_position": own, "judged_together": 5}
    row = result(HeadlineRate, fields | {"weighting": "by_volume"})
    for code in ("vi", "en"):
        words = Words(code)
        said = sentences.against_target(words, row, 0.9)
        assert said == words(f"tell.{key}", target=words.percent(0.9, 0))


def moved_unit(code, change):
    unit = {"code": code, "kind": "commune", "name": {"vi": f"Xã {code}", "en": code}}
    return {"unit": unit, "change": {"estimate": change, "low": change - 0.1, "high": change + 0.1}}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_beside_alerts_it_is_said_against_what_each_tells(language):
    words = Words(language)

    def said(fell, rows):
        view = {"fell": fell, "rose": [], "standing": {"compared": 4}, "alerts": {"rows": rows}}
        return sentences.changed(words, result(Overview, view))[0]

    twice = [moved_unit("A", -0.3), moved_unit("A", -0.4), moved_unit("B", -0.2)]
    none = words("tell.none_fell")
    assert said([], []) == said([], [moved_unit("A", 0.3)]) == none
    assert said([], twice) == words("tell.none_fell_but_alerts", n=2) and none not in said(
        [], twice
    )
    fell = [{"unit": moved_unit("C", 0)["unit"]}]
    other = words("tell.units_fell_and_alerts")
    assert said(fell, twice).endswith(other) and other not in said(fell, [])


def test_units_that_seem_lower_are_others_only_beside_some_that_fell():
    row = {**moved_unit("A", -0.1), "change": {"estimate": -0.1, "discovery": False}}
    view = {"fell": [], "rose": [], "rows": [row], "compared": 4, "only_mix": []}
    said = sentences.changed(Words("vi"), result(Units, view))
    assert said[0].startswith("Không đơn vị nào") and said[2].startswith("1 đơn vị có")
    fell = sentences.changed(Words("vi"), result(Units, view | {"fell": [{"unit": row["unit"]}]}))
    assert fell[2].startswith("1 đơn vị khác")


@pytest.mark.parametrize(
    ("weighting", "which"), [("by_volume", "gộp chung"), ("one_unit", "hài lòng")]
)
def test_what_non_response_rests_on_is_named_beside_the_rate_at_the_top(weighting, which):
    heard = {"reached": 100, "answered": 40, "response_rate": 0.4, "rate": 0.934, "moved": []}
    view = {
        "index": {"headline": {"weighting": weighting, "estimate": 0.916}},
        "non_response": {"by_volumes": heard},
    }
    said = sentences.non_response(Words("vi", served="visits"), result(UnitView, view))
    assert f"tỷ lệ {which} 93,4%" in said[0] and "100 lượt người bệnh" in said[0]
    assert [("91,6%" in each) for each in said] == [False, True][: 1 + (weighting == "by_volume")]


@pytest.mark.parametrize(
    ("kind", "unit", "named"),
    [("commune", "province", "hồ sơ"), ("ward", None, "lượt người bệnh"),
     (None, "hospital", "lượt người bệnh"), (None, "commune", "hồ sơ"),
     (None, "province", "hồ sơ, lượt người bệnh")],
)  # fmt: skip
def test_a_page_says_files_or_patients_by_the_kind_of_its_units(kind, unit, named):
    about = {"code": "X", "kind": unit, "name": {"vi": "X", "en": "X"}} if unit else None
    words = served.about(Words("vi"), result(Overview, {"kind": kind, "unit": about}))
    assert words("tell.cases", cases="5") == f"Trong kỳ có 5 {named}."
