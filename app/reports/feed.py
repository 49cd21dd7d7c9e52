"""GET /api/v1/feed.csv: all figures as one tidy table, for “From web” in Excel and Power BI.

One line a unit, questionnaire, period and factor (none: the whole index). Columns never change
their meaning; new ones come at the end. ``COLUMNS`` is the data dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.db import Database
from app.registry.queries import UnitTree
from app.reports import periods, satisfaction
from app.reports.asked import Asked, number
from app.reports.disclosure import Disclosure
from app.reports.freshness import fresh_for
from app.reports.periods import Step
from app.reports.query import Expand, Key
from app.reports.query import Query as Filters
from app.reports.rows import Rates
from app.reports.spans import span
from app.reports.tables import CSV, as_csv
from app.settings import Settings

READERS = Door(Right.READ_FIGURES)
router = APIRouter(prefix="/api/v1", tags=["figures"])

#: The columns with their type and what they say, in Vietnamese and English.
COLUMNS: dict[str, tuple[str, str, str]] = {
    "unit_code": ("text", "Mã đơn vị", "Code of the unit"),
    "unit_name": ("text", "Tên đơn vị", "Name of the unit, in Vietnamese"),
    "unit_kind": ("text", "Loại đơn vị", "Kind of the unit"),
    "parent_code": ("text", "Mã đơn vị cấp trên", "Code of the unit above"),
    "questionnaire": ("text", "Mã phiếu khảo sát", "Code of the questionnaire"),
    "period": ("text", "Kỳ: tháng 2026-11, quý 2026-Q4, năm 2026", "Month, quarter or year"),
    "first_day": ("date", "Ngày đầu của kỳ", "First day of the period"),
    "last_day": ("date", "Ngày cuối của kỳ", "Last day of the period"),
    "factor": (
        "text",
        "Mã yếu tố; trống: chỉ số chung",
        "Code of the factor; empty: the whole index",
    ),
    "rate": (
        "number",
        "Tỷ lệ hài lòng từ 0 đến 1: lượt trả lời ở mức hài lòng trên tổng lượt trả lời",
        "Rate of satisfaction from 0 to 1: answers at a satisfied level over all answers",
    ),
    "low": ("number", "Cận dưới khoảng tin cậy 95 %", "Lower limit of the 95 % interval"),
    "high": ("number", "Cận trên khoảng tin cậy 95 %", "Upper limit of the 95 % interval"),
    "respondents": ("integer", "Số người trả lời", "Respondents"),
    "answers": ("integer", "Số lượt trả lời", "Answers"),
    "mean_score": ("number", "Điểm trung bình", "Mean score"),
    "suppressed": (
        "boolean",
        "true: có người trả lời nhưng quá ít nên số liệu không được nêu",
        "true: there are respondents, but too few for the figures to be given",
    ),
    "method": ("text", "Cách tính khoảng tin cậy", "How the interval was computed"),
    "synthetic": ("boolean", "true: số liệu mô phỏng", "true: drawn by a generator"),
    "parent_name": (
        "text",
        "Tên đơn vị cấp trên: của bệnh viện nào, huyện nào",
        "Name of the unit above, in Vietnamese: which hospital's, which district's",
    ),
}


class Period(StrEnum):
    """Lengths of the feed's periods."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@router.get(
    "/feed.csv",
    summary="All figures as one tidy table",
    response_class=Response,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
    dependencies=[Depends(fresh_for(READERS))],
)
def read_feed(
    request: Request,
    caller: Annotated[Caller, Depends(READERS)],
    first: Annotated[date | None, Query(alias="from", description="First local day.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last local day.")] = None,
    step: Annotated[Period, Query(description="Length of a period.")] = Period.QUARTER,
    questionnaire: Annotated[str | None, Query(description="Code; all if left out.")] = None,
    factors: Annotated[bool, Query(description="Lines for factors, too.")] = True,
) -> Response:
    """Every unit with answers, period by period, as CSV; as Basic's password a key will do.

    Who: whoever has ``figures:read``, over the units that they have it on. What is suppressed has
    a line without figures. docs/integrator.md describes the columns.
    """
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    periods.check(first, last)
    query = Filters(questionnaire=questionnaire, first=first, last=last)
    with database.reading() as session:
        asked = Asked(session, caller, query, Disclosure.of(settings))
        rows = list(lines(session, asked, Step(step.value), factors=factors))
    content = as_csv({"rows": rows}, COLUMNS)
    return Response(content, media_type=f"{CSV}; charset=utf-8", headers=request.state.freshness)


def lines(session: Session, asked: Asked, step: Step, *, factors: bool) -> Iterator[dict[str, Any]]:
    """The lines of the feed; those without respondents are left out."""
    keys = [[Key.UNIT, Key(step.value)]]
    if factors:
        keys.append([Key.UNIT, Key(step.value), Key.FACTOR])
    for by in keys:
        query = replace(asked.query, by=by, expand=Expand.GIVEN)
        found = satisfaction.find(session, query, asked.caller, asked.disclosure)
        for rates in found.rates:
            yield from _lines(rates, asked.units, found.synthetic)


def _lines(rates: Rates, units: UnitTree, synthetic: bool) -> Iterator[dict[str, Any]]:
    shown = rates.hidden | (np.nan_to_num(rates.sums["n"]) > 0)
    for i in np.flatnonzero(shown).tolist():
        unit, period = rates.unit[i], rates.period[i]
        if unit is None or period is None:
            continue
        hidden = bool(rates.hidden[i])
        parent = units.nodes.get(unit.parent_id) if unit.parent_id is not None else None
        days = span(period)
        values = (
            unit.code,
            unit.name_vi,
            unit.kind,
            parent.code if parent else None,
            rates.questionnaire,
            period,
            days.first,
            days.last,
            rates.measure[i].factor,
            number(rates.ratio.estimate[i]),
            number(rates.low[i]),
            number(rates.high[i]),
            None if hidden else int(rates.sums["n"][i]),
            None if hidden else int(rates.sums["m"][i]),
            number(rates.mean.estimate[i]),
            hidden,
            str(rates.method[i]),
            synthetic,
            parent.name_vi if parent else None,
        )
        yield dict(zip(COLUMNS, values, strict=True))
