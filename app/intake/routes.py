"""POST /api/v1/responses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from app.access.callers import Caller
from app.access.doors import Door, RightMissing
from app.access.models import Right
from app.access.origins import check_origin
from app.intake.allowances import Sender
from app.intake.decoding import Received, ReceivedBatch, read_batch, read_one
from app.intake.dependencies import INTAKE
from app.intake.far_clocks import sent_within_reach, within_reach
from app.intake.prepared import Outcome, Refused
from app.intake.reply_codes import is_code_hash
from app.intake.schemas import (
    Acknowledged,
    BatchAcknowledged,
    BatchIn,
    Envelope,
    ResponseIn,
)
from app.intake.service import Incoming, Intake
from app.messages import Language, preferred
from app.problems import MalformedBody, Problem, invalid_fields, respond

SUBMITTERS = Door(Right.SUBMIT, Right.IMPORT_HISTORY, strangers=True)


class DirectRoute(APIRoute):
    """Opens the door and calls the endpoint itself.

    FastAPI's solving of dependencies costs a third of what a single response costs in all, and
    here there is but one dependency. The endpoint declares it all the same, for the document
    and for the test that walks the doors.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answer a request."""

        async def handle(request: Request) -> Response:
            response: Response = await self.endpoint(request, await SUBMITTERS(request))
            return response

        return handle


router = APIRouter(prefix="/api/v1", tags=["responses"], route_class=DirectRoute)

_ONE = TypeAdapter(ResponseIn)
_BATCH = TypeAdapter(BatchIn)
_ENVELOPE = TypeAdapter(Envelope)


#: Looked up once: an enumeration's members are found by a search.
_ACCEPTED = Outcome.ACCEPTED


class BatchTooLarge(Problem):
    """The batch has more responses than the server takes at once."""

    code, status = "batch-too-large", 413


class NotJson(Problem):
    """The body is not declared as application/json; only so browsers ask before they send it."""

    code, status = "not-json", 415


_EXAMPLE = {
    "id": "01937b3c-1f3a-7c3e-9c65-2f2f3c1b0a11",
    "questionnaire": "sipas-desk",
    "version": 2,
    "point": "K7XQ2MD",
    "answered_at": "2026-11-24T09:30:00+07:00",
    "duration_s": 75,
    "language": "vi",
    "answers": {"A1": 4, "B2": None, "C1": 5, "comment": "Cảm ơn"},
}


@router.post(
    "/responses",
    summary="Submit one response or a batch",
    responses={
        200: {
            "model": Acknowledged | BatchAcknowledged,
            "description": "A batch was answered for, or a single response was a duplicate.",
        },
        201: {"model": Acknowledged, "description": "The response is counted and on disk."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/ResponseIn"},
                            {"$ref": "#/components/schemas/BatchIn"},
                        ]
                    },
                    "examples": {
                        "one": {"value": _EXAMPLE},
                        "batch": {
                            "value": {
                                "sent_at": "2026-11-24T09:31:00+07:00",
                                "responses": [_EXAMPLE],
                            }
                        },
                    },
                }
            },
        }
    },
    response_model=None,
)
async def submit(request: Request, caller: Annotated[Caller, Depends(SUBMITTERS)]) -> Response:
    """Store one response or several, durably, each counted once.

    Who: a device or system with its credential, or anybody with a survey point's public code at
    a lower rate, but no page of another website. One response is answered by 201 (counted), 200
    (was counted before) or a problem; a batch always by 200 with a status for each response. An
    answer of 201 or 200 means that the responses are on disk.
    """
    if caller.credential_id is not None and not SUBMITTERS.rights & caller.rights:
        raise RightMissing(right=Right.SUBMIT)
    if caller.credential_id is None:
        check_origin(request)
    if not _IS_JSON(request.headers.get("content-type", "")):
        raise NotJson(field="Content-Type")
    intake = INTAKE.of(request)
    body = await _body_of(request)
    sender = Sender(caller, request.client.host if request.client else "")
    if _BATCH_BEGINS(body) or (b'"responses"' in body and _is_batch(body)):
        return await _submit_batch(request, intake, sender, body)
    response = read_one(body) or await _read_slowly(intake, sender, body)
    (result,) = await intake.submit([response], sender=sender)
    if isinstance(result, Problem):
        await _keep_refused(intake, sender, lambda: [from_json(body)], [result])
        return respond(request, result)
    told = f'{{"id":"{response.id}","status":"{result.value}"}}'
    return _Acknowledgement(told.encode(), 201 if result is Outcome.ACCEPTED else 200)


class _Acknowledgement(Response):
    """The answer to a single response, whose headers are known without looking for them."""

    media_type = "application/json"

    def __init__(self, body: bytes, status_code: int) -> None:
        self.body, self.status_code, self.background = body, status_code, None
        length = str(len(body)).encode()
        self.raw_headers = [(b"content-length", length), (b"content-type", b"application/json")]


async def _body_of(request: Request) -> bytes:
    """The body, which nearly always comes in one piece; who goes meanwhile is told of by layers."""
    message = await request.receive()
    pieces = [message.get("body", b"")]
    while message.get("more_body"):
        message = await request.receive()
        pieces.append(message.get("body", b""))
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _read_slowly(intake: Intake, sender: Sender, body: bytes) -> ResponseIn:
    """A response that is unusual, or malformed for its clock alone.

    Raises
    ------
    Problem
        For everything else that is wrong with it; what a device is refused is kept.
    """
    try:
        return _ONE.validate_json(body)
    except ValidationError as error:
        problem = _malformed(error)
    if isinstance(problem, MalformedBody):
        raise problem
    document = from_json(body)
    try:
        return _ONE.validate_python(_near(document, sender))
    except ValidationError as still:
        problem = invalid_fields(still)
    await _keep_refused(intake, sender, lambda: [document], [problem])
    raise problem


async def _keep_refused(
    intake: Intake,
    sender: Sender,
    sent: Callable[[], Sequence[Any]],
    results: Sequence[Outcome | Problem],
) -> None:
    """Keep what a device is refused for good; ``sent`` gives the documents that it sent."""
    refused = {
        place: result
        for place, result in enumerate(results)
        if isinstance(result, Problem) and not result.passing
    }
    if refused and sender.caller.point is not None:
        documents = sent()
        kept = [_refused(documents[place], problem, sender) for place, problem in refused.items()]
        await intake.set_aside(kept, sender.caller)


def _near(response: Any, sender: Sender) -> Any:
    """What was sent, but with moments within reach; history as it is."""
    return response if Right.IMPORT_HISTORY in sender.caller.rights else within_reach(response)


def _refused(document: Any, problem: Problem, sender: Sender) -> Refused:
    """What was sent; where it is well-formed, in the schema's one way of writing it."""
    sent = document if isinstance(document, dict) else {}
    id, wish = sent.get("id"), sent.get("reply_code_hash")
    try:
        body = _ONE.validate_python(_near(document, sender)).model_dump_json(exclude_unset=True)
    except ValidationError:
        body = json.dumps(document, ensure_ascii=False)
    return Refused(
        id if isinstance(id, str) else None,
        problem.code,
        body,
        wish if is_code_hash(wish) else None,
    )


async def _submit_batch(request: Request, intake: Intake, sender: Sender, body: bytes) -> Response:
    batch = _batch(body, intake.batch_limit, sender)
    taken = iter(
        await intake.submit(_letting_go(batch.responses), sender=sender, sent_at=batch.sent_at)
        if batch.responses
        else []
    )
    refusals = batch.refusals
    results = (
        [refusals.get(place) or next(taken) for place in range(len(batch.ids))]
        if refusals
        else list(taken)
    )
    await _keep_refused(intake, sender, lambda: from_json(body)["responses"], results)
    language = preferred(request.headers.get("accept-language"))
    acknowledged = ",".join(
        _acknowledged(id, result, language) for id, result in zip(batch.ids, results, strict=True)
    )
    return Response(
        f'{{"responses":[{acknowledged}]}}',
        media_type="application/json",
        headers={"Content-Language": language},
    )


def _letting_go(responses: list[ResponseIn] | list[Received]) -> Iterator[Incoming]:
    """The responses in order; the list keeps none that was handed over."""
    responses.reverse()
    while responses:
        yield responses.pop()


@dataclass(frozen=True)
class _Batch:
    """A batch as read: ids as sent, the well-formed responses, the refusals by place."""

    ids: Sequence[str | None]
    responses: list[ResponseIn] | list[Received]
    refusals: Mapping[int, Problem]
    sent_at: datetime | None


def _batch(body: bytes, limit: int, sender: Sender) -> _Batch:
    batch: ReceivedBatch | BatchIn | None = read_batch(body)
    if batch is None:
        try:
            batch = _BATCH.validate_json(body)
        except ValidationError:
            return _batch_one_by_one(body, limit, sender)
    _check_size(len(batch.responses), limit)
    return _Batch([r.id for r in batch.responses], batch.responses, {}, batch.sent_at)


def _batch_one_by_one(body: bytes, limit: int, sender: Sender) -> _Batch:
    """A batch of which something is malformed: the sound responses are taken all the same."""
    try:
        envelope = _ENVELOPE.validate_json(body)
    except ValidationError as error:
        envelope = _envelope_again(body, sender, _malformed(error))
    _check_size(len(envelope.responses), limit)
    ids: list[str | None] = []
    responses: list[ResponseIn] = []
    refusals: dict[int, Problem] = {}
    for place, each in enumerate(envelope.responses):
        try:
            responses.append(_ONE.validate_python(_near(each, sender)))
        except ValidationError as error:
            refusals[place] = invalid_fields(error)
        id = each.get("id") if isinstance(each, dict) else None
        ids.append(id if isinstance(id, str) else None)
    return _Batch(ids, responses, refusals, envelope.sent_at)


def _envelope_again(body: bytes, sender: Sender, problem: Problem) -> Envelope:
    """The same without the time of a broken clock; the problem where that is not all."""
    if isinstance(problem, MalformedBody) or Right.IMPORT_HISTORY in sender.caller.rights:
        raise problem
    try:
        return _ENVELOPE.validate_python(sent_within_reach(from_json(body)))
    except ValidationError:
        raise problem from None


def _check_size(count: int, limit: int) -> None:
    if count > limit:
        raise BatchTooLarge(limit=limit, count=count, field="responses")


def _malformed(error: ValidationError) -> Problem:
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return MalformedBody(reason=first["msg"])
    return invalid_fields(error)


def _acknowledged(id: str | None, result: Outcome | Problem, language: Language) -> str:
    if result is _ACCEPTED:  # as nearly all; to ask it for its value takes longer
        return f'{{"id":"{id}","status":"accepted"}}'
    if isinstance(result, Problem):
        refused = {"id": id, "status": "refused", "problem": result.document(language)}
        return json.dumps(refused, ensure_ascii=False)
    return f'{{"id":"{id}","status":"{result.value}"}}'


_IS_JSON = re.compile(r"\s*application/json\s*(?:;|$)", re.IGNORECASE).match
#: How clients write a batch; any other way is found by reading the body twice.
_BATCH_BEGINS = re.compile(rb'\s*\{\s*"(?:responses"\s*:\s*\[|sent_at")').match


def _is_batch(body: bytes) -> bool:
    """Whether the word stands for the list of responses and not, say, in a comment."""
    try:
        document = from_json(body)
    except ValueError:
        return False
    return isinstance(document, dict) and "responses" in document
