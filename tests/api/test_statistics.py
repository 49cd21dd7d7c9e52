"""The statistics over HTTP on a district of communes of which two were made to change.

Every figure is computed again from the answers that were sent, by other software where there is
some: the routes are to hand on what ``analysis`` says, about the right units, days and answers. One
long file, since every route is asked about the same district.
"""

from collections import defaultdict

import httpx
import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from analysis import (
    clustered,
    comparison,
    control_charts,
    drivers,
    funnels,
    precision,
    ranks,
    reliability,
    strata,
    xmr,
)
from app.figures import comparisons
from tests.figures.district import (
    CODES,
    COMMUNES,
    FELL,
    FORM,
    ITEMS,
    MONTHS,
    ROSE,
    SENT,
    SMALL,
    URL,
    VOLUMES,
    district,
)  # fmt: skip

#: Margins that the operator set; by the second one class would be left out.
REGISTERED, EMPTY = "trips:1=5,2=5,3=5", "trips:1=5,2=5,3=0"


world = district(margins=(REGISTERED, EMPTY))


@pytest.fixture
def children(world):
    """Asks about the communes of the district."""

    def ask(name, **options):
        return world(name, **{"unit": "D1", "expand": "children", **options})

    return ask


def sums(units=COMMUNES, months=range(18)):
    """Σa, Σm, Σa², Σam, Σm² and n by unit, from what was sent."""
    per = defaultdict(list)
    for commune, m, _, answers in SENT:
        if m in months:
            levels = [answers[code] for code in CODES if code in answers]
            if levels:
                per[commune].append((sum(v >= 4 for v in levels), len(levels)))
    found = np.zeros((6, len(units)))
    for i, unit in enumerate(units):
        if per[unit]:
            a, m = np.array(per[unit], dtype=float).T
            found[:, i] = a.sum(), m.sum(), a @ a, a @ m, m @ m, len(a)
    return found


def by_unit(document):
    return {row["unit"]["code"]: row for row in document["rows"]}


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


def test_all_that_is_known_is_compared_in_whole_months(children, world):
    """The last answer is of 12 June; who may not see small cells may ask for it all the same."""
    for with_, first, last in (
        ("previous", "2023-07-01", "2024-12-31"), ("year-before", "2024-01-01", "2025-06-30"),
    ):  # fmt: skip
        for reader in (world.analyst, world.public):
            found = children("compare", headers=reader, **{"with": with_})
            assert found["other_period"] == {"first": first, "last": last}


def test_a_trend_shows_points_limits_and_what_fired(world):
    found = world("trend", unit=FELL)
    (row,) = found["rows"]
    assert [point["period"] for point in row["points"]] == MONTHS
    expected = np.array([sums([FELL], [m])[:, 0] for m in range(18)]).T
    rates = expected[0] / expected[1]
    np.testing.assert_allclose([point["rate"] for point in row["points"]], rates)
    assert row["slope"]["a_period"] == pytest.approx(stats.theilslopes(rates).slope)
    assert row["trend"]["statistic"] < 0 and row["trend"]["p"] < 0.05
    assert row["linear"]["p"] < 0.001
    # The fall is in the twelfth month, which the baseline does without: those after it stand out.
    assert row["limits"]["segments"][0]["left_out"][0] == MONTHS[11]
    assert all("beyond 3 sigma" in point["signals"] for point in row["points"][12:17])
    for point in row["points"][:12]:
        assert point["limit_low"] is point["centre"] is point["z"] is None
    for point in row["points"][12:]:
        assert point["limit_low"] <= point["centre"] <= point["limit_high"]
    assert row["limits"]["variation"] == "concern" and row["limits"]["least_periods"] == 12
    assert row["limits"]["rules"] == ["beyond 3 sigma", "ewma"]
    assert [point["variation"] for point in row["points"]] == [None] * 12 + ["concern"] * 6


def test_a_point_tells_of_which_run_it_is_part(world):
    (row,) = world("trend", unit=FELL, rules="western-electric")["rows"]
    for rule in ("2 of 3 beyond 2 sigma", "4 of 5 beyond 1 sigma"):
        marked = [rule in point["signals"] for point in row["points"]]
        parts = [rule in point["part_of"] for point in row["points"]]
        assert any(marked) and sum(parts) > sum(marked), rule
        assert not any(m and not p for m, p in zip(marked, parts, strict=True))
    assert not any("beyond 3 sigma" in point["part_of"] for point in row["points"])


@pytest.mark.parametrize("step", ["month", "quarter", "week"])
def test_alerts_find_what_changed_and_leave_the_others_alone(children, step):
    found = children("alerts", step=step)
    assert {row["unit"]["code"] for row in found["rows"]} == {FELL, ROSE}
    row = next(r for r in found["rows"] if r["unit"]["code"] == FELL)
    assert row["rule"] == "level shift" and row["adjusted_p"] < 0.05
    if step == "month":
        assert row["since"] in MONTHS[10:13]
        since = MONTHS.index(row["since"])
        before, after = sums([FELL], range(since)), sums([FELL], range(since, 18))
        assert row["before"] == pytest.approx(float(before[0, 0] / before[1, 0]))
        assert row["respondents_after"] == after[5, 0]
        assert row["change"]["low"] < row["change"]["estimate"] < row["change"]["high"] < 0
    # Rules that cannot say how often they are false are left to the control charts.
    assert [rule["rule"] for rule in found["rules"]] == ["level shift", "last period"]
    assert sum(rule["expected_false_a_year"] for rule in found["rules"]) == pytest.approx(0.05)
    assert found["looks_a_year"] == {"month": 12, "quarter": 4, "week": 52}[step]
    noise = found["noise"]
    assert noise["learnt"] and noise["season_allowed"]
    assert 0 <= noise["deviation_low"] <= noise["deviation"] <= noise["deviation_high"]
    assert not row["against_others"]
    assert found["together"]["moved"] is False and found["together"]["season_allowed"]
    assert found["common_movement_removed"] is True


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


def test_the_small_unit_is_seen_in_no_statistic_by_who_may_not(children, world):
    public = {"headers": world.public}
    ranking = children("ranking", **public)
    assert SMALL not in [row["unit"]["code"] for row in ranking["rows"] if row["rank"]]
    small = by_unit(ranking)[SMALL]
    assert small["rate"] is small["rank"] is small["shrunk_rate"] is small["respondents"] is None
    row = by_unit(children("funnel", **public))[SMALL]
    assert row["rate"] is row["p"] is row["low_95"] is row["z"] is None
    for with_ in ("previous", "parent"):
        ask = {"with": with_, "from": "2025-01-01", "to": "2025-06-30"}
        row = by_unit(children("compare", **ask, **public))[SMALL]
        assert row["suppressed"] is True
        assert row["rate"]["rate"] is row["change"]["estimate"] is row["other"]["rate"] is None
    (row,) = world("trend", unit=SMALL, **public)["rows"]
    assert row["centre"] is row["slope"]["a_period"] is row["trend"]["p"] is None
    for point in row["points"]:
        if point["suppressed"]:
            hidden = ("rate", "low", "high", "respondents", "z", "ewma")
            assert [point[name] for name in hidden] == [None] * 6
    assert sum(point["suppressed"] for point in row["points"]) == 4
    assert SMALL not in [r["unit"]["code"] for r in children("alerts", **public)["rows"]]
    # Weeks have few respondents, and cut months; either side of an alert has enough all the same.
    points = world("trend", unit=FELL, step="week")["rows"][0]["points"]
    assert any(0 < point["respondents"] < 10 and point["rate"] is not None for point in points)
    rows = children("alerts", step="week")["rows"]
    assert all(min(r["respondents_before"], r["respondents_after"]) >= 10 for r in rows)
    refused = children("alerts", step="week", status=422, **public)
    assert refused["type"] == "/problems/calendar-periods-only"
    for name, ask in (
        ("drivers", {"outcome": "trips"}), ("reliability", {}), ("casemix", {"adjust": "trips"}),
        ("weighted", {"margin": REGISTERED}),
    ):  # fmt: skip
        answer = world(name, unit=SMALL, status=422, **ask, **public)
        assert answer["type"] == "/problems/too-few-respondents"
        assert "4" not in str(answer.get("respondents", ""))
    row = world("stratified", unit=SMALL, **public)["rows"][0]
    assert set(row["pooled"].values()) == set(row["stratified"].values()) == {None}
    assert row["respondents"] is None
    assert SMALL not in by_unit(children("casemix", adjust="trips", **public))


def test_a_unit_that_guards_a_small_one_is_shown_by_no_statistic(children, world):
    """All communes but one, and their district, would give K16 away: so another is hidden too."""
    public = {"headers": world.public}
    answer = world.client.get(
        URL,
        params={"questionnaire": FORM.code, "unit": "D1", "expand": "children", "by": "unit"},
        headers=world.public,
    ).json()
    hidden = {row["unit"]["code"] for row in answer["rows"] if row["suppressed"]}
    assert SMALL in hidden and len(hidden) == 2
    (guard,) = hidden - {SMALL}
    ranked = by_unit(children("ranking", **public))
    for code in hidden:  # no rank, not the 0 that arrays have for none
        ranks = {name: value for name, value in ranked[code].items() if name.startswith("rank")}
        assert len(ranks) == 5 and set(ranks.values()) == {None}
    for name in ("ranking", "funnel"):
        assert by_unit(children(name, **public))[guard]["rate"] is None
    for with_ in ("previous", "year-before", "parent", "peers"):
        days = {"from": "2026-01-01", "to": "2026-06-30"}
        ask = {"with": with_} | (days if with_ in ("previous", "year-before") else {})
        rows = by_unit(children("compare", **ask, **public))
        if with_ in ("parent", "peers"):
            assert rows[guard]["rate"]["rate"] is rows[guard]["change"]["estimate"] is None
            # Others are those who are shown: less a shown unit they give no hidden one away.
            shown = [code for code in COMMUNES if code not in hidden]
            total = sums(shown)[5].sum()
            for code in shown:
                assert rows[code]["other"]["respondents"] == total - sums([code])[5, 0]
    assert guard not in by_unit(children("casemix", adjust="trips", **public))
    (row,) = world("stratified", unit=guard, **public)["rows"]
    assert row["pooled"]["rate"] is row["stratified"]["rate"] is None
    # A weighted mean of all would be a second equation for the two that are hidden.
    (row,) = world("stratified", unit="D1", **public)["rows"]
    cases = sum(VOLUMES.values())
    left = cases - sum(VOLUMES[code] for code in hidden)
    assert row["stratified"]["covered"] == pytest.approx(left / cases)
    assert row["strata"] == 14
    refused = world("weighted", unit=guard, margin=REGISTERED, status=422, **public)
    assert refused["type"] == "/problems/too-few-respondents"
    refused = world("drivers", unit=guard, outcome="trips", status=422, **public)
    assert refused["type"] == "/problems/too-few-respondents"


def test_no_month_of_the_small_unit_follows_from_units_months_and_totals(world):
    """The respondents of K16 in a month, solved for from all that a stranger may ask for."""
    codes = ["77", "D1", *COMMUNES]
    equations, right = [], []
    for by in (["unit"], ["unit", "month"]):
        answer = world.client.get(
            URL,
            params={"questionnaire": FORM.code, "unit": codes, "by": by},
            headers=world.public,
        )
        for row in answer.json()["rows"]:
            if row["suppressed"]:
                continue
            unit, month = row["unit"]["code"], row.get("period")
            cells = np.zeros((len(COMMUNES), len(MONTHS)))
            about = COMMUNES.index(unit) if unit in COMMUNES else slice(None)
            cells[about, MONTHS.index(month) if month else slice(None)] = 1.0
            equations.append(cells.ravel())
            right.append(row["respondents"])
    place = COMMUNES.index(SMALL) * len(MONTHS)
    for month in range(4):
        target = np.zeros(len(COMMUNES) * len(MONTHS))
        target[place + month] = 1.0
        low, high = (
            sign * linprog(sign * target, A_eq=equations, b_eq=right, bounds=(0, None)).fun
            for sign in (1, -1)
        )
        assert high - low >= 1, MONTHS[month]


def test_a_margin_is_no_way_to_ask_for_few(world):
    """By sizes of one's own, or of 0, classes are weighed until what is left are few."""
    public = {"headers": world.public}
    ask = {"unit": "K05", "from": "2025-01-01", "to": "2025-03-31"}
    few = sum(a["trips"] == 3 for c, m, _, a in SENT if c == "K05" and m < 3)
    assert 0 < few < 10
    margin = "trips:1=0,2=0,3=1"
    answer = world("weighted", margin=margin, status=422, **ask, **public)
    assert (answer["type"], answer["field"]) == ("/problems/margin-unregistered", "margin")
    answer = world("weighted", margin=REGISTERED, status=422, **ask, **public)
    assert answer["type"] == "/problems/too-few-respondents"
    assert world("weighted", margin=margin, **ask)["rate"] is not None
    # A margin that the operator registered is the same however it is written.
    whole = {"unit": "77", **public}
    (first, second) = (
        world("weighted", margin=text, **whole) for text in (REGISTERED, "trips:3=5,1=5,2=5.0")
    )
    assert first["rate"] == second["rate"] is not None
    empty = world("weighted", margin=EMPTY, status=422, **whole)
    assert empty["type"] == "/problems/margin-invalid"


def test_a_course_is_computed_from_the_periods_that_are_shown(children, world):
    """A commune guards K16 in some months: nothing of its course depends on them."""
    rows = by_unit(children("trend", headers=world.public))
    row = next(
        row
        for code, row in rows.items()
        if code != SMALL and 0 < sum(point["suppressed"] for point in row["points"]) < len(MONTHS)
    )
    shown = [m for m, point in enumerate(row["points"]) if not point["suppressed"]]
    monthly = np.array([sums([row["unit"]["code"]], [m])[:, 0] for m in shown])
    rates = monthly[:, 0] / monthly[:, 1]
    assert row["slope"]["a_period"] == pytest.approx(stats.theilslopes(rates, shown).slope)
    for point in row["points"]:
        if point["suppressed"]:
            assert point["z"] is point["rate"] is point["ewma"] is None
    # Enough for XmR limits, which rest on all of them, and for few months to be judged by twelve.
    assert 12 <= len(shown) < len(MONTHS) and row["limits"]["periods_judged"] == len(shown) - 12
    nhs = by_unit(children("trend", headers=world.public, rules="nhs"))[row["unit"]["code"]]
    assert nhs["centre"] == pytest.approx(rates.mean())
    ranges = np.abs(np.diff(rates))
    ranges = ranges[ranges < 3.267 * ranges.mean()]
    low = nhs["points"][-1]["limit_low"]
    assert low == pytest.approx(rates.mean() - 2.66 * ranges.mean(), abs=1e-9)
    assert nhs["limits"]["segments"][0]["rests_on"] == len(shown)


@pytest.mark.parametrize("rules", ["default", "western-electric", "nhs"])
def test_a_course_says_by_which_rules_it_marks_and_how_often_they_err(world, rules):
    (row,) = world("trend", unit="K03", rules=rules)["rows"]
    told = row["limits"]
    expected = {"default": control_charts.CHOSEN, "western-electric": control_charts.NAMED}
    assert told["rules"] == list(expected.get(rules, xmr.NHS_RULES))
    assert told["periods_judged"] == (18 if rules == "nhs" else 6)
    assert 0.01 < told["false_marks"] < 0.2
    assert set(row["points"][-1]["signals"]) <= set(told["rules"])
    assert told["target"] == 0.9  # of the settings
    low, high = (row["points"][-1][f"limit_{side}"] for side in ("low", "high"))
    for target in (low - 0.02, (low + high) / 2, min(high + 0.02, 0.999)):
        (again,) = world("trend", unit="K03", rules=rules, target=target)["rows"]
        assert again["limits"]["assurance"] == xmr.assurance(low, high, target)


def test_rules_may_be_chosen_one_by_one(world):
    ask = {"unit": FELL, "rule": ["8 in a row on one side", "beyond 3 sigma"]}
    (row,) = world("trend", **ask)["rows"]
    assert row["limits"]["rules"] == ["beyond 3 sigma", "8 in a row on one side"]
    assert {name for point in row["points"] for name in point["signals"]} == {"beyond 3 sigma"}
    assert world("trend", unit=FELL, rule="trend", status=422)["type"] == "/problems/invalid-fields"


def test_one_unit_has_no_ranking_and_many_have_no_course_at_once(world):
    assert world("ranking", unit=FELL, status=422)["type"] == "/problems/too-few-units"
    unknown = world("ranking", unit="nowhere", status=404)
    assert unknown["type"] == "/problems/unknown-unit"
    assert world("trend", questionnaire="nothing", status=404)


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


@pytest.mark.parametrize("name", ["trend", "alerts"])
def test_a_course_of_thousands_of_periods_is_refused(world, name):
    refused = world(name, unit=FELL, status=422, **{"from": "1900-01-01"})
    assert (refused["type"], refused["field"]) == ("/problems/too-many-rows", "from")


def test_what_periods_vary_in_tells_nothing_of_a_unit_that_is_not_shown(world):
    public = {"headers": world.public}
    noise = world("alerts", unit=SMALL, **public)["noise"]
    assert noise["learnt"] is False and noise["deviation"] is noise["correlation_low"] is None
    assert world("alerts", unit=SMALL)["noise"]["deviation"] is not None
    # Among others it changes nothing, but for the number of those who answered.
    others = [code for code in COMMUNES if code != SMALL]
    with_it, without = (world("alerts", unit=u, **public) for u in (COMMUNES, others))
    assert with_it["noise"] == without["noise"] and with_it["together"] == without["together"]
    # Nor do p-values rest on its months.
    told = [(row["unit"]["code"], row["p"]) for row in with_it["rows"]]
    assert told and told == [(row["unit"]["code"], row["p"]) for row in without["rows"]]
