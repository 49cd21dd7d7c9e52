"""Draws respondents with a seed: what they answer, where and when.

A respondent's answers share a latent satisfaction (unit + district + season + person), so they
correlate as real ones do; each item has its own difficulty. Planted, and listed by ``plant``:
units whose level truly shifted at a day, and units whose boxes were stuffed (bursts of identical
top answers within minutes). Everything follows from the seed, the size and the moment up to
which it goes.

Where units were merged on a day, those who answer at a point are the same people before and after
it: a merged unit's level is the mix of its parts', and its series crosses the day without a shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from app.demonstration.province import DemoPoint
from app.intake.ids import made_uuid7
from surveys import AnswerSheet
from surveys.model import (
    LongTextItem,
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    ZeroToTenItem,
)

#: Thresholds between the levels 1…5 on the latent scale.
THRESHOLDS = np.array([-3.2, -2.0, -0.9, 1.1])
COMMENTS = (
    "Cán bộ hướng dẫn nhiệt tình.",
    "Thời gian chờ hơi lâu.",
    "Cần thêm ghế ngồi chờ.",
    "Thủ tục nhanh gọn, cảm ơn.",
    "Nên niêm yết rõ hơn các giấy tờ cần nộp.",
    "Phòng chờ nóng vào buổi chiều.",
)


#: How long before the last day boxes are stuffed, and in how many months that may be.
_STUFFED_BACK = (timedelta(days=40), timedelta(days=100))
MONTHS_OF_STUFFING = 5


@dataclass(frozen=True)
class Planted:
    """What was planted, by unit code: shifts of the latent level with their day, and stuffing.

    In units of now, and ``earlier`` in units that were merged since.
    """

    shifted: dict[str, tuple[date, float]]
    stuffed: dict[str, date]
    earlier: dict[str, tuple[date, float]] = field(default_factory=dict)

    def shift_of(self, point: DemoPoint) -> tuple[date, float]:
        """Since when, and by how much, the people of a point feel otherwise."""
        if point.moved is not None and point.origin.unit in self.earlier:
            return self.earlier[point.origin.unit]
        return self.shifted.get(point.unit, (date.max, 0.0))


def plant(points: Sequence[DemoPoint], seed: int, last: date) -> Planted:
    """Choose three units that truly change (two fall, one rises) and two that are stuffed.

    And one that fell some months before it was merged, if any was.
    """
    rng = np.random.default_rng([seed, 1])
    communes = sorted({point.unit for point in points if point.kind == "commune"})
    chosen = [str(code) for code in rng.choice(communes, 5, replace=False)]
    half_a_year_ago = last - timedelta(days=180)
    merged = sorted(
        (point.origin.unit, point.moved)
        for point in points
        if point.moved is not None
        and point.kind == point.origin.kind == "commune"
        and point.unit not in chosen
    )
    earlier = {}
    if merged:
        code, day = merged[int(rng.integers(len(merged)))]
        earlier[code] = (day - timedelta(days=150), -1.6)
    return Planted(
        earlier=earlier,
        shifted={
            chosen[0]: (half_a_year_ago, -1.6),
            chosen[1]: (half_a_year_ago, -1.3),
            chosen[2]: (half_a_year_ago, +1.6),
        },
        stuffed=dict(zip(chosen[3:], (last - back for back in _STUFFED_BACK), strict=True)),
    )


def responses(
    points: Sequence[DemoPoint],
    sheets: dict[str, AnswerSheet],
    *,
    size: int,
    seed: int,
    until: datetime,
    first: date,
) -> Iterator[dict[str, Any]]:
    """Bodies of ``size`` responses from a day until a moment, in the order of time."""
    zone, last = until.tzinfo, until.date()
    rng = np.random.default_rng([seed, 2])
    planted = plant(points, seed, last)
    days = (last - first).days + 1
    volume = rng.lognormal(0.0, 0.6, len(points)) * [_busy(point) for point in points]
    unit_level = {
        code: rng.normal(1.35, 0.55)
        for code in dict.fromkeys(point.origin.unit for point in points)
    }
    # A change can be seen where enough are asked, and a rise where there is room for it.
    for place, point in enumerate(points):
        since, shift = planted.shift_of(point)
        if shift:
            least = 3.0 if point.moved is not None and since < point.moved else 1.8
            volume[place] = max(volume[place], least * _busy(point))
            unit_level[point.origin.unit] = 1.4 if shift < 0 else 0.3
    district_level = {
        code: rng.normal(0.0, 0.25) for code in sorted({point.origin.parent for point in points})
    }
    stuffing = _stuffing(points, sheets, planted, rng, size, until)
    honest = size - len(stuffing)
    point_of = rng.choice(len(points), honest, p=volume / volume.sum())
    day_of = _days(rng, honest, days, last)
    _leave_closed(rng, points, volume, point_of, day_of, first)
    second_of = rng.integers(7 * 3600 + 1800, 16 * 3600 + 1800, honest)
    order = np.lexsort((second_of, day_of))
    drawn = [
        _one(
            points[point_of[i]],
            sheets[points[point_of[i]].questionnaire],
            _past(
                datetime.combine(first + timedelta(days=int(day_of[i])), time(), zone)
                + timedelta(seconds=int(second_of[i])),
                until,
            ),
            unit_level,
            district_level,
            planted,
            rng,
        )
        for i in order
    ]
    yield from sorted(drawn + stuffing, key=lambda body: str(body["answered_at"]))


def _leave_closed(
    rng: np.random.Generator,
    points: Sequence[DemoPoint],
    volume: np.ndarray,
    point_of: np.ndarray,
    day_of: np.ndarray,
    first: date,
) -> None:
    """Send those who came to a point that was closed by their day to one that is open."""
    last_day = np.array(
        [(p.last_day - first).days if p.last_day else np.iinfo(int).max for p in points]
    )
    late = np.flatnonzero(day_of > last_day[point_of])
    if late.size:
        open_volume = np.where(last_day < day_of.max(), 0.0, volume)
        point_of[late] = rng.choice(len(points), late.size, p=open_volume / open_volume.sum())


def _past(moment: datetime, until: datetime) -> datetime:
    """The moment, or the same hour a week before if it has not come yet."""
    return moment if moment < until else moment - timedelta(days=7)


def _busy(point: DemoPoint) -> float:
    by_kind = {"agency": 1.2, "district": 2.5, "commune": 1.0, "ward": 1.5}
    by_form = {"online-service": 0.4, "kiosk-face": 2.0}
    return by_kind.get(point.origin.kind, 1.0) * by_form.get(point.questionnaire, 1.0)


def _days(rng: np.random.Generator, n: int, days: int, last: date) -> np.ndarray:
    """Working days, busier on Mondays, quieter at the lunar new year, growing over the years."""
    calendar = [last - timedelta(days=days - 1 - i) for i in range(days)]
    weight = np.array(
        [
            (0.0 if day.weekday() == 6 else 0.3 if day.weekday() == 5 else 1.0)
            * (1.3 if day.weekday() == 0 else 1.0)
            * (0.3 if day.month == 2 and day.day <= 10 else 1.0)
            for day in calendar
        ]
    ) * np.linspace(0.8, 1.2, days)
    return rng.choice(days, n, p=weight / weight.sum())


def _one(
    point: DemoPoint,
    sheet: AnswerSheet,
    moment: datetime,
    unit_level: dict[str, float],
    district_level: dict[str, float],
    planted: Planted,
    rng: np.random.Generator,
) -> dict[str, Any]:
    latent = unit_level[point.origin.unit] + district_level[point.origin.parent]
    latent += 0.15 * np.sin(2 * np.pi * moment.timetuple().tm_yday / 365)
    since, shift = planted.shift_of(point)
    if moment.date() >= since:
        latent += shift
    latent += rng.normal(0.0, 1.1)
    answers = _answers(sheet, latent, rng)
    return _body(point, sheet, moment, answers, int(rng.lognormal(4.3, 0.5)), rng)


def _answers(sheet: AnswerSheet, latent: float, rng: np.random.Generator) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for place, item in enumerate(sheet.form.items):
        if item.shown_if is not None and answers.get(item.shown_if.item) not in item.shown_if.is_:
            continue
        if not item.required and rng.random() < 0.03:
            continue
        match item:
            case RatedItem():
                scale = sheet.form.scales[item.scale]
                if scale.no_opinion and rng.random() < 0.04:
                    answers[item.code] = None
                    continue
                # Items differ in difficulty by a fixed pattern, so that factors differ too.
                felt = latent + 0.35 * np.sin(1.7 * place) + rng.normal(0.0, 0.9)
                answers[item.code] = int(np.searchsorted(THRESHOLDS, felt)) + 1
            case SingleChoiceItem():
                values = [option.value for option in item.options]
                weight = np.linspace(1.0, 0.25, len(values)) + 0.05 * max(latent, 0)
                if item.code == "G2":
                    weight = np.array([0.02, 0.04, 0.05, 0.45, 0.42 + 0.2 * max(latent, 0), 0.02])
                answers[item.code] = int(rng.choice(values, p=weight / weight.sum()))
            case MultipleChoiceItem():
                chosen = [o.value for o in item.options if rng.random() < 0.3]
                if chosen:
                    answers[item.code] = chosen
            case ZeroToTenItem():
                answers[item.code] = int(np.clip(round(7 + 1.2 * latent + rng.normal()), 0, 10))
            case PercentItem():
                value = 5 * round((85 + 8 * latent + rng.normal(0, 8)) / 5)
                answers[item.code] = int(np.clip(value, 0, item.maximum))
            case NumberItem():
                middle = {"age": 45, "minutes": 20, "nights": 5}.get(item.code, 10)
                amount = rng.gamma(4.0, middle / 4)
                answers[item.code] = int(np.clip(amount, item.minimum, item.maximum))
            case ShortTextItem() | LongTextItem():
                if rng.random() < 0.03:
                    answers[item.code] = str(rng.choice(COMMENTS))
    return answers


def _stuffing(
    points: Sequence[DemoPoint],
    sheets: dict[str, AnswerSheet],
    planted: Planted,
    rng: np.random.Generator,
    size: int,
    until: datetime,
) -> list[dict[str, Any]]:
    """Bursts of identical top answers, some seconds apart, one evening."""
    bodies = []
    stuffed = set()
    for point in points:
        if point.unit not in planted.stuffed or point.questionnaire != "sipas-desk":
            continue
        # One desk of a unit, however many it got from those that became it.
        if point.unit in stuffed:
            continue
        stuffed.add(point.unit)
        moment = datetime.combine(planted.stuffed[point.unit], time(18, 40), until.tzinfo)
        sheet = sheets[point.questionnaire]
        top = {
            item.code: 5
            for factor in sheet.form.index_factors
            for item in sheet.form.index_items(factor)
        }
        for _ in range(max(20, size // 800)):
            moment += timedelta(seconds=int(rng.integers(9, 16)))
            bodies.append(_body(point, sheet, moment, dict(top), 8, rng))
    return bodies


def _body(
    point: DemoPoint,
    sheet: AnswerSheet,
    moment: datetime,
    answers: dict[str, Any],
    duration_s: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    return {
        "id": str(made_uuid7(moment, rng.bytes(10))),
        "questionnaire": sheet.form.code,
        "version": sheet.form.version,
        "point": point.code,
        "answered_at": moment.isoformat(),
        "duration_s": duration_s,
        "language": "vi" if rng.random() < 0.98 else "en",
        "answers": answers,
    }
