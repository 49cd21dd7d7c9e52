"""Takes history, a group of rows of a file at a time: what would become of them, what becomes.

A row whose response is stored under an id that it had before is that response. What a dry run has
foreseen it knows, so that a file which has a row twice is told so before anything is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import ValidationError

from app.access.callers import Caller, Grant
from app.access.models import Right
from app.access.rate_limits import RateLimits
from app.db import Database
from app.intake.contents import Content, content_of, is_repeated
from app.intake.directory import Directory
from app.intake.prepared import Outcome, Prepared
from app.intake.refusals import UnknownPoint
from app.intake.retained import Retained
from app.intake.schemas import ResponseIn
from app.intake.service import Intake
from app.intake.store import ResponseStore
from app.intake.times import Clock
from app.problems import FieldError, InvalidFields, Problem, invalid_fields
from app.registry.questionnaires import Published
from app.settings import Settings
from app.text_keys import TextKeys

#: For how long a point is trusted while a file is read, in seconds.
_TRUST_S = 60


class Known(NamedTuple):
    """A response that passed every check, and the ids under which it may stand from before."""

    prepared: Prepared
    former_ids: tuple[str, ...] = ()
    #: Only the same content under one of these is the same response.
    by_content: bool = False


class History:
    """The way of the rows of one file into the intake, with the bulk import's right."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        keys: TextKeys,
    ) -> None:
        self.store = ResponseStore(database, keys)
        self._directory = Directory(database, trust_s=_TRUST_S)
        self._intake = Intake(settings, self._directory, self.store, RateLimits(database))
        self._settings = settings
        self._caller = Caller("import", (Grant(frozenset({Right.IMPORT_HISTORY})),))
        #: What a dry run would have stored.
        self._foreseen: dict[str, Content] = {}

    def prepare(self, body: Mapping[str, object], version: Published) -> Prepared:
        """A body through every check that a response passes.

        Raises
        ------
        Problem
            Naming what is wrong.
        """
        try:
            response = ResponseIn.model_validate(body)
        except ValidationError as error:
            raise invalid_fields(error) from None
        place = self._directory.point(response.point or "")[1]
        place = place or self._directory.read_point(response.point or "")
        if place is None:
            raise UnknownPoint(field="point")
        clock = Clock(self._settings, self._caller, datetime.now(UTC))
        return self._intake.prepare(response, version, place, clock)

    def settle(self, group: Sequence[Known], *, store: bool) -> list[tuple[Prepared, Outcome]]:
        """What became of each, or would become where nothing is stored; with the id it has."""
        if not group:
            return []
        ids = sorted({id for each in group for id in (each.prepared.row.id, *each.former_ids)})
        there = self.store.contents(ids)
        kept, erased = self.store.look_up(ids)
        ready = [_under_former_id(each, there, erased) for each in group]
        outcomes = self.store.append(ready) if store else self._foresee(ready, there, kept, erased)
        settled = []
        for prepared, outcome in zip(ready, outcomes, strict=True):
            assert isinstance(outcome, Outcome)  # what is imported is not limited
            settled.append((prepared, outcome))
        return settled

    def standing(self, id: str) -> Content:
        """What stands under an id, or would."""
        return self.store.contents([id]).get(id) or self._foreseen[id]

    def _foresee(
        self,
        group: Sequence[Prepared],
        there: Mapping[str, Content],
        kept: Retained,
        erased: Collection[str],
    ) -> list[Outcome]:
        """What would become of responses if they were stored."""
        outcomes = []
        for prepared in group:
            content, id = content_of(prepared.row), prepared.row.id
            known = there.get(id) or self._foreseen.get(id)
            if id not in there and (id in erased or prepared.row.day < kept.responses_from):
                outcomes.append(Outcome.DUPLICATE if id in erased else Outcome.DAY_DELETED)
                continue
            self._foreseen.setdefault(id, content)
            outcomes.append(
                Outcome.ACCEPTED
                if known is None
                else Outcome.DUPLICATE
                if is_repeated(known, content, prepared.hashes)
                else Outcome.CONFLICT
            )
        return outcomes


def field_errors(problem: Problem) -> Sequence[FieldError]:
    """What a problem says of each field of a row."""
    return problem.errors if isinstance(problem, InvalidFields) else (problem.as_field_error(),)


def _under_former_id(
    each: Known, there: Mapping[str, Content], erased: Collection[str]
) -> Prepared:
    """The same response under the id that it already has, or had, if it has one."""
    prepared = each.prepared
    content = content_of(prepared.row)
    known = [id for id in (prepared.row.id, *each.former_ids) if id in there]
    # A form that was entered before anybody named its round is known by what stands on it only.
    same = [id for id in known if is_repeated(there[id], content, prepared.hashes)]
    gone = [id for id in (prepared.row.id, *each.former_ids) if id in erased]
    former = same or ([] if each.by_content else known) or gone
    return prepared._replace(row=prepared.row._replace(id=former[0])) if former else prepared
