"""One unit: its rate by factor and item, course, channels, drivers, and what it still must ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np

from app.reports import influence, planning
from app.reports.asked import Asked
from app.reports.comparisons import With, other_days
from app.reports.influence import OutcomeNeeded
from app.reports.query import Key
from app.reports.respondents import NotANumber
from app.reports.structure import TooFewRespondents
from app.reports.views.course import course
from app.reports.views.overview import set_aside, volume
from app.reports.views.scene import Scene, differences, figure, index, position
from surveys.model import Text


def unit(scene: Scene) -> dict[str, Any]:
    """All that is known of one unit in a period."""
    return scene.head() | {
        "index": index(scene),
        "factors": factors(scene),
        "items": items(scene),
        "course": course(scene),
        "channels": channels(scene),
        **driving(scene),
        "collecting": collecting(scene),
        "volume": volume(scene),
        "set_aside": set_aside(scene),
        "method": "clustered rates (Wilson where a respondent gives one answer); changes by the "
        "score interval",
    }


def headline(scene: Scene) -> dict[str, Any]:
    """The unit's index alone, beside the periods before and the whole."""
    return scene.head() | {
        "index": index(scene),
        "method": "clustered rates; changes by the score interval",
    }


def factors(scene: Scene) -> list[dict[str, Any]]:
    """The rate of each factor, with its change since the period before."""
    return _measured(
        scene, Key.FACTOR, {factor.code: factor.title for factor in scene.form.form.index_factors}
    )


def items(scene: Scene) -> list[dict[str, Any]]:
    """The rate of each item, with its change since the period before, in the form's order."""
    form = scene.form.form
    names = {item.code: item.text for f in form.index_factors for item in form.index_items(f)}
    return _measured(scene, Key.ITEM, names)


def _measured(scene: Scene, by: Key, names: Mapping[str, Text]) -> list[dict[str, Any]]:
    now, _ = scene.asked.rates(by)
    first, last = other_days(scene.span.first, scene.span.last, With.PREVIOUS)
    other, _ = scene.asked.rates(by, first=first, last=last)
    rows = []
    for i, (measure, change) in enumerate(zip(now.measure, differences(now, other), strict=True)):
        shown = figure(now, i)
        name = names.get(measure.item or measure.factor or "")
        row = {
            "factor": measure.factor,
            "name": {"vi": name.vi, "en": name.en} if name else None,
            **shown,
            "position": position(shown, scene.settings.target_rate),
            "change": change,
        }
        rows.append(row if measure.item is None else {"item": measure.item, **row})
    return rows


def channels(scene: Scene) -> list[dict[str, Any]]:
    """The rate by the way in which answers came in."""
    rates, _ = scene.asked.rates(Key.CHANNEL)
    return [
        {"channel": channel, **figure(rates, i)}
        for i, channel in enumerate(rates.channel)
        if rates.hidden[i] or np.nan_to_num(rates.sums["n"][i]) > 0
    ]


def driving(scene: Scene) -> dict[str, Any]:
    """What drives overall satisfaction, and which factors lie below the others.

    In the period, or in the year up to its end where the period has too few respondents;
    ``no_drivers`` is the code of the problem where nothing is said of drivers.
    """
    lagging, _ = _in_period_or_year(scene, influence.find_lowest)
    found, why = _in_period_or_year(
        scene, lambda asked: influence.find_drivers(asked, outcome=None)
    )
    if found is not None:
        wanted = [row for row in found["rows"] if row["improve_first"]]
        wanted.sort(key=lambda row: -(row["share"] or 0))
        found["improve_first"] = [row["factor"] for row in wanted]
    names = ("first", "last", "respondents", "method", "rows")
    more = ("outcome", "r_squared", "improve_first")
    return {
        "drivers": found and {name: found[name] for name in (*names, *more)},
        "no_drivers": why,
        "lowest": lagging and {name: lagging[name] for name in names},
    }


def _in_period_or_year(
    scene: Scene, find: Callable[[Asked], dict[str, Any]]
) -> tuple[dict[str, Any] | None, str | None]:
    """What is found; or the code of the problem why it is not."""
    last = scene.span.last
    in_a_year = date(last.year - (last.month < 12), last.month % 12 + 1, 1)  # of whole months
    for first in dict.fromkeys((scene.span.first, min(scene.span.first, in_a_year))):
        try:
            return find(scene.over(first=first)) | {"first": first, "last": last}, None
        except (TooFewRespondents, NotANumber):
            continue
        except OutcomeNeeded as refused:
            return None, refused.code
    return None, TooFewRespondents.code


def collecting(scene: Scene) -> dict[str, Any]:
    """How many more must be asked in the running month, of the unit and of each unit below."""
    month = scene.today.replace(day=1)
    asked = scene.asked if scene.unit else scene.compared
    found = planning.planning(asked, month=month, margin=0.05, drop=0.1, total=None, neyman=False)
    return {
        name: found[name] for name in ("month", "margin", "drop", "least_respondents", "rows")
    } | {"method": found["method"]}
