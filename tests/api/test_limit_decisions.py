"""Decisions about control limits: who makes them, what is refused, and what they do to a course."""

import numpy as np
import pytest

from app.access.models import Right
from tests.api.unit_entries import keeping, listed_once_ended, only_holders_keep, wrong_fields
from tests.figures.district import FELL, FORM, MONTHS, district

world = district()


@pytest.fixture
def decide(world):
    """Decides about the commune that fell; every decision is revoked in the end."""
    usual = {"step": "month", "start": MONTHS[3], "reason": "Moved to a new house."}
    with keeping(world, "baselines", Right.DECIDE_LIMITS, **usual) as book:
        yield book


def course(world, **ask):
    (row,) = world("trend", unit=FELL, **ask)["rows"]
    return row


def test_limits_begin_anew_by_decision_and_as_before_once_it_is_revoked(world, decide):
    before = course(world)
    made = decide(start=MONTHS[5])
    after = course(world)
    assert [s["start"] for s in after["limits"]["segments"]] == [MONTHS[0], MONTHS[5]]
    told = after["limits"]["segments"][1]
    assert told["decision"]["reason"] == "Moved to a new house."
    assert told["decision"]["decided_by"].endswith("test")
    assert told["decision"]["id"] == made["id"]
    assert told["baseline_first"] == MONTHS[5] and told["baseline_last"] is None
    # Twelve months from the sixth on are there before the last alone, which is judged by them.
    assert [point["z"] is not None for point in after["points"]] == [False] * 17 + [True]
    # The index of all communes is not a commune's: it is as it was.
    decide.end(made)
    assert course(world) == before


def test_a_frozen_baseline_judges_the_months_asked_for_though_it_lies_before_them(world, decide):
    decide(start=MONTHS[12], first=MONTHS[0], last=MONTHS[11])
    whole = course(world)
    late = course(world, **{"from": f"{MONTHS[13]}-01", "to": "2026-06-30"})
    assert [point["period"] for point in late["points"]] == MONTHS[13:]
    for name in ("centre", "limit_low", "z"):
        inner = [point[name] for point in whole["points"][13:]]
        # The correlation within respondents is learnt from the months asked for.
        np.testing.assert_allclose([p[name] for p in late["points"]], inner, atol=0.15)
    (told,) = late["limits"]["segments"]
    assert (told["baseline_first"], told["baseline_last"]) == (MONTHS[0], MONTHS[11])
    assert told["rests_on"] == 11  # without the month of the fall, which stands out
    assert whole["limits"]["segments"][1]["left_out"] == [MONTHS[11]]


def test_after_a_rebase_assurance_uses_the_new_limits(world, decide):
    ask = {"rules": "nhs", "target": 0.85}
    assert course(world, **ask)["limits"]["assurance"] == "hit and miss"
    # Seven months are no baseline: nothing is said of the target, and by the old limits least.
    decide(start=MONTHS[11])
    assert course(world, **ask)["limits"]["assurance"] is None
    made = decide(start=MONTHS[12], first=MONTHS[6], last=MONTHS[17])
    again = course(world, **ask)["limits"]
    assert again["segments"][-1]["decision"]["id"] == made["id"]
    assert again["segments"][-1]["rests_on"] == 12


def test_a_decision_is_about_what_it_names(world, decide):
    plain = course(world)
    factor = FORM.index_factors[0]
    item = next(iter(FORM.index_items(factor)))
    decide(start=MONTHS[5], factor=factor.code)
    decide(start=MONTHS[5], item=item.code)
    decide(start="2025-Q3", step="quarter")
    assert course(world) == plain
    for ask in ({"factor": factor.code}, {"item": item.code}, {"step": "quarter"}):
        found = course(world, **ask)["limits"]["segments"]
        assert found[-1]["decision"] is not None, ask
    assert course(world, item=item.code, channel="qr")["limits"]["segments"][-1]["decision"] is None


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"start": "2025-13"}, 422, "start"),
        ({"start": "2025-Q1"}, 422, "start"),
        ({"start": "1999-01"}, 422, "start"),
        ({"first": MONTHS[4], "last": None}, 422, "first"),
        ({"first": MONTHS[0], "last": MONTHS[10]}, 422, "last"),
        ({"reason": "   "}, 422, "reason"),
        ({"reason": None}, 422, "reason"),
        ({"step": "day"}, 422, "step"),
        ({"decided_by": "somebody else"}, 422, "decided_by"),
        ({"unit": "nowhere"}, 404, "unit"),
        ({"questionnaire": "nowhere"}, 404, "questionnaire"),
        ({"factor": "nowhere"}, 404, "factor"),
        ({"item": "nowhere"}, 404, "item"),
    ],
)
def test_what_cannot_be_decided_is_refused_by_field(decide, changes, status, said):
    assert wrong_fields(decide(status, **changes)) == [said]


def test_one_start_has_one_decision(decide):
    decide(start=MONTHS[6])
    assert decide(409, start=MONTHS[6])["type"] == "/problems/baseline-decided"
    decide(start=MONTHS[7])


def test_who_only_reads_decides_nothing(decide):
    only_holders_keep(decide)


def test_decisions_are_kept_with_reason_and_name_and_stand_in_the_log(decide):
    made = decide(reason="  New forms\n since May. ", start=MONTHS[4])
    actions = ("baseline.decide", "decided"), ("baseline.revoke", "revoked")
    found = listed_once_ended(decide, made, *actions)
    assert found["reason"] == "New forms since May." and found["start"] == MONTHS[4]
    assert decide.end(made, 404).json()["type"] == "/problems/unknown-baseline"


@pytest.mark.parametrize("rules", ["default", "nhs", "western-electric"])
def test_what_was_decided_of_one_unit_changes_nothing_of_another(world, decide, rules):
    ask = {"unit": [FELL, "K03"], "from": f"{MONTHS[12]}-01", "rules": rules}
    of_other = world("trend", **ask)["rows"][1]
    decide(start=MONTHS[12], first=MONTHS[0], last=MONTHS[11])
    decided, again = world("trend", **ask)["rows"]
    assert decided["limits"]["segments"][0]["rests_on"] >= 11
    assert again == of_other and again["limits"]["segments"][0]["start"] == MONTHS[12]


@pytest.mark.parametrize("rules", ["default", "nhs"])
def test_before_a_decision_a_unit_is_judged_by_what_was_asked_for(world, decide, rules):
    ask = {"from": f"{MONTHS[3]}-01", "rules": rules}
    before = course(world, **ask)
    decide(start=MONTHS[17], first=MONTHS[0], last=MONTHS[11])
    after = course(world, **ask)
    old, new = after["limits"]["segments"]
    assert (old["start"], old["baseline_first"]) == (MONTHS[3], MONTHS[3])
    assert new["baseline_first"] == MONTHS[0] and new["rests_on"] >= 11
    if rules == "default":
        for name in ("centre", "z"):
            was, now = ([point[name] for point in c["points"][:14]] for c in (before, after))
            assert now[12:] == pytest.approx(was[12:]) and now[:12] == was[:12] == [None] * 12
