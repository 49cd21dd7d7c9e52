"""From resources to responses: versions, points, ids, and the paths of what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.db import Database
from app.importing.fhir import FhirRead, read_response
from app.importing.fhir_bundles import Entry
from app.intake.store import ResponseStore
from app.problems import FieldError, InvalidFields, Problem
from app.registry.points import codes_like
from app.registry.questionnaires import Published, UnknownQuestionnaire, versions_of
from app.text_keys import TextKeys

#: Paths of what the intake calls by its own names.
_PATHS = {
    "answered_at": "QuestionnaireResponse.authored",
    "language": "QuestionnaireResponse.language",
    "version": "QuestionnaireResponse.questionnaire",
    "questionnaire": "QuestionnaireResponse.questionnaire",
    "point": "QuestionnaireResponse.meta.tag",
    "partial": "QuestionnaireResponse.status",
    "id": "QuestionnaireResponse.identifier",
}


class Ready(NamedTuple):
    """A response that was read: its body, the ids it may stand under, and what it was read from."""

    body: dict[str, object]
    former_ids: tuple[str, ...]
    read: FhirRead


class FhirReader:
    """Reads the resources of one request or file."""

    def __init__(self, database: Database, keys: TextKeys, zone: ZoneInfo) -> None:
        self._database, self._keys, self._zone = database, keys, zone
        self._codes: dict[str, Sequence[str]] = {}
        self._versions: dict[str, Sequence[Published]] = {}

    def read(self, entry: Entry, point: str) -> Ready:
        """One resource; ``point`` is the code of what names none.

        Raises
        ------
        InvalidFields
            With the path of everything that is wrong.
        """
        if entry.method not in ("POST", "PUT"):
            error = FieldError("Bundle.entry.request.method", "importing.fhir_method",
                               {"value": entry.method[:20]})  # fmt: skip
            raise InvalidFields(errors=[error], count=1)
        read = read_response(entry.resource, self._find, self._zone, point, entry.full_url)
        body, former = read.with_ids(self._keys, self._codes_of, entry.resource)
        return Ready(body, former, read)

    def under_former_ids(self, ready: Sequence[Ready]) -> list[dict[str, object]]:
        """The bodies, each under the id that it has already, if it has one."""
        wanted = [id for each in ready if each.former_ids
                  for id in (str(each.body["id"]), *each.former_ids)]  # fmt: skip
        if not wanted:
            return [each.body for each in ready]
        store = ResponseStore(self._database, self._keys)
        there = {*store.contents(wanted), *store.look_up(wanted)[1]}
        return [
            each.body | {"id": next(
                (id for id in (str(each.body["id"]), *each.former_ids) if id in there),
                each.body["id"],
            )}
            for each in ready
        ]  # fmt: skip

    def _codes_of(self, point: str) -> Sequence[str]:
        if point not in self._codes:
            with self._database.reading() as session:
                self._codes[point] = codes_like(session, point) or [point]
        return self._codes[point]

    def _find(self, code: str, number: int | None) -> Published | None:
        if code not in self._versions:
            with self._database.reading() as session, suppress(UnknownQuestionnaire):
                self._versions[code] = versions_of(session, code)
        versions = self._versions.setdefault(code, ())
        if number is None:
            # Of several nobody knows which was answered.
            return versions[0] if len(versions) == 1 else None
        return next((each for each in versions if each.form.version == number), None)


def placed(problem: Problem, paths: Mapping[str, str]) -> list[FieldError]:
    """What a problem says, each with its path in the resource."""
    errors = problem.errors if isinstance(problem, InvalidFields) else ()
    return [
        FieldError(path_of(each.field, paths), each.reason, each.values, each.cause)
        for each in errors or (problem.as_field_error(),)
    ]


def path_of(field: str, paths: Mapping[str, str]) -> str:
    """The path of a field."""
    item = field.removeprefix("answers.")
    return paths.get(item) or _PATHS.get(field, field if field.startswith(("Q", "B", "[")) else "")
