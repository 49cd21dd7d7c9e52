"""Nobody who watches figures move can tell what the last citizen said."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.figures.release import ReleaseRule, last_released

LEAST = 10

#: Whether somebody answered the index, one question of it, and two besides.
KINDS = ((1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (0, 0, 1, 1), (1, 1, 1, 1))


@given(
    st.lists(st.lists(st.sampled_from(KINDS), max_size=20), min_size=1, max_size=31),
    st.integers(1, 12),
)
def test_figures_differ_by_none_or_by_enough_of_every_measure(days, least):
    """Days fill up answer by answer; what is told at each moment, and in the end, is noted."""
    n = np.zeros((1, 31, len(KINDS[0])), dtype=np.int32)
    noted = [n[0, 0].copy()]
    for today in range(len(days) + 1):
        for kind in (None, *(days[today] if today < len(days) else ())):
            if kind is not None:
                n[0, today] += kind
            (last,) = last_released(n, n, least, over=today)
            assert last < today
            noted.append(n[0, : last + 1].sum(axis=0))
    steps = np.diff(noted, axis=0)
    assert ((steps == 0) | (steps >= least)).all()
    # At its end the month is told whole. What nothing was told of before is then hidden, if few.
    rest = n[0].sum(axis=0) - noted[-1]
    assert ((noted[-1] == 0) | (rest >= least)).all()


@given(st.integers(0, 2**32 - 1))
def test_nor_do_figures_with_and_without_what_is_set_aside_meanwhile(seed):
    """Sets of people are noted as days fill up and some are set aside and counted again.

    Of each day one of two sets moves at a time, whole, where it has ten; with it is told where ten
    count. No two of all figures that are told at any time differ by one to nine people.
    """
    rng = np.random.default_rng(seed)
    size = rng.negative_binomial(1, 0.08, 16)
    day_of = np.repeat(np.arange(16), size)
    batch = rng.random(len(day_of)) < 0.7
    aside, noted = np.zeros(len(day_of), dtype=bool), {}
    for today in range(17):
        for _ in range(rng.integers(1, 4)):
            there = day_of <= today
            n, everybody = (
                np.bincount(day_of[among], minlength=16).astype(np.int32)[None, :, None]
                for among in (there & ~aside, there)
            )
            (last,) = last_released(n, everybody, LEAST, over=today)
            told = day_of <= last
            if (told & ~aside).sum() >= LEAST:
                noted[(told & ~aside).tobytes()] = told & ~aside
                noted[told.tobytes()] = told
            some = there & (day_of == rng.integers(0, 16)) & (batch == (rng.random() < 0.7))
            if some.sum() >= LEAST and (day_of[some] < today).all():
                aside[some] = ~aside[some]
    figures = np.array(list(noted.values()))
    if len(figures):
        apart = (figures[:, None] != figures).sum(axis=2)
        assert ((apart == 0) | (apart >= LEAST)).all()


def of_index(*days):
    return np.array(days, dtype=np.int32)[None, :, None]


def test_days_are_told_once_enough_came_after_them():
    n = of_index(4, 6, 3, 7, 9, 1)
    assert last_released(n, n, 10, over=2) == 1  # ten on two days, twenty after them
    assert last_released(n, n, 10, over=5) == 3  # ten more, and ten after them
    n[0, 5] = 0
    assert last_released(n, n, 10, over=6) == 1  # nine after them are too few
    n = of_index(4, 5, 0, 0, 9, 1)
    assert last_released(n, n, 10, over=6) == -1


def test_a_question_that_few_answered_keeps_a_batch_waiting():
    # Respondents of the index, and of one question, by day.
    days = [(12, 0), (12, 3), (12, 7), (12, 0), (12, 9), (12, 1)]
    n = np.array(days, dtype=np.int32)[None]
    assert last_released(n, n, 10, over=1) == 0  # nobody answered it: it does not move
    assert last_released(n, n, 10, over=2) == 0  # three would have
    assert last_released(n, n, 10, over=3) == 2  # ten did, and ten after them
    n[0, 5, 1] = 0
    assert last_released(n, n, 10, over=3) == 0  # nine after them would move it at the month's end


def test_the_rule_reads_the_local_day(settings):
    assert ReleaseRule.of(settings).least == LEAST
    assert abs(ReleaseRule.of(settings).today - datetime.now(UTC).date()) <= timedelta(days=1)
