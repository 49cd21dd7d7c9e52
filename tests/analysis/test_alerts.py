"""Alerts over many units: the share of false ones is as set, and real changes are found."""

import numpy as np
import pytest

from analysis.alerts import EWMA, LAST_PERIOD, LEVEL_SHIFT, scan
from analysis.change_points import level_shift

UNITS, MONTHS, SEEDS, Q = 100, 24, 100, 0.05


def province(seed, changed):
    """Rates of 100 units by month, of 5 to 60 independent answers; the first few shift at 15."""
    rng = np.random.default_rng(seed)
    level = rng.normal(1.9, 0.4, (UNITS, 1)) + np.zeros((UNITS, MONTHS))
    level[:changed, 15:] += rng.choice([-1.0, 1.0], (changed, 1))
    n = rng.integers(5, 60, (UNITS, 1)) + rng.integers(0, 10, (UNITS, MONTHS))
    return rng.binomial(n, 1 / (1 + np.exp(-level))) / n, n


def test_the_share_of_false_alerts_over_100_seeds_is_as_set():
    shares, found_of = [], []
    for seed in range(SEEDS):
        found = scan(*province(seed, 10), q=Q)
        fired = found.rules[LEVEL_SHIFT].fired | found.rules[LAST_PERIOD].fired
        shares.append(fired[10:].sum() / max(fired.sum(), 1))
        found_of.append(found.rules[LEVEL_SHIFT].fired[:10].mean())
    # Benjamini–Hochberg promises the mean share; three standard errors of 100 seeds on top.
    assert np.mean(shares) <= Q + 3 * np.std(shares) / np.sqrt(SEEDS)
    assert np.mean(found_of) > 0.4


def test_where_nothing_changed_an_alert_comes_out_of_few_scans():
    fired = []
    for seed in range(SEEDS):
        rules = scan(*province(1000 + seed, 0), q=Q).rules
        fired.append({name: rule.fired.sum() for name, rule in rules.items()})
    scans_with_one = np.mean([each[LEVEL_SHIFT] + each[LAST_PERIOD] > 0 for each in fired])
    assert scans_with_one <= Q + 3 * np.sqrt(Q * (1 - Q) / SEEDS)
    expected = rules_of(0)[LEVEL_SHIFT].expected_false + rules_of(0)[LAST_PERIOD].expected_false
    assert expected == Q
    alarms = [each[LEVEL_SHIFT] + each[LAST_PERIOD] for each in fired]
    assert np.mean(alarms) <= Q + 3 * np.std(alarms) / np.sqrt(SEEDS)
    # Of the rules without p-values not many more come by chance than was said.
    rules = rules_of(1)
    for name in set(rules) - {LEVEL_SHIFT, LAST_PERIOD}:
        mean = np.mean([each[name] for each in fired])
        assert mean <= 1.5 * rules[name].expected_false + 0.5, name


def rules_of(seed):
    return scan(*province(seed, 0), q=Q).rules


def test_what_all_units_share_is_no_alert():
    rng = np.random.default_rng(5)
    season = 0.8 * np.sin(np.arange(MONTHS) / 12 * 2 * np.pi)
    level = rng.normal(1.9, 0.3, (UNITS, 1)) + season
    n = np.full((UNITS, MONTHS), 60)
    rate = rng.binomial(n, 1 / (1 + np.exp(-level))) / n
    assert scan(rate, n, common=season).rules[LEVEL_SHIFT].fired.sum() <= 2
    assert scan(rate, n).rules[LEVEL_SHIFT].fired.sum() > 20


def test_it_says_since_when_and_a_last_month_that_stands_out():
    rate, n = province(3, 0)
    rate[0], n[0] = 0.9, 60
    rate[0, 16:] = 0.6
    rate[1], n[1] = 0.9, 60
    rate[1, -1] = 0.4
    rules = scan(rate, n).rules
    assert rules[LEVEL_SHIFT].fired[0] and rules[LEVEL_SHIFT].since[0] == 16
    assert rules[EWMA].fired[0] and 14 <= rules[EWMA].since[0] <= 19
    assert rules[LAST_PERIOD].fired[1] and rules[LAST_PERIOD].since[1] == MONTHS - 1
    assert rules["beyond 3 sigma"].fired[1]


def test_a_last_month_of_few_is_not_judged_by_itself():
    # Beta-binomial respondents with 20 answers each, four in the last month: in few months, few
    # people make the share, and normal tails promise too much.
    rng = np.random.default_rng(12)
    units = 3000
    n = np.full((units, 12), 60.0)
    rate = rng.binomial(60, 0.95, n.shape) / 60
    own = rng.beta(0.95 * 1.5, 0.05 * 1.5, (units, 4))
    rate[:, -1], n[:, -1] = rng.binomial(20, own).mean(axis=1) / 20, 80 / (1 + 19 * 0.4)
    hasty, careful = scan(rate, n), scan(rate, n, respondents=np.full(n.shape, 9))
    assert (hasty.rules[LAST_PERIOD].p < 0.001).mean() > 0.002
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


def test_one_period_has_no_change():
    found = level_shift([[0.9], [0.1]], [[20.0], [30.0]])
    assert found.since.tolist() == [-1, -1] and np.isnan(found.p).all()
    scanned = scan([[0.9], [0.1]], [[20.0], [30.0]])
    assert not scanned.rules[LEVEL_SHIFT].fired.any()
