"""From a body to stored responses: every check that a response passes, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fastapi.concurrency import run_in_threadpool

from app.access.buckets import Draw, Empty
from app.access.callers import Caller
from app.access.models import Right
from app.access.rate_limits import RateLimits
from app.db.base import microseconds
from app.intake.allowances import Allowances, Sender
from app.intake.contents import Content, is_repeated, response_row
from app.intake.directory import Directory
from app.intake.models import Disposition
from app.intake.schemas import ResponseIn
from app.intake.store import (
    Outcome,
    Prepared,
    Refused,
    ResponseStore,
)
from app.intake.texts import hashes_of, stored_hash
from app.intake.times import Clock
from app.intake.writer import Writer
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import Channel
from app.registry.points import Point
from app.registry.questionnaires import Published
from app.settings import Settings
from surveys import AnswerError

_COUNTED = Disposition.COUNTED.value


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
    """The survey point took no answers at the moment that counts, or had no unit that day."""

    code, status = "point-closed", 422


class WrongQuestionnaire(Problem):
    """The survey point asks another questionnaire."""

    code, status = "wrong-questionnaire", 422


class PointNotYours(Problem):
    """A device named another survey point than its own."""

    code, status = "point-not-yours", 403


class PartialNotKept(Problem):
    """It lacks what is required, and the questionnaire keeps no such response."""

    code, status = "partial-not-kept", 422


class InvitationNeeded(Problem):
    """The survey point takes answers of those who were invited, and no others."""

    code, status = "invitation-needed", 403


class InvitationUsed(Problem):
    """The invitation was answered before, or is too old."""

    code, status = "invitation-used", 410


class ConflictingResponse(Problem):
    """The id was taken with other content."""

    code, status = "conflicting-response", 409


class DayDeleted(Problem):
    """The responses of its day were deleted by rule; it can join them no more."""

    code, status = "day-deleted", 422


class ReplyCodeTaken(Problem):
    """Another response came with this code for a reply: two people would read one reply."""

    code, status = "reply-code-taken", 409


class RateExceeded(Problem):
    """Too many responses of one device or key, or with one public code, in a short time."""

    code, status, passing = "rate-exceeded", 429, True


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
        self._limits, self._allowances = limits, Allowances(settings, limits)

    async def submit(
        self,
        responses: Sequence[ResponseIn],
        *,
        sender: Sender,
        sent_at: datetime | None = None,
        invitation: str | None = None,
    ) -> list[Outcome | Problem]:
        """Check and store responses; for each, in order, its outcome or why it was refused.

        ``invitation`` is the hash of the token by which a single response was asked for.
        """
        caller, at = sender.caller, self._now()
        clock = Clock(self._settings, caller, at, sent_at)
        if not self._limits.ready:
            await run_in_threadpool(self._limits.prepare)
        results: list[Outcome | Problem] = [Outcome.ACCEPTED] * len(responses)
        prepared: list[Prepared] = []
        places: list[int] = []
        late: dict[int, tuple[Content, tuple[bytes, ...] | None]] = {}
        # The responses of a request are mostly of one point and form: each is looked up once.
        points: dict[str | None, Point] = {}
        versions: dict[tuple[str, int], Published] = {}
        if caller.point is not None:
            points[None] = caller.point
        for place, response in enumerate(responses):
            try:
                point = points.get(response.point)
                if point is None:
                    point = points[response.point] = await self._point(response, caller)
                draws = self._allowances.draws(point, sender, at)
                empty = self._allowances.find_empty(draws)
                if empty is not None:
                    raise _rate_exceeded(empty, at)
                key = response.questionnaire, response.version
                version = versions.get(key)
                if version is None:
                    version = versions[key] = await self._version(*key)
                try:
                    ready = self.prepare(
                        response, version, point, clock, draws, invitation, caller.credential_id
                    )
                    prepared.append(ready)
                except PointClosed:
                    late[place] = self._content(response, point, version)
                    raise
            except Problem as problem:
                results[place] = problem
            else:
                places.append(place)
        if prepared:
            ready_ones: Sequence[Prepared] = prepared
            if any(each.texts for each in prepared):
                # Here and not where they are written, so that nobody else's wait for it.
                ready_ones = await run_in_threadpool(self._store.masked, prepared)
            outcomes = await self.writer.submit(ready_ones)
            for place, outcome in zip(places, outcomes, strict=True):
                if outcome is Outcome.ACCEPTED:  # as it stands there
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
                    results[place] = ConflictingResponse(id=responses[place].id, field="id")
                else:
                    results[place] = outcome
        if late:
            # The sender may ask again about what was counted in time, its answer having been lost.
            ids = [responses[place].id for place in late]
            stored = await run_in_threadpool(self._store.contents, ids)
            _, erased = await run_in_threadpool(self._store.look_up, ids)
            for place, (content, hashes) in late.items():
                id = responses[place].id
                there = stored.get(id)
                if id in erased or (there is not None and is_repeated(there, content, hashes)):
                    results[place] = Outcome.DUPLICATE
        if caller.point is not None:
            refused = [
                Refused(response.id, problem.code, response.model_dump_json(exclude_unset=True))
                for response, problem in zip(responses, results, strict=True)
                if isinstance(problem, Problem) and not problem.passing
            ]
            await self.set_aside(refused, caller)
        return results

    async def set_aside(self, refused: Sequence[Refused], caller: Caller) -> None:
        """Keep what a device brought and is refused for good."""
        if refused and caller.point is not None and caller.credential_id is not None:
            await run_in_threadpool(self._store.set_aside, refused, caller, self._now())

    def prepare(
        self,
        response: ResponseIn,
        version: Published,
        point: Point,
        clock: Clock,
        draws: tuple[Draw, ...] = (),
        invitation: str | None = None,
        credential_id: int | None = None,
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
        if response.language not in version.form.spoken:
            values = {"expected": ", ".join(version.form.spoken)}
            wrong = FieldError("language", "field.invalid", values, "cause.one_of")
            raise InvalidFields(errors=[wrong], count=1)
        # Whoever ends a form themselves, with nothing required left out, is counted anyway: marked.
        lenient = response.partial and version.form.keep_partial
        try:
            packed, texts = version.sheet.pack(response.answers, partial=lenient)
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
        unit_id = point.unit_on(day)
        if unit_id is None or not point.takes_answers_of(answered_at):
            raise PointClosed(field="point")
        if point.invitations_only and invitation is None and not clock.imports:
            raise InvitationNeeded(field="point")
        hashes = hashes_of(self._store.keys, texts) if texts else None
        return Prepared(
            row=response_row(
                id=response.id,
                point_id=point.id,
                unit_id=unit_id,
                version_id=version.id,
                channel=point.channel if invitation is None else Channel.INVITATION.value,
                day=day,
                answered_at=answered_at,
                claimed_at=claimed_at,
                received_at=clock.now,
                duration_s=response.duration_s,
                language=response.language,
                disposition=_COUNTED,
                partial=response.partial,
                packed=packed,
                texts_hash=stored_hash(hashes),
                credential_id=credential_id,
            ),
            version=version,
            texts=texts,
            hashes=hashes,
            draws=draws,
            invitation=invitation,
            late=None if clock.imports or day == clock.today else clock.today,
            receipt_rule=receipt_rule,
            reply_code_hash=response.reply_code_hash,
        )

    def _content(
        self, response: ResponseIn, point: Point, version: Published
    ) -> tuple[Content, tuple[bytes, ...] | None]:
        """What a response says, and the hashes of its texts."""
        packed, texts = version.sheet.pack(response.answers, partial=response.partial)
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

    async def _point(self, response: ResponseIn, caller: Caller) -> Point:
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

    async def _version(self, code: str, number: int) -> Published:
        version = self._directory.version(code, number)
        if version is None:
            version = await run_in_threadpool(self._directory.read_version, code, number)
        if version is None:
            raise UnknownQuestionnaireVersion(field="version", questionnaire=code, version=number)
        return version


def _lacks_only(error: AnswerError) -> bool:
    """Whether nothing is wrong with the answers but that required ones are missing."""
    return all(mistake.reason == "answer.required" for mistake in error.mistakes)


def _rate_exceeded(empty: Empty, at: datetime) -> RateExceeded:
    seconds = empty.retry_after(microseconds(at))
    return RateExceeded(headers={"Retry-After": str(seconds)}, retry_after=seconds)
