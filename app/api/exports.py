"""/api/v1/exports: single responses for analysis: a ZIP, pages with a cursor, or anonymised."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.dependencies import CLOCK, DatabaseDependency, SettingsDependency
from app.export import delimited
from app.export.anonymous import AnonymousWish, prepare_anonymous
from app.export.bundle import log_reading, packed, prepare, stream
from app.export.cursors import MOST_ON_PAGE, PAGE, Cursor, begin, read_page, renewed
from app.export.formats import Format
from app.export.selection import Wish, select_responses
from app.export.whole import Making, making
from app.intake.export_ids import ExportIds
from app.messages import Language
from app.registry.models import Channel
from app.text_keys import TextKeys

router = APIRouter(prefix="/api/v1/exports", tags=["responses"])

READERS = Door(Right.READ_RESPONSES)
#: Who may have single responses may have them anonymised, too.
READERS_OF_ANONYMOUS = Door(Right.READ_ANONYMOUS, Right.READ_RESPONSES)
#: Where a page's cursor stands, and whether there are more pages in its round.
CURSOR_HEADER, MORE_HEADER = "Hailong-Cursor", "Hailong-More"
_MEDIA = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.CSV_VI: "text/csv; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
}


class PageFormat(StrEnum):
    """Formats of a page."""

    CSV = "csv"
    CSV_VI = "csv-vi"
    PARQUET = "parquet"


def wish_of(
    questionnaire: Annotated[str, Query(description="Code of the questionnaire.", max_length=64)],
    version: Annotated[
        int | None, Query(ge=1, le=32767, description="One version of it; all if left out.")
    ] = None,
    unit: Annotated[
        list[str],
        Query(description="Codes of units, each with all below; all that are the caller's if none "
              "is named.", max_length=1000),
    ] = [],  # noqa: B006 - FastAPI copies it
    first: Annotated[date | None, Query(alias="from", description="First local day.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last local day.")] = None,
    channel: Annotated[list[Channel], Query(description="Only these channels.")] = [],  # noqa: B006
    aside: Annotated[bool, Query(description="With what is set aside.")] = False,
    texts: Annotated[
        bool, Query(description="With what citizens wrote, masked; wants comments:read, too.")
    ] = False,
) -> Wish:  # fmt: skip
    """Which responses are wanted."""
    return Wish(
        questionnaire, version, tuple(unit), first, last,
        tuple(each.value for each in channel), aside, texts,
    )  # fmt: skip


Wished = Annotated[Wish, Depends(wish_of)]
FileFormat = Annotated[Format, Query(alias="format", description="Of the responses.")]


async def place_of(file_format: FileFormat) -> AsyncIterator[Making]:
    """The place in which a file is made whole; FastAPI ends it with the answer, however it ends."""
    with making(file_format) as place:
        yield place


@router.get(
    "",
    summary="Single responses as a ZIP with codebook and scripts",
    response_class=Response,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string"}}}}},
)
def read_all(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    wish: Wished,
    file_format: FileFormat,
    place: Annotated[Making, Depends(place_of)],
    language: Annotated[Language, Query(description="Of labels and the codebook.")] = "vi",
) -> StreamingResponse:
    """All responses of a questionnaire in one file, with a codebook (HTML, DDI-Codebook, CSVW).

    Who: whoever has ``responses:read``, over the units that they have it on; texts where they have
    ``comments:read`` and ``figures:read-small``, too. Every reading stands in the audit log.
    XLSX, SPSS and Stata are made one at once; whoever comes meanwhile is told 503
    ``figures-busy`` with ``Retry-After``.
    """
    now = CLOCK.of(request).now()
    prepared = prepare(database, settings, caller, wish, file_format, language, now)
    name = f"{prepared.book.questionnaire}-{file_format.value}.zip"
    return StreamingResponse(
        stream(database, prepared, place.end),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


@router.get(
    "/anonymous",
    summary="Anonymised responses as a ZIP with codebook and scripts",
    response_class=Response,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string"}}}}},
)
def read_anonymous(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS_OF_ANONYMOUS)],
    questionnaire: Annotated[str, Query(description="Code of the questionnaire.", max_length=64)],
    file_format: FileFormat,
    place: Annotated[Making, Depends(place_of)],
    unit: Annotated[
        list[str],
        Query(description="Codes of units, each with all below; all that are the caller's if none "
              "is named.", max_length=1000),
    ] = [],  # noqa: B006 - FastAPI copies it
    first: Annotated[date | None, Query(alias="from", description="First local day.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last local day.")] = None,
    language: Annotated[Language, Query(description="Of labels and the codebook.")] = "vi",
) -> StreamingResponse:  # fmt: skip
    """Single responses, k-anonymous over the columns that the codebook names (k ≥ 10).

    Who: whoever has ``responses:anonymous`` or ``responses:read``, over the units that they have it
    on. Of quarters that are over and lie wholly between the days. A row has unit, quarter and
    answers, and neither id, day nor words; what too few have alike is told of the unit above, in a
    wider class, or withheld. The rows of a quarter are made once and do not depend on who asks.
    """
    now = CLOCK.of(request).now()
    wish = AnonymousWish(questionnaire, tuple(unit), first, last)
    found = prepare_anonymous(database, settings, caller, wish, file_format, language, now)
    name = f"{questionnaire}-anonymous-{file_format.value}.zip"
    return StreamingResponse(
        packed(found.book, found.table.to_batches(), place.end),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


@router.get(
    "/page",
    summary="Single responses page by page",
    response_class=Response,
    responses={
        200: {
            "content": {"text/csv": {"schema": {"type": "string"}}},
            "description": f"{CURSOR_HEADER} is the next page's cursor; {MORE_HEADER} says whether "
            "to go on at once. After the last page it brings what came since.",
        }
    },
)
def read_one_page(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    wish: Wished,
    file_format: Annotated[
        PageFormat, Query(alias="format", description="Of the page.")
    ] = PageFormat.CSV,
    cursor: Annotated[
        str | None, Query(max_length=2000, description="Where the page before ended.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_PAGE, description="Rows of a page.")] = PAGE,
) -> Response:
    """A page of responses, and what became of earlier ones: to be kept up to date.

    Who: as for the whole. A row with ``change`` = ``row`` puts itself in the place of what has its
    ``response``; ``set-aside`` and ``gone`` drop that; ``deleted-before`` drops all of earlier
    days. No row tells when, nor of more than the caller's units.
    """
    now, keys = CLOCK.of(request).now(), TextKeys.of(settings)
    with database.reading() as session:
        selection = select_responses(session, caller, wish, with_changes=True)
        at = Cursor.opened(cursor, keys) if cursor else begin(session, selection, now)
        at = renewed(session, selection, at, now)
        page = read_page(session, selection, ExportIds.of(database), at, now, limit)
    with database.writing(caller.name) as session:
        entry = log_reading(session, wish, page.batch.num_rows, file_format.value)
    form, out = Format(file_format.value), io.BytesIO()
    written = delimited.writer(form, out, selection.columns.schema)
    written.write(page.batch)
    written.close()
    headers = {
        CURSOR_HEADER: page.cursor.read_at(entry).sealed(keys),
        MORE_HEADER: "true" if page.more else "false",
        "Cache-Control": "no-store",
    }
    return Response(out.getvalue(), media_type=_MEDIA[form], headers=headers)
