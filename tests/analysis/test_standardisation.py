"""The change with a fixed mix, against R's survey package and statsmodels."""

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.oaxaca import OaxacaBlinder

from analysis import clustered, comparison
from analysis.standardisation import Strata, standardised_change, standardised_rate
from tests.references import reference

R = reference("standardised")


def strata(people, strata):
    """Rows of (stratum, a, m), one a person, as the strata of one period."""
    sums = np.zeros((6, strata))
    for place, a, m in people:
        sums[:, place] += [a, m, a * a, a * m, m * m, 1]
    found = clustered.ratio(*sums)
    return Strata(sums[0], sums[1], np.nan_to_num(found.interval_n), found.people)


def plain(satisfied, answers):
    """Strata in which everybody gives one answer."""
    return Strata(satisfied, answers, answers, answers)


def of(table):
    return [tuple(map(int, row)) for row in table]


def test_rates_with_a_fixed_mix_equal_r_survey():
    # R 4.2.2, survey 4.1.1: svystandardize(ids=~person, by=~stratum, over=~period) with the mean
    # of both periods' shares as population, svyby(svyratio); 220 people with 1 to 12 answers.
    found = standardised_change(
        strata(of(R["first"]), 4), strata(of(R["second"]), 4), np.zeros(4, int), 1
    )
    assert found.first[0] == pytest.approx(R["rates"][0], rel=1e-9)
    assert found.second[0] == pytest.approx(R["rates"][1], rel=1e-9)
    # The width is that of R's clustered standard error, but for what strata's own variances and
    # the correlation that they share differ in.
    assert found.high[0] - found.low[0] == pytest.approx(2 * 1.96 * R["se_difference"], rel=0.12)


def test_parts_equal_the_decomposition_of_statsmodels():
    rng = np.random.default_rng(7)
    period = np.repeat([0, 1], [400, 700])
    part = np.concatenate([rng.choice(3, 400, p=[0.6, 0.3, 0.1]), rng.choice(3, 700)])
    y = (rng.random(1100) < np.array([0.9, 0.75, 0.5])[part] - 0.05 * period).astype(float)
    dummies = np.eye(3)[part][:, 1:]
    model = OaxacaBlinder(
        pandas.Series(y),
        pandas.DataFrame(np.column_stack([1 - period, dummies])),
        0,
        hasconst=False,
    )
    theirs = model.two_fold(two_fold_type="self_submitted", submitted_weight=0.5)
    sides = [
        plain(*(np.bincount(part[period == t], weights=w[period == t], minlength=3)
                for w in (y, np.ones(1100))))
        for t in (0, 1)
    ]  # fmt: skip
    found = standardised_change(*sides, [0, 0, 0], 1)
    unexplained, explained, gap = theirs.params
    assert abs(found.estimate[0]) == pytest.approx(abs(unexplained), rel=1e-9)
    assert abs(found.mix[0]) == pytest.approx(abs(explained), rel=1e-9)
    assert abs(found.crude[0]) == pytest.approx(abs(gap), rel=1e-9)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30)),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_parts_add_up_and_the_interval_agrees_with_p(rows):
    (a1, b1, a2, b2) = np.array(rows, dtype=float).T
    found = standardised_change(plain(a1, a1 + b1), plain(a2, a2 + b2), np.zeros(len(a1), int), 1)
    if not found.strata[0]:
        assert np.isnan(found.estimate[0]) and np.isnan(found.p[0])
        return
    assert found.estimate[0] + found.mix[0] + found.elsewhere[0] == pytest.approx(found.crude[0])
    assert found.low[0] <= found.estimate[0] <= found.high[0]
    assert (found.p[0] < 0.05) == (found.low[0] > 0 or found.high[0] < 0)
    if found.covered_first[0] == found.covered_second[0] == 1:
        assert found.elsewhere[0] == pytest.approx(0, abs=1e-12)


def test_one_stratum_is_the_change_itself():
    found = standardised_change(plain([48.0], [80.0]), plain([56.0], [70.0]), [0], 1)
    crude = comparison.change(0.6, 80, 0.8, 70)
    assert found.estimate[0] == pytest.approx(float(crude.estimate)) and found.mix[0] == 0
    assert found.p[0] == pytest.approx(
        float(crude.p), rel=0.03
    )  # its variance is 150/149 times as large


def test_wholes_share_strata_and_do_not_mix():
    first, second = plain([9.0, 5, 0], [10.0, 10, 0]), plain([8.0, 6, 3], [10.0, 30, 5])
    where = np.array([0, 1, 2])
    each = standardised_change(first, second, where, 4)
    assert np.isnan(each.estimate[[2, 3]]).all() and list(each.strata) == [1, 1, 0, 0]
    twice = [
        Strata(
            *(np.tile(np.asarray(x), 2) for x in (s.satisfied, s.answers, s.effective_n, s.people))
        )
        for s in (first, second)
    ]
    found = standardised_change(*twice, [0, 0, 0, 1, 2, 3], 4)
    alone = standardised_change(first, second, [0, 0, 0], 1)
    assert found.estimate[0] == alone.estimate[0] and found.p[0] == alone.p[0]
    assert found.covered_second[0] == pytest.approx(40 / 45)
    assert found.elsewhere[0] != 0


@pytest.mark.parametrize("rates", [(0.95, 0.70), (0.90, 0.60, 0.80)])
def test_where_only_the_mix_moves_few_changes_are_found(rates):
    """The crude change is beyond chance in a fifth of cases and more; 2000 samples of 400."""
    rng = np.random.default_rng(17)
    rates, samples = np.array(rates), 2000
    shares = [np.array([0.6, 0.4, 0.0])[: len(rates)], np.array([0.45, 0.55, 0.0])[: len(rates)]]
    if len(rates) == 3:
        shares = [np.array([0.5, 0.3, 0.2]), np.array([0.35, 0.5, 0.15])]
    sides = []
    for share in shares:
        m = rng.multinomial(400, share, size=samples).astype(float)
        a = rng.binomial(m.astype(int), rates).astype(float)
        sides.append((a, m))
    whole = np.repeat(np.arange(samples), len(rates))
    found = standardised_change(*(plain(a.ravel(), m.ravel()) for a, m in sides), whole, samples)
    (a1, _), (a2, _) = sides
    crude = comparison.change(a1.sum(1) / 400, 400, a2.sum(1) / 400, 400)
    error = np.sqrt(0.05 * 0.95 / samples)
    assert (found.p < 0.05).mean() <= 0.05 + 3 * error
    # Not by saying nothing ever: the level is used.
    assert (found.p < 0.05).mean() >= 0.03
    assert (crude.p < 0.05).mean() > 0.20


def test_people_of_many_answers_in_many_small_strata_find_few_changes_either():
    """Forty strata of three to six people with ten answers that resemble one another; ρ = 0.3."""
    rng = np.random.default_rng(23)
    samples, parts = 600, 40
    level = rng.beta(8, 2, parts)
    wholes = np.repeat(np.arange(samples), parts)
    sides, everybody = [], []
    for _ in range(2):
        size = np.maximum(1, rng.poisson(rng.uniform(2, 7, parts), (samples, parts)))
        who = np.repeat(np.arange(samples * parts), size.ravel())
        mean = np.tile(level, samples)[who]
        a = rng.binomial(10, rng.beta(mean * 7 / 3, (1 - mean) * 7 / 3)).astype(float)
        n = np.bincount(who).astype(float)
        sums = [np.bincount(who, weights=x) for x in (a, np.full(len(a), 10.0), a * a, 10 * a)]
        found = clustered.ratio(*sums, 100 * n, n, correlation=0.3)
        sides.append(Strata(sums[0], sums[1], found.interval_n, found.people))
        everybody.append(sums[0].reshape(samples, parts).sum(1) / (10 * size.sum(1)))
    found = standardised_change(*sides, wholes, samples)
    error = np.sqrt(0.05 * 0.95 / samples)
    assert 0.02 <= (found.p < 0.05).mean() <= 0.05 + 3 * error
    np.testing.assert_allclose(found.crude, everybody[1] - everybody[0])


def test_a_change_of_the_parts_is_found_although_the_mix_hides_it():
    rng = np.random.default_rng(3)
    before = np.array([300.0, 100]), np.array([100.0, 300])
    hits = 0
    for _ in range(200):
        a1 = rng.binomial(before[0].astype(int), [0.70, 0.90])
        a2 = rng.binomial(before[1].astype(int), [0.60, 0.80])
        found = standardised_change(plain(a1, before[0]), plain(a2, before[1]), [0, 0], 1)
        hits += found.high[0] < 0
        assert abs(found.crude[0]) < 0.15
    assert hits > 120


@pytest.mark.parametrize(
    ("first", "second", "whole", "says"),
    [
        (plain([2.0], [1.0]), plain([1.0], [1.0]), [0], "above answers"),
        (plain([1.0], [1.0]), plain([1.0, 0], [1.0, 1]), [0], "different strata"),
        (plain([1.0], [1.0]), plain([1.0], [1.0]), [1], "whole must lie"),
        (plain([1.0], [1.0]), plain([1.0], [1.0]), [0, 0], "one entry a stratum"),
        (plain([-1.0], [1.0]), plain([1.0], [1.0]), [0], "negative"),
        (Strata([1.0], [1.0], [0.0], [1.0]), plain([1.0], [1.0]), [0], "effective answers"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(first, second, whole, says):
    with pytest.raises(ValueError, match=says):
        standardised_change(first, second, whole, 1)


def test_rates_of_periods_equal_r_survey_and_their_widths_make_up_the_change():
    both = [strata(of(R[side]), 4) for side in ("first", "second")]
    rows = Strata(
        *(
            np.stack([np.asarray(getattr(side, name)) for side in both])
            for name in ("satisfied", "answers", "effective_n", "people")
        )
    )
    shares = np.asarray(rows.answers) / np.asarray(rows.answers).sum(axis=1, keepdims=True)
    found = standardised_rate(rows, shares.mean(axis=0))
    np.testing.assert_allclose(found.rate, R["rates"], rtol=1e-9)
    halves = (found.high - found.low) / 2
    assert np.hypot(*halves) == pytest.approx(1.96 * R["se_difference"], rel=0.12)
    np.testing.assert_allclose(found.covered, 1)


def test_a_row_speaks_for_the_strata_it_has():
    rows = Strata([[8.0, 0], [5.0, 9], [0, 0]], *[[[10.0, 0], [10.0, 10], [0, 0]]] * 3)
    found = standardised_rate(rows, [3, 1])
    np.testing.assert_allclose(found.rate[:2], [0.8, 0.6])
    np.testing.assert_allclose(found.covered, [0.75, 1, 0])
    assert np.isnan([found.rate[2], found.low[2], found.high[2]]).all()
    assert (found.low[:2] < found.rate[:2]).all() and (found.rate[:2] < found.high[:2]).all()
    # One stratum alone, unanimous: no width of nothing.
    sure = standardised_rate(plain([[10.0]], [[10.0]]), [1])
    assert sure.high[0] == 1 and 0.6 < sure.low[0] < 0.8


@pytest.mark.parametrize(
    ("rows", "weight", "says"),
    [
        (plain([1.0], [1.0]), [1], "shape"),
        (plain([[1.0]], [[1.0]]), [1, 2], "weight"),
        (plain([[1.0]], [[1.0]]), [-1], "negative"),
    ],
)
def test_mixes_that_cannot_be_are_refused(rows, weight, says):
    with pytest.raises(ValueError, match=says):
        standardised_rate(rows, weight)


def test_intervals_of_a_fixed_mix_hold_the_truth():
    rng = np.random.default_rng(31)
    rates, mix, samples = np.array([0.95, 0.75, 0.6]), np.array([0.5, 0.3, 0.2]), 1500
    m = rng.multinomial(90, [0.2, 0.3, 0.5], size=samples).astype(float)
    a = rng.binomial(m.astype(int), rates).astype(float)
    found = standardised_rate(plain(a, m), mix)
    truth = mix @ rates
    held = ((found.low <= truth) & (truth <= found.high) & (found.covered == 1)).mean()
    assert 0.925 <= held <= 0.98
