"""POST /api/v1/fhir: QuestionnaireResponses from a hospital's interface engine.

An engine reads the status and, for a person who looks, an OperationOutcome; so every answer here is
one, refusals too. It is no FHIR server: what was sent cannot be read back.
"""

from __future__ import annotations

import http
import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import ValidationError

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.dependencies import DATABASE, SETTINGS
from app.importing.fhir import NAME
from app.importing.fhir_bundles import Entry, entries_of, is_bundle, parsed
from app.importing.fhir_reading import FhirReader, Ready, placed
from app.intake.allowances import Sender
from app.intake.dependencies import INTAKE
from app.intake.prepared import Outcome
from app.intake.routes import BatchTooLarge, NotJson
from app.intake.schemas import ResponseIn
from app.messages import Language, preferred, say
from app.problems import Problem, invalid_fields
from app.text_keys import TextKeys

#: A node of a document that is written.
Outcomes = dict[str, object]


@dataclass
class Result:
    """What became of a resource; neither of what is no QuestionnaireResponse in a Bundle."""

    outcome: Outcome | None = None
    problem: Problem | None = None
    #: Where each item's answer stands.
    paths: Mapping[str, str] = field(default_factory=dict)


#: Devices have a point of their own; who imports history names one.
ENGINES = Door(Right.SUBMIT, Right.IMPORT_HISTORY)
MEDIA_TYPE = "application/fhir+json"
_IS_FHIR = re.compile(r"\s*application/(?:fhir\+)?json\s*(?:;|$)", re.IGNORECASE).match
#: How FHIR calls what is wrong, by the status of our refusals.
_ISSUES = {401: "login", 403: "forbidden", 404: "not-found", 409: "conflict", 413: "too-long",
           415: "not-supported", 429: "throttled", 503: "transient"}  # fmt: skip


class FhirRoute(APIRoute):
    """Answers refusals as OperationOutcomes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[object, object, Response]]:
        """Answer a request."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                outcome = _refusal(problem, _language(request))
                return _response(request, problem.status, outcome, problem.headers)

        return answer


router = APIRouter(prefix="/api/v1/fhir", tags=["responses"], route_class=FhirRoute)
_CONTENT = {MEDIA_TYPE: {"schema": {"type": "object"}}}
_BODY = {"requestBody": {"required": True, "content": _CONTENT}}
_ANSWERS: dict[int | str, dict[str, object]] = {
    200: {"description": "Counted before; or a Bundle was answered for.", "content": _CONTENT},
    201: {"description": "The response is counted and on disk.", "content": _CONTENT},
    "default": {"description": "Refused, with the reason.", "content": _CONTENT},
}
_Point = Annotated[
    str, Query(max_length=16, description="Public code of the survey point of what names none.")
]


class _FhirResponse(Response):
    media_type = MEDIA_TYPE


@router.post(
    f"/{NAME}",
    summary="Submit a FHIR QuestionnaireResponse",
    openapi_extra=_BODY,
    responses=_ANSWERS,
    response_class=_FhirResponse,
)
async def submit(
    request: Request, caller: Annotated[Caller, Depends(ENGINES)], point: _Point = ""
) -> Response:
    """Store a QuestionnaireResponse of R4 or R5, or a Bundle of them. Who: a device, or a key
    with ``responses:import`` for points of its units.

    ``point`` is the public code of the survey point, unless ``meta.tag`` has it with the system
    urn:hailong:point. Answered by an OperationOutcome: 201 counted, 200 was counted before, else
    refused. A Bundle (batch, collection, message, searchset, document) is answered by a Bundle
    with an outcome for each entry. What says who answered is not read.
    """
    return await _submit(request, caller, point)


@router.post(
    "",
    summary="Submit a FHIR Bundle",
    openapi_extra=_BODY,
    responses=_ANSWERS,
    response_class=_FhirResponse,
)
async def submit_bundle(
    request: Request, caller: Annotated[Caller, Depends(ENGINES)], point: _Point = ""
) -> Response:
    """Store the QuestionnaireResponses of a Bundle, as at /QuestionnaireResponse. Who: the same."""
    return await _submit(request, caller, point)


async def _submit(request: Request, caller: Caller, point: str) -> Response:
    if not _IS_FHIR(request.headers.get("content-type", "")):
        raise NotJson(field="Content-Type")
    body = await request.body()
    document = await run_in_threadpool(parsed, body)
    entries = entries_of(document)
    limit = INTAKE.of(request).batch_limit
    if len(entries) > limit:
        raise BatchTooLarge(limit=limit, count=len(entries), field="Bundle.entry")
    bundled, language = is_bundle(document), _language(request)
    results = await _settle(request, caller, entries, point, in_bundle=bundled)
    if not bundled:
        status, outcome = _settled(results[0], language)
        problem = results[0].problem
        return _response(request, status, outcome, problem.headers if problem else None)
    answered = [_entry(each, language) for each in results]
    return _response(
        request, 200, {"resourceType": "Bundle", "type": "batch-response", "entry": answered}
    )


async def _settle(
    request: Request, caller: Caller, entries: Sequence[Entry], point: str, *, in_bundle: bool
) -> list[Result]:
    """What became of each entry."""
    database, settings = DATABASE.of(request), SETTINGS.of(request)
    reader = await run_in_threadpool(FhirReader, database, TextKeys.of(settings), settings.zone)

    def read() -> tuple[list[Result], list[Ready], list[int]]:
        results, ready, places = [], [], []
        for place, entry in enumerate(entries):
            result = Result()
            results.append(result)
            if in_bundle and not entry.is_response:
                continue
            try:
                each = reader.read(entry, point)
            except Problem as problem:
                result.problem = problem
                continue
            result.paths = each.read.paths
            ready.append(each)
            places.append(place)
        return results, ready, places

    results, ready, places = await run_in_threadpool(read)
    bodies = await run_in_threadpool(reader.under_former_ids, ready)
    responses: list[ResponseIn] = []
    sent: list[int] = []
    for place, body in zip(places, bodies, strict=True):
        try:
            responses.append(ResponseIn.model_validate(body))
        except ValidationError as error:
            results[place].problem = invalid_fields(error)
        else:
            sent.append(place)
    if responses:
        sender = Sender(caller, request.client.host if request.client else "")
        settled = await INTAKE.of(request).submit(responses, sender=sender)
        for place, outcome in zip(sent, settled, strict=True):
            if isinstance(outcome, Problem):
                results[place].problem = outcome
            else:
                results[place].outcome = outcome
    return results


def _settled(result: Result, language: Language) -> tuple[int, Outcomes]:
    """The status of an entry, and what it says."""
    if result.problem is not None:
        return result.problem.status, _refusal(result.problem, language, result.paths)
    if result.outcome is None:
        return 200, _outcome("information", "not-supported", say("importing.fhir_left", language))
    accepted = result.outcome is Outcome.ACCEPTED
    told = say("importing.fhir_accepted" if accepted else "importing.fhir_duplicate", language)
    return 201 if accepted else 200, _outcome("information", "informational", told)


def _refusal(
    problem: Problem, language: Language, paths: Mapping[str, str] = MappingProxyType({})
) -> Outcomes:
    """A problem as an OperationOutcome: an issue for each field that is wrong."""
    code = _ISSUES.get(problem.status, "transient" if problem.passing else "invalid")
    issues: list[Outcomes] = []
    for error in placed(problem, paths):
        issue: Outcomes = {
            "severity": "error",
            "code": code,
            "details": {
                "coding": [{"system": "urn:hailong:problem", "code": problem.code}],
                "text": error.detail(language),
            },
        }
        if error.field:
            issue["expression"] = [error.field]
        issues.append(issue)
    return {"resourceType": "OperationOutcome", "issue": issues}


def _outcome(severity: str, code: str, told: str) -> Outcomes:
    issue = {"severity": severity, "code": code, "details": {"text": told}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _entry(result: Result, language: Language) -> Outcomes:
    status, outcome = _settled(result, language)
    reason = http.HTTPStatus(status).phrase
    return {"response": {"status": f"{status} {reason}", "outcome": outcome}}


def _language(request: Request) -> Language:
    return preferred(request.headers.get("accept-language"))


def _response(
    request: Request, status: int, document: Outcomes, headers: Mapping[str, str] | None = None
) -> Response:
    language = {"Content-Language": _language(request), "Vary": "Accept-Language"}
    return Response(
        json.dumps(document, ensure_ascii=False), status, {**language, **(headers or {})},
        media_type=MEDIA_TYPE,
    )  # fmt: skip
