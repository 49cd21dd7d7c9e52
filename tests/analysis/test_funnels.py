"""Funnels: tails against R and SciPy, positions that follow from them, limits that agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy.stats import binom

from analysis.comparison import discoveries
from analysis.funnels import BINOMIAL, MIXTURE, UNKNOWN, funnel, limits, two_sided
from analysis.mixtures import Spread

SMALL = st.lists(
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=12,
)


def test_tails_of_the_mixture_are_those_of_r():
    # R 4.2.2: integrate(function(t) ((pbinom(k − 1, n, plogis(t)) + pbinom(k, n, plogis(t))) / 2)
    # dnorm(t, μ, τ)), twice the smaller of it and of the other side.
    for k, n, mu, tau, p in (
        (70, 100, 1.7, 0.2, 0.004742454848),
        (100, 100, 1.7, 0.2, 1.120760358e-06),
        (20, 30, 1.7, 0.1, 0.01822317948),
        (230, 300, 1.7, 0.15, 0.01264993564),
        (290, 300, 1.7, 0.4, 0.0008285769682),
    ):
        logit = mu + tau * np.linspace(-7, 7, 141)
        mass = np.exp(-0.5 * ((logit - mu) / tau) ** 2)
        spread = Spread(logit, (mass / mass.sum())[None])
        found, below = two_sided([k], [n], spread)
        assert found[0] == pytest.approx(p, rel=1e-6) and below[0] == (k / n < 0.8)
        low, high = limits([n], spread).low_998[0], limits([n], spread).high_998[0]
        assert (k / n < low or k / n > high) == (p < 0.002)


def test_ten_of_ten_are_no_sign_of_more_than_95_per_cent():
    found = funnel([10], [10], target=0.95, overdispersion=False)
    # P(10 of 10) = 0.95^10 = 0.599; the build before marked it above the limit of 99.8 %.
    assert found.p[0] == pytest.approx(0.95**10) and found.position[0] == "inside"
    assert limits([10.0], found.newcomer).high_998[0] == 1.0


@pytest.mark.parametrize("target", [0.5, 0.85, 0.97])
def test_by_chance_alone_p_is_the_mid_p_of_the_binomial(target):
    n = np.repeat([1, 5, 20, 150], 9)
    k = np.floor(n * np.tile(np.linspace(0, 1, 9), 4))
    found = funnel(k, n, target=target, overdispersion=False)
    at = binom.pmf(k, n, target) / 2
    below, above = binom.cdf(k, n, target) - at, binom.sf(k - 1, n, target) - at
    np.testing.assert_allclose(found.p, 2 * np.minimum(below, above), rtol=1e-6)
    assert found.model == BINOMIAL and (found.tau, found.target) == (0.0, target)
    told = found.p < 1 - 1e-9  # in the middle of the distribution there is no side
    assert (np.sign(found.z[told]) == np.where(above < below, 1, -1)[told]).all()
    assert special.ndtr(-np.abs(found.z)) * 2 == pytest.approx(found.p)


@given(SMALL, st.sampled_from([None, 0.9]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_positions_discoveries_and_drawn_limits_come_from_one_tail(units, target, over):
    k, n = np.array(units, dtype=float).T
    found = funnel(k, n, target=target, overdispersion=over)
    own = limits(found.trials, found.expected)
    for side, name, level, limit in (
        ("below", "95 %", 0.05, own.low_95),
        ("above", "95 %", 0.05, own.high_95),
        ("below", "99.8 %", 0.002, own.low_998),
        ("above", "99.8 %", 0.002, own.high_998),
    ):
        sign = 1 if side == "below" else -1
        outside = sign * (limit - found.estimate) > 1e-6
        called = (found.p < level) & (sign * found.z < 0)
        sure = np.abs(found.p / level - 1) > 1e-4
        assert (outside == called)[sure].all()
        if name == "99.8 %":
            assert (called == (found.position == f"{side} {name}")).all()
        else:
            assert set(found.position[called]) <= {f"{side} 95 %", f"{side} 99.8 %"}
    assert (found.position[found.p >= 0.05] == "inside").all()
    for low, high in ((own.low_95, own.high_95), (own.low_998, own.high_998)):
        assert ((low >= 0) & (low < high) & (high <= 1)).all()
    assert (own.low_998 <= own.low_95).all() and (own.high_95 <= own.high_998).all()


@given(SMALL, st.randoms())
@settings(max_examples=15, deadline=None)
def test_the_order_of_units_does_not_matter_nor_which_answer_is_called_good(units, random):
    order = list(range(len(units)))
    random.shuffle(order)
    k, n = np.array(units, dtype=float).T
    found, turned = funnel(k, n), funnel((n - k)[order], n[order])
    np.testing.assert_allclose(found.p[order], turned.p, rtol=1e-3, atol=1e-12)
    assert found.tau == pytest.approx(turned.tau, rel=1e-3)


def test_alike_units_with_few_answers_are_not_marked_above():
    # 82 communes, one question, 10 to 40 answers, rate 0.90: no unit can be beyond 99.8 % above
    # (0.9^40 = 0.015), where interpolated limits marked 8.7 of 82.
    rng = np.random.default_rng(1)
    n = rng.integers(10, 41, (8, 82))
    k = rng.binomial(n, 0.9)
    for target, over in ((0.9, False), (None, False), (None, True)):
        positions = [
            funnel(k[i], n[i], target=target, overdispersion=over).position for i in range(8)
        ]
        assert (np.array(positions) != "above 99.8 %").all()
        assert (np.array(positions) == "below 99.8 %").mean() < 0.004


def test_units_that_all_miss_the_target_are_called():
    # 60 units at 0.80 against 0.90: none was called where τ was taken around the target.
    rng = np.random.default_rng(5)
    n = rng.integers(100, 301, 60)
    k = rng.binomial(n, 0.8)
    found = funnel(k, n, target=0.9)
    assert found.tau < 0.15 and found.target == 0.9 and found.model == MIXTURE
    assert discoveries(found.p).rejected.sum() >= 57
    assert (found.position[discoveries(found.p).rejected] != "inside").all()
    exact = funnel(k, n, target=0.9, overdispersion=False)
    assert discoveries(exact.p).rejected.sum() >= 57


@pytest.mark.parametrize("sd", [0.0, 0.12, 0.4])
def test_deviates_of_honest_units_are_standard(sd):
    # Winsorised and not rescaled, their mean square fell to 0.678, and 1.3 to 1.8 % lay outside.
    rng = np.random.default_rng(12)
    n = rng.integers(30, 301, 3000)
    k = rng.binomial(n, special.expit(rng.normal(special.logit(0.85), sd, 3000)))
    found = funnel(k, n)
    assert np.mean(found.z**2) == pytest.approx(1.0, abs=0.08)
    assert np.mean(found.p < 0.05) == pytest.approx(0.05, abs=0.012)
    assert np.mean(found.p < 0.002) <= 0.004


def test_odd_units_do_not_hide_one_another():
    rng = np.random.default_rng(8)
    n = rng.integers(70, 131, 82)
    logit = rng.normal(1.7, 0.1, 82)
    logit[:5] -= 1.5
    found = funnel(rng.binomial(n, special.expit(logit)), n)
    called = discoveries(found.p).rejected
    assert called[:5].sum() >= 4 and called[5:].sum() <= 1
    assert found.tau < 0.25


def test_limits_are_wider_for_small_units_and_where_units_differ():
    sizes = np.geomspace(5, 2000, 30)
    rng = np.random.default_rng(0)
    n = np.full(100, 150)
    differing = funnel(rng.binomial(n, special.expit(rng.normal(1.7, 0.3, 100))), n)
    curve = limits(sizes, differing.newcomer)
    assert (np.diff(curve.low_95) > 0).all() and (np.diff(curve.high_998) <= 0).all()
    chance = limits(sizes, funnel([85], [100], target=0.85, overdispersion=False).newcomer)
    assert (curve.low_998 < chance.low_998).all()
    # However many answered, units differ: the limits do not close.
    assert curve.high_95[-1] - curve.low_95[-1] > 0.1 > chance.high_95[-1] - chance.low_95[-1]


def test_empty_units_and_impossible_input():
    for over in (True, False):
        for target in (0.6, None):
            found = funnel([5, 0, 9], [10, 0, 20], target=target, overdispersion=over)
            own = limits(found.trials, found.expected)
            assert np.isnan([found.estimate[1], own.low_95[1], found.p[1], found.z[1]]).all()
            assert found.position[1] == UNKNOWN
            assert np.isfinite([own.low_95[0], found.p[0], found.z[0]]).all()
        none = funnel([0, 0], [0, 0], overdispersion=over)
        assert np.isnan(none.p).all() and np.isnan(none.target)
    alone = funnel([5], [10])
    assert alone.p[0] > 0.5
    for call, named in (
        (lambda: funnel([2], [1]), "successes"),
        (lambda: funnel([1], [2], target=1.0), "target"),
        (lambda: limits([-1], alone.newcomer), "trials"),
        (lambda: limits([1, 2], Spread(np.zeros(1), np.ones((3, 1)))), "expected"),
    ):
        with pytest.raises(ValueError, match=named):
            call()


def test_huge_and_unanimous_units_have_figures_too():
    n = np.array([5e6, 4e4, 30, 30, 12])
    found = funnel(n * [0.85, 0.84, 1, 1, 1], n)
    assert np.isfinite(found.p).all() and (found.p > 0).all()
    unanimous = funnel([30, 20, 12], [30, 20, 12])
    assert (unanimous.p > 0.3).all() and (unanimous.position == "inside").all()


def test_a_unit_however_far_off_has_a_deviate_that_is_a_number():
    found = funnel([9e6, 1e5, 9.1e6], [1e7] * 3, target=0.9, overdispersion=False)
    assert np.isfinite(found.z).all() and found.z.argmin() == 1
    assert found.p[1] == 0.0 and found.position[1] == "below 99.8 %"
