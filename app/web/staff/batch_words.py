"""Suspected batches in words: how probable, why, by which rule."""

from __future__ import annotations

from app.integrity.reviewing import BatchShown, ReasonShown
from app.messages.words import Words

#: From which probability on something is called so.
LIKELIHOODS = {0.99: "nearly_certain", 0.9: "very_likely", 0.5: "likely", 0.0: "unlikely"}
#: Nothing that is estimated is certain.
_MOST_SAID = 0.999


def probability(words: Words, value: float) -> str:
    """A probability in words and per cent."""
    name = next(name for least, name in LIKELIHOODS.items() if value >= least)
    percent = words.percent(min(value, _MOST_SAID))
    if value > _MOST_SAID:
        percent = f">\N{NO-BREAK SPACE}{percent}"
    return words(
        "integrity.probability_is", words=words(f"integrity.likelihood.{name}"), percent=percent
    )


def reason(words: Words, each: ReasonShown) -> str:
    """A reason as a sentence."""
    kind = words(f"integrity.kind.{each.why}")
    if each.n is None or each.of is None:
        # What comes without numbers is rounded to whole per cent, and nothing is usual in none.
        usual = words.percent(each.usual, 0)
        if each.usual < 0.01:
            usual = words("integrity.usual_least", percent=words.percent(0.01, 0))
        return words("integrity.reason_unnumbered", kind=kind, usual=usual)
    usual = words.percent(each.usual)
    n, of = words.number(each.n), words.number(each.of)
    return words("integrity.reason", n=n, of=of, kind=kind, usual=usual)


def rule(words: Words, one: BatchShown) -> str:
    """By which rule it is suspected."""
    name = words(f"integrity.rule.{one.batch.rule}")
    return words("integrity.rule_of", rule=name, version=one.batch.rule_version)


def unit(words: Words, one: BatchShown) -> str:
    """The unit's name with its code."""
    name = one.unit.name_vi if words.language == "vi" else one.unit.name_en
    return f"{name} ({one.unit.code})"
