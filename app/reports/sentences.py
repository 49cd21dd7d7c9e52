"""Figures in plain sentences, as one would defend them before a chairman."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.day_effects import NOTABLE
from app.figures.doubts import Doubt
from app.figures.statistic_results import Lowest
from app.figures.trend_results import AlertRow, Assurance, Variation
from app.messages.words import Words
from app.reports.change_sentences import beside as beside
from app.reports.change_sentences import change
from app.reports.collecting_sentences import collecting as collecting
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
from app.reports.weighting_sentences import against_target, weighting
from app.reports.weighting_sentences import casemix as casemix
from app.reports.weighting_sentences import channels as channels
from app.reports.weighting_sentences import non_response as non_response
from app.rollups.conduct import HASTY_S

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
    first = shown.headline
    if first.low is None:
        return [words("tell.one_only", n=words.people(shown.respondents))]
    between = words(
        "tell.between",
        low=words.percent(first.low),
        high=words.percent(first.high),
        n=words.people(shown.respondents),
    )
    said = [between + " " + against_target(words, first, view.target)]
    said += weighting(words, shown)
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


def changed(words: Words, view: Overview | Units) -> list[str]:
    """Which units fell and rose by more than chance, and how many only seem to."""
    said = []
    compared = view.standing if isinstance(view, Overview) else view
    if compared is None or not compared.compared:
        return [words("tell.none_compared")]
    said.append(_fell(words, view))
    said.append(
        words("tell.units_rose", n=len(view.rose), units=_units(words, view.rose))
        if view.rose
        else words("tell.none_rose")
    )
    if not isinstance(view, Units):
        return said
    seeming = [
        row
        for row in view.rows
        if (told := row.told) and not told.discovery and (told.estimate or 0) < 0
    ]
    if seeming:
        said.append(words("tell.seem_lower" if view.fell else "tell.some_lower", n=len(seeming)))
    if view.only_mix:
        units = ", ".join(words.unit(unit) for unit in view.only_mix[:_NAMED])
        said.append(words("tell.only_mix", n=len(view.only_mix), units=units))
    return said


def _fell(words: Words, view: Overview | Units) -> str:
    """Which units fell since the period before; beside alerts, which begin elsewhere, so said."""
    alerts = view.alerts if isinstance(view, Overview) else None
    lower = (
        {row.unit.code for row in alerts.rows if (row.change.estimate or 0) < 0} if alerts else {}
    )
    if not view.fell:
        return (
            words("tell.none_fell_but_alerts", n=len(lower)) if lower else words("tell.none_fell")
        )
    said = words("tell.units_fell", n=len(view.fell), units=_units(words, view.fell))
    return said + " " + words("tell.units_fell_and_alerts") if lower else said


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
    """Which units may be among the best; None where they are not ranked, or none is told apart."""
    rows = [row for row in view.rows if row.may_be_best]
    # Those whose answers are to be looked at first are among nobody's best, and tell none apart.
    doubted = sum(row.rank is not None and bool(row.doubts) for row in view.rows)
    if not rows or len(rows) + doubted == view.ranked:
        return None
    if len(rows) > max(2 * view.best, _NAMED) and len(rows) > view.ranked / 2:
        return words("tell.best_unclear", n=len(rows), ranked=view.ranked, best=view.best)
    return words("tell.may_be_best", n=len(rows), best=view.best, units=_units(words, rows, 40))


def doubtful(words: Words, view: Units | UnitView) -> str | None:
    """Whose answers are to be looked at before anybody learns from them; None where nobody's."""
    said = []
    if isinstance(view, UnitView):
        if Doubt.SUSPECTED in view.doubts:
            said.append(words("tell.look_suspected_here"))
        if set(view.doubts) - {Doubt.SUSPECTED}:
            said.append(words("tell.look_first_here", seconds=HASTY_S))
        return " ".join(said) or None
    if rows := [row for row in view.rows if Doubt.SUSPECTED in row.doubts]:
        said.append(words("tell.look_suspected", units=_units(words, rows)))
    if rows := [row for row in view.rows if set(row.doubts) - {Doubt.SUSPECTED}]:
        said.append(words("tell.look_first", units=_units(words, rows), seconds=HASTY_S))
    return " ".join(said) or None


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
        said.append(words("tell.improve_test"))
    elif driving is not None:
        said.append(words("tell.no_factor"))
    elif view.no_drivers == "outcome-needed":
        said.append(words("tell.no_overall_question"))
    elif view.no_drivers == "responses-deleted":
        said.append(words("tell.responses_deleted"))
    else:
        said.append(words("tell.drivers_unknown"))
    if lagging is None and driving is None:
        said.append(words("tell.too_few_for_lower"))
    elif lagging is not None:
        named = driving.improve_first if driving else []
        rows = [row for row in lagging.rows if not named or (row.below and row.factor in named)]
        # Of those to improve first it is told by how much they are lower, and of no others.
        said += lower(words, lagging.model_copy(update={"rows": rows})) if rows else []
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
    if row.against_others:
        said += " " + words("tell.against_others")
    held = row.fixed_mix
    if held is not None and held.low is not None and held.high is not None:
        key = "tell.alert_may_be_mix" if held.low <= 0 <= held.high else "tell.alert_no_mix"
        change, interval = words.points(held.estimate), words.change(held)
        said += " " + words(key, change=change, interval=interval, mix=words.points(held.mix))
    return said


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
    if aside.responses is None:
        return [*said, words("tell.set_aside_few")]
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
