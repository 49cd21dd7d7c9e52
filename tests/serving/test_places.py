"""Places for work that few may do at once: whose turn it is, and who is told to come again."""

import asyncio

import pytest

from app.serving.places import Full, Places, Who
from app.serving.problems import retry_after


def who(name, network="office"):
    return Who(name, network)


def run(story):
    asyncio.run(story())


def test_who_was_served_longest_ago_comes_next_whoever_came_first():
    async def story():
        places = Places(1, 16, 60)
        first = places.ask(who("An"))
        again = [places.ask(who("An")) for _ in range(3)]
        other = [places.ask(who("Bình")), places.ask(who("Chi"))]
        order = []
        ending = first
        for _ in range(5):
            places.end(ending)
            (ending,) = [each for each in again + other if each.given.done() and each.began]
            order.append(ending.who.name)
        assert order == ["Bình", "Chi", "An", "An", "An"]

    run(story)


def test_nobody_has_all_places_where_there_are_several():
    async def story():
        places = Places(3, 16, 60)
        greedy = [places.ask(who("An")) for _ in range(5)]
        assert [each.given.done() for each in greedy] == [True, True, False, False, False]
        assert places.ask(who("Bình")).given.done()
        assert places.running == 3 and places.queued == 3
        places.end(greedy[0])
        assert greedy[2].given.done() and not greedy[3].given.done()

    run(story)


def test_the_queue_is_bounded_for_all_for_each_and_for_a_network():
    async def story():
        places = Places(1, 8, 60)
        places.ask(who("An"))
        for _ in range(4):
            places.ask(who("An"))
        with pytest.raises(Full):
            places.ask(who("An"))
        for name in ("Bình", "Chi"):
            places.ask(who(name))
        with pytest.raises(Full):  # three quarters of the queue are one network's
            places.ask(who("Dung"))
        for name in ("Em", "Giang"):
            places.ask(who(name, "elsewhere"))
        with pytest.raises(Full):
            places.ask(who("Hà", "a third network"))
        assert places.queued == 8 and places.refused == 3

    run(story)


def test_who_waits_too_long_is_told_so_and_its_place_goes_to_others():
    async def story():
        places = Places(1, 8, 0.05)
        first = places.ask(who("An"))
        late = places.ask(who("Bình"))
        with pytest.raises(Full) as full:
            await late.given
        assert full.value.expected_s >= 0 and places.queued == 0
        places.end(late)
        places.end(first)
        assert places.running == 0
        assert places.ask(who("Chi")).given.done()

    run(story)


def test_what_is_known_of_callers_does_not_grow():
    async def story():
        places = Places(2, 8, 60)
        for number in range(100):
            places.end(places.ask(who(number)))
        left = places.ask(who("An"))
        waits = places.ask(who("An"))
        places.end(waits)  # the caller has gone
        places.end(left)
        places.end(left)  # once more is no matter
        assert places.running == places.queued == 0
        assert not places._served and not places._running

    run(story)


def test_the_hint_grows_with_the_queue_and_nobody_comes_back_in_one_second():
    hints = {queue: [retry_after(queue) for _ in range(400)] for queue in (0, 10, 1e9)}
    assert set(hints[0]) == {3, 4} or set(hints[0]) == {2, 3, 4}
    assert min(hints[10]) >= 10 and max(hints[10]) <= 20 and len(set(hints[10])) > 5
    assert min(hints[1e9]) >= 60 and max(hints[1e9]) <= 120 and len(set(hints[1e9])) > 30
