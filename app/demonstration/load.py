"""Sends responses through the HTTP intake: in batches, again until each is answered for."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import httpx

BATCH = 250
PARALLEL = 3
#: Longest wait between two tries, so that a queue flows soon after the server is back.
LONGEST_WAIT_S = 5.0


class RefusedResponsesError(RuntimeError):
    """The server refused a request as a whole; the message is its answer."""


class NoAnswerError(RuntimeError):
    """Nothing could be delivered for as long as the sender was told to try."""


class Sender:
    """A client of the intake that loses nothing and doubles nothing.

    A batch whose fate is unknown (no connection, no answer, 429, 5xx) is sent again unchanged,
    after a wait that doubles up to five seconds, with jitter; its ids let the server count each
    response once. A response that is refused for good is set aside and does not hold up others.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        tell: Callable[[int], None] = lambda n: None,
        patience_s: float = math.inf,
    ) -> None:
        self._client, self._tell, self._patience_s = client, tell, patience_s
        self._delivered_at = time.monotonic()
        self.outcomes: Counter[str] = Counter()
        self.set_aside: list[dict[str, Any]] = []

    async def send_all(self, bodies: Iterable[dict[str, Any]]) -> None:
        """Send everything; returns when each response is counted or set aside."""
        batches = _batches(bodies)
        await asyncio.gather(*(self._work(batches) for _ in range(PARALLEL)))

    async def _work(self, batches: Iterator[list[dict[str, Any]]]) -> None:
        for batch in batches:
            await self.send(batch)

    async def send(self, batch: list[dict[str, Any]]) -> None:
        """Send one batch until every response in it is answered for."""
        wait = 0.1
        while batch:
            answered = await self._try(batch)
            if answered is not None:
                again = []
                for body, result in zip(batch, answered, strict=True):
                    if result["status"] != "refused":
                        self.outcomes[result["status"]] += 1
                    elif result["problem"]["retry"]:
                        again.append(body)
                    else:
                        self.set_aside.append({"response": body, "problem": result["problem"]})
                if len(again) < len(batch):
                    self._delivered_at = time.monotonic()
                self._tell(len(batch) - len(again))
                batch = again
            if batch:
                if time.monotonic() - self._delivered_at > self._patience_s:
                    raise NoAnswerError(f"nothing was taken for {self._patience_s:.0f} s")
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(wait * 2, LONGEST_WAIT_S)

    async def _try(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
        """The server's answer for each response; None where nobody knows what became of them."""
        try:
            answer = await self._client.post("/api/v1/responses", json={"responses": batch})
        except httpx.TransportError:
            return None
        if answer.status_code == 429 or answer.status_code >= 500:
            return None
        if answer.status_code >= 400:
            raise RefusedResponsesError(answer.text)
        results: list[dict[str, Any]] = answer.json()["responses"]
        return results


def _batches(bodies: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(bodies)
    while batch := list(islice(rest, BATCH)):
        yield batch
