"""No statistic tells what few people said, nor what a unit did that guards them."""

import numpy as np
import pytest
from scipy.optimize import linprog

from tests.api.statistics.sent import EMPTY, REGISTERED, by_unit, sums
from tests.figures.district import COMMUNES, FELL, FORM, MONTHS, SENT, SMALL, URL, VOLUMES


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
