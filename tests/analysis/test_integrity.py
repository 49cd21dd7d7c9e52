"""Marks on drawn months, and the pieces of the detectors against SciPy and direct counting."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.arrivals import Order, evenness, gaps
from analysis.integrity import Detectors, Kind, Responses, kinds, mark
from analysis.kinds import KINDS

DAY = 86_400.0
ITEMS = 12


def month(rng, *, units=12, each=150, pace=4.0, straight=0.35, top=5):
    """An honest month: a kiosk a unit, read log-normally, some straight lines."""
    n = units * each
    unit = np.repeat(np.arange(units), each)
    day = rng.integers(0, 22, n)
    at = day * DAY + rng.uniform(8, 16.5, n) * 3600
    person = rng.normal(4, 1, n)
    levels = np.clip(np.round(person[:, None] + rng.normal(0, 0.8, (n, ITEMS))), 1, 5)
    lined = rng.random(n) < straight
    levels[lined] = top
    duration = np.round(np.exp(rng.normal(np.log(pace), 0.4, n)) * ITEMS)
    return responses(unit, at, duration, levels, particulars=rng.integers(1, 30, n))


def responses(
    source,
    at,
    duration,
    levels,
    *,
    unit=None,
    particulars=0,
    hours=True,
    received=None,
    screen=True,
):
    n = len(source)
    source = np.asarray(source, dtype=np.intp)
    return Responses(
        source=source,
        unit=source if unit is None else np.asarray(unit, dtype=np.intp),
        group=np.zeros(n, dtype=np.intp),
        answered_s=np.asarray(at, dtype=float),
        received_s=np.asarray(at if received is None else received, dtype=float),
        duration_s=np.asarray(duration, dtype=float),
        levels=np.asarray(levels, dtype=np.uint8),
        particulars=np.broadcast_to(np.asarray(particulars, dtype=np.uint64), (n,)),
        open=np.broadcast_to(np.asarray(hours), (n,)),
        one_screen=np.broadcast_to(np.asarray(screen), (n,)),
    )


def joined(*parts):
    return Responses(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(Responses)
        )
    )


def first(drawn, n):
    return Responses(*(getattr(drawn, field.name)[:n] for field in dataclasses.fields(Responses)))


def kinds_of(found):
    return [KINDS[each] for each in kinds(found)]


def share(found, kind):
    return np.mean([each is kind for each in kinds_of(found)])


def test_an_honest_month_is_ordinary():
    found = mark(month(np.random.default_rng(1)))
    # The low 2 % of a log-normal, and few by chance of all else.
    assert 0.005 < found.fast.mean() < 0.05
    for kind in KINDS[KINDS.index(Kind.PRESSED) :]:
        assert share(found, kind) < 0.01, kind


def test_presses_at_closing_are_pressed_and_many_are_a_rush():
    rng = np.random.default_rng(2)
    at = 9 * DAY + 16.9 * 3600 + np.cumsum(rng.uniform(5, 12, 30))
    presses = responses(
        np.zeros(30), at, rng.integers(6, 10, 30), np.full((30, ITEMS), 5), particulars=3
    )
    found = mark(joined(month(rng), first(presses, 12)))
    assert kinds_of(found)[-12:].count(Kind.PRESSED) >= 11
    found = mark(joined(month(rng), presses))
    assert kinds_of(found)[-30:].count(Kind.RUSHED) >= 28
    assert not found.rushed[:-30].any()
    assert found.run[-1] >= 30
    assert (found.pace_s[-30:] < found.usual_pace_s[-30:] / 4).all()


@pytest.mark.parametrize(("screen", "gap_s"), [(True, 9.0), (False, 9.0), (True, None)])
def test_a_rush_without_durations_is_one_at_one_screen_alone(screen, gap_s):
    """At a screen as fast as one hand; not by many phones, nor by tablets that share a key."""
    rng = np.random.default_rng(13)
    gaps = rng.normal(9, 1.5, 40) if gap_s else rng.exponential(5, 40)
    at = 9 * DAY + 10 * 3600 + np.cumsum(gaps)
    drawn = responses(np.zeros(40), at, np.full(40, np.nan), rng.integers(4, 6, (40, ITEMS)),
                      particulars=3, screen=screen)  # fmt: skip
    found = mark(joined(month(rng), drawn))
    if screen and gap_s is not None:
        assert found.rushed[-40:].mean() > 0.9
    else:
        assert not found.rushed.any()


def test_a_class_that_hands_the_kiosk_around_is_quick_but_no_rush():
    rng = np.random.default_rng(14)
    duration = np.where(rng.random(30) < 0.6, rng.uniform(9, 18, 30), rng.uniform(20, 60, 30))
    at = 9 * DAY + 10 * 3600 + np.cumsum(duration + rng.uniform(2, 6, 30))
    class_of_thirty = responses(np.zeros(30), at, duration, rng.integers(3, 6, (30, ITEMS)))
    found = mark(joined(month(rng), class_of_thirty))
    assert found.fast[-30:].mean() > 0.5
    assert not found.rushed.any()


def test_one_evening_does_not_make_a_small_offices_pace():
    rng = np.random.default_rng(15)
    small = month(rng, units=1, each=6)
    small = dataclasses.replace(small, source=small.source + 50, unit=small.unit + 50)
    at = 9 * DAY + 16.9 * 3600 + np.cumsum(rng.uniform(9, 12, 40))
    varied = responses(np.full(40, 50), at, rng.integers(6, 9, 40),
                       rng.integers(4, 6, (40, ITEMS)))  # fmt: skip
    found = mark(joined(month(rng), small, varied))
    assert found.rushed[-40:].mean() > 0.9
    assert found.usual_pace_s[-1] > 2.5


def test_the_hour_of_a_wrong_clock_is_not_known_but_that_of_an_offline_device_is():
    rng = np.random.default_rng(16)
    world = month(rng)
    given = np.sort(9 * DAY + 9 * 3600 + rng.uniform(0, 7 * 3600, 30))
    evening = given + 10 * 3600.0
    wrong = responses(np.zeros(30), evening, np.full(30, 50), rng.integers(3, 6, (30, ITEMS)),
                      hours=False,
                      received=evening + 6 * 3600 + rng.exponential(1, 30))  # fmt: skip
    found = mark(joined(world, wrong))
    assert not found.after_hours.any()
    offline = dataclasses.replace(wrong, received_s=evening.max() + 3600 + 0.2 * np.arange(30))
    found = mark(joined(world, offline))
    assert found.after_hours[-30:].all()


def test_a_fast_young_clientele_is_not_fast_by_its_own_pace():
    rng = np.random.default_rng(3)
    young = month(rng, units=1, each=200, pace=1.9)
    young = dataclasses.replace(young, source=young.source + 50, unit=young.unit + 50)
    found = mark(joined(month(rng), young))
    assert found.fast[-200:].mean() < 0.08


def test_three_hundred_at_a_screening_are_a_crowd():
    rng = np.random.default_rng(4)
    screening = month(rng, units=1, each=300)
    screening = dataclasses.replace(
        screening,
        answered_s=12 * DAY + 8 * 3600 + np.sort(rng.uniform(0, 7200, 300)),
        duration_s=np.round(np.exp(rng.normal(np.log(20), 0.3, 300))),
    )
    found = kinds_of(mark(joined(month(rng), screening)))[-300:]
    assert sum(each in (Kind.CROWDED, Kind.QUEUED) for each in found) > 150
    assert sum(each in (Kind.EVEN, Kind.BUNCHED, Kind.REPEATED) for each in found) < 6


def test_a_day_sent_again_with_levels_moved_is_copied():
    rng = np.random.default_rng(5)
    world = month(rng, straight=0.2)
    day = (world.unit == 3) & (world.answered_s // DAY == 8)
    moved = np.clip(
        world.levels[day] + (rng.random((day.sum(), ITEMS)) < 0.08), 1, 5
    ).astype(np.uint8)  # fmt: skip
    again = responses(
        np.full(day.sum(), 3),
        world.answered_s[day] + DAY,
        world.duration_s[day],
        moved,
        particulars=world.particulars[day],
    )
    found = mark(joined(world, again))
    varied = ~found.alike[-day.sum() :]
    assert found.copied[-day.sum() :][varied].mean() > 0.5
    assert found.copied[: -day.sum()].mean() < 0.02
    assert np.nanmin(found.same) >= 1 - Detectors().moved


def test_a_hospital_has_no_copies_because_it_has_many_sheets_to_be_like():
    """That none of a thousand others is near says little of two thousand of its own."""
    rng = np.random.default_rng(51)
    n = 6000
    levels = rng.integers(1, 6, (n, ITEMS)).astype(np.uint8)
    unit = np.where(np.arange(n) < n // 2, 0, 1 + np.arange(n) % 40)
    at = rng.uniform(0, 14 * DAY, n)
    world = responses(unit, at, rng.lognormal(4.5, 0.3, n), levels)
    # By chance one in 17,000 is near another, which is one in eight of the hospital's sheets.
    assert mark(world).copied[unit == 0].mean() < 0.01
    again = np.flatnonzero((unit == 3) & (at < 7 * DAY))[:20]
    more = responses(unit[again], at[again] + DAY, world.duration_s[again], levels[again])
    assert mark(joined(world, more)).copied[n:].mean() > 0.9


def test_one_varied_sheet_again_and_again_is_repeated():
    rng = np.random.default_rng(6)
    sheet = np.tile([5, 4, 5, 5, 3, 4, 5, 2, 5, 5, 4, 5], (20, 1))
    same = responses(np.zeros(20), 9 * DAY + 36000 + 600 * rng.random(20).cumsum(),
                     rng.integers(40, 60, 20), sheet)  # fmt: skip
    found = mark(joined(month(rng), same))
    assert found.repeated[-20:].all() and found.repeated[:-20].mean() < 0.005


def test_responses_outside_hours_and_without_durations_are_marked_where_rare():
    rng = np.random.default_rng(7)
    night = responses(np.zeros(15), 9 * DAY + 22 * 3600 + 300 * np.arange(15.0) ** 1.2,
                      np.full(15, 50), rng.integers(3, 6, (15, ITEMS)), hours=False)  # fmt: skip
    silent = responses(np.ones(15), 9 * DAY + 40000 + 900 * rng.random(15).cumsum(),
                       np.full(15, np.nan), np.full((15, ITEMS), 4))  # fmt: skip
    found = kinds_of(mark(joined(month(rng), night, silent)))
    assert found[-30:-15] == [Kind.AFTER_HOURS] * 15
    assert found[-15:] == [Kind.UNMEASURED] * 15
    # Where all are closed, as a form at home is, none is.
    world = dataclasses.replace(month(rng), open=np.zeros(12 * 150, dtype=bool))
    assert not mark(world).after_hours.any()


def test_a_run_of_one_line_is_unanimous_but_not_where_all_are():
    rng = np.random.default_rng(8)
    praise = responses(np.zeros(40), 9 * DAY + 60000 + 60 * np.arange(40.0) ** 1.1,
                       rng.integers(40, 70, 40), np.full((40, ITEMS), 5))  # fmt: skip
    found = mark(joined(month(rng, straight=0.2), praise))
    assert found.unanimous[-40:].all() and found.unanimous[:-40].mean() < 0.01
    happy = month(rng, units=1, straight=0.95)
    happy = dataclasses.replace(happy, source=happy.source + 50, unit=happy.unit + 50)
    assert not mark(joined(month(rng), happy)).unanimous.any()


def test_even_runs_are_those_of_too_little_variation_by_scipy():
    rng = np.random.default_rng(9)
    chosen = Detectors()
    window = chosen.windows[1]
    script = 100 + rng.uniform(-8, 8, window)
    queue = rng.gamma(4, 25, 400)
    at = np.concatenate([np.cumsum(queue), queue.sum() + np.cumsum(script)])
    drawn = responses(np.zeros(len(at)), at, np.full(len(at), 20), np.full((len(at), 3), 4))
    order = Order.of(drawn)
    even, variation = evenness(gaps(drawn, order), order, chosen)
    assert even[-window:].all() and even[: -window - 1].mean() < 0.01
    limits = [
        chosen.steady * np.sqrt(stats.chi2.ppf(chosen.even_p, w - 1) / (w - 1))
        for w in chosen.windows
    ]
    assert np.nanmax(variation) <= max(limits)
    expected = stats.variation(np.diff(at)[-window:], ddof=1)
    assert np.nanmin(variation) <= expected * (1 + 1e-6)


def test_honest_queues_are_hardly_ever_even():
    rng = np.random.default_rng(10)
    gap = 10 + rng.gamma(9, 5, 20_000)
    at = np.cumsum(gap)
    drawn = responses(np.zeros(len(at)), at, np.full(len(at), 20), np.full((len(at), 3), 4))
    order = Order.of(drawn)
    assert evenness(gaps(drawn, order), order, Detectors())[0].mean() < 0.01


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_order_of_responses_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    world = month(rng, units=3, each=40)
    shuffled = rng.permutation(120)
    other = Responses(
        *(getattr(world, field.name)[shuffled] for field in dataclasses.fields(Responses))
    )
    assert (kinds(mark(world))[shuffled] == kinds(mark(other))).all()


def test_no_responses_have_no_marks():
    empty = responses([], [], [], np.zeros((0, 4)))
    assert len(kinds(mark(empty))) == 0


def test_a_form_of_one_item_has_no_straight_lines():
    rng = np.random.default_rng(11)
    n = 200
    found = mark(responses(rng.integers(0, 4, n), rng.uniform(0, 20 * DAY, n), np.full(n, 2.0),
                           rng.integers(1, 4, (n, 1))))  # fmt: skip
    assert not found.alike.any() and not found.repeated.any() and not found.copied.any()


def test_shapes_that_do_not_fit_are_refused():
    world = month(np.random.default_rng(12), units=1, each=5)
    with pytest.raises(ValueError, match="duration_s"):
        dataclasses.replace(world, duration_s=np.ones(3))
    with pytest.raises(ValueError, match="levels"):
        dataclasses.replace(world, levels=world.levels[:, 0])
