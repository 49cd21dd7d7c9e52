"""The page of the lists of causes and words of misconduct: versions, and a form for a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.cases import lists
from app.cases.lists import CaseListInvalid, ListName, ListVersion
from app.dependencies import DATABASE
from app.web.pages import EMPTY, Form, ListText, go_to, language_of, refused, render

router = APIRouter(prefix="/case-lists", include_in_schema=False)

EDITORS = PageDoor(Right.HANDLE_CASES, everywhere=True)


#: Versions that are shown of a list.
_MOST_VERSIONS = 10


@dataclass(frozen=True)
class Before:
    """A version before, and the lines that going back to it would add and remove."""

    version: ListVersion
    added: Sequence[str]
    removed: Sequence[str]

    @classmethod
    def of(cls, version: ListVersion, now: ListVersion) -> Before:
        """A version against the one in force."""
        old, new = _lines(version), _lines(now)
        added = [line for line in old if line not in set(new)]
        return cls(version, added, [line for line in new if line not in set(old)])


@dataclass(frozen=True)
class ListShown:
    """A list: its version in force, and those before, the newest first."""

    name: ListName
    now: ListVersion
    before: Sequence[Before]


@dataclass(frozen=True)
class CaseListsPage:
    """All lists."""

    lists: Sequence[ListShown]
    form: Form = EMPTY
    name: str = ""

    def form_of(self, name: str) -> Form:
        """The form of a list: as it was refused, if it was this one's."""
        return self.form if name == self.name else EMPTY


@router.get("")
def show_lists(request: Request, caller: Annotated[Person, Depends(EDITORS)]) -> Response:
    """Show the lists. Who: ``cases:handle`` everywhere."""
    return _show(request, caller)


@router.post("/{name}")
def set_list(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    name: ListName,
    entries: ListText = "",
) -> Response:
    """Put a new version of a list in force. Who: ``cases:handle`` everywhere."""
    try:
        with DATABASE.of(request).writing(caller.name) as session:
            lists.set_list(session, name, entries, caller.full_name)
    except CaseListInvalid as problem:
        form = refused(problem, language_of(request, caller), {"entries": entries})
        return _show(request, caller, form, name, 422)
    return go_to("/case-lists", "case_list")


def _show(
    request: Request, caller: Person, form: Form = EMPTY, name: str = "", status: int = 200
) -> Response:
    with DATABASE.of(request).reading() as session:
        page = CaseListsPage([_shown(session, each) for each in ListName], form, name)
    return render(request, caller, "staff/case_lists.html", page, status)


def _shown(session: Session, name: ListName) -> ListShown:
    now, *earlier = lists.history(session, name)[: _MOST_VERSIONS + 1]
    return ListShown(name, now, [Before.of(each, now) for each in earlier])


def _lines(version: ListVersion) -> list[str]:
    """The lines of a list, without comments and what is empty."""
    lines = [line.rstrip() for line in version.entries.splitlines()]
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
