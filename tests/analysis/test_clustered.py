"""The respondent-clustered ratio against R's survey package, and what must hold of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta
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
    given = sums(case["a"], case["m"])
    found = ratio(*given, population=population, interval=clustered.R_XLOGIT)
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


def test_where_r_gives_no_interval_there_is_none():
    # R survey 4.1.1: svyciprop(method = "xlogit") of three people who are all satisfied: NaN NaN.
    for share in (0, 22):
        found = ratio(*sums([share] * 3, [22] * 3), interval=clustered.R_XLOGIT)
        assert np.isnan(found.low) and np.isnan(found.high)


def test_one_answer_of_953_does_not_make_an_interval_from_nought_to_all():
    # 33 people, 952 of 953 answers satisfied: 0.9-100 % in the build before. Wilson's interval on
    # 33 people of whom all are satisfied begins at 89.6 %.
    m = [29] * 32 + [25]
    found = ratio(*sums([28, *m[1:]], m))
    assert found.low == pytest.approx(0.921, abs=0.0005) and found.high > 0.9999
    unanimous = ratio(*sums(m, m))
    assert unanimous.low == pytest.approx(0.922, abs=0.0005) and unanimous.high == 1.0
    # 12 people at 99.6 %: 0.07-100 %.
    twelve = ratio(*sums([21] + [22] * 11, [22] * 12))
    assert twelve.low == pytest.approx(0.8025, abs=0.0005) and twelve.high > 0.999
    # What other units tell of the correlation narrows them.
    informed = ratio(*sums([21] + [22] * 11, [22] * 12), correlation=0.2)
    assert 0.81 < informed.low < 0.84


def test_nobody_one_and_everybody():
    nobody = ratio(0, 0, 0, 0, 0, 0)
    assert np.isnan([nobody.estimate, nobody.standard_error, nobody.low, nobody.high]).all()
    assert nobody.method == clustered.NONE
    one = ratio(*sums([5], [10]))
    assert one.estimate == 0.5 and np.isnan(one.standard_error)
    assert one.low < 0.1 and one.high > 0.9
    everybody = ratio(*sums([5, 9], [10, 10]), population=2)
    assert everybody.low == everybody.estimate == everybody.high
    assert everybody.method == clustered.CENSUS


def test_limits_draw_near_to_the_rate_as_nearly_everybody_has_answered():
    whole = ratio(*sums([20, 22, 15, 22], [22] * 4))
    half = ratio(*sums([20, 22, 15, 22], [22] * 4), population=8)
    np.testing.assert_allclose(half.estimate - half.low, (whole.estimate - whole.low) / 2**0.5)
    np.testing.assert_allclose(half.high - half.estimate, (whole.high - whole.estimate) / 2**0.5)
    # Of 31 of whom 30 were asked and agree the one left may be the one who does not.
    assert ratio(*sums([1] * 30, [1] * 30), population=31).low < 1 - 1 / 60


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


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"interval": "beta"}, "interval must be one of"),
        ({"correlation": 1.2}, "correlation has entries outside"),
        ({"correlation": [0.1, 0.2, 0.3]}, "correlation"),
        ({"confidence": 1.0}, "confidence"),
    ],
)
def test_impossible_wishes_are_refused_by_name(options, named):
    with pytest.raises(ValueError, match=named):
        ratio([9, 9], [10, 10], [41, 41], [45, 45], [50, 50], 2, **options)


def test_more_respondents_than_population_are_refused():
    with pytest.raises(ValueError, match="population"):
        ratio(*sums([1, 2], [3, 3]), population=1)


respondents = st.lists(
    st.integers(1, 31).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m))),
    min_size=1,
    max_size=60,
)


known = st.one_of(st.none(), st.floats(0, 1), st.just(float("nan")))


@given(respondents, known, st.sampled_from([0.5, 0.8, 0.95, 0.998]))
def test_interval_lies_in_bounds_and_holds_the_rate(people, correlation, confidence):
    a, m = zip(*people, strict=True)
    found = ratio(*sums(a, m), correlation=correlation, confidence=confidence)
    assert 0 <= found.low <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.high <= 1


@given(respondents, known, st.sampled_from([0.5, 0.8, 0.95, 0.998]))
def test_no_interval_is_wider_than_the_exact_one_on_people(people, correlation, confidence):
    a, m = (np.array(each, float) for each in zip(*people, strict=True))
    found = ratio(*sums(a, m), correlation=correlation, confidence=confidence)
    n = m.sum() ** 2 / (m * m).sum()
    k, tail = found.estimate * n, (1 - confidence) / 2
    # SciPy's beta distribution itself; its quantiles at 50 % may leave out the estimate.
    low = beta.ppf(tail, k, n - k + 1) if k > 0 else 0.0
    high = beta.ppf(1 - tail, k + 1, n - k) if k < n else 1.0
    assert found.low >= min(low, found.estimate) - 1e-9
    assert found.high <= max(high, found.estimate) + 1e-9
    assert found.people == pytest.approx(n)


@given(respondents, known)
def test_satisfied_and_dissatisfied_may_change_places(people, correlation):
    a, m = (np.array(each) for each in zip(*people, strict=True))
    one = ratio(*sums(a, m), correlation=correlation)
    other = ratio(*sums(m - a, m), correlation=correlation)
    assert other.low == pytest.approx(1 - one.high, abs=1e-9)
    assert other.high == pytest.approx(1 - one.low, abs=1e-9)


@given(respondents, st.randoms(use_true_random=False))
def test_one_more_satisfied_answer_lowers_no_limit_by_a_jump(people, random):
    # It may lower it by a hair, where the one answer makes people differ more.
    a, m = (np.array(each) for each in zip(*people, strict=True))
    rows = [sums(a, m)]
    rest = [i for i, (x, y) in enumerate(people) for _ in range(y - x)]
    random.shuffle(rest)
    for i in rest:
        a[i] += 1
        rows.append(sums(a, m))
    found = ratio(*np.array(rows, float).T, correlation=0.33)
    assert (np.diff(found.low) > -0.002).all()
    assert (np.diff(found.high) > -0.002).all()


@given(respondents, st.integers(0, 60))
def test_sums_of_parts_give_the_same_as_the_whole(people, cut):
    left, right = people[:cut], people[cut:]
    whole = np.array(sums(*zip(*people, strict=True)))
    parts = sum(np.array(sums(*zip(*part, strict=True))) for part in (left, right) if part)
    a, b = ratio(*whole), ratio(*parts)
    np.testing.assert_array_equal(
        [a.estimate, a.low, a.high, a.n], [b.estimate, b.low, b.high, b.n]
    )


@given(st.integers(1, 44), st.data())
def test_one_answer_each_is_wilsons_interval(n, data):
    satisfied = data.draw(st.integers(0, n))
    found = ratio(satisfied, n, satisfied, satisfied, n, n)
    wilson = interval(satisfied, n)
    np.testing.assert_allclose([found.low, found.high], [wilson.low, wilson.high], atol=1e-12)
    if 0 < satisfied < n:
        assert found.design_effect == pytest.approx(n / (n - 1))


def test_one_answer_each_is_cut_to_the_exact_interval_where_that_is_narrower():
    # 100 of 100: Wilson's begins at 96.30 %, Clopper and Pearson's at 96.38 %.
    found = ratio(100, 100, 100, 100, 100, 100)
    exact = interval(100, 100, method="exact")
    assert found.low == pytest.approx(exact.low, abs=1e-12)
    assert found.method == clustered.CUT


def test_units_alone_together_and_of_unknown_correlation():
    rng = np.random.default_rng(3)
    m = np.full((40, 30), 22.0)
    shape = (1 - 0.5) / 0.5
    a = rng.binomial(22, rng.beta(0.85 * shape, 0.15 * shape, m.shape)).astype(float)
    s = (a.sum(1), m.sum(1), (a * a).sum(1), (a * m).sum(1), (m * m).sum(1), np.full(40, 30))
    shared = clustered.shared_correlation(*s)
    assert shared == pytest.approx(0.5, abs=0.07)
    np.testing.assert_array_equal(ratio(*s).low, ratio(*s, correlation=shared).low)
    # NaN: each as if it had come alone.
    unknown = ratio(*s, correlation=np.nan)
    alone = [ratio(*(each[i] for each in s)) for i in range(40)]
    # Alone, the unit's own correlation is rounded.
    np.testing.assert_allclose(unknown.low, [float(each.low) for each in alone], atol=2e-3)
    mixed = ratio(*s, correlation=np.where(np.arange(40) < 20, shared, np.nan))
    np.testing.assert_array_equal(mixed.low[:20], ratio(*s).low[:20])
    np.testing.assert_array_equal(mixed.low[20:], unknown.low[20:])


def test_a_unit_that_tells_much_of_its_own_correlation_has_the_word():
    rng = np.random.default_rng(8)
    for drawn in (0.05, 0.6):
        shape = (1 - drawn) / drawn
        many = rng.binomial(22, rng.beta(0.8 * shape, 0.2 * shape, 4000))
        found = ratio(*sums(many, np.full(4000, 22)), correlation=0.3)
        assert found.interval_n == pytest.approx(4000 * 22 / (1 + 21 * drawn), rel=0.1)
    # Of a few who agree it is not known whether the angry are not, or were not asked.
    few = ratio(*sums([22] * 11 + [20], [22] * 12), correlation=0.3)
    assert few.interval_n == pytest.approx(12 * 22 / (1 + 21 * 0.3), rel=0.1)


def test_days_as_clusters_widen_where_days_differ():
    rng = np.random.default_rng(5)
    day = rng.integers(0, 12, 240)
    rate = 1 / (1 + np.exp(-(2.0 + rng.normal(0, 0.8, 12)[day])))
    a, m = rng.binomial(22, rate), np.full(240, 22)
    by_day = sums(np.bincount(day, a, 12), np.bincount(day, m, 12))
    people, days = ratio(*sums(a, m)), ratio(*by_day, interval=clustered.CLUSTER_T)
    found = clustered.wider(people, days)
    assert days.interval_n < people.interval_n
    assert found.low == days.low < people.low and found.high == days.high > people.high
    assert found.n == 240 and found.method == clustered.WIDER_T
    assert found.standard_error == days.standard_error
    # Days that are all alike show no variance: people as clusters have the word.
    alike = ratio(*sums([200] * 12, [220] * 12), interval=clustered.CLUSTER_T)
    assert np.isnan(alike.low) and np.isnan(alike.high)
    same = ratio(*sums([20] * 120, [22] * 120))
    assert clustered.wider(same, alike).low == same.low
    with pytest.raises(ValueError, match="different answers"):
        clustered.wider(people, alike)


@given(respondents)
def test_days_as_clusters_hold_the_rate(days):
    found = ratio(*sums(*zip(*days, strict=True)), interval=clustered.CLUSTER_T)
    if not np.isnan(found.low):
        assert 0 <= found.low <= found.estimate + 1e-12
        assert found.estimate - 1e-12 <= found.high <= 1


def test_coverage_with_correlated_answers():
    # 2,000 samples of 100 respondents, 22 answers each, beta-binomial with rate 0.85 and
    # intra-respondent correlation 0.3: the clustered 95 % intervals keep their word, the usual
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
    as_r = ratio(
        *(a.sum(1), m.sum(1), (a * a).sum(1), (a * m).sum(1), (m * m).sum(1), np.full(2000, n)),
        interval=clustered.R_XLOGIT,
    )
    assert 0.93 <= ((as_r.low <= rate) & (rate <= as_r.high)).mean() <= 0.97
    naive = interval(a.sum(1), m.sum(1))
    naive_covered = ((naive.low <= rate) & (rate <= naive.high)).mean()
    assert 0.93 <= covered <= 0.97
    assert naive_covered < 0.7
