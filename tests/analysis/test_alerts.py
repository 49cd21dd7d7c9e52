"""Alerts over many units: the share of false ones is as set, and real changes are found."""

import numpy as np
import pytest
from scipy import special

from analysis.alerts import LAST_PERIOD, LEVEL_SHIFT, scan
from analysis.change_points import level_shift

UNITS, MONTHS, SEEDS, Q = 100, 24, 20, 0.05


def province(seed, changed):
    """Rates of 100 units by month, of 5 to 60 independent answers; the first few shift at 15."""
    rng = np.random.default_rng(seed)
    level = rng.normal(1.9, 0.4, (UNITS, 1)) + np.zeros((UNITS, MONTHS))
    level[:changed, 15:] += rng.choice([-1.0, 1.0], (changed, 1))
    n = rng.integers(5, 60, (UNITS, 1)) + rng.integers(0, 10, (UNITS, MONTHS))
    return rng.binomial(n, 1 / (1 + np.exp(-level))) / n, n


def test_the_share_of_false_alerts_is_as_set_and_changes_are_found():
    shares, found_of = [], []
    for seed in range(SEEDS):
        found = scan(*province(seed, 10), q=Q, looks=1)
        fired = found.rules[LEVEL_SHIFT].fired | found.rules[LAST_PERIOD].fired
        shares.append(fired[10:].sum() / max(fired.sum(), 1))
        found_of.append(found.rules[LEVEL_SHIFT].fired[:10].mean())
    # Benjamini–Hochberg promises the mean share; three standard errors of the seeds on top.
    assert np.mean(shares) <= Q + 3 * np.std(shares) / np.sqrt(SEEDS)
    assert np.mean(found_of) > 0.4


def test_one_look_spends_a_years_rate_over_the_looks():
    data = province(4, 10)
    once, monthly = scan(*data, looks=1), scan(*data)
    for name, rule in monthly.rules.items():
        np.testing.assert_allclose(
            rule.adjusted_p, np.minimum(12 * once.rules[name].adjusted_p, 1.0)
        )
        assert (rule.fired == (rule.adjusted_p <= 0.05)).all()
    # Rules that cannot say how often they are false are left to the control charts.
    assert list(monthly.rules) == [LEVEL_SHIFT, LAST_PERIOD]


def test_what_all_units_share_is_no_alert_of_one_but_a_finding_of_all():
    rng = np.random.default_rng(5)
    months = np.arange(MONTHS)
    season = 0.8 * np.sin(months / 12 * 2 * np.pi)
    level = rng.normal(1.9, 0.3, (UNITS, 1)) + season
    n = np.full((UNITS, MONTHS), 60)
    rate = rng.binomial(n, special.expit(level)) / n
    found = scan(rate, n)
    assert not any(rule.fired.any() for rule in found.rules.values())
    assert not found.together_fired and found.season_allowed
    rate = rng.binomial(n, special.expit(level - 0.5 * (months >= 18))) / n
    found = scan(rate, n)
    assert not any(rule.fired.any() for rule in found.rules.values())
    assert found.together_fired and found.together.since == 18
    assert found.together.change == pytest.approx(-0.5, abs=0.15)


def test_noise_of_months_is_learnt_and_makes_no_alerts():
    rng = np.random.default_rng(15)
    n = np.full((80, MONTHS), 270)
    level = 1.735 + 0.2 * rng.normal(size=n.shape)
    level[:3, 14:] -= 1.5
    found = scan(rng.binomial(n, special.expit(level)) / n, n)
    fired = found.rules[LEVEL_SHIFT].fired | found.rules[LAST_PERIOD].fired
    # Those that fell are found, and are not taken for noise.
    assert fired[:3].all() and not fired[3:].any()
    low, high = found.noise.deviation[1:]
    assert low <= 0.2 <= high < 0.25 and found.noise_learnt


def test_few_units_or_months_say_that_they_teach_nothing():
    rate, n = province(6, 0)
    assert not scan(rate[:5], n[:5]).noise_learnt and scan(rate[:5], n[:5]).together is None
    short = scan(rate[:, :5], n[:, :5])
    assert not short.noise_learnt and not short.season_allowed
    assert scan(rate[:, :12], n[:, :12]).season_allowed is False
    assert scan(rate[:, :13], n[:, :13]).season_allowed is True


def test_it_says_since_when_and_a_last_month_that_stands_out():
    rate, n = province(3, 0)
    rate[0], n[0] = 0.9, 60
    rate[0, 16:] = 0.6
    rate[1], n[1] = 0.9, 60
    rate[1, -1] = 0.4
    rules = scan(rate, n).rules
    assert rules[LEVEL_SHIFT].fired[0] and rules[LEVEL_SHIFT].since[0] == 16
    assert rules[LEVEL_SHIFT].change[0] < -1
    assert rules[LAST_PERIOD].fired[1] and rules[LAST_PERIOD].since[1] == MONTHS - 1


def test_a_last_month_of_few_is_not_judged_by_itself():
    # Beta-binomial respondents with 20 answers each, four in the last month: in few months, few
    # people make the share, and normal tails promise too much.
    rng = np.random.default_rng(12)
    units = 300
    n = np.full((units, 12), 60.0)
    rate = rng.binomial(60, 0.95, n.shape) / 60
    own = rng.beta(0.95 * 1.5, 0.05 * 1.5, (units, 4))
    rate[:, -1], n[:, -1] = rng.binomial(20, own).mean(axis=1) / 20, 80 / (1 + 19 * 0.4)
    hasty, careful = scan(rate, n), scan(rate, n, respondents=np.full(n.shape, 9))
    assert np.isfinite(hasty.rules[LAST_PERIOD].p).all()
    assert not careful.rules[LAST_PERIOD].fired.any()
    assert np.isnan(careful.rules[LAST_PERIOD].p).all()


def test_empty_units_say_nothing_and_the_impossible_is_refused():
    rate, n = province(3, 0)
    rate[0], n[0] = np.nan, 0
    found = scan(rate, n)
    assert all(not rule.fired[0] for rule in found.rules.values())
    assert found.rules[LEVEL_SHIFT].since[0] == -1
    with pytest.raises(ValueError, match="estimate"):
        scan(rate + 1, n)
    with pytest.raises(ValueError, match="one shape"):
        scan(rate[:, 1:], n)
    with pytest.raises(ValueError, match="q must"):
        scan(rate, n, q=0)
    with pytest.raises(ValueError, match="looks"):
        scan(rate, n, looks=0)


def test_one_period_has_no_change():
    found = level_shift([[0.9], [0.1]], [[20.0], [30.0]])
    assert found.since.tolist() == [-1, -1] and np.isnan(found.p).all()
    scanned = scan([[0.9], [0.1]], [[20.0], [30.0]])
    assert not scanned.rules[LEVEL_SHIFT].fired.any()
