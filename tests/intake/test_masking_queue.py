"""The queue of texts: those that come together are masked together, each for its own request."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from app.intake.masking_queue import _SIGNS_AT_ONCE, MaskingQueue


def said(*texts):
    """The responses of one request, of which each says something."""
    return [SimpleNamespace(texts={"comment": text}) for text in texts]


class Masker:
    """Stands for the masker: waits until it may go on, and fails at what is poison."""

    def __init__(self):
        self.calls, self.at_once, self.most = [], 0, 0
        self.may_go_on = threading.Event()
        self.counting = threading.Lock()

    def __call__(self, responses):
        with self.counting:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        assert self.may_go_on.wait(30)
        with self.counting:
            self.at_once -= 1
        texts = [each.texts["comment"] for each in responses]
        self.calls.append(texts)
        if "poison" in texts:
            raise RuntimeError("a defect")
        return [f"masked {text}" for text in texts]


async def until_asked(masker):
    """The first request is in the masker's hands."""
    while not masker.at_once:
        await asyncio.sleep(0.001)


@pytest.fixture
def masker():
    return Masker()


def masked_beside_one(masker, requests, gone=()):
    """What each of several requests is answered that came while another was masked."""

    async def work():
        queue = MaskingQueue(masker)
        first = asyncio.create_task(queue.masked(said("first")))
        await until_asked(masker)
        rest = [asyncio.create_task(queue.masked(each)) for each in requests]
        await asyncio.sleep(0)  # each of them waits
        for place in gone:
            rest[place].cancel()
        await asyncio.sleep(0)
        masker.may_go_on.set()
        answers = await asyncio.gather(first, *rest, return_exceptions=True)
        # There is nothing left over that could be in the way of whoever comes next.
        assert await queue.masked(said("later")) == ["masked later"]
        return answers

    return asyncio.run(asyncio.wait_for(work(), 60))


def test_those_that_wait_are_masked_together_and_each_is_given_its_own(masker):
    answers = masked_beside_one(masker, [said("a"), said("b", "c"), said("d")])
    assert answers == [["masked first"], ["masked a"], ["masked b", "masked c"], ["masked d"]]
    assert masker.calls == [["first"], ["a", "b", "c", "d"], ["later"]]
    assert masker.most == 1  # never two at once


def test_what_breaks_the_masker_fails_whose_it_is_and_nobody_else(masker):
    first, a, poison, b = masked_beside_one(masker, [said("a"), said("poison"), said("b")])
    assert (first, a, b) == (["masked first"], ["masked a"], ["masked b"])
    assert isinstance(poison, RuntimeError)


def test_whoever_has_gone_is_not_masked_and_holds_up_nobody(masker):
    answers = masked_beside_one(masker, [said("a"), said("b"), said("c")], gone=[0, 2])
    assert [isinstance(each, asyncio.CancelledError) for each in answers] == [0, 1, 0, 1]
    assert answers[2] == ["masked b"]
    assert masker.calls == [["first"], ["b"], ["later"]]


def test_nobody_waits_for_more_than_so_many_signs_of_others(masker):
    half, much = "x" * (_SIGNS_AT_ONCE // 2), "y" * (_SIGNS_AT_ONCE + 1)
    masked_beside_one(masker, [said(half), said(half), said("z"), said(much), said("end")])
    assert masker.calls == [["first"], [half, half], ["z"], [much], ["end"], ["later"]]


def test_whoever_goes_while_it_is_masked_leaves_the_others_their_answers(masker):
    async def work():
        queue = MaskingQueue(masker)
        first = asyncio.create_task(queue.masked(said("first")))
        await until_asked(masker)
        second = asyncio.create_task(queue.masked(said("second")))
        await asyncio.sleep(0)
        first.cancel()
        masker.may_go_on.set()
        assert await second == ["masked second"]
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(asyncio.wait_for(work(), 60))
