"""From a body to stored responses: every check that a response passes, in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from fastapi.concurrency import run_in_threadpool

from app.access.buckets import Draw, Empty
from app.access.callers import Caller
from app.access.models import Right
from app.access.rate_limits import RateLimits
from app.db.base import microseconds
from app.intake.allowances import Allowances, Sender
from app.intake.contents import Content, ResponseRow, is_repeated
from app.intake.decoding import Received
from app.intake.directory import Directory
from app.intake.masking_queue import MaskingQueue
from app.intake.models import Disposition
from app.intake.prepared import Outcome, Prepared, Refused
from app.intake.refusals import (
    ConflictingResponse,
    DayDeleted,
    InvitationNeeded,
    InvitationUsed,
    PartialNotKept,
    PointClosed,
    PointMissing,
    PointNotYours,
    RateExceeded,
    ReplyCodeTaken,
    UnknownPoint,
    UnknownQuestionnaireVersion,
    WrongQuestionnaire,
)
from app.intake.schemas import ResponseIn
from app.intake.store import ResponseStore
from app.intake.texts import hashes_of, stored_hash
from app.intake.times import Clock
from app.intake.writer import Writer
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import Channel
from app.registry.points import Point
from app.registry.questionnaires import Published
from app.settings import Settings
from surveys import AnswerError
from surveys.digit_answers import pack

#: Looked up once: an enumeration's members and values are found by a search.
_ACCEPTED, _COUNTED = Outcome.ACCEPTED, Disposition.COUNTED.value
#: A response as the schema has read it, or quickly (``app.intake.decoding``): both have one shape.
Incoming = ResponseIn | Received


class _Target(NamedTuple):
    """Where responses of a request go, in which languages, and what each of them draws from."""

    point: Point
    version: Published
    languages: Collection[str]
    draws: tuple[Draw, ...]
    #: The point's unit by local day, as far as it was looked up.
    units: dict[date, int | None]
    #: Of whose units alone the sender may bring responses; None where it is no question.
    reach: frozenset[int] | None = None


class Intake:
    """The intake of one server process."""

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        store: ResponseStore,
        limits: RateLimits,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._now = now
        self._settings, self._directory = settings, directory
        self.batch_limit = settings.batch_limit
        self._store = store
        self.writer = Writer(
            store,
            settings.waiting_limit,
            groups_at_once=store.groups_at_once,
            patience_s=settings.intake_s,
            stored=stored,
        )
        self._zone = settings.zone
        self._masking = MaskingQueue(store.masked)
        self._limits, self._allowances = limits, Allowances(settings, limits)

    async def submit(
        self,
        responses: Iterable[Incoming],
        *,
        sender: Sender,
        sent_at: datetime | None = None,
        invitation: str | None = None,
    ) -> list[Outcome | Problem]:
        """Check and store responses; for each, in order, its outcome or why it was refused.

        ``invitation`` is the hash of the token by which a single response was asked for. What is
        not kept elsewhere is let go once it is checked: packed it takes a tenth of the memory, and
        the next request's is then where the processor has it at hand.
        """
        caller, at = sender.caller, self._now()
        clock = Clock(self._settings, caller, at, sent_at)
        if not self._limits.ready_at(at):
            await run_in_threadpool(self._limits.prepare)
        results: list[Outcome | Problem] = []
        prepared: list[Prepared] = []
        places: list[int] = []
        late: dict[int, tuple[str, Content, tuple[bytes, ...] | None]] = {}
        # The responses of a request are mostly of one point and form: each is looked up once.
        targets: dict[tuple[str | None, str, int], _Target] = {}
        for place, response in enumerate(responses):
            try:
                key = response.point, response.questionnaire, response.version
                target = targets.get(key)
                if target is None:
                    target = targets[key] = await self._target(response, sender, at)
                try:
                    ready = self._prepared(
                        response, target, clock, invitation, caller.credential_id
                    )
                    prepared.append(ready)
                except PointClosed:
                    content, hashes = self._content(response, target.point, target.version)
                    late[place] = response.id, content, hashes
                    raise
            except Problem as problem:
                results.append(problem)
            else:
                results.append(_ACCEPTED)
                places.append(place)
        if prepared:
            ready_ones: Sequence[Prepared] = prepared
            if any(each.texts for each in prepared):
                # Here and not where they are written, so that nobody else's wait for it.
                ready_ones = await self._masking.masked(prepared)
            outcomes = await self.writer.submit(ready_ones)
            for ready, place, outcome in zip(prepared, places, outcomes, strict=True):
                if outcome is _ACCEPTED:  # as it stands there
                    continue
                if isinstance(outcome, Empty):
                    self._limits.note_empty(outcome)
                    results[place] = _rate_exceeded(outcome, at)
                elif outcome is Outcome.UNINVITED:
                    results[place] = InvitationUsed()
                elif outcome is Outcome.DAY_DELETED:
                    results[place] = DayDeleted(field="answered_at")
                elif outcome is Outcome.CODE_TAKEN:
                    results[place] = ReplyCodeTaken(field="reply_code_hash")
                elif outcome is Outcome.CONFLICT:
                    results[place] = ConflictingResponse(id=ready.id, field="id")
                else:
                    results[place] = outcome
        if late:
            # The sender may ask again about what was counted in time, its answer having been lost.
            ids = [id for id, _, _ in late.values()]
            stored = await run_in_threadpool(self._store.contents, ids)
            _, erased = await run_in_threadpool(self._store.look_up, ids)
            for place, (id, content, hashes) in late.items():
                there = stored.get(id)
                if id in erased or (there is not None and is_repeated(there, content, hashes)):
                    results[place] = Outcome.DUPLICATE
        return results

    async def set_aside(self, refused: Sequence[Refused], caller: Caller) -> None:
        """Keep what a device brought and is refused for good."""
        if refused and caller.point is not None and caller.credential_id is not None:
            await run_in_threadpool(self._store.set_aside, refused, caller, self._now())

    def prepare(
        self, response: Incoming, version: Published, point: Point, clock: Clock
    ) -> Prepared:
        """Check one response against its questionnaire, its point and the rule of times.

        Raises
        ------
        Problem
            Naming the field that is wrong.
        """
        _check_form(response, point)
        return self._prepared(
            response, _Target(point, version, version.form.spoken, (), {}), clock, None, None
        )

    async def _target(self, response: Incoming, sender: Sender, at: datetime) -> _Target:
        """Where a response goes, if more may come from there."""
        caller = sender.caller
        point = caller.point if response.point is None else None
        if point is None:
            point = await self._point(response, caller)
        draws = self._allowances.draws(point, sender, at)
        empty = self._allowances.find_empty(draws)
        if empty is not None:
            raise _rate_exceeded(empty, at)
        version = await self._version(response.questionnaire, response.version)
        _check_form(response, point)
        reach = await self._reach(caller, point)
        return _Target(point, version, version.form.spoken, draws, {}, reach)

    def _prepared(
        self,
        response: Incoming,
        target: _Target,
        clock: Clock,
        invitation: str | None,
        credential_id: int | None,
    ) -> Prepared:
        """A response that passed every check; of a batch of a hundred each step counts."""
        point, version, languages, draws, units, reach = target
        if response.language not in languages:
            values = {"expected": ", ".join(languages)}
            wrong = FieldError("language", "field.invalid", values, "cause.one_of")
            raise InvalidFields(errors=[wrong], count=1)
        # Whoever ends a form themselves, with nothing required left out, is counted anyway: marked.
        lenient = response.partial and version.form.keep_partial
        try:
            packed, texts = pack(version.sheet, response.answers, partial=lenient)
        except AnswerError as error:
            if response.partial and not lenient and _lacks_only(error):
                raise PartialNotKept(
                    field="partial", questionnaire=response.questionnaire
                ) from None
            errors = [FieldError(f"answers.{m.item}", m.reason, m.values) for m in error.mistakes]
            raise InvalidFields(errors=errors, count=len(errors)) from None
        claimed_at = response.answered_at.astimezone(UTC)
        answered_at, receipt_rule = clock.counted_at(
            claimed_at, response.age_s, lost=response.clock_lost
        )
        day = clock.local_day(answered_at)
        if day in units:
            unit_id = units[day]
        else:
            unit_id = units[day] = point.unit_on(day)
        if unit_id is None or not point.takes_answers_of(answered_at):
            raise PointClosed(field="point")
        if reach is not None and unit_id not in reach:
            raise UnknownPoint(field="point")
        if point.invitations_only and invitation is None and not clock.imports:
            raise InvitationNeeded(field="point")
        hashes = hashes_of(self._store.keys, texts) if texts else None
        # By their places, which takes half as long as by their names; mypy holds the types.
        row = ResponseRow(
            response.id,
            point.id,
            unit_id,
            version.id,
            point.channel if invitation is None else Channel.INVITATION.value,
            day,
            answered_at,
            claimed_at,
            clock.now,
            response.duration_s,
            response.language,
            _COUNTED,
            response.partial,
            packed,
            stored_hash(hashes),
            credential_id,
        )
        return Prepared(
            row,
            version,
            texts,
            hashes,
            None,
            draws,
            invitation,
            None if clock.imports or day == clock.today else clock.today,
            receipt_rule,
            response.reply_code_hash,
            response.id < clock.oldest_id,
        )

    def _content(
        self, response: Incoming, point: Point, version: Published
    ) -> tuple[Content, tuple[bytes, ...] | None]:
        """What a response says, and the hashes of its texts."""
        packed, texts = pack(version.sheet, response.answers, partial=response.partial)
        hashes = hashes_of(self._store.keys, texts)
        content = Content(
            point_id=point.id,
            version_id=version.id,
            claimed_at=response.answered_at.astimezone(UTC),
            duration_s=response.duration_s,
            language=response.language,
            partial=response.partial,
            packed=packed,
            texts_hash=stored_hash(hashes),
        )
        return content, hashes

    async def _point(self, response: Incoming, caller: Caller) -> Point:
        """The survey point that a response names, read from the database if need be."""
        if response.point is None:
            raise PointMissing(field="point")
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

    async def _reach(self, caller: Caller, point: Point) -> frozenset[int] | None:
        """The units, of all that a point ever was of, for which the caller imports history.

        None where it imports none, or for all units.
        """
        right = Right.IMPORT_HISTORY
        if right not in caller.rights or caller.has_everywhere(right):
            return None
        return await run_in_threadpool(self._directory.covered, caller, right, point)

    async def _version(self, code: str, number: int) -> Published:
        version = self._directory.version(code, number)
        if version is None:
            version = await run_in_threadpool(self._directory.read_version, code, number)
        if version is None:
            raise UnknownQuestionnaireVersion(field="version", questionnaire=code, version=number)
        return version


def _check_form(response: Incoming, point: Point) -> None:
    """That the survey point asks the questionnaire."""
    if point.questionnaire != response.questionnaire:
        raise WrongQuestionnaire(
            field="questionnaire",
            expected=point.questionnaire,
            questionnaire=response.questionnaire,
        )


def _lacks_only(error: AnswerError) -> bool:
    """Whether nothing is wrong with the answers but that required ones are missing."""
    return all(mistake.reason == "answer.required" for mistake in error.mistakes)


def _rate_exceeded(empty: Empty, at: datetime) -> RateExceeded:
    seconds = empty.retry_after(microseconds(at))
    return RateExceeded(headers={"Retry-After": str(seconds)}, retry_after=seconds)
