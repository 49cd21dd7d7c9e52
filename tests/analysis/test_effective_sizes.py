"""The correlation that units share, and limits on effective answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from analysis.effective_sizes import common_effective_n, score_limits, shared_correlation
from analysis.proportions import interval


def sums(a, m):
    a, m = np.asarray(a, float), np.asarray(m, float)
    return a.sum(-1), m.sum(-1), (a * a).sum(-1), (a * m).sum(-1), (m * m).sum(-1), m.shape[-1]


@given(st.floats(0, 1), st.floats(1, 300), st.floats(1, 40), st.sampled_from([0.8, 0.95, 0.998]))
def test_limits_solve_their_equation(rate, people, each, confidence):
    # By SciPy's Brent on the equation of the docstring, in another form.
    z = {0.8: 1.2815515655446004, 0.95: 1.959963984540054, 0.998: 3.090232306167813}[confidence]
    size = people * each

    def beyond(p):
        doubt = np.exp(-people * (1 - p) / 4)
        allowed = (1 - doubt) / size + doubt / people
        return (rate - p) ** 2 - z**2 * p * (1 - p) * allowed

    low, _ = score_limits(rate, size, people, confidence=confidence)
    exact = interval(rate * people, people, confidence=confidence, method="exact").low
    expected = brentq(beyond, 0, rate, xtol=1e-15) if 0 < rate < 1 else 0.0
    if rate == 1:
        expected = brentq(beyond, 0, 1 - 1e-9, xtol=1e-15)
    assert low == pytest.approx(max(expected, exact), abs=1e-9)


def test_without_correlation_they_are_wilsons():
    # Brown, Cai, DasGupta (2001), as in proportions.interval.
    k, n = np.array([1, 20, 39]), np.array([40, 40, 40])
    low, high = score_limits(k / n, n, n)
    wilson = interval(k, n)
    np.testing.assert_allclose([low, high], [wilson.low, wilson.high], atol=1e-12)
    assert np.isnan(score_limits(np.nan, 3, 2)).all()


@pytest.mark.parametrize("drawn", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("lengths", ["alike", "unequal"])
def test_the_correlation_is_that_which_was_drawn(drawn, lengths):
    rng = np.random.default_rng(10)
    m = np.where(rng.random((2000, 40)) < (0.7 if lengths == "unequal" else 0), 1, 22)
    shape = (1 - drawn) / drawn
    a = rng.binomial(m, rng.beta(0.9 * shape, 0.1 * shape, m.shape))
    found = shared_correlation(*sums(a, m))
    assert found == pytest.approx(drawn, abs=0.03)
    assert found == round(float(found), 2)
    effective = common_effective_n(*sums(a, m))
    size = (m * m).sum(1) / m.sum(1)
    np.testing.assert_allclose(effective, m.sum(1) / (1 + (size - 1) * found), rtol=1e-12)


def test_where_nothing_is_known_it_is_the_prior():
    # One answer each, everybody alike, one respondent, nobody.
    for a, m in (([1, 0, 1], [1, 1, 1]), ([22] * 9, [22] * 9), ([3], [22])):
        assert shared_correlation(*sums(a, m)) == 0.4
    assert shared_correlation(0, 0, 0, 0, 0, 0) == 0.4
    assert common_effective_n(0, 0, 0, 0, 0, 0) == 0


def test_along_an_axis_it_broadcasts_against_the_units():
    rng = np.random.default_rng(2)
    m = np.full((2, 300, 30), 20)
    own = np.stack([rng.beta(8, 2, (300, 30)), rng.beta(0.8, 0.2, (300, 30))])
    a = rng.binomial(m, own)
    given_sums = (*sums(a, m)[:5], np.full((2, 300), 30))
    found = shared_correlation(*given_sums, axis=1)
    assert found.shape == (2, 1)
    np.testing.assert_allclose(found[:, 0], [1 / 11, 1 / 2], atol=0.03)
    effective = common_effective_n(*given_sums, correlation=found)
    assert effective.shape == (2, 300)


def test_nothing_of_one_unit_follows_from_the_shared_correlation():
    # A unit more or less among 82 with some hundred people each moves it by a hundredth at most.
    rng = np.random.default_rng(4)
    m = np.full((82, 100), 22)
    a = rng.binomial(m, rng.beta(2, 0.3, m.shape))
    all_but = [
        shared_correlation(*(x if np.ndim(x) == 0 else np.delete(x, i) for x in sums(a, m)))
        for i in range(82)
    ]
    assert np.ptp(all_but) <= 0.011
