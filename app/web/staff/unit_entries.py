"""What pages of entries about a unit share: the unit, the forms that ask about it, the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Response
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.figures.results import Names
from app.messages.words import Words
from app.problems import FieldError, InvalidFields
from app.registry.points import units_asking
from app.registry.questionnaires import newest, published
from app.web.pages import go_to
from surveys import model


@dataclass(frozen=True)
class UnitShown:
    """The unit that a page is about, and all forms; ``asking`` are those it or one below asks."""

    id: int
    code: str
    name: str
    forms: Mapping[str, model.Questionnaire]
    asking: Sequence[str]

    def titles(self, words: Words) -> dict[str, str]:
        """What all forms are called, by their codes."""
        return {code: words.name(form.title) for code, form in self.forms.items()}


def unit_shown(session: Session, caller: Caller, given: str, words: Words) -> UnitShown:
    """The unit whose code stands in the address.

    Raises
    ------
    InvalidFields
        Where none is named.
    UnknownUnit
        Where the caller may not read its figures.
    """
    code = given.strip()
    if not code:
        missing = FieldError("unit", "field.missing", kind="parameter")
        raise InvalidFields(errors=[missing], count=1)
    units = scope.units(session, caller, Right.READ_FIGURES)
    node = units.find(code)
    within = set(units.below(node.id))
    forms = {code: version.form for code, version in newest(published(session)).items()}
    asking = [each for each in forms if units_asking(session, each) & within]
    name = words.name(Names(vi=node.name_vi, en=node.name_en))
    return UnitShown(node.id, node.code, name, forms, asking)


def back_to(page: str, unit: str, done: str) -> Response:
    """Lead to a unit's entries once one was kept or ended; ``done`` names what happened."""
    return go_to(f"{page}?unit={quote(unit, safe='')}", done)
