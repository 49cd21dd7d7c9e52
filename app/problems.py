"""The error model: every refusal is a named problem in the format of RFC 9457.

A room states its own problems beside its code as subclasses of ``Problem``; title and detail
stand in the message catalogue under ``problem.<code>``. ``docs/problems.md`` lists them all.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar, Literal

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from app.logs.requests import REQUEST_ID, route_of
from app.messages import preferred, say

log = logging.getLogger("hailong")

#: Key of a request's scope: the log has told of the defect that it met.
TOLD = "hailong.told"

#: How many wrong fields a problem's sentence names; ``errors`` has all.
_MOST_NAMED = 3
#: Pydantic's sorts of errors that the catalogue has a sentence for, under ``cause``.
_CAUSES = {
    "int_parsing": "whole_number", "int_type": "whole_number", "int_from_float": "whole_number",
    "float_parsing": "number", "float_type": "number", "finite_number": "number",
    "bool_parsing": "truth", "bool_type": "truth",
    "date_parsing": "day", "date_type": "day", "date_from_datetime_parsing": "day",
    "date_from_datetime_inexact": "day",
    "datetime_parsing": "moment", "datetime_type": "moment",
    "datetime_from_date_parsing": "moment",
    "enum": "one_of", "literal_error": "one_of",
    "greater_than_equal": "at_least", "greater_than": "more_than",
    "less_than_equal": "at_most", "less_than": "less_than",
    "string_type": "text", "string_too_long": "too_long", "string_too_short": "too_short",
    "string_pattern_mismatch": "form", "uuid_parsing": "form", "uuid_type": "form",
    "list_type": "list", "dict_type": "object", "model_type": "object",
    "model_attributes_type": "object", "too_long": "too_many", "too_short": "too_few",
}  # fmt: skip

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class FieldError:
    """One wrong field: its dotted path, the catalogue's key of the reason, the reason's values.

    ``cause`` is the key of the sentence that becomes the value ``reason``. ``kind`` says whether
    the field is one of a body or a parameter of the address.
    """

    field: str
    reason: str
    values: Mapping[str, object] = dataclass_field(default_factory=dict)
    cause: str | None = None
    kind: Literal["field", "parameter"] = "field"

    def document(self, language: str) -> dict[str, str]:
        """The error as it stands in a problem's ``errors``."""
        return {
            "field": self.field,
            "code": self.reason,
            "detail": self.detail(language),
        }

    def detail(self, language: str) -> str:
        """The sentence that tells what is wrong with the field."""
        cause = {"reason": say(self.cause, language, **self.values)} if self.cause else {}
        return say(self.reason, language, **{**self.values, **cause})

    def written(self, language: str) -> str:
        """The same, where it stands within another sentence."""
        return self.detail(language)

    def named(self, language: str) -> str:
        """The same with the field's name in it, to stand outside a list of fields."""
        detail = self.detail(language)
        if self.field in ("", "form"):  # no field of its own
            return detail
        fault = {"field.missing": "missing", "field.unknown": "unknown"}.get(self.reason, "wrong")
        return say(f"fault.{self.kind}_{fault}", language, field=self.field, detail=detail)


class Problem(Exception):  # noqa: N818 - the RFC's word
    """Base of all refusals. ``code`` names it for machines, ``status`` is the HTTP status."""

    code: ClassVar[str]
    status: ClassVar[int]
    #: Whether the same request may succeed later: a queueing client keeps it and tries again.
    passing: ClassVar[bool] = False
    catalogue: ClassVar[dict[str, type[Problem]]] = {}

    def __init_subclass__(cls) -> None:
        Problem.catalogue[cls.code] = cls

    def __init__(
        self,
        *,
        field: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(f"{self.code} {field or ''} {values or ''}".strip())
        self.field, self.errors = field, errors
        self.headers, self.values = dict(headers or {}), values

    @classmethod
    def title(cls, language: str) -> str:
        """What this kind of problem is called."""
        return say(f"problem.{cls.code}.title", language)

    def detail(self, language: str) -> str:
        """The sentence that tells what was refused here, and why."""
        return say(f"problem.{self.code}.detail", language, **self.values)

    def as_field_error(self) -> FieldError:
        """The same as an error of its field, to stand in a list of such."""
        return FieldError(self.field or "", f"problem.{self.code}.detail", self.values)

    def document(self, language: str, instance: str | None = None) -> dict[str, Any]:
        """The problem as RFC 9457 JSON in one language."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title(language),
            "status": self.status,
            "detail": self.detail(language),
            "retry": self.passing,
        }
        if instance:
            document["instance"] = instance
        if self.status >= 500 and (request_id := REQUEST_ID.get()):
            document["request_id"] = request_id
        if self.field:
            document["field"] = self.field
        if self.errors:
            document["errors"] = [error.document(language) for error in self.errors]
        return document


class MalformedBody(Problem):
    """The body is not JSON, or not an object."""

    code, status = "malformed-body", 400


class InvalidFields(Problem):
    """Fields are missing, unknown or of a wrong kind; ``errors`` names each."""

    code, status = "invalid-fields", 422

    def detail(self, language: str) -> str:
        """Which fields are wrong, and what is wrong with each; of many, the first ones."""
        if not self.errors:
            return super().detail(language)
        said = [error.named(language) for error in self.errors[:_MOST_NAMED]]
        if further := len(self.errors) - len(said):
            said.append(say("fault.further", language, count=further))
        return " ".join(said)


class BodyTooLarge(Problem):
    """The body has more bytes than the server takes."""

    code, status = "body-too-large", 413

    def __init__(self, limit: int) -> None:
        super().__init__(limit=f"{limit / 2**20:g}")


class NotFound(Problem):
    """No route answers at this address."""

    code, status = "not-found", 404


class MethodNotAllowed(Problem):
    """The address exists and does not take this method."""

    code, status = "method-not-allowed", 405


class InternalError(Problem):
    """A defect of ours; the log has the traceback, the caller does not."""

    code, status, passing = "internal-error", 500, True


def invalid_fields(error: ValidationError | RequestValidationError) -> InvalidFields:
    """Turn Pydantic's errors into ours, each with the field's path and a catalogue message."""
    return InvalidFields(errors=list(map(field_error, error.errors())), count=len(error.errors()))


def field_error(detail: Mapping[str, Any]) -> FieldError:
    """One of Pydantic's errors as ours."""
    location = [str(step) for step in detail["loc"] if step not in ("body", "query", "path")]
    path = ".".join(location)
    kind: Literal["field", "parameter"] = (
        "parameter" if detail["loc"][:1] in (("query",), ("path",)) else "field"
    )
    match detail["type"]:
        case "missing":
            return FieldError(path, "field.missing", kind=kind)
        case "extra_forbidden":
            return FieldError(path, "field.unknown", kind=kind)
        case "timezone_aware":
            return FieldError(path, "field.no_offset", kind=kind)
        case "string_pattern_mismatch" if path.rpartition(".")[2] == "id":
            return FieldError(path, "field.not_uuid7", kind=kind)
        case sort if sort in _CAUSES:
            values = {name: _listed(value) for name, value in detail.get("ctx", {}).items()}
            return FieldError(path, "field.invalid", values, f"cause.{_CAUSES[sort]}", kind)
        case _:
            return FieldError(path, "field.invalid", {"reason": detail["msg"]}, kind=kind)


def _listed(value: object) -> object:
    """Choices as Pydantic writes them, 'a', 'b' or 'c', without a word of its language."""
    return value.replace("'", "").replace(" or ", ", ") if isinstance(value, str) else value


def respond(request: Request, problem: Problem) -> Response:
    """The HTTP answer that carries a problem, in the caller's language."""
    language = preferred(request.headers.get("accept-language"))
    return Response(
        json.dumps(problem.document(language, request.url.path), ensure_ascii=False),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Content-Language": language, "Vary": "Accept-Language", **problem.headers},
    )


#: Shows a problem as a page to whoever wants one; None where the caller does not.
Page = Callable[[Request, Problem], Awaitable[Response | None]]


#: What an exception of a library means; None where it is a defect.
Meaning = Callable[[Exception], Problem | None]


def install(
    app: FastAPI, page: Page, meanings: Mapping[type[Exception], Meaning] | None = None
) -> Callable[[Request, Problem], Awaitable[Response]]:
    """Make every failure of the application answer with a problem.

    ``meanings`` has classes of exceptions of which some are no defect of ours. What answers so is
    handed back, for those who refuse before the application looks.
    """

    async def answer(request: Request, problem: Problem) -> Response:
        return await page(request, problem) or respond(request, problem)

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> Response:
        return await answer(request, problem)

    for kind, meaning in (meanings or {}).items():
        app.add_exception_handler(kind, _known(meaning, answer))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        return await answer(request, invalid_fields(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 304:  # no failure: what the caller has is still right
            return Response(status_code=304, headers=error.headers)
        if error.status_code == MethodNotAllowed.status:
            return await answer(
                request, MethodNotAllowed(method=request.method, headers=error.headers)
            )
        if error.status_code == NotFound.status:
            return await answer(request, NotFound())
        if isinstance(error.__cause__, Problem):  # met while FastAPI read a form
            return await answer(request, error.__cause__)
        return await answer(request, MalformedBody(reason=str(error.detail)))

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> Response:
        request.scope[TOLD] = True
        log.error(
            "defect while answering %s %s", request.method, route_of(request.scope), exc_info=error
        )
        return await answer(request, InternalError())

    return answer


def _known(
    meaning: Meaning, answer: Callable[[Request, Problem], Awaitable[Response]]
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answers with what an exception means; what means nothing goes on as the defect it is."""

    async def handle(request: Request, error: Exception) -> Response:
        problem = meaning(error)
        if problem is None:
            raise error
        log.warning("%s could not be answered: %s", request.method, problem)
        return await answer(request, problem)

    return handle
