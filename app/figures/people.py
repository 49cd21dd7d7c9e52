"""The respondents whom a question is about, looked at one by one, and whether they are enough."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.figures import microdata
from app.figures.context import Context
from app.figures.microdata import Respondents
from app.figures.query import Key
from app.figures.rate_arrays import Floats
from app.figures.results import Provenance
from app.problems import Problem
from app.registry.queries import UnitNode
from app.registry.questionnaires import Published

#: With fewer, shares and alphas are noise, whoever asks.
LEAST_RESPONDENTS = 30


class TooFewRespondents(Problem):
    """Too few complete respondents for a statistic that looks at each of them."""

    code, status = "too-few-respondents", 422


@dataclass(frozen=True)
class People:
    """The respondents whom a question is about."""

    respondents: Respondents
    units: dict[int, UnitNode]
    unit_of: NDArray[np.int64]
    #: Units whose sums the caller may not see.
    hidden: frozenset[int]
    #: How many are left out since a plan's shares divide their unit: nobody knows where they live.
    dealt_out: int = 0


def people_of(context: Context, provenance: Provenance) -> People:
    """The respondents of the newest version that has some, about the units asked for."""
    query = context.query
    rates, _ = context.rates(Key.UNIT)
    tops = [unit for unit in rates.unit if unit is not None]
    # A respondent belongs to the lowest of the units asked for that they are about.
    belongs: dict[int, int] = {}
    inside: set[int] = set()
    for top in tops:
        nodes = set(context.units.below(top.id)) if query.descendants else {top.id}
        inside |= nodes
        for id in context.regrouping.wholly_in(nodes):
            if id not in belongs or belongs[id] in context.above(top):
                belongs[id] = top.id
    divided = context.regrouping.units_in(inside) - belongs.keys()
    for version in sorted(context.versions, key=lambda each: -each.form.version):
        found = _respondents(context, version, provenance, set(belongs))
        if len(found):
            unit_of = np.array([belongs[id] for id in found.unit_id.tolist()], dtype=np.int64)
            hidden = {u.id for u, gone in zip(rates.unit, rates.hidden, strict=True) if u and gone}
            left_out = 0
            if divided:
                left_out = len(_respondents(context, version, provenance, divided))
            return People(
                found, {unit.id: unit for unit in tops}, unit_of, frozenset(hidden), left_out
            )
    raise TooFewRespondents(respondents=0, needed=LEAST_RESPONDENTS)


def _respondents(
    context: Context, version: Published, provenance: Provenance, units: Collection[int]
) -> Respondents:
    return microdata.read(
        context.session,
        version,
        first=provenance.first,
        last=provenance.last,
        units=units,
        channels=context.query.channels,
        unreleased=context.unreleased,
    )


def told_dealt_out(context: Context, people: People) -> int | None:
    """How many are left out since shares divide their unit; None for who may see no small figures.

    It is a count of other people than those of any figure, and so by no lattice's leave.
    """
    return None if people.dealt_out and not context.gate.everywhere else people.dealt_out


def check_enough(context: Context, people: People, n: int) -> None:
    """Refuse where too few are left, by the statistic or by the caller's rights."""
    least = LEAST_RESPONDENTS
    if not context.gate.everywhere:
        least = max(least, context.gate.least)
    if n < least:
        raise TooFewRespondents(respondents=n if context.gate.everywhere else None, needed=least)


def check_shown(context: Context, people: People) -> None:
    """Refuse where a unit is hidden: a look at its respondents one by one would tell of them."""
    if people.hidden - context.gate.exempt and not context.gate.everywhere:
        raise TooFewRespondents(respondents=None, needed=context.least)


def few_left_out(context: Context, people: People, complete: int) -> bool:
    """Whether so few lack an answer that the caller may not be told how many have all."""
    return not context.gate.everywhere and 0 < len(people.respondents) - complete < context.least


def scores_of(people: Respondents) -> tuple[list[str], Floats]:
    """Mean level of each index factor, shape (respondents, factors)."""
    codes, scores = [], []
    for factor in people.version.form.index_factors:
        levels = people.rated(factor)
        if levels.shape[1]:
            codes.append(factor.code)
            answered = np.isfinite(levels).sum(axis=1)
            with np.errstate(invalid="ignore"):
                scores.append(np.nansum(levels, axis=1) / np.where(answered > 0, answered, np.nan))
    return codes, np.stack(scores, axis=1)
