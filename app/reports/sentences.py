"""Figures in plain sentences, as one would defend them before a chairman."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.day_effects import NOTABLE
from app.figures.statistic_results import Limits, Lowest
from app.figures.trend_results import AlertRow, Assurance, Variation
from app.messages.words import Words
from app.reports.named_values import RULES, SHORT_ASSURANCES, SHORT_VARIATIONS
from app.reports.views.form_results import Quality
from app.reports.views.results import (
    AlertsShown,
    Changed,
    Headline,
    Importance,
    ItemRow,
    Overview,
    Sections,
    Standing,
    UnitRow,
    Units,
    UnitView,
)

#: Units that a sentence names; the table has the others.
_NAMED = 12


def _units(words: Words, rows: Sequence[Changed | UnitRow], most: int = _NAMED) -> str:
    names = [words.unit(row.unit) for row in rows]
    text = ", ".join(names[:most])
    return text if len(names) <= most else words("tell.and_more", units=text, n=len(names) - most)


def index(words: Words, view: Headline | Overview | UnitView | Sections | Importance) -> list[str]:
    """The index against the target, the period before, the year before, and the whole."""
    shown = view.index
    if shown.suppressed:
        return [words("tell.suppressed")]
    if not shown.respondents:
        what, n = (
            "tell.waiting" if view.unreleased else "tell.nobody",
            words.number(view.unreleased),
        )
        return [words(what, period=words.period_of(view), n=n)]
    if shown.low is None:
        return [words("tell.one_only", n=words.number(shown.respondents))]
    between = words(
        "tell.between",
        low=words.percent(shown.low),
        high=words.percent(shown.high),
        n=words.number(shown.respondents),
    )
    against = {
        "above": "tell.above_target",
        "below": "tell.below_target",
        "not_distinguishable": "tell.near_target",
    }[shown.position or "not_distinguishable"]
    said = [between + " " + words(against, target=words.percent(view.target, 0))]
    others = [(shown.previous, "tell.than_previous"), (shown.year_before, "tell.than_year_before")]
    if shown.previous.first == shown.year_before.first:
        del others[0]  # of a year they are the same
    said += [sentence for other, than in others if (sentence := change(words, other, words(than)))]
    reference = shown.reference
    if reference is not None and reference.difference_low is not None:
        low, high = reference.difference_low, reference.difference_high or 0.0
        key = (
            "tell.above_reference" if low > 0
            else "tell.below_reference" if high < 0
            else "tell.near_reference"
        )  # fmt: skip
        said.append(
            words(
                key,
                rate=words.percent(reference.rate),
                whole=words.unit(reference.unit),
                change=words.points(reference.difference),
            )
        )
    day_effect = shown.day_effect or 0.0
    if day_effect >= NOTABLE:
        said.append(words("tell.days", times=words.number(day_effect**0.5, 1)))
    return said


def change(words: Words, row: Limits, than: str) -> str | None:
    """One difference: how large, how sure; None where one side has no figure."""
    if row.low is None or row.high is None:
        return None
    key = (
        "tell.rose" if row.low > 0
        else "tell.fell" if row.high < 0
        else "tell.same"
    )  # fmt: skip
    return words(key, than=than, change=words.points(row.estimate), interval=words.change(row))


def changed(words: Words, view: Overview | Units) -> list[str]:
    """Which units fell and rose by more than chance, and how many only seem to."""
    said = []
    compared = view.standing if isinstance(view, Overview) else view
    if compared is None or not compared.compared:
        return [words("tell.none_compared")]
    for rows, some, none in (
        (view.fell, "tell.units_fell", "tell.none_fell"),
        (view.rose, "tell.units_rose", "tell.none_rose"),
    ):
        said.append(words(some, n=len(rows), units=_units(words, rows)) if rows else words(none))
    seeming = [
        row
        for row in (view.rows if isinstance(view, Units) else ())
        if row.change and not row.change.discovery and (row.change.estimate or 0) < 0
    ]
    if seeming:
        said.append(words("tell.seem_lower", n=len(seeming)))
    return said


def standing(words: Words, found: Standing, target: float) -> str:
    """How many units lie where against the target; why none does, where there is no figure."""
    if not found.units:
        return words(
            "tell.no_standing",
            target=words.percent(target, 0),
            suppressed=words.number(found.suppressed),
            waiting=words.number(found.waiting),
            silent=words.number(found.silent),
        )
    return words(
        "tell.standing",
        units=words.number(found.units),
        above=words.number(found.above),
        below=words.number(found.below),
        not_distinguishable=words.number(found.not_distinguishable),
        target=words.percent(target, 0),
    )


def variation(words: Words, found: Variation) -> str:
    """What an icon of variation means, in a word or two."""
    return words(SHORT_VARIATIONS[found])


def assurance(words: Words, found: Assurance) -> str:
    """What an icon of assurance means, in a word or two."""
    return words(SHORT_ASSURANCES[found])


def figureless(words: Words, row: UnitRow) -> str:
    """Why a unit has no figure: too few answered, nothing is released yet, or nobody answered."""
    if row.suppressed:
        return words("view.suppressed")
    return words("view.waiting") if row.waiting else words("view.silent")


def best(words: Words, view: Units) -> str | None:
    """Which units may be among the best; None where they are not ranked."""
    rows = [row for row in view.rows if row.may_be_best]
    if not rows:
        return None
    if len(rows) > max(2 * view.best, _NAMED) and len(rows) > view.ranked / 2:
        return words("tell.best_unclear", n=len(rows), ranked=view.ranked, best=view.best)
    return words("tell.may_be_best", n=len(rows), best=view.best, units=_units(words, rows, 40))


def may_be_best(words: Words, view: Units) -> list[str]:
    """The names of all units that may be among the best, in the order of their rates."""
    return [words.unit(row.unit) for row in view.rows if row.may_be_best]


def improve(words: Words, view: UnitView | Importance) -> list[str]:
    """What to improve first: factors that matter and lag, and within them the lowest items.

    Without an overall question nothing is said of what matters, only of what lags.
    """
    driving, lagging = view.drivers, view.lowest
    wanted = to_improve(view)
    said = []
    if driving is not None and driving.improve_first:
        names = {row.factor: words.name(row.name) for row in driving.rows}
        factors = ", ".join(f"{code}. {names[code]}" for code in driving.improve_first)
        said.append(words("tell.improve_factors", factors=factors))
    elif driving is not None:
        said.append(words("tell.no_factor"))
    elif view.no_drivers == "outcome-needed":
        said.append(words("tell.no_overall_question"))
    else:
        said.append(words("tell.drivers_unknown"))
    if lagging is None and driving is None:
        said.append(words("tell.too_few_for_lower"))
    elif lagging is not None and not (driving and driving.improve_first):
        said += lower(words, lagging)
    lowest = lowest_items(view)
    if lowest:
        said.append(
            words(
                "tell.improve_items" if wanted else "tell.lowest_items",
                items="; ".join(
                    f"{row.item}. {words.name(row.name)} ({words.percent(row.rate)})"
                    for row in lowest[:3]
                ),
            )
        )
    return said


def lower(words: Words, lagging: Lowest) -> list[str]:
    """Which factors lie below the others, by how much and how sure; or that none is told apart."""
    below = [row for row in lagging.rows if row.below]
    if not below:
        return [words("tell.none_lower")]
    return [
        words(
            "tell.lower_than_others",
            factor=f"{row.factor}. {words.name(row.name)}",
            change=words.points(row.difference),
            interval=words.change(row),
        )
        for row in below
    ]


def to_improve(view: UnitView | Importance) -> list[str]:
    """The factors that are told apart: to improve first, or where nobody knows, the lower ones."""
    driving, lagging = view.drivers, view.lowest
    if driving is not None:
        return list(driving.improve_first)
    return [row.factor for row in lagging.rows if row.below] if lagging else []


def lowest_items(view: UnitView | Importance) -> list[ItemRow]:
    """Items with figures, the lowest first; of the factors told apart, where there are some."""
    wanted = to_improve(view)
    shown = [
        row
        for row in view.items
        if row.rate is not None and row.rate < 1 and (not wanted or row.factor in wanted)
    ]
    return sorted(shown, key=lambda row: row.rate or 0.0)


def collecting(words: Words, view: UnitView) -> list[str]:
    """How many more each unit must ask in the running month."""
    plan = view.collecting
    said = []
    for row in plan.rows:
        said.append(
            words(
                "tell.collecting",
                unit=words.unit(row.unit),
                month=words.period(plan.month),
                have=words.number(row.respondents),
                publish=words.number(row.needed_to_publish),
                least=plan.least_respondents,
                margin_need=words.number(row.needed_for_margin),
                margin=words.number(100 * plan.margin),
            )
        )
    return said


def alert(words: Words, row: AlertRow) -> str:
    """One alert: which rule, since when, from where to where."""
    said = words(
        "tell.alert",
        rule=words(RULES[row.rule]),
        since=words.period(row.since),
        before=words.percent(row.before),
        after=words.percent(row.after),
        interval=words.change(row.change),
    )
    return said + " " + words("tell.against_others") if row.against_others else said


def together(words: Words, found: AlertsShown) -> list[str]:
    """What all units did together, and what could not be learnt of how periods vary."""
    said, moved, noise = [], found.together, found.noise
    if moved is not None and moved.moved:
        said.append(
            words(
                "tell.all_fell" if (moved.change or 0.0) < 0 else "tell.all_rose",
                since=words.period(moved.since or ""),
                before=words.percent(moved.before),
                after=words.percent(moved.after),
                interval=words.between(moved.after_low, moved.after_high),
            )
        )
        if not moved.season_allowed:
            said.append(words("tell.may_be_season"))
    if not noise.learnt:
        said.append(words("tell.noise_unknown"))
    elif not noise.season_allowed:
        said.append(words("tell.season_unknown"))
    return said


def volume(words: Words, view: Overview | UnitView | Quality) -> list[str]:
    """Cases finished, and what came of invitations."""
    shown, said = view.volume, []
    if shown.cases:
        cases, share = words.number(shown.cases), shown.respondents_to_cases
        said.append(
            words("tell.cases", cases=cases)
            if share is None
            else words("tell.cases_heard", cases=cases, share=words.percent(share))
        )
    if shown.response_rate is not None:
        said.append(
            words(
                "tell.invited",
                invited=words.number(shown.invited),
                rate=words.percent(shown.response_rate),
                interval=words.between(shown.response_rate_low, shown.response_rate_high),
            )
        )
    aside = view.set_aside
    said.append(
        words(
            "tell.set_aside",
            share=words.percent(aside.share),
            n=words.number(aside.set_aside),
            responses=words.number(aside.responses),
        )
        if aside.responses
        else words("tell.no_responses")
    )
    return said
