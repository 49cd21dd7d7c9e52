"""Days and the labels of their periods, against the calendar of Python's standard library."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures.comparison_days import With, other_days
from app.figures.periods import (
    PeriodInvalid,
    Step,
    check,
    first_day,
    label,
    last_day,
    ordinals,
    span,
)

LABELS = {
    Step.DAY: date.isoformat,
    Step.WEEK: lambda d: f"{d.isocalendar().year}-W{d.isocalendar().week:02}",
    Step.MONTH: lambda d: f"{d:%Y-%m}",
    Step.QUARTER: lambda d: f"{d.year}-Q{(d.month - 1) // 3 + 1}",
    Step.YEAR: lambda d: str(d.year),
}


@pytest.mark.parametrize("step", Step)
def test_the_last_period_of_the_calendar_ends_with_it(step):
    assert last_day(LABELS[step](date.max), step) == date.max


@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.sampled_from(list(Step)))
def test_the_day_after_a_periods_last_is_the_next_ones_first(day, step):
    name = LABELS[step](day)
    last = last_day(name, step)
    assert first_day(name, step) <= day <= last and LABELS[step](last) == name
    assert first_day(LABELS[step](last + timedelta(days=1)), step) == last + timedelta(days=1)


@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.sampled_from(list(Step)))
def test_labels_are_the_calendars(day, step):
    number, following = ordinals(np.array([day, day + timedelta(days=1)], "datetime64[D]"), step)
    assert label(int(number), step) == LABELS[step](day)
    assert following - number in (0, 1)


WHOLE_MONTHS = [
    (span(name), span(before), span(year_before))
    for name, before, year_before in [
        ("2025-02", "2025-01", "2024-02"),  # which had 29 days
        ("2024-02", "2024-01", "2023-02"),
        ("2026-Q1", "2025-Q4", "2025-Q1"),
        ("2026-H2", "2026-H1", "2025-H2"),
        ("2026", "2025", "2025"),
    ]
]


@pytest.mark.parametrize(("now", "before", "year_before"), WHOLE_MONTHS)
def test_whole_months_are_compared_with_whole_months(now, before, year_before):
    for with_, other in ((With.PREVIOUS, before), (With.YEAR_BEFORE, year_before)):
        assert other_days(now.first, now.last, with_) == (other.first, other.last)


def test_days_are_compared_with_as_many_days():
    days = date(2025, 2, 10), date(2025, 2, 28)
    assert other_days(*days, With.PREVIOUS) == (date(2025, 1, 22), date(2025, 2, 9))
    assert other_days(*days, With.YEAR_BEFORE) == (date(2024, 2, 10), date(2024, 2, 28))


def test_a_period_that_ends_before_it_begins():
    check(date(2026, 1, 1), date(2026, 1, 1))
    check(None, date(2026, 1, 1))
    with pytest.raises(PeriodInvalid):
        check(date(2026, 1, 2), date(2026, 1, 1))


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("day", [date(1, 1, 1), date(999, 12, 31), date(9999, 12, 25)])
def test_a_label_of_any_year_is_read_again(step, day):
    (number,) = ordinals(np.array([day], dtype="datetime64[D]"), step)
    begin = first_day(label(int(number), step), step)
    assert begin <= day
    assert ordinals(np.array([begin], dtype="datetime64[D]"), step) == [number]
