"""Worlds are what they say: shares, hours, queues, truth; and the same by the same seed."""

from dataclasses import fields, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integrity.worlds.attacks import ATTACKS, Attack
from tests.integrity.worlds.clienteles import READING_S
from tests.integrity.worlds.comings import in_turn
from tests.integrity.worlds.honest import PLAIN, PROVINCES, province
from tests.integrity.worlds.honest_days import ODD_DAYS, eligible
from tests.integrity.worlds.large import LARGE, Large, large, queued
from tests.integrity.worlds.world import INVITATION, KIOSK, QR, SATISFIED, Answers, World, second

SMALL = replace(PLAIN, units=25)
FACES = next(kind for kind in PROVINCES if kind.items == 1)


@cache
def drawn(items: int = 22, seed: int = 1) -> World:
    kind = SMALL if items == 22 else replace(FACES, units=12)
    return province(kind, np.random.default_rng(seed))


def alike(one: Answers, other: Answers) -> bool:
    """All arrays are the same, in the same order."""
    return all(
        np.array_equal(a, b, equal_nan=a.dtype == np.float64)
        for a, b in ((getattr(one, f.name), getattr(other, f.name)) for f in fields(Answers))
    )


def straight(levels: np.ndarray) -> np.ndarray:
    high = levels.max(axis=1)
    low = np.where(levels == 0, 9, levels).min(axis=1)
    return (high == low) & (np.count_nonzero(levels, axis=1) > 2)


def test_the_same_seed_gives_the_same_province():
    again = province(SMALL, np.random.default_rng(1))
    other = province(SMALL, np.random.default_rng(2))
    assert alike(drawn().answers, again.answers)
    assert not alike(drawn().answers, other.answers)


@pytest.mark.parametrize("kind", PROVINCES, ids=lambda kind: kind.name)
def test_every_province_is_honest_and_of_the_contract(kind):
    world = province(replace(kind, units=8), np.random.default_rng(3))
    answers = world.answers
    assert not answers.truth.any()
    assert set(np.unique(world.month)) == {0, 1, 2}
    assert set(np.unique(answers.channel)) == {KIOSK, QR, INVITATION}
    assert answers.levels.max() <= 5 and (answers.levels.max(axis=1) > 0).all()
    assert (answers.received_s > answers.answered_s - 1).all()
    responses = world.responses
    assert len(responses) == len(world)
    assert responses.levels.shape == (len(world), kind.items)
    assert set(np.unique(responses.group)) <= set(range(6))
    share = np.isnan(answers.duration_s).mean()
    assert kind.unmeasured * 0.2 < share < kind.unmeasured * 1.8 + 0.1


def test_reading_takes_what_adults_take():
    """238 words a minute (Brysbaert 2019, doi:10.1016/j.jml.2019.104047), a dozen an item."""
    assert pytest.approx(12 / 238 * 60, abs=0.05) == READING_S
    world = drawn()
    varied = ~straight(world.answers.levels) & ~np.isnan(world.answers.duration_s)
    middle = np.median(world.answers.duration_s[varied])
    assert 22 * READING_S * 0.5 < middle < 22 * READING_S * 1.5


def test_who_answers_differs_from_unit_to_unit():
    world = drawn()
    line = straight(world.answers.levels)
    shares = np.array([line[world.unit == unit].mean() for unit in range(world.units)])
    assert 0.1 < shares.min() < 0.3 and 0.4 < shares.max() < 0.7
    rates = world.rates(np.ones(len(world), bool))
    assert 0.75 < np.nanmedian(rates) < 0.9
    assert np.nanstd(rates.mean(axis=1)) > 0.03
    # Items of a person go together.
    levels = world.answers.levels[(world.answers.levels > 0).all(axis=1)].astype(float)
    between = np.corrcoef(levels.T)[np.triu_indices(22, 1)]
    assert 0.4 < between.mean() < 0.9 and between.min() > 0.2
    # Phones are quicker hands, mostly; the form is sent with a part left out by some.
    assert 0.01 < (world.answers.levels == 0).mean() < 0.1


def test_a_kiosk_is_answered_in_opening_hours_and_a_phone_also_at_home():
    world = drawn()
    really = world.is_open(world.unit, world.answers.answered_s)
    of = {channel: really[world.answers.channel == channel].mean() for channel in range(3)}
    assert of[KIOSK] > 0.97
    assert of[INVITATION] < of[QR] < 0.9
    hour = (world.answers.answered_s % 86_400) / 3600
    kiosk = hour[world.answers.channel == KIOSK]
    assert ((kiosk > 8) & (kiosk < 10.5)).mean() > ((kiosk > 13.5) & (kiosk < 16)).mean()
    assert world.open[~world.known_hours[world.unit]].all()


def test_nobody_begins_at_a_kiosk_before_the_one_before_has_ended():
    world = drawn()
    kiosks = np.flatnonzero((world.sources.channel == KIOSK) & world.sources.measured)
    for source in kiosks:
        own = world.answers.where(world.answers.source == source)
        order = np.argsort(own.answered_s)
        gaps = np.diff(own.answered_s[order])
        assert (gaps >= own.duration_s[order][1:] - 1).all()


def test_a_device_that_is_offline_sends_later_and_all_at_once():
    world = drawn()
    late = world.answers.received_s - world.answers.answered_s > 600
    assert 0.0 < late.mean() < 0.1
    assert set(world.answers.channel[late]) == {KIOSK}
    of, begin, end = world.sources.offline.T
    for source, at in zip(world.answers.source[late], world.answers.answered_s[late], strict=True):
        assert ((of == source) & (begin <= at + 1) & (at - 1 <= end)).any()


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 300)), min_size=1, max_size=40))
def test_a_queue_is_that_of_a_plain_loop(people):
    wanted, taken = (np.array(each, float) for each in zip(*people, strict=True))
    order, done = in_turn(wanted, taken, np.full(len(taken), 3.0))
    free = -np.inf
    for at, i in enumerate(order):
        free = max(wanted[i], free + taken[i] + 3.0)
        assert done[at] == pytest.approx(free)
    assert (np.diff(wanted[order]) >= 0).all()


def test_rates_are_those_of_a_plain_count():
    world = drawn()
    rates = world.rates(np.ones(len(world), bool))
    levels = world.answers.levels[(world.unit == 3) & (world.month == 1)]
    found = [int(level) for sheet in levels for level in sheet if level > 0]
    assert rates[3, 1] == pytest.approx(sum(x >= SATISFIED for x in found) / len(found))
    assert np.isnan(world.rates(np.zeros(len(world), bool))).all()


def test_weekdays_are_those_of_the_calendar():
    world = drawn()
    for day in (date(2026, 8, 3) + timedelta(days=i) for i in range(7)):
        at = np.array([second(day, 9.0)])
        unit = int(np.flatnonzero(~world.saturdays)[0])
        assert world.is_open(np.array([unit]), at)[0] == (day.weekday() < 5)
    assert world.working_days(2)[0] == date(2026, 10, 1)
    assert len(world.working_days(2)) == 22


def test_what_had_come_in_by_a_moment():
    world = drawn()
    moment = second(date(2026, 9, 10))
    early = world.until(moment)
    assert 0 < len(early) < len(world)
    assert (early.answers.received_s <= moment).all()


@cache
def drawn_large(kind: Large) -> World:
    return large(replace(kind, places=4), np.random.default_rng(4))


@pytest.mark.parametrize("kind", LARGE, ids=lambda kind: kind.name)
def test_large_places_are_as_large_as_they_say_and_honest(kind):
    world = drawn_large(kind)
    again = large(replace(kind, places=4), np.random.default_rng(4))
    places = np.arange(world.units - 4, world.units)
    months = np.isin(world.unit, places).sum() / (4 * len(world.months))
    assert alike(world.answers, again.answers) and not world.answers.truth.any()
    assert 0.6 * kind.answers < months < 1.7 * kind.answers
    assert world.units == 4 + (kind.beside.units if kind.beside else 0)
    kiosks = np.bincount(world.sources.unit[world.sources.channel == KIOSK], minlength=world.units)
    assert kind.kiosks[0] <= kiosks[places].min() <= kiosks[places].max() <= kind.kiosks[1]
    assert len(world.responses) == len(world) and world.items == kind.items
    at_kiosk = np.isin(world.unit, places) & (world.answers.channel == KIOSK)
    assert world.is_open(world.unit, world.answers.answered_s)[at_kiosk].mean() > 0.9


@pytest.mark.parametrize("kind", LARGE, ids=lambda kind: kind.name)
def test_two_never_press_at_one_kiosk_of_a_large_place_at_once(kind):
    world = drawn_large(kind)
    kiosks = (world.sources.channel == KIOSK) & world.sources.measured
    for source in np.flatnonzero(kiosks & (world.sources.unit >= world.units - 4)):
        own = world.answers.where(world.answers.source == source)
        order = np.argsort(own.answered_s, kind="stable")
        # Whole seconds on both sides; and who comes next has to walk up.
        assert (np.diff(own.answered_s[order]) >= own.duration_s[order][1:] - 1 + 2).all()


def test_who_finds_all_kiosks_taken_waits_or_goes_home():
    rng = np.random.default_rng(5)
    come, taken = np.sort(rng.uniform(0, 3600, 400)), rng.uniform(30, 120, 400)
    place, done = queued(come, taken, np.array([0.9, 0.1]), rng)
    stays = place >= 0
    assert 0.05 < 1 - stays.mean() < 0.9 and np.isnan(done[~stays]).all()
    assert (done[stays] >= (come + taken)[stays]).all()
    # The one in the corner is used when the other is taken, far more than one in ten passes it.
    assert (place[stays] == 1).mean() > 0.3


def changed(world: World, after: World, unit: int) -> bool:
    """Whether any unit but this one has other answers than before."""
    return not alike(
        world.answers.where(world.unit != unit), after.answers.where(after.unit != unit)
    )


@pytest.mark.parametrize("items", [22, 1])
@pytest.mark.parametrize("name", ODD_DAYS)
def test_an_odd_day_is_honest_and_of_one_unit(name, items):
    world = drawn(items)
    unit = eligible(world)[2]
    after = ODD_DAYS[name](world, unit, np.random.default_rng(5))
    assert not after.answers.truth.any()
    assert not changed(world, after, unit)
    assert not alike(world.answers, after.answers)
    assert alike(after.answers, ODD_DAYS[name](world, unit, np.random.default_rng(5)).answers)
    if name not in ("unanimous, in all months", "a clock hours late"):
        early, then = (each.answers.where(each.month < each.last) for each in (world, after))
        assert alike(early, then)
    assert len(after.responses) == len(after)


def more(world: World, after: World) -> Answers:
    """What is behind the answers that were there."""
    return after.answers.where(np.arange(len(after)) >= len(world))


def odd(name: str, items: int = 22) -> tuple[World, World, int]:
    world = drawn(items)
    unit = eligible(world)[1]
    return world, ODD_DAYS[name](world, unit, np.random.default_rng(6)), unit


@pytest.mark.parametrize("items", [22, 1])
def test_a_class_hands_one_kiosk_around(items):
    world, after, _ = odd("class of thirty at the kiosk", items)
    pupils = more(world, after)
    assert len(pupils) == 30 and len(set(pupils.source)) == 1
    assert np.ptp(pupils.answered_s) < 3600


@pytest.mark.parametrize("items", [22, 1])
def test_a_screening_is_of_300_in_about_two_hours_at_one_source(items):
    world, after, _ = odd("300 after a screening in two hours", items)
    people = more(world, after)
    assert len(people) == 300 and len(set(people.source)) == 1
    assert 1.5 * 3600 < np.ptp(people.answered_s) < 3 * 3600


def test_tet_is_silent_for_nine_days():
    _, after, unit = odd("Tết: nine silent days, then a rush")
    own = np.sort(after.answers.answered_s[(after.unit == unit) & (after.month == after.last)])
    assert np.diff(own).max() > 9 * 86_400 * 0.95


def test_the_unanimous_are_very_satisfied():
    _, after, unit = odd("unanimous, in all months")
    own = after.answers.levels[after.unit == unit]
    assert (own[own > 0] == 5).mean() > 0.9
    assert (after.rates(np.ones(len(after), bool))[unit] > 0.97).all()


def test_a_late_clock_moves_what_was_answered_and_not_what_was_received():
    world, after, _ = odd("a clock hours late")
    moved = world.answers.answered_s - after.answers.answered_s
    assert (moved[moved != 0] >= 3 * 3600).all() and (moved != 0).any()
    assert np.array_equal(world.answers.received_s, after.answers.received_s)


def test_a_helper_is_slow():
    world, after, _ = odd("a helper fills in for the elderly")
    measured = ~np.isnan(more(world, after).duration_s)
    if measured.any():
        assert np.median(more(world, after).duration_s[measured]) > 100


CASES = [(attack, strength) for attack in ATTACKS for strength in attack.strengths]


@pytest.mark.parametrize("items", [22, 1])
@pytest.mark.parametrize(
    ("attack", "strength"), CASES, ids=[f"{attack.name}: {name}" for attack, name in CASES]
)
def test_an_attack_is_of_one_unit_and_says_which_are_stuffed(attack: Attack, strength, items):
    world = drawn(items)
    unit = attack.possible(world)[1]
    after = attack.apply(world, unit, attack.strengths[strength], np.random.default_rng(7))
    again = attack.apply(world, unit, attack.strengths[strength], np.random.default_rng(7))
    truth = after.answers.truth
    assert alike(after.answers, again.answers)
    assert alike(world.answers, after.answers.where(~truth))
    stuffed = after.answers.where(truth)
    assert len(stuffed) >= 1
    assert set(after.unit[truth]) == {unit} and set(stuffed.channel) == {attack.needs}
    months = {0, 1, 2} if "all months" in attack.name else {2}
    assert set(after.month[truth]) == months
    # Mostly top, and never so that the unit's own were better.
    honest = world.answers.levels[(world.unit == unit) & (world.month == world.last)]
    score = stuffed.levels[stuffed.levels > 0].mean()
    assert score >= honest[honest > 0].mean() - 0.1
    assert len(after.responses) == len(after)


def stuffed(name: str, strength: str | None = None) -> tuple[World, Answers, int]:
    attack = next(each for each in ATTACKS if each.name == name)
    world = drawn()
    size = attack.strengths[strength or list(attack.strengths)[-1]]
    known = [unit for unit in attack.possible(world) if world.known_hours[unit]]
    after = attack.apply(world, known[1], size, np.random.default_rng(8))
    return after, after.answers.where(after.answers.truth), known[1]


@pytest.mark.parametrize("n", [5, 10, 15, 30, 60])
def test_presses_about_closing(n):
    world, found, unit = stuffed("presses about closing, one evening", f"{n} presses")
    hour = (found.answered_s % 86_400) / 3600
    assert len(found) == n
    assert (np.abs(hour - world.hours[unit, 1, 1]) < 1.0).all()
    assert np.ptp(found.answered_s) < 3600
    assert straight(found.levels).mean() >= 0.6


def test_strengths_of_a_daily_attack_are_answers_a_day():
    for n in (1, 2, 3, 4, 6):
        _, found, _ = stuffed("a few a day for a month", f"{n} a day")
        assert 22 * n * 0.6 < len(found) < 22 * n * 1.4


def test_a_timetable_is_even_and_a_script_is_not():
    _, even, _ = stuffed("program by timetable, 60 sheets", "every 10 minutes")
    _, uneven, _ = stuffed("script with random delays, 60 sheets", "medium (20 minutes)")
    for found, least, most in ((even, 0.0, 0.02), (uneven, 0.15, 0.6)):
        gaps = np.diff(np.sort(found.answered_s))
        within = gaps[gaps < 4000]
        assert least <= within.std() / within.mean() <= most


def test_what_is_pressed_after_hours_is_so():
    world, found, unit = stuffed("outside opening hours")
    assert not world.is_open(np.full(len(found), unit), found.answered_s).any()


def test_answers_without_durations_have_none():
    _, found, _ = stuffed("without durations")
    assert np.isnan(found.duration_s).all()


def test_copied_sheets_are_real_ones():
    for name, strength, most in (
        ("a good day copied", "six times", 0.0),
        ("yesterday's answers sent again", "none moved", 0.0),
        ("yesterday's answers sent again", "a quarter of the items moved", 0.5),
    ):
        world, found, unit = stuffed(name, strength)
        own = world.answers.levels[(world.unit == unit) & ~world.answers.truth]
        nearest = [(sheet != own).mean(axis=1).min() for sheet in found.levels]
        assert max(nearest) <= most


def test_an_imitation_has_the_units_own_times_and_pace():
    world, found, unit = stuffed("script in the unit's own ways")
    own = world.answers.where(
        (world.unit == unit) & (world.answers.channel == KIOSK) & ~world.answers.truth
    )
    ratio = np.nanmedian(found.duration_s) / np.nanmedian(own.duration_s)
    assert 0.7 < ratio < 1.4
    hours = [each.answered_s % 86_400 / 3600 for each in (found, own)]
    assert abs(np.median(hours[0]) - np.median(hours[1])) < 1.5
