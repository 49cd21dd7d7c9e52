"""What respondents wrote, by unit and month; every reading is logged.

A comment is shown with its unit, questionnaire and month, never with its response, day or hour,
and in an order that tells nothing: who stood at the desk on Tuesday is not to be told from it.
Where fewer than the least number of respondents answered a questionnaire about a unit in a
month, its comments are withheld from whoever may not see small cells there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.audit.log import record
from app.cases.lists import finder
from app.figures import visible
from app.figures.periods import Span, span
from app.figures.release import ReleaseRule, Unreleased, find_unreleased
from app.figures.results import Comment, Comments, unit_result
from app.intake.models import Disposition, Response, ResponseText
from app.registry.carrying_back import carried_back, readable_nodes
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import published
from app.rollups import queries
from app.rollups.cells import SUMS


def read(
    session: Session,
    caller: Caller,
    month: str,
    *,
    units: Sequence[str] = (),
    questionnaire: str | None = None,
    structure: date | None = None,
    release_rule: ReleaseRule,
) -> Comments:
    """The comments of a month about the units named, or all that the caller may read.

    They stand at the units of today, or of the day that ``structure`` names: at an undivided
    row where nobody knows at which, at the unit above where shares divide it.

    The session must be one that writes, since the reading is logged in it. ``month`` is named as
    2026-11.

    Raises
    ------
    UnknownUnit
        Where a unit is not there, or not the caller's.
    """
    day = structure or release_rule.today
    tree, node_of, theirs = _placed(session, caller, day, release_rule.today)
    named = {visible.find(session, tree, code, day).id for code in units}
    small = scope.unit_ids(session, caller, Right.READ_SMALL_CELLS)
    days = span(month)
    codes = {
        version.id: version.form.code
        for version in published(session)
        if questionnaire in (None, version.form.code)
    }
    respondents = _respondents(session, codes, days)
    query = (
        select(
            ResponseText.unit_id,
            Response.version_id,
            Response.day,
            Response.channel,
            ResponseText.item,
            ResponseText.body,
            Response.id,
        )
        .join(Response, Response.id == ResponseText.response_id)
        .where(
            true() if theirs is None else ResponseText.unit_id.in_(sorted(theirs)),
            ResponseText.day.between(days.first, days.last),
            Response.disposition == Disposition.COUNTED,
            Response.version_id.in_(codes),
        )
    )
    misconduct = finder(session)
    found: list[Comment] = []
    withheld = 0
    unreleased = _unreleased(session, set(codes.values()), release_rule, small)
    for unit_id, version_id, day, channel, item, body, response_id in session.execute(query):
        node = node_of.get(unit_id)
        if node is None or (units and node.id not in named):
            continue
        code = codes[version_id]
        may_see = small is None or unit_id in small
        # It goes to the unit above (app.cases), and that there is one is told to nobody here.
        if not may_see and misconduct.find(body) is not None:
            continue
        few = respondents[(unit_id, code)] < release_rule.least
        if not may_see and (
            few
            or unreleased[code].holds(unit_id, day, channel)
            or response_id in unreleased[code].late
        ):
            withheld += 1
        else:
            found.append(
                Comment(
                    unit=unit_result(node),
                    questionnaire=code,
                    item=item,
                    body=body,
                )
            )
    found.sort(key=lambda c: (c.unit.code, c.questionnaire, c.item, _shuffled(c.body)))
    record(
        session,
        "comments.read",
        month,
        units=sorted({comment.unit.code for comment in found}),
        questionnaire=questionnaire,
        comments=len(found),
    )
    return Comments(month=month, withheld=withheld, comments=found)


def _placed(
    session: Session, caller: Caller, day: date, today: date
) -> tuple[UnitTree, dict[int, UnitNode], frozenset[int] | None]:
    """Nodes of a structure where comments may be read, the node of each unit of all times, and
    the units; None for all of them.

    A text is not divided: what shares deal out is told at the lowest node that holds all of it.
    """
    whole = visible.structure(session, day)
    granted = scope.unit_ids(session, caller, Right.READ_COMMENTS)
    theirs = None
    tree = whole.tree
    if granted is not None:
        theirs = frozenset(carried_back(visible.units_of_all_times(session), granted, today))
        tree = whole.among(readable_nodes(whole, theirs))
    node_of: dict[int, UnitNode] = {}
    for id, placement in whole.placements.items():
        lines = [[node, *(n.id for n in whole.tree.above(node))] for node, _ in placement.parts]
        at = next((n for n in lines[0] if all(n in line for line in lines)), None)
        if at in tree.nodes:
            node_of[id] = tree.nodes[at]
    return tree, node_of, theirs


def _respondents(
    session: Session, codes: Mapping[int, str], days: Span
) -> Counter[tuple[int, str]]:
    """How many respondents count for each unit and questionnaire, as its rate says."""
    counted: Counter[tuple[int, str]] = Counter()
    for version in published(session):
        if version.id in codes:
            rows = queries.read(session, version, first=days.first, last=days.last)
            n = rows.cells["sums"][:, 0, SUMS.index("n")]
            for unit_id, number in zip(rows.unit_id.tolist(), n.tolist(), strict=True):
                counted[(unit_id, codes[version.id])] += int(number)
    return counted


def _unreleased(
    session: Session, codes: set[str], release_rule: ReleaseRule, exempt: frozenset[int] | None
) -> dict[str, Unreleased]:
    """What is unreleased of each questionnaire; nothing for whoever is told everything."""
    versions = {code: visible.versions_of(session, code) for code in codes}
    found = {
        code: find_unreleased(session, versions[code], release_rule, exempt)
        for code in sorted(codes)
    }
    return {code: unreleased for code, unreleased in found.items() if unreleased is not None}


def _shuffled(body: str) -> bytes:
    return hashlib.sha256(body.encode("utf-8", "replace")).digest()
