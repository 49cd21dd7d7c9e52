"""The page of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.access import scope
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.audit import log
from app.dependencies import DatabaseDependency, SettingsDependency
from app.messages.words import Words
from app.registry.questionnaires import newest, published
from app.web.pages import QueryText, language_of, render
from app.web.staff.audit_words import AuditWords, EntryShown

router = APIRouter(include_in_schema=False)

AUDITORS = PageDoor(Right.READ_AUDIT, everywhere=True)
_PAGE = 100


@dataclass(frozen=True)
class AuditPage:
    """Entries, the newest first, the filters, and the number before which the next page is."""

    entries: Sequence[EntryShown]
    actions: Sequence[str]
    filters: log.Filters
    older: int | None


@router.get("/audit")
def show_log(
    request: Request,
    caller: Annotated[Person, Depends(AUDITORS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    actor: QueryText = "",
    action: QueryText = "",
    subject: QueryText = "",
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> Response:
    """Show the audit log. Who: ``audit:read`` everywhere."""
    filters = log.Filters(
        actor.strip(), action.strip(), subject.strip(), _day(first), _day(last), settings.zone
    )
    with database.reading() as session:
        words = AuditWords(
            Words(language_of(request, caller)),
            settings.zone,
            scope.units(session, caller, Right.READ_AUDIT).by_code,
            {code: version.form for code, version in newest(published(session)).items()},
        )
        found = log.newest(session, filters, before=before, limit=_PAGE + 1)
        page = AuditPage(
            [words.entry(entry) for entry in found[:_PAGE]],
            log.actions(session),
            filters,
            found[_PAGE - 1].id if len(found) > _PAGE else None,
        )
        return render(request, caller, "staff/audit.html", page)


def _day(text: str) -> date | None:
    """A day as the browser's field sends it; what is none filters nothing."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
