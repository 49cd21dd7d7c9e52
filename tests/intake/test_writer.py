"""The writer: one transaction for all that wait, and no answer before it is durable."""

import asyncio
import sqlite3
import time
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError

from app.intake.prepared import Outcome
from app.intake.writer import Busy, Writer
from app.problems import InternalError


class Store:
    """Stands for the database: takes its time, fails when told to."""

    def __init__(self, seconds=0.02):
        self.seconds, self.groups, self.poison, self.down = seconds, [], set(), False
        self.durable = set()

    def append(self, group):
        time.sleep(self.seconds)
        if self.down:
            raise OperationalError("insert", {}, Exception("gone"))
        if self.poison & set(group):
            raise RuntimeError("a defect")
        self.groups.append(list(group))
        self.durable |= set(group)
        return [Outcome.ACCEPTED] * len(group)


def run(coroutine):
    return asyncio.run(coroutine)


async def with_writer(store, work, **arguments):
    writer = Writer(store, arguments.pop("waiting_limit", 1000), **arguments)
    writer.start()
    try:
        return await work(writer)
    finally:
        await writer.stop()


def test_those_that_wait_are_written_together_and_acknowledged_after():
    store = Store()

    async def work(writer):
        async def one(n):
            outcomes = await writer.submit([n])
            assert n in store.durable
            return outcomes

        first = asyncio.create_task(one(0))
        await asyncio.sleep(0.01)
        rest = [asyncio.create_task(one(n)) for n in range(1, 50)]
        return await asyncio.gather(first, *rest)

    assert run(with_writer(store, work)) == [[Outcome.ACCEPTED]] * 50
    assert [len(group) for group in store.groups] == [1, 49]


def test_a_response_that_breaks_its_group_breaks_only_itself():
    # formio/formio.js issue 1156: a refused item stays at the head of the queue
    store = Store(seconds=0)
    store.poison = {3, 77}

    async def work(writer):
        parts = [[1, 2], [3], [4, 77, 5]]
        return await asyncio.gather(*(writer.submit(part) for part in parts))

    both, alone, mixed = run(with_writer(store, work))
    assert both == [Outcome.ACCEPTED] * 2
    assert isinstance(alone[0], InternalError)
    assert [isinstance(o, InternalError) for o in mixed] == [False, True, False]
    assert store.durable == {1, 2, 4, 5}


def test_a_database_that_is_gone_is_busy_and_comes_back():
    store = Store(seconds=0)

    async def work(writer):
        store.down = True
        with pytest.raises(Busy):
            await writer.submit([1])
        store.down = False
        return await writer.submit([1])

    assert run(with_writer(store, work)) == [Outcome.ACCEPTED]


@pytest.mark.parametrize("where", ["driver", "threads"])
def test_whatever_breaks_a_group_breaks_no_later_one_and_leaves_nobody_waiting(where):
    """What the store raised in no form that is foreseen, or no thread to be had, for once."""
    store = Store(seconds=0)

    async def work(writer):
        with pytest.MonkeyPatch.context() as patch:
            if where == "driver":  # as the driver raises it, without SQLAlchemy around it
                full = sqlite3.OperationalError("database or disk is full")
                full.sqlite_errorcode = sqlite3.SQLITE_FULL
                patch.setattr(store, "append", Mock(side_effect=full))
            else:
                broken = RuntimeError("can't start new thread")
                patch.setattr(writer._threads, "submit", Mock(side_effect=broken))
            with pytest.raises(Busy):
                await asyncio.wait_for(writer.submit([1]), 5)
        return await asyncio.wait_for(writer.submit([1]), 5)

    assert run(with_writer(store, work)) == [Outcome.ACCEPTED]


def test_too_many_waiting_is_busy_and_takes_nothing():
    store = Store()

    async def work(writer):
        waiting = asyncio.create_task(writer.submit([1, 2, 3]))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await writer.submit([4, 5, 6, 7, 8])
        return await waiting

    run(with_writer(store, work, waiting_limit=5))
    assert store.durable == {1, 2, 3}


def test_a_group_is_no_larger_than_its_limit_save_for_one_large_part():
    store = Store()

    async def work(writer):
        parts = [list(range(n * 10, n * 10 + 10)) for n in range(6)] + [list(range(100, 150))]
        await asyncio.gather(*(writer.submit(part) for part in parts))

    run(with_writer(store, work, group_limit=25))
    assert [len(group) for group in store.groups] == [20, 20, 20, 50]


@pytest.mark.parametrize("at_once", [1, 2])
def test_stopping_writes_what_waits(at_once):
    store = Store()

    async def work():
        writer = Writer(store, 1000, groups_at_once=at_once)
        writer.start()
        waiting = [asyncio.create_task(writer.submit([n])) for n in range(20)]
        await asyncio.sleep(0)
        await writer.stop()
        assert await asyncio.gather(*waiting) == [[Outcome.ACCEPTED]] * 20
        with pytest.raises(Busy):
            await writer.submit([99])

    run(work())
    assert store.durable == set(range(20))


def test_a_caller_that_gave_up_harms_no_other():
    store = Store()

    async def work(writer):
        leaving = asyncio.create_task(writer.submit([1]))
        staying = asyncio.create_task(writer.submit([2]))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert run(with_writer(store, work)) == [Outcome.ACCEPTED]
    assert store.durable == {1, 2}


def test_who_waits_too_long_is_told_and_what_was_stored_in_the_end_is_there():
    store = Store(seconds=1.5)

    async def work(writer):
        begun = time.monotonic()
        first = asyncio.create_task(writer.submit(["a"]))
        await asyncio.sleep(0.1)  # it is being written; the second waits for it
        second = asyncio.create_task(writer.submit(["b"]))
        told = await asyncio.gather(first, second, return_exceptions=True)
        return told, time.monotonic() - begun

    told, took = run(with_writer(store, work, patience_s=0.3))
    assert [type(each) for each in told] == [Busy, Busy]
    assert took < 1.5
    assert store.durable == {"a"}  # sent again it is a duplicate; "b" was not begun


def test_whoever_waits_late_keeps_no_place():
    store = Store(seconds=0.8)

    async def work(writer):
        first = asyncio.create_task(writer.submit(["a"]))
        await asyncio.sleep(0.05)
        full = asyncio.create_task(writer.submit(["b", "c"]))
        await asyncio.gather(first, full, return_exceptions=True)
        store.seconds = 0.01
        await asyncio.sleep(1)
        return await writer.submit(["d", "e"])

    outcomes = run(with_writer(store, work, waiting_limit=2, patience_s=0.3))
    assert outcomes == [Outcome.ACCEPTED] * 2


@pytest.mark.parametrize(("seconds", "least", "most"), [(0.01, 2, 4), (1.5, 3, 60)])
def test_the_hint_when_to_come_again_is_what_the_queue_will_take(seconds, least, most):
    store = Store(seconds)

    async def work(writer):
        for _ in range(3):  # now it is known how slow the store is
            await writer.submit([1])
        writer._per_second = 1 / seconds
        tasks = [asyncio.create_task(writer.submit([n])) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Busy) as busy:
            await writer.submit([9] * 10)
        await asyncio.gather(*tasks)
        return int(busy.value.headers["Retry-After"]), writer._per_second

    hint, learnt = run(with_writer(store, work, waiting_limit=10))
    assert least <= hint <= most
    # One group of three took as long as one response.
    assert 1 / seconds < learnt < 3.1 / seconds


def test_the_hint_grows_while_the_database_is_gone_and_shrinks_when_it_is_back():
    store = Store(seconds=0)
    store.down = True

    async def work(writer):
        told = []
        for _ in range(6):
            with pytest.raises(Busy) as busy:
                await writer.submit([1])
            told.append(int(busy.value.headers["Retry-After"]))
        store.down = False
        await writer.submit([2])
        store.down = True
        with pytest.raises(Busy) as busy:
            await writer.submit([3])
        return told, int(busy.value.headers["Retry-After"])

    told, after = run(with_writer(store, work))
    for failures, seconds in enumerate(told, 1):
        assert 2 ** min(failures, 4) <= seconds <= 2 * 2 ** min(failures, 4)
    assert after <= 4
