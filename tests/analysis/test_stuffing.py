"""The mixture against sums over all subsets, with SciPy's probabilities of counts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, logsumexp
from scipy.stats import dirichlet_multinomial

from analysis import stuffing
from analysis.habits import Breadth, Habits, log_probability
from analysis.kinds import EVERYDAY, FORKS, KINDS, Kind

K = len(KINDS)
#: An ordinary desk: what is telling is rare, crowds and straight lines are not.
HABITS = np.array(
    [[3, 9], [4, 6], [2, 9], [1, 20], [3, 5], [1, 9], *([[0.3, 80]] * (len(FORKS) - 6))],
    dtype=float,
)


def batch(**kinds):
    return np.array([kinds.get(kind.name, 0) for kind in KINDS], dtype=float)


def in_order(counted, alpha):
    """P of responses in their order: SciPy's of the counts, over how many orders there are."""
    counted = np.asarray(counted, dtype=int)
    made = alpha > 0
    if counted[~made].any():
        return 0.0
    if not counted.sum():
        return 1.0
    orders = gammaln(counted.sum() + 1) - gammaln(counted + 1).sum()
    found = dirichlet_multinomial.logpmf(counted[made], alpha[made], counted.sum())
    return np.exp(found - orders)


def by_brute_force(counted, habits, model):
    """Every subset of the responses as the strange ones, one by one."""
    responses = np.repeat(np.arange(K), counted.astype(int))
    n = len(responses)
    possible = np.arange(model.least, n + 1)
    weights = np.array([process.weight for process in model.processes])
    guilty = innocent = 0.0
    expected = np.zeros(K)
    for flags in itertools.product((0, 1), repeat=n):
        strange = np.bincount(responses[np.array(flags, dtype=bool)], minlength=K)
        m = int(strange.sum())
        of = 1 / binomial(n, m)
        honest = np.exp(log_probability(counted - strange, habits))
        like = honest * of * sum(
            weight / weights.sum() * in_order(strange, process.alpha)
            for weight, process in zip(weights, model.processes, strict=True)
        )  # fmt: skip
        if m >= model.least:
            part = model.prior * (1 / m) / (1 / possible).sum() * like
            guilty += part
            expected += part * strange
        played = model.play * (1 - model.goes_on) * model.goes_on ** (m - 1)
        if m == 0:
            played = 1 - model.play * (1 - model.goes_on**n)
        innocent += (1 - model.prior) * played * like
    total = guilty + innocent
    with np.errstate(invalid="ignore"):
        return guilty / total, np.nan_to_num(expected / total / counted)


def binomial(n, m):
    return np.exp(gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1))


SMALL = [
    batch(PRESSED=6, ORDINARY=2),
    batch(PRESSED=3, INSTANT=2, BUNCHED=1, ALIKE=2, ORDINARY=2),
    batch(COPIED=5, ALIKE=3, SKIMMED=1),
    batch(EVEN=5, REPEATED=1, UNMEASURED=1, AFTER_HOURS=1, HASTY=1),
    batch(SKIMMED=9),
]


@pytest.mark.parametrize("counted", SMALL)
def test_the_probability_is_the_sum_over_all_subsets(counted):
    model = stuffing.Stuffing(prior=0.2, play=0.1)
    found = stuffing.weigh(counted[None], HABITS[None], model)
    probability, by_kind = by_brute_force(counted, HABITS, model)
    # Of processes none of whose kinds is there, none is played with either.
    assert found.probability[0] == pytest.approx(probability, rel=2e-3)
    assert found.by_kind[0] == pytest.approx(by_kind, rel=5e-3, abs=1e-4)
    assert found.expected[0] == pytest.approx((by_kind * counted).sum(), rel=5e-3)


@given(st.lists(st.integers(0, 12), min_size=K, max_size=K), st.floats(0.01, 0.5))
@settings(max_examples=60, deadline=None)
def test_what_is_suspected_fits_together(numbers, prior):
    counted = np.array([numbers], dtype=float)
    found = stuffing.weigh(counted, HABITS[None], stuffing.Stuffing(prior=prior))
    assert 0 <= found.probability[0] <= 1
    assert (found.by_kind >= 0).all()
    # A response is stuffed only where its batch is.
    assert (found.by_kind <= found.probability[:, None] * (1 + 1e-9)).all()
    assert found.expected[0] == pytest.approx((found.by_kind * counted).sum())
    everyday = [kind in EVERYDAY for kind in KINDS]
    assert (found.by_kind[:, everyday] == 0).all()
    higher = stuffing.weigh(counted, HABITS[None], stuffing.Stuffing(prior=(1 + prior) / 2))
    assert higher.probability[0] >= found.probability[0] - 1e-12


@given(
    st.integers(0, 4),
    st.sampled_from([kind.name for kind in KINDS if kind not in EVERYDAY]),
    st.integers(0, 300),
)
@settings(max_examples=60, deadline=None)
def test_four_strange_responses_are_never_stuffing(number, kind, ordinary):
    counted = batch(**{kind: number, "ORDINARY": ordinary})
    assert stuffing.weigh(counted[None], HABITS[None]).probability[0] < 0.05


@pytest.mark.parametrize("kind", ["PRESSED", "INSTANT", "COPIED", "EVEN", "REPEATED"])
def test_thirty_in_a_small_month_are_found_and_no_other_is(kind):
    counted = batch(**{kind: 30, "ORDINARY": 20, "ALIKE": 10})
    found = stuffing.weigh(counted[None], HABITS[None])
    assert found.probability[0] > 0.95
    assert found.expected[0] == pytest.approx(30, abs=2)


def test_a_crowd_a_queue_and_praise_are_honest():
    months = np.array(
        [batch(CROWDED=300, QUEUED=150, ORDINARY=60, ALIKE=20), batch(ALIKE=90, ORDINARY=4)]
    )
    assert (stuffing.weigh(months, HABITS[None]).probability < 0.01).all()


def test_a_source_is_held_against_its_own_months():
    counted = batch(SKIMMED=40, ALIKE=40, ORDINARY=60)[None]
    habits = Habits(HABITS[None], Breadth())
    careful = batch(SKIMMED=2, ALIKE=78, ORDINARY=60)[None]
    hasty = batch(SKIMMED=45, ALIKE=35, ORDINARY=60)[None]
    found = [
        float(stuffing.weigh(counted, habits.of([0], earlier)).probability[0])
        for earlier in (careful, hasty)
    ]
    assert found[0] > 10 * found[1]


def test_months_of_many_responses_are_weighed_as_fewer():
    counted = batch(PRESSED=900, ORDINARY=1800)[None]
    found = stuffing.weigh(counted, HABITS[None], stuffing.Stuffing(most=300))
    assert found.probability[0] > 0.95
    assert found.expected[0] == pytest.approx(900, rel=0.05)


def in_logs(counted, at, habits, model):
    """By the sum over how many of one kind are strange, in logarithms, and how many are expected.

    Where the one process makes that kind alone: ``at`` is its number.
    """
    n, k = int(counted.sum()), int(counted[at])
    m = np.arange(k + 1)
    left = np.tile(counted, (k + 1, 1))
    left[:, at] -= m
    orders = log_binomial(k, m) - log_binomial(n, m)
    like = log_probability(left, habits) + orders
    possible = np.arange(model.least, n + 1)
    with np.errstate(divide="ignore"):
        guilty = np.where(m >= model.least, 1 / np.maximum(m, 1) / (1 / possible).sum(), 0.0)
        played = model.play * (1 - model.goes_on) * model.goes_on ** (m - 1.0)
        played[0] = 1 - model.play * (1 - model.goes_on**n)
        both = [np.log(model.prior * guilty) + like, np.log((1 - model.prior) * played) + like]
    whole = logsumexp(both)
    chances = np.exp(both[0] - whole)
    return chances.sum(), chances @ m / max(k, 1)


def log_binomial(n, m):
    return gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1)


@pytest.mark.parametrize(
    ("ordinary", "copies"),
    [*itertools.product([40, 400, 1100, 1460], [12, 24, 40]), (60, 1400), (750, 750), (0, 1500)],
)
def test_of_a_thousand_responses_and_more_the_sum_is_as_exact(ordinary, copies):
    """Products of their polynomials span more than a float: 10^-300 is not nothing."""
    counted = batch(ORDINARY=ordinary, COPIED=copies)
    at = KINDS.index(Kind.COPIED)
    process = stuffing.Process("copies", 1.0, ((Kind.COPIED, 2.0),), rest=0.0)
    model = stuffing.Stuffing(least=2, processes=(process,))
    habits = HABITS * np.where(np.arange(len(FORKS)) < 6, 1.0, 3.2)[:, None]
    probability, by_kind = in_logs(counted, at, habits, model)
    found = stuffing.weigh([counted], [habits], model)
    assert found.probability[0] == pytest.approx(probability, rel=1e-6, abs=1e-12)
    if found.probability[0] >= model.negligible:
        assert found.by_kind[0, at] == pytest.approx(by_kind, rel=1e-6)


def test_a_hospitals_usual_month_is_honest_however_many_answered():
    """Twice the share of copies that is usual, of 1,500: as of 150, no reason for suspicion."""
    for size in (1, 10):
        month = batch(
            ORDINARY=75 * size, ALIKE=30 * size, HASTY=8 * size, CROWDED=22 * size,
            QUEUED=8 * size, SKIMMED=5 * size, COPIED=2 * size,
        )  # fmt: skip
        habits = np.array([[2.0, 258.0] if f >= 6 else [4.0, 4.0] for f in range(len(FORKS))])
        assert stuffing.weigh([month], [habits]).probability[0] < 0.05


def test_habits_are_learnt_without_the_few_that_are_stuffed():
    rng = np.random.default_rng(4)
    share = np.full(K, 0.001)
    share[[KINDS.index(Kind.ORDINARY), KINDS.index(Kind.ALIKE), KINDS.index(Kind.SKIMMED)]] = (
        *(0.6, 0.3), 0.06,
    )  # fmt: skip
    honest = rng.multinomial(120, share / share.sum(), 120).astype(float)
    stuffed = honest.copy()
    stuffed[:2, KINDS.index(Kind.PRESSED)] += 60
    clean, learnt = (stuffing.learn(each, np.zeros(120)) for each in (honest, stuffed))
    pressed = KINDS.index(Kind.PRESSED)
    usual = [stuffing.usual(habits.of([0]))[0] for habits in (clean, learnt)]
    assert usual[1][pressed] < 3 * max(usual[0][pressed], 0.001)
    found = stuffing.weigh(stuffed, learnt.of(np.zeros(120, dtype=int)))
    assert (found.probability[:2] > 0.95).all() and (found.probability[2:] < 0.5).all()


def test_a_group_of_which_nothing_is_known_has_the_habits_of_all():
    counted = np.tile(batch(ORDINARY=50, ALIKE=20), (6, 1))
    habits = stuffing.learn(counted, np.zeros(6), groups=3)
    assert habits.beta.shape == (3, len(FORKS), 2)
    assert habits.of([2])[0] == pytest.approx(habits.of([0])[0], rel=1e-6)


def test_units_are_suspected_by_any_of_their_sources():
    found = stuffing.of_unit_months([0, 0, 2], [0.5, 1.0, 0.25], 3)
    assert found == pytest.approx([1.0, 0.0, 0.25])


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="whole"):
        stuffing.weigh([batch(PRESSED=1.5)], HABITS[None])
    with pytest.raises(ValueError, match="priors"):
        stuffing.weigh([batch(PRESSED=6)], 0 * HABITS[None])
    with pytest.raises(ValueError, match="batches"):
        stuffing.tabulate([5], [0], 2)
