"""The page from which analysts take single responses: choose, look at a few, download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from app.access import scope
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.db import Database
from app.dependencies import CLOCK, DatabaseDependency, SettingsDependency
from app.export.anonymous import AnonymousWish, prepare_anonymous, right_of
from app.export.arrow import pa
from app.export.bundle import log_reading
from app.export.columns import described
from app.export.formats import Format
from app.export.labelled import reckoned_bytes
from app.export.reading import batches
from app.export.rows import count
from app.export.selection import Wish, questionnaires_of, select_responses
from app.intake.export_ids import ExportIds
from app.messages.words import Words
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import Channel
from app.registry.questionnaires import titles
from app.settings import Settings
from app.web.pages import Form, QueryText, language_of, refused, render

router = APIRouter(prefix="/exports", include_in_schema=False)

READERS = PageDoor(Right.READ_RESPONSES, Right.READ_ANONYMOUS)
#: Responses that are looked at before.
SHOWN = 20
#: More units than this are not offered in a list; their code is typed.
MOST_OFFERED = 400
#: What may be wanted; who may not read single responses has the second alone.
SINGLE, ANONYMOUS = "single", "anonymous"


@dataclass(frozen=True)
class Preview:
    """The first rows of an export, how many there are, and where its files are."""

    rows: int
    #: The same number as it is written.
    found: str
    columns: Sequence[tuple[str, str]]
    lines: Sequence[Sequence[str]]
    #: Formats with the address of each; without one where it would take too much memory.
    files: Sequence[tuple[Format, str]]
    limit: int


@dataclass(frozen=True)
class ExportsPage:
    """What may be chosen, and what was."""

    questionnaires: Sequence[tuple[str, str]]
    channels: Sequence[str]
    may_read_texts: bool
    #: Units to choose from, with their names; none where they are too many.
    units: Sequence[tuple[str, str]]
    #: What sorts of rows the caller may choose, and which it is.
    kinds: Sequence[str]
    kind: str
    #: At least so many anonymised rows are alike, and so many days after its end a quarter is made.
    least: int
    after_days: int
    form: Form
    preview: Preview | None = None


@router.get("")
def show_exports(
    request: Request,
    caller: Annotated[Person, Depends(READERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    questionnaire: QueryText = "",
    kind: QueryText = "",
    unit: QueryText = "",
    first: Annotated[str, Query(alias="from", max_length=200)] = "",
    last: Annotated[str, Query(alias="to", max_length=200)] = "",
    channel: QueryText = "",
    aside: QueryText = "",
    texts: QueryText = "",
) -> Response:
    """Choose responses and look at the first ones, which is logged.

    Who: ``responses:read``, or, of anonymised ones, ``responses:anonymous``. Without a
    questionnaire the one that most of the caller's points ask.
    """
    language = language_of(request, caller)
    words = Words(language)
    kinds = [SINGLE, ANONYMOUS] if Right.READ_RESPONSES in caller.rights else [ANONYMOUS]
    kind = kind if kind in kinds else kinds[0]
    right = Right.READ_RESPONSES if kind == SINGLE else right_of(caller)
    with database.reading() as session:
        named = titles(session)
        codes = questionnaires_of(session, caller, right)
        nodes = scope.units(session, caller, right).nodes.values()
    questionnaire = questionnaire or next(iter(codes), "")
    values = {
        "questionnaire": questionnaire, "kind": kind, "unit": unit, "from": first, "to": last,
        "channel": channel, "aside": aside, "texts": texts,
    }  # fmt: skip
    form, preview, status = Form(values, {}), None, 200
    if questionnaire:
        try:
            code = unit.strip().split(" ")[0]
            units, days = (code,) if code else (), (_day("from", first), _day("to", last))
            if kind == SINGLE:
                wish = Wish(
                    questionnaire,
                    units=units,
                    first=days[0],
                    last=days[1],
                    channels=(channel,) if channel else (),
                    aside=bool(aside),
                    texts=bool(texts),
                )
                preview = _single(database, settings, caller, wish, words)
            else:
                found = prepare_anonymous(
                    database, settings, caller, AnonymousWish(questionnaire, units, *days),
                    Format.PARQUET, language, CLOCK.of(request).now(), logged_as="preview",
                )  # fmt: skip
                address = _address(Wish(questionnaire, units=units, first=days[0], last=days[1]))
                preview = _shown(
                    settings, words, found.table.num_rows, found.table.schema,
                    found.table.slice(0, SHOWN).to_pylist(), "/api/v1/exports/anonymous", address,
                )  # fmt: skip
        except Problem as problem:
            form, status = refused(problem, language, values), problem.status
    page = ExportsPage(
        [(code, words.name(named[code])) for code in codes],
        tuple(Channel),
        {Right.READ_COMMENTS, Right.READ_SMALL_CELLS} <= caller.rights,
        [(each.code, each.name_vi if language == "vi" else each.name_en) for each in nodes]
        if len(nodes) <= MOST_OFFERED
        else [],
        kinds,
        kind,
        settings.anonymous_least,
        settings.anonymous_after_days,
        form,
        preview,
    )
    return render(request, caller, "staff/exports.html", page, status)


def _single(
    database: Database, settings: Settings, caller: Person, wish: Wish, words: Words
) -> Preview:
    """The first single responses, whose reading is logged."""
    with database.reading() as session:
        selection = select_responses(session, caller, wish)
        rows = count(session, selection)
    found = list(batches(database, selection, ExportIds.of(database), most=SHOWN))
    with database.writing(caller.name) as session:
        log_reading(session, wish, min(rows, SHOWN), "preview")
    lines = [line for batch in found for line in batch.to_pylist()][:SHOWN]
    return _shown(
        settings, words, rows, selection.columns.schema, lines, "/api/v1/exports", _address(wish)
    )


def _shown(
    settings: Settings,
    words: Words,
    rows: int,
    schema: pa.Schema,
    lines: Sequence[Mapping[str, object]],
    path: str,
    address: Sequence[tuple[str, str]],
) -> Preview:
    needed = reckoned_bytes(rows, len(schema))
    files = []
    for each in Format:
        fits = not each.in_memory or needed <= settings.export_memory_mb * 2**20
        asked = urlencode([*address, ("format", each.value), ("language", words.language)])
        files.append((each, f"{path}?{asked}" if fits else ""))
    return Preview(
        rows,
        words.number(rows),
        [(each.name, described(each).label[words.language]) for each in schema],
        [["" if value is None else str(value) for value in line.values()] for line in lines],
        files,
        settings.export_memory_mb,
    )


def _day(field: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        error = FieldError(field, "field.invalid", cause="cause.day", kind="parameter")
        raise InvalidFields(errors=[error], count=1) from None


def _address(wish: Wish) -> list[tuple[str, str]]:
    """The parameters of a wish, but for format and language."""
    asked: list[tuple[str, str]] = [("questionnaire", wish.questionnaire)]
    asked += [("unit", code) for code in wish.units]
    asked += [
        (name, day.isoformat()) for name, day in (("from", wish.first), ("to", wish.last)) if day
    ]
    asked += [("channel", each) for each in wish.channels]
    return asked + [(name, "true") for name in ("aside", "texts") if getattr(wish, name)]
