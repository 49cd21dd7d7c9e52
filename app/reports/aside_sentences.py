"""What is set aside at units, by which rule, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.aside import AsideByRule, AsideRow
from app.messages.words import Words

#: So many units are named one by one.
_NAMED = 12


def here(words: Words, rows: Sequence[AsideRow]) -> list[str]:
    """What is set aside at the one unit that a page is about; nothing where nothing is."""
    return [sentence for row in rows for sentence in _of(words, row)]


def short(words: Words, rows: Sequence[AsideRow]) -> str:
    """How many at the one unit, whatever the rule, in a few words; nothing where nothing is."""
    if not rows:
        return ""
    if any(row.suppressed for row in rows):
        return words("aside.some")
    rules = [each for row in rows for each in row.rules]
    few = [each.fewer_than or 0 for each in rules if each.respondents is None]
    known = sum(each.respondents or 0 for each in rules)
    if not few:
        return words("aside.short", n=words.people(known))
    if known:
        return words("aside.short_over", n=words.people(known))
    return words("aside.short_few", n=words.number(sum(few)))


def of_units(words: Words, rows: Sequence[AsideRow]) -> list[str]:
    """The same of several units, each by its name; rates stand beside them elsewhere."""
    if not rows:
        return []
    named = [
        words("aside.of_unit", unit=words.unit(row.unit), rules=by_rules(words, row.rules))
        if row.rules
        else words.unit(row.unit)
        for row in rows[:_NAMED]
    ]
    said = words("aside.of_units", units="; ".join(named))
    return [said, words("aside.more", n=len(rows) - _NAMED)] if len(rows) > _NAMED else [said]


def by_rules(words: Words, rules: Sequence[AsideByRule]) -> str:
    """How many by which rule."""
    return ", ".join(
        words("aside.few_by_rule", n=each.fewer_than, rule=words(f"integrity.rule.{each.rule}"))
        if each.respondents is None
        else words(
            "aside.by_rule",
            n=words.people(each.respondents),
            rule=words(f"integrity.rule.{each.rule}"),
        )
        for each in rules
    )


def _of(words: Words, row: AsideRow) -> list[str]:
    if row.suppressed:
        return [words("aside.suppressed")]
    said = [words("aside.here", rules=by_rules(words, row.rules))]
    if row.with_aside.rate is not None and row.without.rate is not None:
        said.append(
            words(
                "aside.rates",
                without=words.percent(row.without.rate),
                interval=words.limits(row.without),
                with_aside=words.percent(row.with_aside.rate),
                interval_with=words.limits(row.with_aside),
            )
        )
    return said
