"""The spread between units against R lme4, R's integrate, and sums over other grids."""

import numpy as np
import pytest
from scipy import optimize, special
from scipy.stats import beta, betabinom

from analysis.mixtures import alike, log_likelihood, mixture
from tests.references import reference

UNITS = reference("beta_binomial")
FEW = np.array([88.0, 45, 180, 90, 66, 230]), np.array([100.0, 50, 240, 100, 80, 260])


def expected_rate(spread):
    return spread.weight @ special.expit(spread.logit)


def test_the_likelihood_and_its_maximum_are_those_of_r():
    k, n = UNITS["successes"], UNITS["trials"]
    # lme4 1.1.31, glmer(cbind(k, n - k) ~ 1 + (1 | unit), binomial, nAGQ = 25); the likelihood
    # there by R 4.2.2's integrate.
    mu, tau, height = 1.7523768959, 0.3874999313, -121.817621268
    assert log_likelihood(k, n, mu, tau).sum() == pytest.approx(height, rel=1e-9)
    found = optimize.minimize(
        lambda at: -log_likelihood(k, n, at[0], np.exp(at[1])).sum(), [1.5, -1.0]
    )
    assert found.x == pytest.approx([mu, np.log(tau)], abs=1e-3)


def test_units_without_spread_are_beta_binomial_among_the_others():
    k, n = FEW
    spread = alike(k, n)
    a, b = k.sum() - k + 0.5, (n - k).sum() - (n - k) + 0.5
    assert expected_rate(spread) == pytest.approx(a / (a + b), rel=1e-9)
    mass = spread.weight @ special.expit(spread.logit) ** 7
    assert mass == pytest.approx([beta(*ab).moment(7) for ab in zip(a, b, strict=True)], rel=1e-9)
    assert mass == pytest.approx(betabinom.pmf(7, 7, a, b), rel=1e-9)


def normal_nodes():
    x, w = np.polynomial.hermite_e.hermegauss(60)
    return x, w / w.sum()


def posterior(k, n, taus):
    """Of μ and τ on an even grid, with a likelihood by Gauss and Hermite, summed over ε."""
    x, w = normal_nodes()
    grid = np.meshgrid(np.linspace(0.6, 3.0, 97), taus, indexing="ij")
    mu, tau = (each[..., None, None] for each in grid)

    def like(deviation, w=w):
        at = mu + deviation * x
        logs = k[:, None] * special.log_expit(at) + (n - k)[:, None] * special.log_expit(-at)
        return np.exp(logs - (k * np.log(k / n) + (n - k) * np.log1p(-k / n))[:, None]) @ w

    core = like(tau)
    odd = like(np.sqrt(0.49 + 4 * tau**2), w * x**2)
    mu, tau = mu[..., 0, 0], tau[..., 0, 0]
    prior = np.exp(-0.5 * (tau / 0.5) ** 2) * np.sqrt(special.expit(mu) * special.expit(-mu))
    weight = prior * sum(
        chance * np.prod((1 - share) * core + share * odd, axis=-1)
        for share, chance in ((0.0, 0.5), (0.04, 0.35), (0.15, 0.15))
    )
    return weight / weight.sum(), mu, tau


def by_brute_force(k, n):
    """The mean rate, and its mean fortieth power, of a unit like these."""
    x, w = normal_nodes()
    weight, mu, tau = posterior(k, n, np.linspace(0.005, 1.6, 80))
    rate = special.expit(mu[..., None] + tau[..., None] * x)
    return [(weight * (rate**power @ w)).sum() for power in (1, 40)]


def test_the_spread_is_that_of_a_sum_over_another_grid():
    k, n = FEW
    found = mixture(k, n)
    for spread, left_out in ((found.newcomer, 6), (found.others, 0), (found.others, 2)):
        kept = np.arange(6) != left_out
        row = 0 if left_out == 6 else left_out
        mean, power = by_brute_force(k[kept], n[kept])
        rate = special.expit(spread.logit)
        assert spread.weight[row] @ rate == pytest.approx(mean, abs=1e-3)
        assert spread.weight[row] @ rate**40 == pytest.approx(power, rel=0.05)


def test_units_that_hardly_differ_may_differ_by_nothing():
    """Of 500 answers each: τ from 0 on counts, not from the least that is looked at."""
    k, n = np.array([400.0, 410, 395, 405, 398, 402]), np.full(6, 500.0)
    weight, _, tau = posterior(k, n, np.arange(0.0025, 0.8, 0.005))
    upto = np.cumsum(weight.sum(axis=0)) - weight.sum(axis=0) / 2
    median, high = np.interp([0.5, 0.975], upto, tau[0])
    found = mixture(k, n)
    assert (found.tau, found.tau_high) == pytest.approx((median, high), rel=0.08)
    assert found.tau_low == 0


@pytest.mark.parametrize("target", [None, 0.9])
def test_a_unit_is_no_part_of_what_it_is_judged_by(target):
    rng = np.random.default_rng(2)
    n = rng.integers(30, 200, 25).astype(float)
    k = rng.binomial(n.astype(int), special.expit(rng.normal(1.7, 0.2, 25))).astype(float)
    k[3] = 0.4 * n[3]
    for unit in (0, 3):
        rest = np.arange(25) != unit
        alone = mixture(k[rest], n[rest], target=target)
        found = mixture(k, n, target=target)
        for power in (1, 3, 40):
            at = [
                s.weight @ special.expit(s.logit) ** power for s in (found.others, alone.newcomer)
            ]
            assert at[0][unit] == pytest.approx(at[1][0], rel=3e-3)


@pytest.mark.parametrize("tau", [0.1, 0.2, 0.4])
def test_tau_is_found_again_and_odd_units_do_not_widen_it(tau):
    rng = np.random.default_rng(7)
    found = []
    for _ in range(12):
        n = rng.integers(100, 400, 300)
        logit = rng.normal(1.7, tau, 300)
        logit[:15] -= 2.0
        found.append(mixture(rng.binomial(n, special.expit(logit)), n))
    assert np.mean([each.tau for each in found]) == pytest.approx(tau, rel=0.2)
    assert sum(each.tau_low <= tau <= each.tau_high for each in found) >= 10
    assert special.logit([each.centre for each in found]).mean() == pytest.approx(1.7, abs=0.02)


def test_twenty_units_are_no_sharper_a_yardstick_than_they_are():
    n = np.full(20, 100.0)
    found = mixture(np.round(n * 0.85), n)
    assert found.tau_low == 0.0 and found.tau_high > 0.1
    assert found.others.weight.sum(axis=1) == pytest.approx(np.ones(20))


def test_impossible_input_is_named():
    for call, named in (
        (lambda: mixture([2], [1]), "successes"),
        (lambda: mixture([1], [2], target=1.0), "target"),
        (lambda: mixture([1, 0], [2, 0]), "trials"),
        (lambda: mixture([], []), "trials"),
        (lambda: log_likelihood([2], [1], 0, 1), "successes"),
        (lambda: log_likelihood([1], [2], 0, 0), "tau"),
        (lambda: alike([2], [1]), "successes"),
    ):
        with pytest.raises(ValueError, match=named):
            call()
