"""All figures as one tidy table: one line a unit, questionnaire, period and factor.

Columns never change their meaning; new ones come at the end. ``COLUMNS`` is the data dictionary.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from sqlalchemy.orm import Session

from app.figures.aside import anything_aside, by_rule
from app.figures.context import Context, number
from app.figures.periods import Step, span
from app.figures.query import Expand, Key, Sensitivity
from app.figures.rate_arrays import Rates
from app.figures.rates import find as find_rates
from app.figures.regrouping import whole_number
from app.figures.results import People
from app.registry.queries import UnitTree

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
    "set_aside": (
        "integer",
        "Số người trả lời có phiếu để riêng, không tính; trống: số liệu không được nêu",
        "Respondents set aside, who do not count; empty where the figures are not given",
    ),
    "set_aside_rules": (
        "text",
        "Tên các quy tắc đã để riêng, cách nhau bằng dấu cách",
        "Names of the rules that set aside, divided by blanks",
    ),
    "rate_with_aside": (
        "number",
        "Tỷ lệ hài lòng nếu tính cả phiếu để riêng",
        "Rate of satisfaction with what is set aside",
    ),
}


@dataclass(frozen=True)
class Line:
    """One line of the feed; its fields are the columns, in their order."""

    unit_code: str
    unit_name: str
    unit_kind: str
    parent_code: str | None
    questionnaire: str
    period: str
    first_day: date
    last_day: date
    factor: str | None
    rate: float | None
    low: float | None
    high: float | None
    respondents: People | None
    answers: People | None
    mean_score: float | None
    suppressed: bool
    method: str
    synthetic: bool
    parent_name: str | None
    set_aside: People | None
    set_aside_rules: str | None
    rate_with_aside: float | None


def lines(session: Session, context: Context, step: Step, *, factors: bool) -> Iterator[Line]:
    """The lines of the feed; those without respondents are left out."""
    keys = [[Key.UNIT, Key(step.value)]]
    if factors:
        keys.append([Key.UNIT, Key(step.value), Key.FACTOR])
    for by in keys:
        query = replace(context.query, by=by, expand=Expand.GIVEN)
        found = find_rates(session, query, context.caller, context.release_rule)
        both = found
        if anything_aside(session):
            query = replace(query, sensitivity=Sensitivity.WITH)
            both = find_rates(session, query, context.caller, context.release_rule)
        for rates, with_aside in zip(found.rates, both.rates, strict=True):
            rules = _rules(context, rates) if both is not found else {}
            yield from _lines(rates, with_aside, rules, context.units, found.synthetic)


def _rules(context: Context, rates: Rates) -> dict[str, Mapping[int, Collection[str]]]:
    """By period and node the names of the rules that set somebody aside."""
    query = replace(context.query, questionnaire=rates.questionnaire)
    found: dict[str, Mapping[int, Collection[str]]] = {}
    for period in {period for period in rates.period if period}:
        days = span(period)
        first, last = max(days.first, query.first or date.min), days.last
        last = min(last, query.last or date.max)
        found[period] = by_rule(replace(context, query=replace(query, first=first, last=last)))
    return found


def _lines(
    rates: Rates,
    with_aside: Rates,
    rules: Mapping[str, Mapping[int, Collection[str]]],
    units: UnitTree,
    synthetic: bool,
) -> Iterator[Line]:
    shown = rates.hidden | (np.nan_to_num(rates.sums["n"]) > 0)
    for i in np.flatnonzero(shown).tolist():
        unit, period = rates.unit[i], rates.period[i]
        if unit is None or period is None:
            continue
        hidden = bool(rates.hidden[i])
        told = not (hidden or with_aside.hidden[i])
        aside = float(with_aside.sums["n"][i] - rates.sums["n"][i])
        parent = units.nodes.get(unit.parent_id) if unit.parent_id is not None else None
        days = span(period)
        yield Line(
            unit_code=unit.code,
            unit_name=unit.name_vi,
            unit_kind=unit.kind,
            parent_code=parent.code if parent else None,
            questionnaire=rates.questionnaire,
            period=period,
            first_day=days.first,
            last_day=days.last,
            factor=rates.measure[i].factor,
            rate=number(rates.ratio.estimate[i]),
            low=number(rates.low[i]),
            high=number(rates.high[i]),
            respondents=None if hidden else whole_number(float(rates.sums["n"][i])),
            answers=None if hidden else whole_number(float(rates.sums["m"][i])),
            mean_score=number(rates.mean.estimate[i]),
            suppressed=hidden,
            method=str(rates.method[i]),
            synthetic=synthetic,
            parent_name=parent.name_vi if parent else None,
            set_aside=whole_number(aside) if told else None,
            set_aside_rules=(
                " ".join(sorted(rules[period].get(unit.id, ()))) if told and aside else None
            ),
            rate_with_aside=number(with_aside.ratio.estimate[i]) if told else None,
        )
