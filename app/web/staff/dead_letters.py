"""The page of dead letters: SMS, tellings of webhooks and mails that could not be delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app import dead_letters
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.dead_letters import NEVER_ARRIVED, Item
from app.dependencies import DatabaseDependency, SettingsDependency
from app.invitations.models import SmsMessage
from app.reports.documents.mailing import Unmailed, undelivered
from app.settings import Settings
from app.web.pages import MOST_SHOWN, Number, go_to, render
from app.web.staff.failure_words import Cause, cause_of
from app.webhooks.models import Delivery

router = APIRouter(prefix="/dead-letters", include_in_schema=False)

READERS = PageDoor(Right.READ_AUDIT, everywhere=True)
#: Who runs the whole service.
OPERATORS = PageDoor(Right.MANAGE_ACCESS, everywhere=True)


class Sort(StrEnum):
    """What could not be delivered."""

    SMS = "sms"
    WEBHOOK = "webhook"


TABLES: Mapping[Sort, type[Item]] = {Sort.SMS: SmsMessage, Sort.WEBHOOK: Delivery}


@dataclass(frozen=True)
class Shown:
    """A dead letter as the page shows it: of a phone number the last three digits, no link."""

    sort: Sort
    id: int
    to: str
    fate: str
    #: The last failure in the machine's words, and what these mean, where that is known.
    reason: str
    cause: Cause | None
    tries: int
    failed_at: datetime
    #: Whether its receiver may have it already.
    may_have_arrived: bool


@dataclass(frozen=True)
class DeadLettersPage:
    """Dead letters, the newest of each sort first, and how many there are."""

    letters: Sequence[Shown]
    total: int
    may_decide: bool
    #: Reports that could not be mailed; they are tried again by themselves, or by a file.
    mails: Sequence[Unmailed]


@router.get("")
def list_dead_letters(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
) -> Response:
    """List what could not be delivered. Who: ``audit:read`` everywhere."""
    with database.reading() as session:
        sms = dead_letters.listed(session, SmsMessage, MOST_SHOWN)
        tellings = dead_letters.listed(session, Delivery, MOST_SHOWN)
        letters = [_shown(Sort.SMS, each, f"…{each.phone[-3:]}") for each in sms]
        letters += [_shown(Sort.WEBHOOK, each, each.webhook.url) for each in tellings]
        page = DeadLettersPage(
            letters,
            dead_letters.count(session, *TABLES.values()),
            caller.has_everywhere(Right.MANAGE_ACCESS),
            _mails(settings),
        )
    return render(request, caller, "staff/dead_letters.html", page)


@router.post("/{sort}/{id}/retry")
def retry(
    caller: Annotated[Person, Depends(OPERATORS)],
    database: DatabaseDependency,
    sort: Sort,
    id: Number,
) -> Response:
    """Have a dead letter sent again. Who: ``access:manage`` everywhere."""
    with database.writing(caller.name) as session:
        dead_letters.retry(session, TABLES[sort], id)
    return go_to("/dead-letters", "letter_due")


@router.post("/{sort}/{id}/drop")
def drop(
    caller: Annotated[Person, Depends(OPERATORS)],
    database: DatabaseDependency,
    sort: Sort,
    id: Number,
) -> Response:
    """Give a dead letter up and forget to whom it was. Who: ``access:manage`` everywhere."""
    with database.writing(caller.name) as session:
        dead_letters.drop(session, TABLES[sort], id)
    return go_to("/dead-letters", "letter_dropped")


def _mails(settings: Settings) -> list[Unmailed]:
    if settings.report_folder is None:
        return []
    since = datetime.now(UTC) - timedelta(days=settings.dead_letter_days)
    found = [each for each in undelivered(settings.report_folder) if each.failed_at >= since]
    return found[:MOST_SHOWN]


def _shown(sort: Sort, item: Item, to: str) -> Shown:
    assert item.failed_at is not None and item.fate is not None  # by which it is a dead letter
    reason = item.reason or ""
    return Shown(
        sort, item.id, to, item.fate, reason, cause_of(reason), item.tries, item.failed_at,
        item.fate not in NEVER_ARRIVED,
    )  # fmt: skip
