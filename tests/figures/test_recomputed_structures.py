"""Figures in the trees of drawn reorganisations, against R and statsmodels from what was sent."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from sqlalchemy import delete, select
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from app.access.callers import owner
from app.figures import comments, comparisons, nonresponse, response_rates, stratification
from app.figures.comments import CommentQuery
from app.figures.context import Context
from app.figures.periods import Step
from app.figures.query import Interval, Key, Query
from app.figures.rates import find
from app.figures.release import ReleaseRule
from app.figures.trends import trend
from app.figures.visible import PUBLIC
from app.intake.models import LateResponse, Response
from app.settings import Settings
from app.text_keys import TextKeys
from tests.databases import BACKENDS
from tests.figures.recomputed_world import CHANNELS, FOUNDED, MONTHS, TODAY, TREES, recomputed

OWNER, RULE = owner("a test"), ReleaseRule(1, TODAY)
KEYS = TextKeys.of(Settings())
SEEDS = (1, 2, 3)
#: R's own figures of rows in which nobody is dealt out: an entry a respondent, JSON in and out.
R = """
suppressMessages({library(survey); library(jsonlite)})
d <- fromJSON(file("stdin")); d$person <- seq_len(nrow(d))
put <- lapply(split(d, d$row), function(x) {
  ds <- svydesign(ids = ~1, weights = rep(1, nrow(x)), data = x)
  r <- svyratio(~a, ~m, ds); s <- svyratio(~s, ~m, ds)
  L <- data.frame(id = rep(x$person, x$m),
                  y = unlist(Map(function(a, m) rep(1:0, c(a, m - a)), x$a, x$m)))
  dl <- svydesign(ids = ~id, weights = rep(1, nrow(L)), data = L)
  ci <- attr(svyciprop(~I(y == 1), dl, method = "xlogit", df = nrow(x) - 1), "ci")
  c(coef(r), SE(r), as.numeric(ci), coef(s), SE(s)) })
cat(toJSON(put, digits = 12))
"""


@pytest.fixture(scope="module", params=[(b, seed) for b in BACKENDS for seed in SEEDS], ids=str)
def world(request, templates, postgres, tmp_path_factory):
    backend, seed = request.param
    folder = tmp_path_factory.mktemp("recomputed")
    with recomputed(seed, backend, templates, postgres, folder) as found:
        yield found


def asked(session, *by, **changes):
    return find(session, Query(questionnaire="sipas-desk", by=list(by), **changes), OWNER, RULE)


def until(people, tree):
    """Who answered before a tree ended: the ledger follows units forwards."""
    return people[people["day"] <= tree]


def ratio(x, of):
    """A ratio with respondents as clusters by statsmodels; a weight counts as so many people."""
    rate = (x["weight"] * x[of]).sum() / (x["weight"] * x["m"]).sum()
    residuals = DescrStatsW(x[of] - rate * x["m"], weights=x["weight"], ddof=1)
    # Rounding takes the variance of one respondent a little below 0.
    error = np.sqrt(max(residuals.var, 0) / x["weight"].sum()) / np.average(
        x["m"], weights=x["weight"]
    )
    return rate, error, x["weight"].sum()


def dealt_out(rows):
    return {row for row, x in rows.groupby("row") if (x["weight"] < 1 - 1e-9).any()}


@pytest.mark.parametrize("tree", TREES)
def test_rates_means_and_their_errors_are_those_of_statsmodels(session, made, tree):
    rows = made.standing(until(made.people(session), tree), tree)
    (rates,) = asked(session, Key.UNIT, structure=tree, last=tree, interval=Interval.R_XLOGIT).rates
    mine = {unit.code: place for place, unit in enumerate(rates.unit)}
    seen = {code for code, place in mine.items() if rates.sums["n"][place] > 0}
    assert seen == set(rows["row"])
    for row, x in rows.groupby("row"):
        k = mine[row]
        rate, error, n = ratio(x, "a")
        assert rates.sums["n"][k] == pytest.approx(n)
        assert rates.ratio.estimate[k] == pytest.approx(rate)
        assert rates.ratio.standard_error[k] == pytest.approx(error)
        half = stats.t.ppf(0.975, n - 1) * error / (rate * (1 - rate))
        limits = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + np.array([-half, half]))))
        assert [rates.low[k], rates.high[k]] == pytest.approx(limits)
        mean, error, n = ratio(x, "s")
        assert rates.mean.estimate[k] == pytest.approx(mean)
        assert rates.mean.standard_error[k] == pytest.approx(error)
        low, high = mean + stats.t.ppf([0.025, 0.975], n - 1) * error
        assert rates.mean.low[k] == pytest.approx(max(low, 1.0))
        assert rates.mean.high[k] == pytest.approx(min(high, 5.0))
        whole = (x["weight"] * (x["a"] == x["m"])).sum()
        assert [rates.wholly.low[k], rates.wholly.high[k]] == pytest.approx(
            proportion_confint(whole, n, method="wilson")
        )
    if tree != TREES[0]:
        assert dealt_out(rows) and any(row.endswith("~") for row in set(rows["row"]))


@pytest.mark.parametrize("tree", TREES)
def test_single_answers_have_wilsons_interval_of_as_many_people_as_the_weights_say(
    session, made, tree
):
    people = until(made.people(session), tree).dropna(subset=["A1"])
    rows = made.standing(people, tree, below=False)
    (rates,) = asked(
        session, Key.UNIT, structure=tree, last=tree, item="A1", descendants=False
    ).rates
    mine = {unit.code: place for place, unit in enumerate(rates.unit)}
    for row, x in rows.groupby("row"):
        k, n = mine[row], x["weight"].sum()
        satisfied = (x["weight"] * (x["A1"] >= 4)).sum()
        assert rates.sums["n"][k] == pytest.approx(n)
        assert [rates.low[k], rates.high[k]] == pytest.approx(
            proportion_confint(satisfied, n, method="wilson")
        )


@pytest.mark.parametrize("tree", TREES)
def test_what_days_have_in_common_is_that_of_days_in_place_of_people(session, made, tree):
    rows = made.standing(until(made.people(session), tree), tree)
    query = Query(questionnaire="sipas-desk", by=[Key.UNIT], structure=tree, last=tree)
    (rates,) = find(session, query, OWNER, RULE, by_days=True).rates
    mine = {unit.code: rates.day_effect[place] for place, unit in enumerate(rates.unit)}
    told = 0
    for row, x in rows.groupby("row"):
        rate, error, _ = ratio(x, "a")
        weighted = pd.DataFrame(
            {"day": x["day"], "a": x["weight"] * x["a"], "m": x["weight"] * x["m"], "all": x["m"]}
        )
        days = weighted.groupby("day").sum()
        # A day of which a share is dealt out is as if so much of it had been.
        residuals = (days["a"] - rate * days["m"]) / np.sqrt(days["m"] / days["all"])
        n = days["m"].clip(upper=1).sum()
        if n < 10:
            assert np.isnan(mine[row])
            continue
        told += 1
        by_day = np.sqrt(n / (n - 1) * (residuals**2).sum()) / days["m"].sum()
        assert mine[row] == pytest.approx((by_day / error) ** 2)
    assert told or tree == TREES[0]


@pytest.mark.skipif(
    shutil.which("Rscript") is None and not os.environ.get("HAILONG_REQUIRE_ALL"),
    reason="R is not installed",
)
def test_rows_in_which_nobody_is_dealt_out_are_those_of_r_survey(session, made):
    rows = made.standing(made.people(session), TODAY)
    rows = rows[~rows["row"].isin(dealt_out(rows))]
    sent = rows[["row", "a", "m", "s"]].to_json(orient="records")
    ran = subprocess.run(
        ["Rscript", "-e", R], input=sent, capture_output=True, text=True, check=True, timeout=120
    )
    theirs = json.loads(ran.stdout)
    assert len(theirs) > 4
    (rates,) = asked(session, Key.UNIT, interval=Interval.R_XLOGIT).rates
    mine = {unit.code: place for place, unit in enumerate(rates.unit)}
    for row, found in theirs.items():
        k = mine[row]
        assert [
            rates.ratio.estimate[k], rates.ratio.standard_error[k], rates.low[k], rates.high[k],
            rates.mean.estimate[k], rates.mean.standard_error[k],
        ] == pytest.approx(found, rel=1e-8)  # fmt: skip


def test_a_regrouped_trend_is_that_of_what_was_sent(session, made):
    rows = made.standing(made.people(session), TODAY)
    rows["period"] = [f"{day:%Y-%m}" for day in rows["day"]]
    asked_for = Context(session, OWNER, Query(questionnaire="sipas-desk"), RULE)
    found = {row.unit.code: row for row in trend(asked_for, step=Step.MONTH).rows}
    for (code, period), x in rows.groupby(["row", "period"]):
        (point,) = [each for each in found[code].points if each.period == period]
        assert point.respondents == pytest.approx(x["weight"].sum())
        assert point.rate == pytest.approx(ratio(x, "a")[0])


@pytest.mark.parametrize("tree", TREES)
def test_ranked_and_in_the_funnel_are_the_units_of_then_with_what_was_sent(session, made, tree):
    rows = made.standing(until(made.people(session), tree), tree)
    query = Query(questionnaire="sipas-desk", structure=tree, last=tree, kinds=["commune"])
    context = Context(session, OWNER, query, RULE)
    theirs = {row: ratio(x, "a")[0] for row, x in rows.groupby("row") if row[0] in "CN"}
    ranked = {row.unit.code: row.rate for row in comparisons.ranking(context, best=1).rows}
    funnel = comparisons.funnel(context, target=None, overdispersion=False, q=0.05)
    assert ranked == pytest.approx(theirs)
    assert {row.unit.code: row.rate for row in funnel.rows} == pytest.approx(theirs)


@pytest.mark.parametrize("tree", TREES)
def test_response_rates_are_wilsons_of_the_regrouped_invited(session, made, tree):
    found = response_rates.find(
        session, OWNER, date(2025, 1, 1), tree, units=[], release_rule=RULE, structure=tree
    )
    theirs: dict[tuple[str, str], np.ndarray] = {}
    for (who, month), counts in made.invited.items():
        if month <= tree:
            for row, weight in made.rows[tree][who].items():
                key = row, f"{month:%Y-%m}"
                theirs[key] = theirs.get(key, np.zeros(2)) + weight * np.array(counts)
    mine = {(row.unit.code, row.month): row for row in found.rows}
    assert mine.keys() == theirs.keys()
    for key, (issued, answered) in theirs.items():
        row = mine[key]
        assert (row.issued, row.answered) == pytest.approx((issued, answered))
        assert [row.low, row.high] == pytest.approx(
            proportion_confint(answered, issued, method="wilson"), abs=1e-12
        )


@pytest.mark.parametrize(("late", "told"), [(9, False), (None, True)])
def test_late_answers_are_told_or_wait_in_every_structure_alike(world, made, late, told):
    """Nine that came long after their month wait; with so many that each question has ten, none."""
    _, database = world
    month = f"{MONTHS[1]:%Y-%m}"
    with database.writing("a test") as writing:
        query = select(Response).where(Response.channel == "qr").order_by(Response.id)
        brought = [each for each in writing.scalars(query) if f"{each.day:%Y-%m}" == month]
        assert len({each.unit_id for each in brought[:late]}) > 1
        assert not told or len(brought) > 12
        for each in brought[:late]:
            writing.add(
                LateResponse(
                    response_id=each.id, version_id=each.version_id, unit_id=each.unit_id,
                    channel=each.channel, day=each.day, received=date(2025, 10, 1),
                )
            )  # fmt: skip
    try:
        with database.reading() as session:
            known = len(made.people(session)) - (late or 0)
            for tree in (FOUNDED, *TREES):
                query = Query(
                    questionnaire="sipas-desk", by=[Key.UNIT], units=["P"], structure=tree
                )
                (shown,) = find(session, query, PUBLIC, ReleaseRule(10, TODAY)).rates
                assert shown.sums["n"].tolist() == [pytest.approx(known)]
                (whole,) = asked(session, Key.UNIT, units=["P"], structure=tree).rates
                assert whole.sums["n"].tolist() == [pytest.approx(len(made.people(session)))]
    finally:
        with database.writing("a test") as writing:
            writing.execute(delete(LateResponse))


@settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_whatever_sums_is_the_same_in_every_structure(world, session, data):
    """Of any tree and period: respondents, channels, months, invited, cases, comments."""
    made, database = world
    tree = data.draw(st.dates(FOUNDED, TODAY), label="tree")
    months = data.draw(st.lists(st.sampled_from(MONTHS), min_size=2, max_size=2), label="months")
    first, last = min(months), max(months).replace(day=28)
    people = made.people(session)
    people = people[(people["day"] >= first) & (people["day"] <= last)]
    given_ = {"structure": tree, "first": first, "last": last}
    sums = asked(session, Key.UNIT, Key.CHANNEL, Key.MONTH, descendants=False, **given_).rates[0]
    mine = pd.DataFrame({"channel": sums.channel, "period": sums.period, **sums.sums})
    people = people.assign(period=[f"{day:%Y-%m}" for day in people["day"]])
    for key in ("channel", "period"):
        counted = mine.groupby(key)[["n", "a", "m", "s"]].sum()
        theirs = people.groupby(key)[["a", "m", "s"]].sum().assign(n=people.groupby(key).size())
        assert set(theirs.index) <= set(counted.index)
        for place, row in counted.iterrows():
            expected = theirs.loc[place] if place in theirs.index else 0 * theirs.iloc[0]
            assert row.to_dict() == pytest.approx(expected.to_dict())
    assert set(mine["channel"]) <= {str(channel) for channel in CHANNELS}
    invited = np.sum(
        [pair for (_, month), pair in made.invited.items() if first <= month <= last], axis=0
    )
    found = response_rates.find(
        session, OWNER, first, last, units=[], release_rule=RULE, structure=tree
    )
    counts = [(row.issued, row.answered) for row in found.rows]
    assert np.sum(counts, axis=0) == pytest.approx(invited)
    context = Context(session, OWNER, Query(questionnaire="sipas-desk", **given_), RULE)
    (row,) = [
        row.by_invitations for row in nonresponse.find_nonresponse(context).rows
        if row.unit.code == "P"
    ]  # fmt: skip
    assert (row.reached, row.answered) == pytest.approx(tuple(invited))
    cases = sum(n for (_, month), n in made.cases.items() if first <= month <= last)
    served = {row.unit.code: row.cases for row in stratification.stratified(context).rows}
    assert served["P"] == pytest.approx(cases)
    written = []
    for month in MONTHS:
        query = CommentQuery(f"{month:%Y-%m}", structure=tree)
        pages = comments.read(database, OWNER, query, release_rule=RULE, keys=KEYS).pages
        for page in range(1, pages + 1):
            found = comments.read(
                database, OWNER, replace(query, page=page), release_rule=RULE, keys=KEYS
            )
            written += [comment.body for comment in found.comments]
    assert len(written) == len(set(written)) == made.commented > 0
