"""The respondent-clustered ratio against R's survey package, and what must hold of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

from analysis import clustered
from analysis.clustered import ratio
from analysis.proportions import interval

CASES = json.loads(
    (Path(__file__).parents[1] / "data/references/clustered_ratio.json").read_text(encoding="utf-8")
)["cases"]


def sums(a, m):
    a, m = np.asarray(a, float), np.asarray(m, float)
    answered = m > 0
    return (
        a.sum(),
        m.sum(),
        (a * a).sum(),
        (a * m).sum(),
        (m * m).sum(),
        int(answered.sum()),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"n={case['n']}")
def test_equals_r_survey(case):
    # R 4.2.2, survey 4.1.1: svyratio and svyciprop(method = "xlogit", df = n - 1)
    population = case["population"] or None
    found = ratio(*sums(case["a"], case["m"]), population=population)
    np.testing.assert_allclose(found.estimate, case["ratio"], rtol=1e-9)
    np.testing.assert_allclose(found.standard_error, case["se"], rtol=1e-9)
    np.testing.assert_allclose([found.low, found.high], case["ci_xlogit"], rtol=1e-9)
    # R's deff = "replace" divides by Σm - 1 where ours divides by Σm; with a finite population
    # it also compares with a sample drawn from that population.
    if population is None:
        answers = sum(case["m"])
        np.testing.assert_allclose(
            found.design_effect, case["deff_replace"] * answers / (answers - 1), rtol=1e-9
        )
    assert found.method == clustered.LOGIT_T


def test_equals_cluster_robust_standard_error_of_statsmodels():
    # statsmodels' OLS on answers with a constant, cov_type="cluster"; its correction factor is
    # G/(G-1)·(N-1)/(N-k) with k = 1, so G/(G-1): ours.
    rng = np.random.default_rng(7)
    m = rng.integers(1, 26, 60)
    a = rng.binomial(m, rng.beta(6, 2, 60))
    answers = np.concatenate([[1.0] * x + [0.0] * (y - x) for x, y in zip(a, m, strict=True)])
    fit = OLS(answers, np.ones_like(answers)).fit(
        cov_type="cluster", cov_kwds={"groups": np.repeat(np.arange(60), m)}
    )
    found = ratio(*sums(a, m))
    np.testing.assert_allclose(found.estimate, fit.params[0], rtol=1e-9)
    np.testing.assert_allclose(found.standard_error, fit.bse[0], rtol=1e-9)


def test_unanimous_answers_get_the_exact_interval_on_respondents():
    found = ratio(*sums([22] * 30, [22] * 30))
    exact = interval(30, 30, method="exact")
    assert found.low == exact.low and found.high == 1.0
    assert found.method == clustered.EXACT
    same_share = ratio(*sums([11] * 30, [22] * 30))
    assert same_share.method == clustered.EXACT
    assert same_share.low < 0.5 < same_share.high


def test_nobody_one_and_everybody():
    nobody = ratio(0, 0, 0, 0, 0, 0)
    assert np.isnan([nobody.estimate, nobody.standard_error, nobody.low, nobody.high]).all()
    one = ratio(*sums([5], [10]))
    assert one.estimate == 0.5 and np.isnan(one.standard_error)
    assert one.low < 0.05 and one.high > 0.95
    everybody = ratio(*sums([5, 9], [10, 10]), population=2)
    assert everybody.low == everybody.estimate == everybody.high
    assert everybody.method == clustered.CENSUS


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((11, 10, 1, 1, 1, 1), "sum_a"),
        ((1, 10, -1, 1, 1, 1), "sum_aa"),
        ((1, 2, 1, 1, 1, 3), "n exceeds"),
        ((np.nan, 2, 1, 1, 1, 1), "sum_a"),
    ],
)
def test_impossible_sums_are_refused_by_name(arguments, named):
    with pytest.raises(ValueError, match=named):
        ratio(*arguments)


def test_more_respondents_than_population_are_refused():
    with pytest.raises(ValueError, match="population"):
        ratio(*sums([1, 2], [3, 3]), population=1)


respondents = st.lists(
    st.integers(1, 31).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m))),
    min_size=1,
    max_size=60,
)


@given(respondents)
def test_interval_lies_in_bounds_and_holds_the_rate(people):
    found = ratio(*sums(*zip(*people, strict=True)))
    assert 0 <= found.low <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.high <= 1


@given(respondents, st.integers(0, 60))
def test_sums_of_parts_give_the_same_as_the_whole(people, cut):
    left, right = people[:cut], people[cut:]
    whole = np.array(sums(*zip(*people, strict=True)))
    parts = sum(np.array(sums(*zip(*part, strict=True))) for part in (left, right) if part)
    a, b = ratio(*whole), ratio(*parts)
    np.testing.assert_array_equal(
        [a.estimate, a.low, a.high, a.n], [b.estimate, b.low, b.high, b.n]
    )


@given(respondents)
def test_one_answer_each_and_no_correlation_is_the_simple_proportion(people):
    satisfied = [int(a > m / 2) for a, m in people]
    found = ratio(*sums(satisfied, [1] * len(people)))
    n = len(people)
    if 0 < sum(satisfied) < n:
        assert found.design_effect == pytest.approx(n / (n - 1))


def test_coverage_with_correlated_answers():
    # 2,000 samples of 100 respondents, 22 answers each, beta-binomial with rate 0.85 and
    # intra-respondent correlation 0.3: the clustered 95 % interval keeps its word, the usual
    # one on answers does not. Seeded; with p = 0.95 and 2,000 draws three standard errors are
    # 0.0146, so 0.93-0.97.
    rng = np.random.default_rng(2020)
    rate, rho, n, items = 0.85, 0.3, 100, 22
    shape = (1 - rho) / rho
    a = rng.binomial(items, rng.beta(rate * shape, (1 - rate) * shape, (2000, n))).astype(float)
    m = np.full_like(a, items)
    found = ratio(
        a.sum(1), m.sum(1), (a * a).sum(1), (a * m).sum(1), (m * m).sum(1), np.full(2000, n)
    )
    covered = ((found.low <= rate) & (rate <= found.high)).mean()
    naive = interval(a.sum(1), m.sum(1))
    naive_covered = ((naive.low <= rate) & (rate <= naive.high)).mean()
    assert 0.93 <= covered <= 0.97
    assert naive_covered < 0.7
