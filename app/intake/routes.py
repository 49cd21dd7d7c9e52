"""POST /api/v1/responses."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from app.access.credentials import Caller
from app.access.doors import Door, RightMissing
from app.access.models import Right
from app.intake.schemas import BatchAcknowledged, BatchIn, Envelope, ResponseIn
from app.intake.service import Intake
from app.intake.store import Outcome
from app.messages import Language, preferred
from app.problems import MalformedBody, Problem, invalid_fields, respond

router = APIRouter(prefix="/api/v1", tags=["responses"])

SUBMITTERS = Door(Right.SUBMIT, Right.IMPORT_HISTORY, strangers=True)

_ONE = TypeAdapter(ResponseIn)
_BATCH = TypeAdapter(BatchIn)
_ENVELOPE = TypeAdapter(Envelope)


class BodyTooLarge(Problem):
    """The body has more bytes than the server takes."""

    code, status = "body-too-large", 413


class BatchTooLarge(Problem):
    """The batch has more responses than the server takes at once."""

    code, status = "batch-too-large", 413


_EXAMPLE = {
    "id": "01937b3c-1f3a-7c3e-9c65-2f2f3c1b0a11",
    "questionnaire": "sipas-desk",
    "version": 1,
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
        200: {"description": "A batch was answered for, or a single response was a duplicate."},
        201: {"description": "The response is counted and on disk."},
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
    response_model=BatchAcknowledged,
)
async def submit(request: Request, caller: Annotated[Caller, Depends(SUBMITTERS)]) -> Response:
    """Store one response or several, durably, each counted once.

    Who: a device or system with its credential, or anybody with a survey point's public code at
    a lower rate. One response is answered by 201 (counted), 200 (was counted before) or a
    problem; a batch always by 200 with a status for each response. An answer of 201 or 200 means
    that the responses are on disk.
    """
    if caller.credential_id is not None and not SUBMITTERS.rights & caller.rights:
        raise RightMissing(right=Right.SUBMIT)
    intake: Intake = request.app.state.intake
    body = await _body(request, intake.body_limit)
    address = request.client.host if request.client else ""
    # A comment may hold the word too: only then is the body read twice.
    document = _document(body) if b'"responses"' in body else None
    if isinstance(document, dict) and "responses" in document:
        return await _submit_batch(request, intake, caller, address, body, document)
    try:
        response = _ONE.validate_json(body)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise MalformedBody(reason=error.errors()[0]["msg"]) from None
        raise invalid_fields(error) from None
    (result,) = await intake.submit([response], caller=caller, address=address)
    if isinstance(result, Problem):
        return respond(request, result)
    return Response(
        f'{{"id":"{response.id}","status":"{result.value}"}}',
        status_code=201 if result is Outcome.ACCEPTED else 200,
        media_type="application/json",
    )


async def _submit_batch(
    request: Request,
    intake: Intake,
    caller: Caller,
    address: str,
    body: bytes,
    document: dict[str, Any],
) -> Response:
    ids, responses, refusals, sent_at = _batch(body, document, intake.batch_limit)
    results = iter(
        await intake.submit(responses, caller=caller, address=address, sent_at=sent_at)
        if responses
        else []
    )
    language = preferred(request.headers.get("accept-language"))
    acknowledged = [
        _acknowledged(id, refusals.get(place) or next(results), language)
        for place, id in enumerate(ids)
    ]
    return Response(
        json.dumps({"responses": acknowledged}, ensure_ascii=False),
        media_type="application/json",
        headers={"Content-Language": language},
    )


def _batch(
    body: bytes, document: dict[str, Any], limit: int
) -> tuple[list[str | None], list[ResponseIn], dict[int, Problem], Any]:
    """The ids as sent, the well-formed responses, the refusals by place, the sender's clock."""
    sent = document["responses"]
    if isinstance(sent, list) and len(sent) > limit:
        raise BatchTooLarge(limit=limit, count=len(sent), field="responses")
    try:
        batch = _BATCH.validate_json(body)
    except ValidationError:
        pass  # one of them is malformed: they are read one by one
    else:
        return [str(r.id) for r in batch.responses], batch.responses, {}, batch.sent_at
    try:
        envelope = _ENVELOPE.validate_json(body)
    except ValidationError as error:
        raise invalid_fields(error) from None
    ids: list[str | None] = []
    responses: list[ResponseIn] = []
    refusals: dict[int, Problem] = {}
    for place, each in enumerate(envelope.responses):
        try:
            responses.append(_ONE.validate_python(each))
        except ValidationError as error:
            refusals[place] = invalid_fields(error)
        id = each.get("id") if isinstance(each, dict) else None
        ids.append(id if isinstance(id, str) else None)
    return ids, responses, refusals, envelope.sent_at


def _acknowledged(id: str | None, result: Outcome | Problem, language: Language) -> dict[str, Any]:
    if isinstance(result, Problem):
        return {"id": id, "status": "refused", "problem": result.document(language)}
    return {"id": id, "status": result.value}


def _document(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError as error:
        raise MalformedBody(reason=str(error)) from None


async def _body(request: Request, limit: int) -> bytes:
    """The body, read no further than the limit whatever the headers say."""
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge(limit=limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit=limit)
        chunks.append(chunk)
    return b"".join(chunks)
