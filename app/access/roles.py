"""Roles: which rights each has, and on what it may be granted. docs/rights.md shows the table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.access.models import Right


class Role(StrEnum):
    """What a person is to this service; several at once on several units are usual."""

    OPERATOR = "operator"
    PROVINCIAL_ANALYST = "provincial-analyst"
    DEPARTMENT_ANALYST = "department-analyst"
    UNIT_HEAD = "unit-head"
    DESK_STAFF = "desk-staff"
    CARE_DESK = "care-desk"
    AUDITOR = "auditor"


_ANALYST = frozenset(
    {
        Right.READ_FIGURES,
        Right.READ_SMALL_CELLS,
        Right.READ_COMMENTS,
        # Not a head's, who could tell from a row which of her visitors it is; nor an auditor's.
        Right.READ_RESPONSES,
        Right.READ_ANONYMOUS,
        Right.READ_REGISTRY,
        # Not a head's: who is judged by limits does not draw them.
        Right.DECIDE_LIMITS,
        Right.NOTE_ACTIONS,
        Right.READ_BATCHES,
        # Nor does who is suspected decide on it.
        Right.REVIEW_BATCHES,
        # Where no unit has a care desk, somebody above has to deal with them.
        Right.READ_CASES,
        Right.HANDLE_CASES,
    }
)
RIGHTS: Mapping[Role, frozenset[Right]] = {
    # Runs the service and reads nobody's words; may give itself more, which the log shows.
    Role.OPERATOR: frozenset(
        {
            Right.READ_FIGURES,
            Right.READ_REGISTRY,
            Right.MANAGE_POINTS,
            Right.READ_ACCESS,
            Right.MANAGE_ACCESS,
            Right.READ_AUDIT,
            Right.IMPORT_HISTORY,
            # As by the commands.
            Right.EDIT_QUESTIONNAIRES,
        }
    ),
    # The list of themes is one for all, and so are questionnaires.
    Role.PROVINCIAL_ANALYST: _ANALYST | {Right.EDIT_THEMES, Right.EDIT_QUESTIONNAIRES},
    # The same rights on the units of its sector alone.
    Role.DEPARTMENT_ANALYST: _ANALYST,
    # A head knows her patients: of few respondents she sees neither rates nor words.
    Role.UNIT_HEAD: frozenset(
        {
            Right.READ_FIGURES,
            Right.READ_COMMENTS,
            Right.READ_REGISTRY,
            Right.MANAGE_POINTS,
            Right.NOTE_ACTIONS,
            Right.READ_BATCHES,
            # She answers to her unit's citizens; of what speaks of misconduct she is not told.
            Right.READ_CASES,
            Right.HANDLE_CASES,
        }
    ),
    Role.DESK_STAFF: frozenset({Right.READ_FIGURES, Right.READ_REGISTRY, Right.MANAGE_POINTS}),
    # Receives complaints and suggestions: of its unit and those below, or of all.
    Role.CARE_DESK: frozenset(
        {Right.READ_FIGURES, Right.READ_REGISTRY, Right.READ_CASES, Right.HANDLE_CASES}
    ),
    # Reads all and changes nothing.
    Role.AUDITOR: frozenset(
        {
            Right.READ_FIGURES,
            Right.READ_SMALL_CELLS,
            Right.READ_COMMENTS,
            # May look whether figures follow from answers; whose they are is nothing to them.
            Right.READ_ANONYMOUS,
            Right.READ_REGISTRY,
            Right.READ_ACCESS,
            Right.READ_AUDIT,
            Right.READ_BATCHES,
            Right.READ_CASES,
        }
    ),
}
#: Roles that mean nothing without a unit.
NEED_UNIT = frozenset({Role.UNIT_HEAD, Role.DESK_STAFF})
#: Roles that mean nothing without a sector; the others have none.
NEED_SECTOR = frozenset({Role.DEPARTMENT_ANALYST})
#: What a key may open: a key never manages who may do what.
OF_KEYS = frozenset(
    {
        Right.IMPORT_HISTORY,
        Right.INVITE,
        Right.READ_FIGURES,
        Right.READ_SMALL_CELLS,
        Right.READ_COMMENTS,
        Right.READ_RESPONSES,
        Right.READ_ANONYMOUS,
        Right.READ_REGISTRY,
        Right.DECIDE_LIMITS,
        Right.NOTE_ACTIONS,
        Right.READ_BATCHES,
        Right.REVIEW_BATCHES,
        Right.READ_CASES,
        Right.HANDLE_CASES,
    }
)

#: Roles that head or watch units: to whom the digest of each month goes.
HEADING = frozenset({Role.UNIT_HEAD, Role.DEPARTMENT_ANALYST, Role.PROVINCIAL_ANALYST})
