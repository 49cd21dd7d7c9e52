"""What periods vary in: the likelihood against R nlme, what is learnt against what was drawn."""

import numpy as np
import pytest

from analysis.noise import FEW_UNITS, PARTS, covariances, fixed, learn, likelihoods, precisions

#: R 4.2.2, nlme 3.1-162: logLik of gls(y ~ cos(2*pi*(0:11)/7), method = "REML", correlation =
#: corAR1(phi, fixed = TRUE), control = glsControl(sigma = sigma)), by (sigma, phi).
SERIES = [0.31, 0.12, -0.05, 0.22, 0.40, 0.35, -0.10, -0.22, -0.15, 0.02, 0.11, 0.28]
NLME = {
    (0.15, 0.0): -0.071167545, (0.15, 0.2): 0.901267096, (0.15, 0.6): 0.501732883,
    (0.2, 0.0): 0.408040289, (0.2, 0.2): 1.171490137, (0.2, 0.6): 2.076833328,
    (0.3, 0.0): -1.249447536, (0.3, 0.2): -0.635272541, (0.3, 0.6): 1.202125940,
}  # fmt: skip


def course(rng, units, periods, deviation, correlation):
    e = rng.normal(size=(units, periods))
    for t in range(1, periods):
        e[:, t] = correlation * e[:, t - 1] + np.sqrt(1 - correlation**2) * e[:, t]
    return deviation * e


def test_the_restricted_likelihood_equals_rs():
    x = np.column_stack([np.ones(12), np.cos(2 * np.pi * np.arange(12) / 7)])
    found = likelihoods([SERIES], np.full((1, 12), 1e-10), x[None])[0]
    deviations, correlations = [0.15, 0.2, 0.3], [0.0, 0.2, 0.6]
    ours = found[np.ix_([6, 8, 10], [0, 1, 3])]
    theirs = np.array([[NLME[s, phi] for phi in correlations] for s in deviations])
    # Without the constant (12 − 2)/2·log 2π.
    np.testing.assert_allclose(ours - theirs, 5 * np.log(2 * np.pi), atol=1e-7)


@pytest.mark.parametrize(("deviation", "correlation"), [(0.1, 0.0), (0.2, 0.5), (0.3, 0.8)])
def test_it_learns_what_was_drawn(deviation, correlation):
    rng = np.random.default_rng(8)
    y = course(rng, 80, 24, deviation, correlation) + 0.2 * rng.normal(size=(80, 24))
    found = learn(y, np.full(y.shape, 0.04), np.ones((80, 24, 1)))
    assert found.deviation[0] == pytest.approx(deviation, rel=0.2)
    assert 0.9 * found.deviation[1] < deviation < 1.1 * found.deviation[2]
    assert found.correlation[0] == pytest.approx(correlation, abs=0.2)
    assert found.deviations.shape == found.correlations.shape == (80, PARTS)


def test_where_nothing_varies_besides_chance_it_says_so():
    rng = np.random.default_rng(9)
    y = 0.2 * rng.normal(size=(80, 24))
    assert learn(y, np.full(y.shape, 0.04), np.ones((80, 24, 1))).deviation[0] < 0.05


def test_few_units_and_periods_leave_much_possible():
    rng = np.random.default_rng(10)
    y = 0.3 * rng.normal(size=(2, 5))
    few = learn(y, np.full(y.shape, 0.04), np.ones((2, 5, 1)))
    assert few.deviation[2] - few.deviation[1] > 0.3 and few.correlation[2] > 0.8


def test_a_unit_has_no_say_in_what_it_is_judged_by():
    rng = np.random.default_rng(11)
    y = 0.2 * rng.normal(size=(FEW_UNITS + 2, 24))
    y[0] += 2.0 * (np.arange(24) % 2)
    found = learn(y, np.full(y.shape, 0.04), np.ones((*y.shape, 1)))
    assert found.deviations[0].mean() < 0.15 < 0.35 < found.deviations[1].mean()


def test_precisions_are_the_inverse_and_pass_over_gaps():
    v = np.array([[0.1, 0.2, 0.3, 0.1], [0.1, np.inf, 0.3, 0.1]])
    found = precisions(v, np.array([0.3, 0.5]), np.array([0.6, 0.4]))
    full = covariances(4, [0.3, 0.5], [0.6, 0.4])
    np.testing.assert_allclose(np.linalg.inv(found[0]), full[0] + np.diag(v[0]))
    kept = np.ix_([0, 2, 3], [0, 2, 3])
    np.testing.assert_allclose(
        np.linalg.inv(found[1][kept]), full[1][kept] + np.diag(v[1, [0, 2, 3]])
    )
    assert not found[1][1].any() and not found[1][:, 1].any()


def test_what_is_known_needs_no_learning_and_the_impossible_is_refused():
    assert fixed(0.2, 0.5, 3).deviation == (0.2, 0.2, 0.2)
    with pytest.raises(ValueError, match="variance"):
        learn([[1.0, 2.0]], [[0.0, 1.0]], np.ones((1, 2, 1)))
    with pytest.raises(ValueError, match="values"):
        learn([[np.nan, 2.0]], [[1.0, 1.0]], np.ones((1, 2, 1)))
    with pytest.raises(ValueError, match="one shape"):
        learn([[1.0, 2.0]], [[1.0]], np.ones((1, 2, 1)))
    with pytest.raises(ValueError, match="explained"):
        learn([[1.0, 2.0]], [[1.0, 1.0]], np.ones((1, 3, 1)))
