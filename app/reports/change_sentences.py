"""Changes in plain sentences: how large, how sure, and how much of them is a mix that moved."""

from __future__ import annotations

from app.figures.change_results import FixedMix
from app.figures.statistic_results import Limits
from app.messages.words import NOTHING, Words
from app.reports.views.index_results import PeriodDifference
from app.reports.views.results import UnitRow


def change(words: Words, row: PeriodDifference, than: str) -> str | None:
    """One difference: how large, how sure; None where one side has no figure.

    Of a whole that is made of parts it is the change with their mix held fixed, and what the pooled
    rate did stands beside it. Where it is judged with all units of the kind it is more than chance
    only if it is so among them.
    """
    if row.low is None or row.high is None:
        return None
    held = row.fixed_mix
    if held is None:
        return moved(words, row, row, than)
    if held.low is None:
        return words("tell.no_part_in_both", than=than, crude=words.points(row.estimate))
    return moved(words, row, held, than) + " " + mix(words, held)


def moved(words: Words, row: PeriodDifference, told: Limits, than: str) -> str:
    """How large a difference that has an interval is and how sure, without what the mix did."""
    key = (
        "tell.rose" if (told.low or 0.0) > 0
        else "tell.fell" if (told.high or 0.0) < 0
        else "tell.same"
    )  # fmt: skip
    if row.judged_together is not None and not row.discovery:
        key = {"tell.rose": "tell.rose_alone", "tell.fell": "tell.fell_alone"}.get(key, key)
    return words(
        key,
        than=than,
        change=words.points(told.estimate),
        interval=words.change(told),
        n=words.number(row.judged_together),
    )


def mix(words: Words, held: FixedMix) -> str:
    """What the pooled rate did beside a change with the mix held fixed, and why."""
    said = words("tell.fixed_mix", crude=words.points(held.crude), mix=words.points(held.mix))
    if held.unseparated:
        share = words.percent(held.unseparated, 0)
        said += " " + words("tell.unseparated", share=share)
    if not held.one_period_only:
        return said
    alone = words(
        "tell.one_period_only",
        elsewhere=words.points(held.elsewhere),
        covered_before=words.percent(held.covered_before, 0),
        covered=words.percent(held.covered, 0),
        parts=_parts(words, held),
    )
    return said + " " + alone


def _parts(words: Words, held: FixedMix, most: int = 3) -> str:
    """Parts that answered in one period alone, each with its share of that period's answers."""
    rows = held.one_period_only
    named = "; ".join(
        words(
            "tell.part_before" if row.share_before else "tell.part_now",
            part=", ".join(
                [
                    words.unit(row.unit) if row.unit else words("tell.the_rest"),
                    *([words(f"channel.{row.channel}")] if row.channel else []),
                ]
            ),
            share=words.percent(row.share_before or row.share, 1),
        )
        for row in rows[:most]
    )
    more = len(rows) - most
    return named if more <= 0 else words("tell.and_more_parts", parts=named, n=more)


def beside(words: Words, row: UnitRow) -> str:
    """In a table, beside a change with the mix held fixed: the pooled one and the mix's part."""
    held = row.fixed_mix
    if held is None or held.crude is None:
        return ""
    return words("tell.beside", crude=words.points(held.crude), mix=words.points(held.mix))


def told(words: Words, row: UnitRow) -> str:
    """A unit's change as one cell of a table: with the mix held fixed, and what lies beside it."""
    if row.told is None:
        return NOTHING
    change, more = words.points(row.told.estimate), beside(words, row)
    return f"{change} ({more})" if more else change
