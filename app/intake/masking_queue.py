"""Texts of requests that come at the same time are masked together, one thread at a time.

Masking is all computation: more threads at once are no faster, and would leave who writes and who
answers their share of a processor alone. Masked one request after the other, each would reach the
writer by itself, and pay for a group, a commit and all, alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi.concurrency import run_in_threadpool

from app.intake.prepared import Prepared

#: So many signs are masked together, some twenty milliseconds: whoever came first waits for all.
_SIGNS_AT_ONCE = 4000


@dataclass(slots=True, eq=False)
class _Part:
    """The responses of one request, and where they are given when they are masked."""

    responses: Sequence[Prepared]
    masked: asyncio.Future[Sequence[Prepared]]

    @property
    def signs(self) -> int:
        return sum(len(text) for each in self.responses for text in each.texts.values())


class MaskingQueue:
    """Has the texts of requests masked by ``mask``, in a thread, together with those that wait."""

    def __init__(self, mask: Callable[[Sequence[Prepared]], Sequence[Prepared]]) -> None:
        self._mask = mask
        self._waiting: deque[_Part] = deque()
        self._task: asyncio.Task[None] | None = None

    async def masked(self, responses: Sequence[Prepared]) -> Sequence[Prepared]:
        """The same responses, their texts masked; a defect of one request's is no other's."""
        part = _Part(responses, asyncio.get_running_loop().create_future())
        self._waiting.append(part)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="intake-masking")
        return await part.masked

    async def _run(self) -> None:
        try:
            while group := self._take():
                await self._answer(group)
        finally:
            self._task = None

    def _take(self) -> list[_Part]:
        """Those who came first and still wait, of so many signs together, or one of more."""
        group: list[_Part] = []
        signs = 0
        while self._waiting:
            part = self._waiting[0]
            if not part.masked.done():  # whoever waited for it is still there
                signs += part.signs
                if group and signs > _SIGNS_AT_ONCE:
                    break
                group.append(part)
            self._waiting.popleft()
        return group

    async def _answer(self, group: list[_Part]) -> None:
        responses = [response for part in group for response in part.responses]
        try:
            masked = await run_in_threadpool(self._mask, responses)
        except Exception as error:  # noqa: BLE001 - it is told to whose it is
            if len(group) > 1:
                for part in group:
                    await self._answer([part])
            elif not group[0].masked.done():
                group[0].masked.set_exception(error)
            return
        start = 0
        for part in group:
            end = start + len(part.responses)
            if not part.masked.done():
                part.masked.set_result(masked[start:end])
            start = end
