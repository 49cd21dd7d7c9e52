"""Do 95 % intervals hold the truth in 95 % of samples? By simulation, and the usual one beside."""

import numpy as np
import pytest

from analysis.clustered import common_effective_n, mean_score, ratio, shared_correlation
from analysis.comparison import change
from analysis.proportions import interval

SAMPLES = 3000


def sums(a, m):
    return a.sum(1), m.sum(1), (a * a).sum(1), (a * m).sum(1), (m * m).sum(1)


def drawn(rng, n, rate, rho, items=22):
    """Answers of respondents who resemble themselves: beta-binomial, some items left out."""
    shape = (1 - rho) / rho
    m = rng.integers(15, items + 1, (SAMPLES, n))
    own = rng.beta(rate * shape, (1 - rate) * shape, m.shape)
    return rng.binomial(m, own).astype(float), m.astype(float)


@pytest.mark.parametrize("n", [30, 60, 200])
@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5])
def test_clustered_intervals_keep_their_word_and_the_usual_one_does_not(n, rho):
    rng = np.random.default_rng([n, int(10 * rho)])
    for rate in (0.5, 0.7, 0.85, 0.9, 0.95):
        a, m = drawn(rng, n, rate, rho)
        found = ratio(*sums(a, m), np.full(SAMPLES, n))
        covered = ((found.low <= rate) & (rate <= found.high)).mean()
        # Two standard errors of 3,000 samples are 0.008. Answers that differ little within
        # people are worth many, and the limits allow for people whom nobody asked.
        assert 0.935 <= covered <= (0.99 if (rho, n) == (0.1, 30) else 0.98), (rate, covered)
        naive = interval(a.sum(1), m.sum(1))
        naive_covered = ((naive.low <= rate) & (rate <= naive.high)).mean()
        assert naive_covered < 0.85, (rate, naive_covered)


@pytest.mark.parametrize("n", [30, 100, 1000])
def test_wilsons_interval_keeps_its_word_for_one_answer_each(n):
    # Averaged over rates, since for one rate and n it jumps (Brown, Cai, DasGupta 2001).
    rng = np.random.default_rng(n)
    rate = rng.uniform(0.5, 0.95, 40_000)
    found = interval(rng.binomial(n, rate), n)
    assert 0.93 <= ((found.low <= rate) & (rate <= found.high)).mean() <= 0.97


def test_mean_scores_keep_their_word():
    rng = np.random.default_rng(5)
    m = rng.integers(10, 23, (SAMPLES, 40))
    own = rng.normal(0, 0.6, m.shape)
    # A respondent's items: level 1 … 5 as a binomial around their own mood.
    s = m + rng.binomial(4 * m, 1 / (1 + np.exp(-(1.2 + own))))
    truth = float((s.sum(0) / m.sum(0)).mean())
    found = mean_score(*sums(s.astype(float), m.astype(float)), np.full(SAMPLES, 40))
    assert 0.93 <= ((found.low <= truth) & (truth <= found.high)).mean() <= 0.97


@pytest.mark.parametrize(("before", "after"), [(0.85, 0.85), (0.9, 0.8)])
def test_changes_keep_their_word(before, after):
    rng = np.random.default_rng(8)
    rates, all_sums = [], []
    for rate, n in ((before, 60), (after, 90)):
        a, m = drawn(rng, n, rate, 0.3)
        all_sums.append([*sums(a, m), np.full(SAMPLES, n)])
        rates.append(a.sum(1) / m.sum(1))
    together = [np.stack(pair) for pair in zip(*all_sums, strict=True)]
    n_1, n_2 = common_effective_n(*together)
    found = change(rates[0], n_1, rates[1], n_2)
    assert 0.93 <= ((found.low <= after - before) & (after - before <= found.high)).mean() <= 0.97
    if before == after:
        assert (found.p < 0.05).mean() == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(("n", "before", "after"), [(20, 0.95, 0.95), (40, 0.97, 0.97),
                                                    (60, 0.9, 0.8), (30, 0.97, 0.9)])  # fmt: skip
def test_changes_keep_their_word_where_a_few_are_angry_and_lengths_differ(n, before, after):
    # Most are satisfied with 99 % of what they answer, a few with 20 %; 70 % answer one item, 30 %
    # all 22. The correlation is learnt from other units, of people who are not of two kinds.
    rng = np.random.default_rng([n, int(100 * before), int(100 * after)])
    learnt = shared_correlation(*sums(*drawn(rng, n, 0.9, 0.3)), np.full(SAMPLES, n))
    sides = []
    for rate, people in ((before, n), (after, 2 * n)):
        m = np.where(rng.random((SAMPLES, people)) < 0.7, 1, 22)
        angry = rng.random(m.shape) < (0.99 - rate) / 0.79
        a = rng.binomial(m, np.where(angry, 0.2, 0.99)).astype(float)
        found = ratio(*sums(a, m.astype(float)), np.full(SAMPLES, people), correlation=learnt)
        sides.append(found)
    before_, after_ = sides
    found = change(
        before_.estimate, before_.interval_n, after_.estimate, after_.interval_n,
        people=(before_.people, after_.people),
    )  # fmt: skip
    covered = ((found.low <= after - before) & (after - before <= found.high)).mean()
    assert covered >= 0.935, covered
    if before == after:
        # 3,000 pairs: three are expected.
        assert (found.p < 0.05).mean() <= 0.06 and (found.p < 0.001).sum() <= 3 + 5


@pytest.mark.parametrize("rate", [0.85, 0.97])
def test_a_common_correlation_keeps_p_values_honest_in_the_tail(rate):
    # Where the best unit of a hundred is looked for, p near 0.001 counts. 40 respondents, rho 0.4:
    # with the units' own variances such p-values come many times too often.
    rng = np.random.default_rng(9)
    pair = []
    for _ in range(2):
        parts = [drawn(rng, 40, rate, 0.4) for _ in range(7)]
        a, m = (np.concatenate(each) for each in zip(*parts, strict=True))
        pair.append([*sums(a, m), np.full(len(a), 40)])
    n_1, n_2 = common_effective_n(*(np.stack(each) for each in zip(*pair, strict=True)))
    found = [ratio(*each) for each in pair]
    honest = change(found[0].estimate, n_1, found[1].estimate, n_2).p
    own = [
        np.fmin(np.nan_to_num(f.effective_n, nan=40), s[1])
        for f, s in zip(found, pair, strict=True)
    ]
    naive = change(found[0].estimate, own[0], found[1].estimate, own[1]).p
    # At 0.97, where a unit has one dissatisfied person's worth, the test is a little cautious.
    assert 0.025 <= (honest < 0.05).mean() <= 0.062
    # 21,000 pairs: 21 are expected, 14 is three standard errors.
    assert (honest < 0.001).sum() <= 21 + 14
    if rate == 0.97:
        assert (naive < 0.001).sum() > 200


def test_the_common_correlation_is_that_which_was_drawn():
    rng = np.random.default_rng(10)
    a, m = drawn(rng, 100, 0.85, 0.3)
    effective = common_effective_n(*sums(a, m), np.full(SAMPLES, 100))
    size = (m * m).sum(1) / m.sum(1)
    np.testing.assert_allclose(effective, m.sum(1) / (1 + (size - 1) * 0.3), rtol=0.03)
    assert common_effective_n(0, 0, 0, 0, 0, 0) == 0
