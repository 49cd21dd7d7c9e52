"""What came of citizens' cases, in sentences and tables: on pages and in reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.figures.cases import CaseChange, CaseFigures, Counted
from app.messages.words import Words


@dataclass(frozen=True)
class CountRow:
    """A number of a period's cases, or of days, with what it is; None where it is not told."""

    what: str
    n: float | None
    note: str = ""


def summary(words: Words, found: CaseFigures, least: int) -> list[str]:
    """Of a period's cases how many were closed in time and how soon, what they came of, and whether
    it became better.
    """
    period = words.period(found.period)
    if found.cases.few:
        key = "case.figures_few" if found.over else "case.figures_running"
        return [words(key, period=period, least=least)]
    if not found.cases.n:
        return [words("case.figures_none", period=period)]

    def number(counted: Counted) -> str:
        return words("case.figures_part") if counted.few else words.number(counted.n)

    said = [
        words("case.figures_cases", period=period, n=words.number(found.cases.n),
              in_time=number(found.closed_in_time), late=number(found.closed_late),
              open=number(found.not_closed))
    ]  # fmt: skip
    if any(each.few for each in (found.closed_in_time, found.closed_late, found.not_closed)):
        said.append(words("case.figures_part_why"))
    if found.median_days is not None:
        said.append(words("case.figures_median", days=_days(words, found.median_days)))
    if found.causes:
        parts = (
            words("case.figures_cause", n=number(each.cases), cause=words.name(each.name))
            for each in found.causes
        )
        said.append(words("case.figures_causes", causes="; ".join(parts)))
    if found.causes_few:
        said.append(words("case.figures_causes_few"))
    moved = [each for each in found.changes if each.estimate is not None]
    said += [_moved(words, each) for each in moved]
    return [*said, words("case.figures_cause_not_shown")] if moved else said


def _days(words: Words, days: float) -> str:
    return words.number(days, 0 if days.is_integer() else 1)


def _moved(words: Words, change: CaseChange) -> str:
    return words(
        "case.figures_change", cause=words.name(change.name), factor=factor(words, change),
        month=words.period(change.dealt_with), before=words.percent(change.before),
        after=words.percent(change.after), change=words.points(change.estimate),
        limits=words.change(change), verdict=verdict(words, change),
    )  # fmt: skip


def factor(words: Words, change: CaseChange) -> str:
    """The factor that a cause is about."""
    return f"{change.factor}. {words.name(change.factor_name)}"


def verdict(words: Words, change: CaseChange) -> str:
    """Whether the rate moved by more than chance, among all that are told of."""
    if not change.discovery:
        return words("case.figures_same")
    return words("case.figures_rose" if (change.estimate or 0.0) > 0 else "case.figures_fell")


def rows(words: Words, found: CaseFigures) -> Sequence[CountRow]:
    """The numbers one by one; none where nothing is told."""
    if found.cases.few:
        return []

    def row(what: str, counted: Counted) -> CountRow:
        return CountRow(what, counted.n, words("case.figures_part") if counted.few else "")

    return [
        row(words("case.figures_row_all"), found.cases),
        row(words("case.figures_row_in_time"), found.closed_in_time),
        row(words("case.figures_row_late"), found.closed_late),
        row(words("case.figures_row_open"), found.not_closed),
        *(
            []
            if found.escalated.few
            else [row(words("case.figures_row_escalated"), found.escalated)]
        ),
        CountRow(words("case.figures_row_median"), found.median_days),
        *(
            row(words("case.figures_row_cause", cause=words.name(each.name)), each.cases)
            for each in found.causes
        ),
    ]
