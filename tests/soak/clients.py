"""Those who use the service while it is broken, and the ledger of what they were told.

A client keeps what was not acknowledged and sends it again, as a kiosk does. What it was told is
held against what it may be told: a 2xx, or a problem that says to come again and when.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.small_province import body

URL = "/api/v1/responses"
#: Longer than any deadline that the server states, shorter than a trouble and its recovery.
PATIENCE_S = 30.0
#: A hint is honoured up to here, so that recovery is measured and not the hint.
_LONGEST_PAUSE_S = 2.0
#: Answers that may come again without any doubt about what became of the request.
_PASSING = {408, 429, 502, 503, 504}
#: How many acknowledged responses a client keeps at hand, to send them again.
_REMEMBERED = 500


@dataclass
class Ledger:
    """What was sent, what was acknowledged and when, and what nobody should have been told."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)
    #: When a request that was taken had begun and was answered, newest last (monotonic seconds).
    taken: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=20_000))

    def note(self, response: dict[str, Any], *, again: bool, status: str, problem: Any) -> bool:
        """Take down what became of one response; whether it need not be sent any more."""
        id = response["id"]
        if status == "refused":
            if not (problem or {}).get("retry"):
                self.odd[f"a response was refused for good: {(problem or {}).get('type')}"] += 1
                return True
            return False
        known = id in self.acknowledged
        if known and status != "duplicate":
            self.odd[f"a response was acknowledged before, and is {status} again"] += 1
        if not again and status == "duplicate":
            self.odd["a response was never sent, and is a duplicate"] += 1
        if not known:
            self.acknowledged.add(id)
        return True

    def judge(self, answer: httpx.Response) -> None:
        """Take down an answer that takes nothing: it must be a problem that says when to come."""
        what = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        self.answers[f"{answer.status_code} {problem.get('code', problem.get('type', ''))}"] += 1
        if answer.status_code not in _PASSING:
            self.odd[f"{what}: {answer.text[:300]}"] += 1
        elif "retry-after" not in answer.headers or not problem.get("retry"):
            self.odd[f"{what} without a hint when to come again: {answer.text[:300]}"] += 1


def pause_of(answer: httpx.Response) -> float:
    """How long a client waits after an answer that took nothing."""
    try:
        hint = float(answer.headers.get("retry-after", "1"))
    except ValueError:
        hint = 1.0
    return min(_LONGEST_PAUSE_S, max(0.05, hint))


class Sender:
    """A kiosk or a system: sends what it has, single or in batches, until it is acknowledged."""

    def __init__(
        self, ledger: Ledger, headers: dict[str, str], most: int, pace_s: float, seed: int
    ) -> None:
        self._ledger, self._headers, self._most, self._pace_s = ledger, headers, most, pace_s
        self._random = random.Random(seed)
        #: What was sent and not acknowledged; made and not sent.
        self._unsure: list[dict[str, Any]] = []
        self._fresh: list[dict[str, Any]] = []
        self._remembered: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)

    async def run(self, http: httpx.AsyncClient, stop: asyncio.Event) -> None:
        """Send until told to stop, then until nothing is left to send."""
        while not stop.is_set() or self._unsure or self._fresh:
            if not stop.is_set():
                self._fresh += [body() for _ in range(self._random.randint(1, self._most))]
            old = not stop.is_set() and self._random.random() < 0.05 and self._remembered
            if old:
                await asyncio.sleep(await self._send(http, self._old_queue(), again=True))
            pause = self._pace_s * self._random.uniform(0.5, 1.5)
            if self._unsure:
                pause = max(pause, await self._send(http, self._unsure[: self._most], again=True))
            if self._fresh:
                pause = max(pause, await self._send(http, self._fresh[: self._most], again=False))
            await asyncio.sleep(pause)

    def _old_queue(self) -> list[dict[str, Any]]:
        """What an old device finds in its store, sent long ago."""
        count = min(len(self._remembered), self._random.randint(1, self._most))
        return self._random.sample(list(self._remembered), count)

    async def _send(
        self, http: httpx.AsyncClient, part: list[dict[str, Any]], *, again: bool
    ) -> float:
        """Send some; how long to wait before the next."""
        content: dict[str, Any] = part[0] if self._most == 1 else {"responses": part}
        if self._most == 1:
            part = part[:1]
        ids = {each["id"] for each in part}
        if not again:
            self._ledger.sent |= ids
            self._fresh = self._fresh[len(part) :]
            self._unsure += part
        begun = time.monotonic()
        try:
            answer = await http.post(URL, json=content, headers=self._headers)
        except httpx.TransportError as error:
            self._ledger.answers[type(error).__name__] += 1
            return self._random.uniform(0.1, 0.5)
        if not answer.is_success:
            self._ledger.judge(answer)
            return pause_of(answer)
        self._ledger.answers[str(answer.status_code)] += 1
        results = [answer.json()] if self._most == 1 else answer.json()["responses"]
        done = {
            each["id"]
            for each, result in zip(part, results, strict=True)
            if self._ledger.note(
                each, again=again, status=result["status"], problem=result.get("problem")
            )
        }
        self._remembered += [each for each in self._unsure if each["id"] in done]
        self._unsure = [each for each in self._unsure if each["id"] not in done]
        if not again and done:
            self._ledger.taken.append((begun, time.monotonic()))
        return 0.0


class Reader:
    """Somebody who reads: figures, the citizen's form, whether the service is ready."""

    def __init__(
        self, ledger: Ledger, headers: dict[str, str], paths: tuple[str, ...], seed: int
    ) -> None:
        self._ledger, self._headers, self._paths = ledger, headers, paths
        self._random = random.Random(seed)

    async def run(self, http: httpx.AsyncClient, stop: asyncio.Event) -> None:
        """Read one thing after another until told to stop."""
        while not stop.is_set():
            pause = self._random.uniform(0.1, 0.6)
            headers = self._headers | {"Accept": "application/json"}
            try:
                answer = await http.get(self._random.choice(self._paths), headers=headers)
            except httpx.TransportError as error:
                self._ledger.answers[f"reading {type(error).__name__}"] += 1
            else:
                if answer.is_success:
                    self._ledger.answers["reading 200"] += 1
                else:
                    self._ledger.judge(answer)
                    pause = max(pause, pause_of(answer))
            await asyncio.sleep(pause)


class Dropper:
    """A client whose connection ends in the midst of a batch; what it sent may count or not."""

    def __init__(self, ledger: Ledger, headers: dict[str, str], port: int, seed: int) -> None:
        self._ledger, self._headers, self._port = ledger, headers, port
        self._random = random.Random(seed)

    async def run(self, _: httpx.AsyncClient, stop: asyncio.Event) -> None:
        """Send the greater part of a batch, or all of it and wait for no answer."""
        while not stop.is_set():
            bodies = [body() for _ in range(self._random.randint(5, 60))]
            self._ledger.sent |= {each["id"] for each in bodies}
            request = httpx.Request(
                "POST", f"http://127.0.0.1:{self._port}{URL}",
                json={"responses": bodies}, headers=self._headers,
            )  # fmt: skip
            raw = _written(request)
            cut = len(raw) if self._random.random() < 0.4 else self._random.randint(10, len(raw))
            await asyncio.to_thread(self._begin_and_drop, raw[:cut])
            await asyncio.sleep(self._random.uniform(0.3, 1.0))

    def _begin_and_drop(self, raw: bytes) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
                connection.sendall(raw)
        except OSError as error:
            self._ledger.answers[f"dropping {type(error).__name__}"] += 1


def _written(request: httpx.Request) -> bytes:
    lines = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + request.read()
