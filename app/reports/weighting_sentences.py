"""Whose rate a figure is, in plain sentences: who counts for how much in it."""

from __future__ import annotations

from app.figures.statistic_results import Judged
from app.messages.words import Words
from app.reports.views.index_results import HeadlineRate, Index
from app.reports.views.results import ComparisonView, UnitView

#: Units that a sentence names.
_NAMED = 8


def against_target(words: Words, row: Judged, target: float) -> str:
    """Where a rate lies against the target, as far as all that are judged together let it say.

    Where the interval that is shown says another thing, both are told: of a rate by volume too,
    in whose place the pooled one is judged.
    """
    shown, own = row.position or "not_distinguishable", row.interval_position
    key = {
        "above": "tell.above_target",
        "below": "tell.below_target",
        "not_distinguishable": "tell.near_target",
    }[shown]
    by_volume = isinstance(row, HeadlineRate) and row.weighting == "by_volume"
    if shown == "not_distinguishable" and own == "above":
        key = "tell.above_target_by_volume" if by_volume else "tell.above_target_alone"
    elif shown == "not_distinguishable" and own == "below":
        key = "tell.below_target_by_volume" if by_volume else "tell.below_target_alone"
    elif by_volume and own != shown:
        key = {"above": "tell.above_target_pooled", "below": "tell.below_target_pooled"}.get(
            shown, key
        )
    return words(key, target=words.percent(target, 0), n=words.number(row.judged_together))


def weighting(words: Words, shown: Index) -> list[str]:
    """What the rate that stands first is weighted by, and the pooled one beside it."""
    first = shown.headline
    if first.weighting == "one_unit":
        return []
    if first.weighting == "pooled":
        missing = first.missing_volumes
        if not missing:
            return [words("tell.pooled")]
        units = ", ".join(words.unit(unit) for unit in missing[:_NAMED])
        if len(missing) > _NAMED:
            units = words("tell.and_more", units=units, n=len(missing) - _NAMED)
        missed = words("tell.volumes_missing", n=len(missing), units=units)
        return [words("tell.pooled") + " " + missed]
    said = words(
        "tell.by_volume",
        cases=words.number(first.cases),
        rate=words.percent(shown.rate),
        interval=words.limits(shown),
    )
    published = words.percent(first.estimate)
    if published != words.percent(shown.rate):
        said += " " + words("tell.by_volume_published", headline=published)
    if first.covered is not None and first.covered < 1:
        said += " " + words("tell.volume_covered", covered=words.percent(first.covered, 0))
    return [said]


def channels(words: Words, view: UnitView) -> list[str]:
    """Which channels' shares moved, and the last period's rate without that."""
    mix = view.channel_mix
    if not mix.moved:
        return []
    shares = "; ".join(
        words(
            "tell.channel_share",
            channel=words(f"channel.{row.channel}"),
            before=words.percent(row.share_before, 0),
            now=words.percent(row.share, 0),
        )
        for row in mix.shares
    )
    return [words("tell.channels_moved", shares=shares)]


def casemix(words: Words, view: ComparisonView) -> list[str]:
    """What rates are adjusted for, how many are complete, and whether it matters at all."""
    found = view.casemix
    if found is None:
        reasons = {
            "too-few-respondents": "tell.casemix_too_few_people",
            "too-few-units": "tell.casemix_too_few_units",
            "not-a-number": "tell.casemix_not_separable",
            "responses-deleted": "tell.responses_deleted",
        }
        return [words(reasons[view.no_casemix])] if view.no_casemix else []
    adjusters = dict.fromkeys(row.adjuster.partition("=")[0] for row in found.adjusters)
    named = {
        "age": "tell.adjuster_age", "sex": "tell.adjuster_sex",
        "insurance": "tell.adjuster_insurance", "channel": "tell.adjuster_channel",
    }  # fmt: skip
    said = words(
        "tell.casemix",
        adjusters=", ".join(words(named[each]) for each in adjusters),
        n=words.people(found.respondents),
        units=words.number(found.units),
    )
    if found.left_out:
        said += " " + words("tell.casemix_left_out", n=words.number(found.left_out))
    matters = found.p is not None and found.p < 0.05
    return [said, words("tell.casemix_matters" if matters else "tell.casemix_matters_not")]


def non_response(words: Words, view: UnitView) -> list[str]:
    """How far the rate would move if those who did not answer differed, and the weighted rate."""
    row, said = view.non_response, []
    first = view.index.headline
    which = words(
        "tell.rate_of_silent" if first.weighting == "one_unit" else "tell.rate_of_silent_pooled"
    )
    for found, key in (
        (row.by_invitations, "tell.invited_silent"),
        (row.by_volumes, "tell.served_silent"),
    ):
        if found is None or found.rate is None:
            continue
        said.append(
            words(
                key,
                answered=words.number(found.answered),
                reached=words.number(found.reached),
                share=words.percent(found.response_rate),
                which=which,
                rate=words.percent(found.rate),
                moved="; ".join(
                    words(
                        "tell.would_move",
                        points=words.number(100 * each.difference),
                        interval=words.between(each.low, each.high),
                    )
                    for each in found.moved
                ),
            )
        )
    if said and first.weighting == "by_volume":
        said.append(words("tell.silent_pooled", headline=words.percent(first.estimate)))
    weighted = row.weighted
    if weighted is not None and weighted.rate is not None:
        said.append(
            words(
                "tell.response_weighted",
                rate=words.percent(weighted.rate),
                interval=words.limits(weighted),
                unweighted=words.percent(weighted.unweighted),
                covered=words.percent(weighted.covered, 0),
            )
        )
    return said or [words("tell.silent_unknown")]


def headline_label(words: Words, shown: Index) -> str:
    """What the rate that stands first is called."""
    return words(
        {
            "by_volume": "tell.rate_by_volume",
            "pooled": "tell.rate_pooled",
            "one_unit": "tell.rate_one_unit",
        }[shown.headline.weighting]
    )
