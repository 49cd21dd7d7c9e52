"""Sample sizes against a published table, powers against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import power_proportions_2indep

from analysis.sampling import allocate, power, required, still_needed

#: Krejcie and Morgan (1970), Educational and Psychological Measurement 30:607-610, table 1.
KREJCIE_MORGAN = {
    10: 10, 50: 44, 100: 80, 200: 132, 500: 217, 1000: 278, 5000: 357, 10_000: 370, 100_000: 384,
}  # fmt: skip


def test_equals_krejcie_and_morgan():
    found = required(list(KREJCIE_MORGAN))
    assert np.abs(found - np.array(list(KREJCIE_MORGAN.values()))).max() <= 1


def test_unbounded_population_design_effect_and_a_better_guess_of_the_rate():
    assert required() == 385  # Cochran 1977, section 4.4: 1.96² / (4 · 0.05²) = 384.2
    assert required(design_effect=2.0) == 769
    assert required(rate=0.9) == 139
    assert required([0, 5]).tolist() == [0, 5]


def test_power_equals_statsmodels():
    for p1, p2, n in ((0.85, 0.80, 400), (0.9, 0.95, 150), (0.6, 0.6, 80)):
        theirs = power_proportions_2indep(p2 - p1, p1, n).power
        # statsmodels leaves out the far tail.
        assert power(p1, p2, n, n) == pytest.approx(theirs, abs=0.026 if p1 == p2 else 1e-4)
    assert power(0.85, 0.8, 800, 800, design_effect=2) == pytest.approx(power(0.85, 0.8, 400, 400))


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=12),
    st.data(),
)
def test_an_allocation_sums_up_and_exceeds_no_stratum(sizes, data):
    total = data.draw(st.integers(0, sum(sizes)))
    deviation = data.draw(
        st.none() | st.lists(st.floats(0, 1), min_size=len(sizes), max_size=len(sizes))
    )
    found = allocate(total, sizes, deviation=deviation)
    assert found.sum() == total and (found >= 0).all() and (found <= sizes).all()


def test_an_allocation_is_proportional_and_neymans():
    assert allocate(7, [1, 1, 1]).tolist() != [7, 0, 0] if sum([1, 1, 1]) >= 7 else True
    assert allocate(10, [600, 300, 100]).tolist() == [6, 3, 1]
    # Cochran 1977, section 5.5: n_h in proportion to N_h S_h.
    assert allocate(90, [1000, 1000], deviation=[0.2, 0.1]).tolist() == [60, 30]
    assert allocate(10, [9000, 900, 100], least=2).tolist() == [6, 2, 2]


def test_still_needed_and_the_impossible():
    assert still_needed([0, 9.5, 10], 10).tolist() == [10, 1, 0]
    for call, named in (
        (lambda: required(margin=5), "margin"),
        (lambda: required(design_effect=0), "design_effect"),
        (lambda: required(rate=1.0), "rate"),
        (lambda: allocate(5, [2, 2]), "total"),
        (lambda: allocate(1, [2, 2], least=1), "total"),
        (lambda: power(1.2, 0.5, 1, 1), "rate_1"),
    ):
        with pytest.raises(ValueError, match=named):
            call()


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=6), st.data())
def test_what_rounding_leaves_over_goes_to_the_largest_remainders(sizes, data):
    """Hamilton's method, in whole numbers."""
    total = data.draw(st.integers(0, sum(sizes)))
    wanted = np.array([total * size // sum(sizes) for size in sizes])
    remainder = np.array([total * size % sum(sizes) for size in sizes])
    wanted[np.argsort(-remainder, kind="stable")[: total - wanted.sum()]] += 1
    np.testing.assert_array_equal(allocate(total, sizes), wanted)


def test_a_large_stratum_is_not_given_what_another_has_more_of_a_claim_to():
    """Of 50.1, 30.6 and 19.3 the second is rounded up."""
    np.testing.assert_array_equal(allocate(100, [5010, 3060, 1930]), [50, 31, 19])
