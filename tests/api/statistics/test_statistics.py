"""The statistics over HTTP on a district of communes of which two were made to change.

Every figure is computed again from the answers that were sent, by other software where there is
some: the routes are to hand on what ``analysis`` says, about the right units, days and answers.
"""

import httpx
import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from analysis import clustered, comparison, drivers, funnels, precision, ranks, reliability, strata
from app.figures import comparisons
from tests.api.statistics.sent import by_unit, sums
from tests.figures.district import (
    CODES,
    COMMUNES,
    FELL,
    FORM,
    ITEMS,
    ROSE,
    SENT,
    SMALL,
    URL,
    VOLUMES,
)  # fmt: skip


def test_ranks_come_with_their_sets_and_shrunken_rates(children):
    found = children("ranking", best=3)
    rows = by_unit(found)
    expected = clustered.ratio(*sums(), correlation=clustered.shared_correlation(*sums()))
    for i, code in enumerate(COMMUNES):
        assert rows[code]["rate"] == pytest.approx(expected.estimate[i])
        assert rows[code]["low"] == pytest.approx(expected.low[i])
        assert rows[code]["rank_low"] <= rows[code]["rank"] <= rows[code]["rank_high"]
        assert rows[code]["rank_low_simultaneous"] <= rows[code]["rank_low"]
        assert rows[code]["may_be_best"] == (rows[code]["rank_low_simultaneous"] <= 3)
    ordered = [row["rank"] for row in found["rows"]]
    # C1 and C2, of which nobody said anything, come last and have none.
    assert ordered == [*range(1, len(COMMUNES) + 1), None, None]
    # Four respondents are drawn in far, and their rank is all but unknown.
    small = rows[SMALL]
    assert abs(small["shrunk_rate"] - small["rate"]) > 0.01 or small["respondents"] > 4
    assert small["rank_high"] - small["rank_low"] >= 10
    assert found["heterogeneity"]["p"] < 0.01
    # Where few answers decide, the sets are never narrower than with the units' own errors.
    own = ranks.confidence_sets(expected.estimate, expected.standard_error, seed=2020)
    widths = [rows[c]["rank_high"] - rows[c]["rank_low"] for c in COMMUNES]
    assert sum(widths) >= (own.high - own.low).sum() * 0.95


def test_the_funnel_hands_on_tails_positions_and_limits(children):
    n = clustered.common_effective_n(*sums())
    rate = sums()[0] / sums()[1]
    for target, overdispersion in ((0.8, "none"), (0.8, "auto"), (None, "auto")):
        given = {} if target is None else {"target": target}
        found = children("funnel", overdispersion=overdispersion, **given)
        expected = funnels.funnel(
            rate * n, n, target=target, overdispersion=overdispersion == "auto"
        )
        own = funnels.limits(n, expected.expected)
        rows = by_unit(found)
        for i, code in enumerate(COMMUNES):
            assert rows[code]["low_998"] == pytest.approx(own.low_998[i])
            assert rows[code]["p"] == pytest.approx(expected.p[i])
            assert rows[code]["position"] == expected.position[i]
        assert (found["target"], found["model"]) == (
            pytest.approx(expected.target),
            expected.model,
        )
        assert found["tau_low"] <= found["tau"] <= found["tau_high"]
        assert (found["tau"] > 0) == (overdispersion == "auto")
        lows = [point["low_95"] for point in found["curve"]]
        assert lows == sorted(lows)
    assert found["target"] == pytest.approx(rate @ n / n.sum(), rel=0.03)
    assert {row["position"] for row in found["rows"] if row["p"] is None} == {"not compared"}


@pytest.mark.parametrize("with_", ["previous", "year-before", "parent", "peers"])
def test_units_are_compared_with_themselves_and_with_others(children, with_):
    first, last = ("2026-01-01", "2026-06-30")
    found = children("compare", **{"with": with_, "from": first, "to": last})
    rows = by_unit(found)
    now = sums(months=range(12, 18))
    other = {
        "previous": sums(months=range(6, 12)),
        "year-before": sums(months=range(6)),
    }.get(with_)
    if other is None:
        other = now.sum(axis=1, keepdims=True) - now
    # All others' answers are of the same days: what respondents have in common is the same.
    before = other if with_ in ("previous", "year-before") else now
    sides = [
        clustered.ratio(*each, correlation=clustered.shared_correlation(*learnt))
        for each, learnt in ((other, before), (now, now))
    ]
    expected = comparison.change(
        sides[0].estimate, sides[0].interval_n, sides[1].estimate, sides[1].interval_n,
        people=(sides[0].people, sides[1].people),
    )  # fmt: skip
    for i, code in enumerate(COMMUNES[:-1]):
        assert rows[code]["other"]["respondents"] == other[5, i]
        assert rows[code]["change"]["estimate"] == pytest.approx(expected.estimate[i])
        assert rows[code]["change"]["low"] == pytest.approx(expected.low[i])
        assert rows[code]["change"]["p"] == pytest.approx(expected.p[i], rel=1e-6)
        apart = rows[code]["change"]["low"] > 0 or rows[code]["change"]["high"] < 0
        assert apart == (rows[code]["change"]["p"] < 0.05)
    if with_ in ("previous", "year-before"):
        discovered = {code for code in rows if rows[code]["change"]["discovery"]}
        assert {FELL, ROSE} <= discovered and len(discovered) <= 3
        begin, end = ("07-01", "12-31") if with_ == "previous" else ("01-01", "06-30")
        assert found["other_period"] == {"first": f"2025-{begin}", "last": f"2025-{end}"}


def scores():
    """Mean level of each factor, a row a respondent with answers to all."""
    return np.array(
        [
            [
                np.mean([answers[c] for c in codes if c in answers] or [np.nan])
                for codes in ITEMS.values()
            ]
            for *_, answers in SENT
        ]
    )


def test_drivers_are_lmg_shares_of_each_respondents_scores(children):
    found = children("drivers", outcome="trips")
    x = scores()
    trips = np.array([answers.get("trips", np.nan) for *_, answers in SENT], dtype=float)
    expected = drivers.importance(x, trips, draws=0)
    complete = np.isfinite(x).all(axis=1) & np.isfinite(trips)
    fit = OLS(trips[complete], np.column_stack([np.ones(complete.sum()), x[complete]])).fit()
    assert found["r_squared"] == pytest.approx(fit.rsquared, rel=1e-6)
    assert found["outcome"] == "trips" and found["respondents"] == complete.sum()
    for row, code, share in zip(found["rows"], ITEMS, expected.share, strict=True):
        assert row["factor"] == code and row["share"] == pytest.approx(share, rel=1e-6)
        assert row["low"] <= row["high"]
    assert sum(row["relative"] for row in found["rows"]) == pytest.approx(1)
    # Of what satisfaction has nothing to do with, no factor is named as first to improve.
    assert not any(row["improve_first"] for row in found["rows"])
    refused = children("drivers", outcome="comment", status=422)
    assert refused["type"] == "/problems/not-a-number"


@pytest.mark.parametrize("outcome", [None, "index", "A1"])
def test_nothing_is_said_of_influence_on_the_index_of_the_very_factors(children, outcome):
    refused = children("drivers", status=422, **({"outcome": outcome} if outcome else {}))
    assert refused["type"] == "/problems/outcome-needed" and refused["field"] == "outcome"


def test_reliability_is_cronbachs_of_each_factor(children):
    found = children("reliability")
    rows = {row["factor"]: row for row in found["rows"]}
    for code, items in {**ITEMS, None: CODES}.items():
        table = [[answers.get(item, np.nan) for item in items] for *_, answers in SENT]
        expected = reliability.cronbach_alpha(table)
        assert rows[code]["alpha"] == pytest.approx(expected.alpha)
        assert rows[code]["low"] == pytest.approx(expected.low)
        assert [each["item"] for each in rows[code]["items"]] == items
        assert rows[code]["complete_respondents"] == expected.n


def test_of_too_few_complete_respondents_there_is_no_alpha(world):
    # Four months: 40 people, of whom some 36 answered all three items of D, and half all 22.
    found = world("reliability", unit="K03", **{"from": "2025-01-01", "to": "2025-04-30"})
    rows = {row["factor"]: row for row in found["rows"]}
    assert rows["D"]["alpha"] is not None and rows["D"]["complete_respondents"] >= 30
    assert rows[None]["alpha"] is rows[None]["complete_respondents"] is None
    assert rows[None]["items"] == []


def test_casemix_is_ols_with_unit_effects(children):
    found = children("casemix", adjust="trips")
    rows, y, unit, trips = by_unit(found), [], [], []
    for commune, _, _, answers in SENT:
        values = [
            np.mean([answers[c] for c in codes if c in answers])
            for codes in ITEMS.values()
            if any(c in answers for c in codes)
        ]
        y.append(np.mean(values))
        unit.append(COMMUNES.index(commune))
        trips.append(answers["trips"])
    x = np.column_stack([np.array(trips) == 2, np.array(trips) == 3]).astype(float)
    fit = OLS(y, np.column_stack([np.eye(16)[unit], x - x.mean(axis=0)])).fit()
    for i, code in enumerate(COMMUNES):
        assert rows[code]["adjusted"] == pytest.approx(fit.params[i])
        assert rows[code]["standard_error"] == pytest.approx(fit.bse[i])
    assert [each["adjuster"] for each in found["adjusters"]] == ["trips=2", "trips=3"]
    assert [each["coefficient"] for each in found["adjusters"]] == pytest.approx(fit.params[16:])
    assert rows[FELL]["rank_adjusted_low"] <= rows[FELL]["rank_adjusted"]
    assert children("casemix", adjust="nothing", status=422)["type"] == "/problems/not-a-number"


def test_weights_bring_known_margins_back(world):
    found = world("weighted", unit=FELL, margin="trips:1=500,2=300,3=200")
    ask = {"unit": FELL, "margin": ["trips:1=500,2=300,3=200", "A1:1=10,2=20,3=30,4=30,5=10"]}
    rate = {}
    for trips in (1, 2, 3):
        people = [
            (sum(v >= 4 for c, v in answers.items() if c in CODES), len(set(answers) & set(CODES)))
            for commune, _, _, answers in SENT
            if commune == FELL and answers["trips"] == trips
        ]
        rate[trips] = np.array(people).sum(axis=0), len(people)
    top = sum(n / rate[t][1] * rate[t][0][0] for t, n in ((1, 500), (2, 300), (3, 200)))
    bottom = sum(n / rate[t][1] * rate[t][0][1] for t, n in ((1, 500), (2, 300), (3, 200)))
    assert found["rate"] == pytest.approx(top / bottom)
    assert found["low"] < found["rate"] < found["high"] and found["kish_effect"] >= 1
    assert found["unweighted"]["rate"] == pytest.approx(
        float(sums([FELL])[0, 0] / sums([FELL])[1, 0])
    )
    assert world("weighted", status=422, **ask)["type"] == "/problems/margin-invalid"
    bands = world("weighted", unit=FELL, margin="trips:1-1=500,2-3=500")
    assert bands["rate"] != found["rate"] and bands["left_out"] == 0
    for wrong in (
        "trips:1-3=5,2=5",
        "trips:3-1=5",
        "trips",
        "trips:1",
        "trips:1=x",
        "trips:1=1,1=2",
        ":1=2",
        "trips:9=5",
    ):
        answer = world("weighted", unit=FELL, margin=wrong, status=422)
        assert answer["type"] in ("/problems/margin-invalid", "/problems/too-few-respondents")


def test_a_parents_rate_by_volume_is_not_the_pooled_one(world):
    found = world("stratified", unit="D1")
    (row,) = found["rows"]
    s = sums()
    cases = np.array([VOLUMES[code] * 18 for code in COMMUNES], dtype=float)
    each = clustered.ratio(*s, population=cases)
    expected = strata.combine(each.estimate, each.standard_error, cases, n=s[5])
    assert row["stratified"]["rate"] == pytest.approx(float(expected.estimate))
    assert row["stratified"]["standard_error"] == pytest.approx(float(expected.standard_error))
    assert row["pooled"]["rate"] == pytest.approx(s[0].sum() / s[1].sum())
    assert (row["cases"], row["strata"]) == (cases.sum(), 16)
    assert row["stratified"]["covered"] == 1


def test_a_plan_says_how_many_are_missing(children, world):
    found = children("planning", month="2026-06", margin=0.1)
    rows = by_unit(found)
    assert rows["K03"]["needed_to_publish"] == 0 and rows["K03"]["publishable"] is True
    assert rows[SMALL]["needed_to_publish"] == 10 and rows[SMALL]["respondents"] == 0
    small = by_unit(world("planning", unit="D1", expand="children", month="2026-06",
                          headers=world.public))[SMALL]  # fmt: skip
    assert small["needed_to_publish"] == 10
    # Of a unit of which little may be seen, by the least favourable rate.
    assert small["required"] == precision.respondents_within(0.05) > VOLUMES[SMALL]
    assert rows["K03"]["needed_for_margin"] == rows["K03"]["required"] - 10
    assert 0 < rows["K03"]["power"] < 1
    for how, deviation in (("proportional", None), ("neyman", True)):
        spread = by_unit(children("planning", month="2026-06", total=300, allocation=how))
        parts = np.array([spread[code]["allocated"] for code in COMMUNES])
        assert parts.sum() == 300
        if deviation is None:
            cases = np.array(list(VOLUMES.values()))
            assert np.abs(parts - 300 * cases / cases.sum()).max() < 1
    refused = children("planning", month="2026-06", total=10**6, status=422)
    assert refused["type"] == "/problems/total-too-large"
    assert children("planning", month="2026-13", status=422)["type"] == "/problems/invalid-fields"


def test_other_conventions_count_other_answers(world):
    ask = {"questionnaire": FORM.code, "unit": FELL, "item": "A1"}
    levels = [a["A1"] for c, *_, a in SENT if c == FELL and "A1" in a]
    for convention, top in (("hcahps-top-box", 5), ("nhs-fft", 4), ("moh-3869", 4)):
        answer = world.client.get(
            URL, params=ask | {"convention": convention}, headers=world.analyst
        ).json()
        (row,) = answer["rows"]
        k = sum(level >= top for level in levels)
        assert row["rate"] == pytest.approx(k / len(levels))
        low, _ = proportion_confint(k, len(levels), method="wilson")
        assert row["low"] == pytest.approx(low)
    del ask["item"]
    refused = world.client.get(URL, params=ask | {"convention": "nhs-fft"}, headers=world.analyst)
    assert refused.json()["type"] == "/problems/convention-needs-items"


def test_mean_scores_have_clustered_intervals(world):
    answer = world.client.get(
        URL, params={"questionnaire": FORM.code, "unit": FELL}, headers=world.analyst
    ).json()
    levels, person = [], []
    for i, (commune, *_, answers) in enumerate(SENT):
        if commune == FELL:
            mine = [answers[c] for c in CODES if c in answers]
            levels += mine
            person += [i] * len(mine)
    fit = OLS(levels, np.ones(len(levels))).fit(
        cov_type="cluster", cov_kwds={"groups": person}, use_t=True
    )
    (row,) = answer["rows"]
    assert row["mean_score"] == pytest.approx(fit.params[0])
    assert [row["mean_score_low"], row["mean_score_high"]] == pytest.approx(
        fit.conf_int()[0].tolist(), rel=1e-6
    )


def test_more_units_than_can_be_ranked_are_refused_with_their_number(world, monkeypatch):
    assert comparisons.MOST_RANKED >= 10_040  # the communes until June 2025, the most there were
    monkeypatch.setattr(comparisons, "MOST_RANKED", len(COMMUNES) - 1)
    for language, said in (
        ("en", f"These are {len(COMMUNES)} units; at most {len(COMMUNES) - 1} can be asked for"),
        ("vi", f"Yêu cầu này có {len(COMMUNES)} đơn vị; một lần được tối đa {len(COMMUNES) - 1}."),
    ):
        headers = dict(world.analyst) | {"Accept-Language": language}
        refused = world("ranking", unit="D1", expand="children", headers=headers, status=422)
        assert refused["type"] == "/problems/too-many-units"
        assert said in refused["detail"]
    monkeypatch.setattr(comparisons, "MOST_RANKED", len(COMMUNES))
    assert world("ranking", unit="D1", expand="children")["units"] == len(COMMUNES)


def test_units_above_others_are_not_compared_with_them(world):
    """Not even where those between are left out: the province holds every commune."""
    for name in ("ranking", "funnel"):
        rows = by_unit(world(name, kind=["province", "commune"]))
        assert set(COMMUNES) <= set(rows) and "77" not in rows
    assert world("alerts", kind=["province", "commune"])["units"] == len(COMMUNES)


def test_the_same_question_gives_the_same_figures_again(children):
    one, two = (children("ranking") for _ in range(2))
    assert one == two
    assert isinstance(one["version"], str) and httpx.URL(URL)
