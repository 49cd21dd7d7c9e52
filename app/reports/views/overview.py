"""The first page: are we all right, who needs help, is it real or noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import func, select

from analysis import proportions
from app.access import scope
from app.access.models import Right
from app.intake.models import Disposition, Response
from app.invitations.service import months
from app.registry.points import units_asking
from app.registry.queries import UnitNode
from app.registry.volumes import are_complete, volumes_between
from app.reports import courses
from app.reports.asked import Asked, TooFewUnits, TooManyUnits, number
from app.reports.comparisons import MOST_RANKED
from app.reports.periods import Step
from app.reports.query import Expand
from app.reports.views.course import course
from app.reports.views.scene import PUBLIC, Scene, index
from app.reports.views.units import units

#: Alerts and changes that the first page names.
_NAMED = 8
#: Months are looked at for alerts and then, where these say nothing (or are too thin to be shown),
#: quarters. Both looks together have so many false ones among their alerts, so each has a half.
_STEPS, _FALSE = (Step.MONTH, Step.QUARTER), 0.05


def overview(scene: Scene) -> dict[str, Any]:
    """The index, how many answered, which units changed, what else stands out."""
    compared = units(scene) if scene.level else None
    return scene.head() | {
        "index": index(scene),
        "volume": volume(scene),
        "set_aside": set_aside(scene),
        "standing": None
        if compared is None
        else {
            name: compared[name]
            for name in ("units", "above", "below", "not_distinguishable", "suppressed", "silent")
        },
        "fell": compared["fell"][:_NAMED] if compared else [],
        "rose": compared["rose"][:_NAMED] if compared else [],
        "alerts": alerts(scene),
        "course": course(scene),
        "method": "clustered rates; changes by MOVER, Benjamini–Hochberg over the units",
    }


def volume(scene: Scene) -> dict[str, Any]:
    """Cases finished where the questionnaire is used, how many answered, and were invited."""
    session, span = scene.asked.session, scene.span
    last = max(span.first, min(span.last, scene.today))
    served = volumes_between(session, span.first, last)
    # A hospital's visits are no cases of a desk whose form is looked at.
    cases = sum(n for id, n in served.items() if id in scene.within and id in scene.asking)
    rates, _ = scene.asked.rates()
    asking = units_asking(session, scene.questionnaire) & scene.within
    comparable = cases > 0 and are_complete(session, asking, span.first, last)
    rows = months(session, scene.within, span.first, span.last)
    issued, answered = sum(row[2] for row in rows), sum(row[3] for row in rows)
    shown = issued >= scene.asked.least or scene.asked.gate.everywhere
    interval = proportions.interval(np.array([answered]), np.array([issued]))
    return {
        "cases": cases or None,
        "respondents_to_cases": None
        if rates.hidden[0] or not comparable
        else (float(rates.sums["n"][0]) + scene.held_back) / cases,
        "invited": issued,
        "answered": answered if shown else None,
        "response_rate": number(interval.estimate[0]) if shown else None,
        "response_rate_low": number(interval.low[0]) if shown else None,
        "response_rate_high": number(interval.high[0]) if shown else None,
    }


def set_aside(scene: Scene) -> dict[str, Any]:
    """How many responses do not count, of how many."""
    query = (
        select(Response.unit_id, Response.disposition, func.count())
        .where(
            Response.day.between(scene.span.first, scene.span.last),
            Response.version_id.in_(scene.version_ids),
            scope.within(Response.unit_id, scene.asked.caller, Right.READ_FIGURES),
        )
        .group_by(Response.unit_id, Response.disposition)
    )
    counted = dict.fromkeys(Disposition, 0)
    for unit_id, disposition, count in scene.asked.session.execute(query):
        if unit_id in scene.within:
            counted[Disposition(disposition)] += count
    all_ = sum(counted.values())
    aside = all_ - counted[Disposition.COUNTED]
    return {"responses": all_, "set_aside": aside, "share": aside / all_ if all_ else None}


def _watched(scene: Scene) -> tuple[Asked, Asked | None] | None:
    """The question about the units that are looked at, and that about the only one to tell of."""
    first = scene.known[0]
    if scene.level is not None:
        return scene.compared_over(first), None
    if scene.unit is None or scene.unit.id not in scene.asking or not scene.span.calendar:
        return None
    own = scene.over(first=first)
    rates, _ = own.rates()
    if not rates.sums["n"][0] > 0:  # nobody answered, or too few to tell of
        return None
    return _among_peers(replace(own, caller=PUBLIC), scene.unit), own


def _among_peers(asked: Asked, unit: UnitNode) -> Asked:
    """The question about all units of one's kind below the highest unit that has not too many."""
    nodes = asked.units.nodes
    top, above = unit, nodes.get(unit.parent_id or 0)
    while above is not None:
        below = asked.units.below(above.id)
        if sum(nodes[id].kind == unit.kind for id in below) > MOST_RANKED:
            break
        top, above = above, nodes.get(above.parent_id or 0)
    query = replace(asked.query, units=[top.code], expand=Expand.ALL, kinds=(unit.kind,))
    return replace(asked, query=query)


def alerts(scene: Scene) -> dict[str, Any] | None:
    """What stands out in the level's units up to the end of the period, false alarms held down.

    Of a unit with none below it, whether it is among those that stand out in its kind: alone it
    could not tell its own change from what all share, nor chance from how much people differ.
    None where there are too few, or too many, to look at.
    """
    watched = _watched(scene)
    if watched is None:
        return None
    asked, own = watched
    for step in _STEPS:
        try:
            found = courses.alerts(asked, step=step, q=_FALSE / len(_STEPS), telling=own)
        except (TooFewUnits, TooManyUnits):
            return None
        if not found["units"]:
            return None
        rows = [
            row
            for row in found["rows"]
            if row["controlled"] and (own is None or row["unit"]["code"] in own.query.units)
        ][:_NAMED]
        if rows:
            break
    return {
        "step": found["step"],
        "false_discovery_rate": _FALSE,
        "common_movement_removed": found["common_movement_removed"],
        "rows": rows,
    }
