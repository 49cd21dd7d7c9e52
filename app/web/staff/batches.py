"""Pages of suspected batches: a list, and one with its reasons and pictures, to decide on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Form as FormField

from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency, SettingsDependency
from app.intake.setting_aside import Together
from app.integrity import reviewing
from app.integrity.batches import Batch, aside_of
from app.integrity.models import State
from app.integrity.parts import Divided, Part
from app.integrity.pictures import pictures
from app.integrity.reviewing import WAITING, BatchShown
from app.messages.words import Words
from app.problems import FieldError, InvalidFields
from app.reports.charts import batch_charts
from app.reports.charts.chart import Table
from app.reports.charts.drawing import Drawn
from app.settings import Settings
from app.web.pages import (
    EMPTY,
    MOST_SHOWN,
    Form,
    Number,
    QueryText,
    Text,
    go_to,
    language_of,
    refused,
    render,
)
from app.web.staff import batch_words

router = APIRouter(prefix="/integrity", include_in_schema=False)

READERS = PageDoor(Right.READ_BATCHES)
REVIEWERS = PageDoor(Right.REVIEW_BATCHES)
#: What may be decided, by the end of its address; and what the page then says.
DECISIONS = {"release": State.RELEASED, "reject": State.REJECTED}
_DONE = {State.RELEASED: "batch_released", State.REJECTED: "batch_rejected"}
#: Choices of the list beside the states: what waits, and everything.
WAITS, ALL = "", "all"


@dataclass(frozen=True)
class Row:
    """A batch in the list, in words."""

    id: int
    unit: str
    channel: str
    month: str
    rule: str
    probability: str
    state: State
    reasons: Sequence[str]

    @property
    def waits(self) -> bool:
        """Whether somebody is to decide on it."""
        return self.state in WAITING


@dataclass(frozen=True)
class BatchesPage:
    """Batches, the most probable first."""

    rows: Sequence[Row]
    total: int
    #: The state that the list is of, and those to choose from.
    state: str
    states: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class BatchPage:
    """One batch: what is known of it, its pictures, and whether it is the caller's to decide."""

    row: Row
    batch: Batch
    facts: Sequence[tuple[str, str]]
    whole: bool
    charts: Sequence[Drawn]
    durations: Table | None
    may_review: bool
    #: Whether only a role on the unit keeps the caller from deciding.
    of_unit: bool
    decisions: Sequence[str]
    least: int
    form: Form = EMPTY
    #: The form of a part of it, and how the batch divides by what was filled in.
    part: Form = EMPTY
    divided: Divided | None = None

    @property
    def may_divide(self) -> bool:
        """Whether a part of it may be rejected, by whoever is shown when its responses came."""
        return self.may_review and self.whole and self.batch.state is not State.RELEASED


@router.get("")
def list_batches(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    state: QueryText = WAITS,
) -> Response:
    """List suspected batches by state. Who: ``batches:read``, of the units they have it on."""
    words = Words(language_of(request, caller))
    states: Sequence[State] = WAITING
    if state == ALL:
        states = tuple(State)
    elif state in tuple(State):
        states = (State(state),)
    with database.reading() as session:
        found = reviewing.shown(session, caller, Together.of(settings), states=states)
    page = BatchesPage(
        [_row(words, each) for each in found[:MOST_SHOWN]],
        len(found),
        state if state == ALL or state in tuple(State) else WAITS,
        [
            (WAITS, words("integrity.filter_waiting")),
            *((each.value, words(f"integrity.state.{each}")) for each in State),
            (ALL, words("integrity.filter_all")),
        ],
    )
    return render(request, caller, "staff/batches.html", page)


#: The ends of a part, as a browser sends them.
From = Annotated[str, Query(alias="from", max_length=40)]
To = Annotated[str, Query(alias="to", max_length=40)]
PartFrom = Annotated[str, FormField(alias="from", max_length=40)]
PartTo = Annotated[str, FormField(alias="to", max_length=40)]


@router.get("/{id}")
def show_batch(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    id: Number,
    first: From = "",
    last: To = "",
) -> Response:
    """Show a batch with reasons and pictures. Who: ``batches:read`` on its unit.

    With from and to, how it divides: for who may decide so (``batches:review``).
    """
    if not first and not last:
        return _show(request, caller, id)
    values, settings = {"from": first, "to": last}, SETTINGS.of(request)
    try:
        part = _part(first, last, settings)
        with DATABASE.of(request).reading() as session:
            divided = reviewing.divide(session, caller, Together.of(settings), id, part)
    except InvalidFields as problem:
        form = refused(problem, language_of(request, caller), values)
        return _show(request, caller, id, part=form, status=422)
    return _show(request, caller, id, part=Form(values, {}), divided=divided)


def _part(first: str, last: str, settings: Settings) -> Part:
    """The part that a browser means, by the service's clock.

    Raises
    ------
    InvalidFields
        Where one of its ends is none.
    """
    found, errors = {}, []
    for name, given in (("from", first), ("to", last)):
        try:
            found[name] = datetime.fromisoformat(given.strip()).replace(tzinfo=settings.zone)
        except ValueError:
            error = FieldError(name, "integrity.part_moment", {"value": given})
            errors.append(error if given.strip() else FieldError(name, "field.missing"))
    if errors:
        raise InvalidFields(errors=errors, count=len(errors))
    return Part(found["from"], found["to"])


@router.post("/{id}/release")
def release(
    request: Request,
    caller: Annotated[Person, Depends(REVIEWERS)],
    id: Number,
    reason: Text = "",
) -> Response:
    """Count a batch's responses. Who: ``batches:review`` from above its unit, no role on it."""
    return _decide(request, caller, id, State.RELEASED, reason)


@router.post("/{id}/reject")
def reject(
    request: Request,
    caller: Annotated[Person, Depends(REVIEWERS)],
    id: Number,
    reason: Text = "",
    first: PartFrom = "",
    last: PartTo = "",
) -> Response:
    """Set a batch's responses aside, or what was given from one moment to another.

    Who: ``batches:review`` from above its unit, none on it.
    """
    if not first and not last:
        return _decide(request, caller, id, State.REJECTED, reason)
    together, values = Together.of(SETTINGS.of(request)), {"from": first, "to": last}
    try:
        part = _part(first, last, SETTINGS.of(request))
        with DATABASE.of(request).writing(caller.name) as session:
            reviewing.decide(session, caller, together, id, State.REJECTED, reason, part)
    except InvalidFields as problem:
        form = refused(problem, language_of(request, caller), {**values, "reason": reason})
        return _show(request, caller, id, part=form, status=422)
    return go_to(f"/integrity/{id}", "batch_divided")


def _decide(request: Request, caller: Person, id: int, decision: State, reason: str) -> Response:
    together = Together.of(SETTINGS.of(request))
    try:
        with DATABASE.of(request).writing(caller.name) as session:
            reviewing.decide(session, caller, together, id, decision, reason)
    except InvalidFields as problem:
        form = refused(problem, language_of(request, caller), {"reason": reason})
        return _show(request, caller, id, form, status=422)
    return go_to(f"/integrity/{id}", _DONE[decision])


def _show(
    request: Request,
    caller: Person,
    id: int,
    form: Form = EMPTY,
    *,
    part: Form = EMPTY,
    divided: Divided | None = None,
    status: int = 200,
) -> Response:
    words, settings = Words(language_of(request, caller)), SETTINGS.of(request)
    together = Together.of(settings)
    with DATABASE.of(request).reading() as session:
        one = reviewing.find(session, caller, together, id)
        found = aside = None
        if one.whole:
            found = pictures(session, settings.zone, one.batch, one.version, together.least)
            aside = aside_of(session, id)
    page = BatchPage(
        _row(words, one),
        one.batch,
        _facts(words, one, aside),
        one.whole,
        [Drawn.of(each, words) for each in batch_charts.charts(words, found)] if found else [],
        batch_charts.durations(words, found) if found else None,
        one.may_review,
        one.of_unit,
        [name for name, state in DECISIONS.items() if state is not one.batch.state],
        together.least,
        form,
        part,
        divided,
    )
    return render(request, caller, "staff/batch.html", page, status)


def _row(words: Words, one: BatchShown) -> Row:
    batch = one.batch
    return Row(
        batch.id,
        batch_words.unit(words, one),
        words(f"channel.{batch.channel}"),
        words.period(f"{batch.month:%Y-%m}"),
        batch_words.rule(words, one),
        batch_words.probability(words, batch.probability),
        batch.state,
        [batch_words.reason(words, each) for each in one.reasons],
    )


def _facts(words: Words, one: BatchShown, aside: int | None) -> list[tuple[str, str]]:
    """What the batch is, labelled."""
    form, hidden = one.version.form, words("integrity.not_shown")
    public = words("integrity.source_public")
    suspected = hidden
    if one.suspected is not None:
        suspected = words("integrity.about", n=words.number(one.suspected))
    named = words("integrity.form_version", form=words.name(form.title), version=form.version)
    return [
        (words("integrity.form"), named),
        (words("integrity.channel"), words(f"channel.{one.batch.channel}")),
        (words("integrity.month"), words.period(f"{one.batch.month:%Y-%m}")),
        (words("integrity.source"), one.source or public),
        (words("integrity.rule_title"), batch_words.rule(words, one)),
        (words("integrity.probability"), batch_words.probability(words, one.batch.probability)),
        (
            words("integrity.responses_of_source"),
            hidden if one.responses is None else words.number(one.responses),
        ),
        (words("integrity.suspected"), suspected),
        (words("integrity.set_aside"), hidden if aside is None else words.number(aside)),
    ]
