"""Days and the labels of their periods, against the calendar of Python's standard library."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.periods import PeriodInvalid, Step, check, label, ordinals

LABELS = {
    Step.DAY: date.isoformat,
    Step.WEEK: lambda d: f"{d.isocalendar().year}-W{d.isocalendar().week:02}",
    Step.MONTH: lambda d: f"{d:%Y-%m}",
    Step.QUARTER: lambda d: f"{d.year}-Q{(d.month - 1) // 3 + 1}",
    Step.YEAR: lambda d: str(d.year),
}


@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.sampled_from(list(Step)))
def test_labels_are_the_calendars(day, step):
    number, following = ordinals(np.array([day, day + timedelta(days=1)], "datetime64[D]"), step)
    assert label(int(number), step) == LABELS[step](day)
    assert following - number in (0, 1)


def test_a_period_that_ends_before_it_begins():
    check(date(2026, 1, 1), date(2026, 1, 1))
    check(None, date(2026, 1, 1))
    with pytest.raises(PeriodInvalid):
        check(date(2026, 1, 2), date(2026, 1, 1))
