"""Periods by the names that links carry; expected days are the calendar's."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures.periods import Length, PeriodInvalid, PeriodUnknown, choices, name_of, span, usual


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2026-Q4", "2026-10-01", "2026-12-31"),
        ("2026-H1", "2026-01-01", "2026-06-30"),
        ("2026-H2", "2026-07-01", "2026-12-31"),
        ("2026-9M", "2026-01-01", "2026-09-30"),
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-11-03..2026-11-09", "2026-11-03", "2026-11-09"),
    ],
)
def test_names(name, first, last):
    found = span(name)
    assert (str(found.first), str(found.last)) == (first, last)


@pytest.mark.parametrize(
    "name", ["", "2026-13", "2026-Q5", "2026-H3", "1999", "2026-02-30..2026-03-01"]
)
def test_what_is_no_name(name):
    with pytest.raises(PeriodUnknown):
        span(name)


def test_reversed_days():
    with pytest.raises(PeriodInvalid):
        span("2026-11-09..2026-11-03")


@given(
    st.dates(date(2001, 1, 1), date(2098, 12, 31)),
    st.sampled_from([length for length in Length if length is not Length.NINE_MONTHS]),
)
def test_a_day_lies_in_the_period_that_it_names(day, length):
    found = span(name_of(day, length))
    assert found.first <= day <= found.last
    assert found.length is length


@given(st.dates(date(2001, 1, 1), date(2097, 1, 1)), st.integers(0, 900))
def test_choices_cover_all_days_without_gap(first, days):
    last = date.fromordinal(first.toordinal() + days)
    for length, names in choices(first, last).items():
        spans = [span(name) for name in names]
        if length is not Length.NINE_MONTHS:
            assert spans[0].first <= last <= spans[0].last
            assert spans[-1].first <= first <= spans[-1].last
            for later, earlier in pairwise(spans):
                assert (later.first - earlier.last).days == 1


@pytest.mark.parametrize(
    ("first", "last", "today", "names"),
    [
        # The running quarter comes after all whole ones, in whichever of its months.
        ("2026-04-02", "2026-11-25", "2026-11-27", ["2026-Q3", "2026-Q2", "2026-Q4"]),
        ("2026-04-02", "2026-10-31", "2026-12-31", ["2026-Q3", "2026-Q2", "2026-Q4"]),
        ("2025-12-31", "2026-01-10", "2026-01-10", ["2025-Q4", "2026-Q1"]),
        # Answers that have long ended lead to their own quarters, which are whole.
        ("2026-04-02", "2026-06-30", "2027-02-01", ["2026-Q2"]),
        ("2026-11-02", "2026-11-25", "2026-11-27", ["2026-Q4"]),
        ("2026-11-02", "2027-03-01", "2026-11-27", ["2026-Q4"]),
    ],
)
def test_the_periods_that_a_page_may_open_with(first, last, today, names):
    assert usual(*map(date.fromisoformat, (first, last, today))) == names


def test_a_page_opens_with_figures_of_two_years_at_most():
    names = usual(date(2020, 1, 1), date(2026, 11, 25), date(2026, 11, 27))
    assert names == ["2026-Q3", "2026-Q2", "2026-Q1", "2025-Q4", "2025-Q3", "2025-Q2", "2025-Q1",
                     "2026-Q4"]  # fmt: skip
