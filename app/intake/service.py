"""From a body to stored responses: every check that a response passes, in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from fastapi.concurrency import run_in_threadpool
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from app.access.credentials import Caller
from app.access.models import Right
from app.intake.directory import Directory
from app.intake.schemas import ResponseIn
from app.intake.store import Outcome, Prepared, ResponseStore
from app.intake.times import counted_at
from app.intake.writer import Writer
from app.problems import FieldError, InvalidFields, Problem
from app.registry.points import Point
from app.registry.questionnaires import Published
from app.settings import Settings
from surveys import AnswerError


class UnknownQuestionnaireVersion(Problem):
    """This version was never published here. It may be later: a kiosk keeps the response."""

    code, status, passing = "unknown-questionnaire-version", 422, True


class UnknownPoint(Problem):
    """No survey point has this public code (any more)."""

    code, status = "unknown-point", 422


class PointMissing(Problem):
    """The caller stands for no survey point and names none."""

    code, status = "point-missing", 422


class PointClosed(Problem):
    """The survey point took no answers at the moment that counts."""

    code, status = "point-closed", 422


class WrongQuestionnaire(Problem):
    """The survey point asks another questionnaire."""

    code, status = "wrong-questionnaire", 422


class PointNotYours(Problem):
    """A device named another survey point than its own."""

    code, status = "point-not-yours", 403


class ConflictingResponse(Problem):
    """The id was taken with other content."""

    code, status = "conflicting-response", 409


class RateExceeded(Problem):
    """Too many responses with one public code."""

    code, status, passing = "rate-exceeded", 429, True


class Intake:
    """The intake of one server process."""

    def __init__(self, settings: Settings, directory: Directory, store: ResponseStore) -> None:
        self._settings, self._directory = settings, directory
        self.body_limit, self.batch_limit = settings.body_limit, settings.batch_limit
        self.writer = Writer(store, settings.waiting_limit)
        self._zone = settings.zone
        # Counted in this process's memory only: the address is kept nowhere.
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._rates = [parse(settings.public_rate), parse(settings.point_rate)]

    async def submit(
        self,
        responses: Sequence[ResponseIn],
        *,
        caller: Caller,
        address: str,
        sent_at: datetime | None = None,
    ) -> list[Outcome | Problem]:
        """Check and store responses; for each, in order, its outcome or why it was refused."""
        now = datetime.now(UTC)
        offset = now - sent_at if sent_at and caller.credential_id else timedelta()
        results: list[Outcome | Problem] = []
        prepared: list[Prepared] = []
        places: list[int] = []
        for place, response in enumerate(responses):
            try:
                point = await self._point(response, caller)
                if caller.credential_id is None:
                    await self._limit(point, address)
                version = await self._version(response)
                fit = self.prepare(response, version, point, caller, now, offset)
            except Problem as problem:
                results.append(problem)
            else:
                results.append(Outcome.ACCEPTED)
                prepared.append(fit)
                places.append(place)
        if prepared:
            outcomes = await self.writer.submit(prepared)
            for place, outcome in zip(places, outcomes, strict=True):
                results[place] = outcome
        return [
            ConflictingResponse(id=responses[i].id, field="id") if r is Outcome.CONFLICT else r
            for i, r in enumerate(results)
        ]

    def prepare(
        self,
        response: ResponseIn,
        version: Published,
        point: Point,
        caller: Caller,
        now: datetime,
        offset: timedelta = timedelta(),
    ) -> Prepared:
        """Check one response against its questionnaire, its point and the rule of times.

        Raises
        ------
        Problem
            Naming the field that is wrong.
        """
        if point.questionnaire != response.questionnaire:
            raise WrongQuestionnaire(
                field="questionnaire",
                expected=point.questionnaire,
                questionnaire=response.questionnaire,
            )
        try:
            packed, texts = version.sheet.pack(response.answers)
        except AnswerError as error:
            errors = [FieldError(f"answers.{m.item}", m.reason, m.values) for m in error.mistakes]
            raise InvalidFields(errors=errors, count=len(errors)) from None
        answered_at = counted_at(
            response.answered_at,
            caller=caller,
            now=now,
            offset=offset,
            tolerance_s=self._settings.clock_tolerance_s,
            backlog_days=self._settings.backlog_days,
        )
        if not point.takes_answers_of(answered_at):
            raise PointClosed(field="point")
        return Prepared(
            id=response.id,
            point_id=point.id,
            unit_id=point.unit_id,
            version=version,
            channel=point.channel,
            day=answered_at.astimezone(self._zone).date(),
            answered_at=answered_at,
            claimed_at=response.answered_at,
            received_at=now,
            duration_s=response.duration_s,
            language=response.language,
            packed=packed,
            texts=texts,
            content_hash=_content_hash(response, point.id, version.id, packed, texts),
        )

    async def _point(self, response: ResponseIn, caller: Caller) -> Point:
        if response.point is None:
            if caller.point is None:
                raise PointMissing(field="point")
            return caller.point
        fresh, point = self._directory.point(response.point)
        if not fresh:
            point = await run_in_threadpool(self._directory.read_point, response.point)
        if point is None:
            raise UnknownPoint(field="point")
        if (
            caller.point is not None
            and caller.point.id != point.id
            and Right.IMPORT_HISTORY not in caller.rights
        ):
            raise PointNotYours(field="point")
        return point

    async def _version(self, response: ResponseIn) -> Published:
        code, number = response.questionnaire, response.version
        version = self._directory.version(code, number)
        if version is None:
            version = await run_in_threadpool(self._directory.read_version, code, number)
        if version is None:
            raise UnknownQuestionnaireVersion(field="version", questionnaire=code, version=number)
        return version

    async def _limit(self, point: Point, address: str) -> None:
        keys = ((f"{point.id}", address), (f"{point.id}",))
        for rate, key in zip(self._rates, keys, strict=True):
            if not await self._limiter.hit(rate, *key):
                retry_after = rate.get_expiry()
                raise RateExceeded(
                    headers={"Retry-After": str(retry_after)}, retry_after=retry_after
                )


def _content_hash(
    response: ResponseIn, point_id: int, version_id: int, packed: bytes, texts: dict[str, str]
) -> bytes:
    """16 bytes over everything that the respondent said and the device claims."""
    head = (
        f"{point_id}|{version_id}|{response.answered_at.timestamp()!r}|"
        f"{response.duration_s}|{response.language}|"
    )
    tail = json.dumps(texts, sort_keys=True) if texts else ""
    return blake2b(head.encode() + packed + tail.encode(), digest_size=16).digest()
