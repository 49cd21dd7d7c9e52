"""Whom a page's units serve, so that a commune reads of files and a ward of patients."""

from __future__ import annotations

from dataclasses import replace

from app.messages.words import Served, Words
from app.registry.models import UnitKind
from app.reports.views.results import ViewHead

#: Kinds of units that serve patients, and those to whom people bring files.
_PATIENTS = (UnitKind.HOSPITAL, UnitKind.HEALTH_CENTRE, UnitKind.WARD)
_FILES = (UnitKind.AGENCY, UnitKind.DISTRICT, UnitKind.COMMUNE, UnitKind.DESK)


def about(words: Words, view: ViewHead) -> Words:
    """The words on a page: about which unit, and what its units, or those compared, serve."""
    kind = view.kind or (view.unit.kind if view.unit else None)
    served: Served = "visits" if kind in _PATIENTS else "cases" if kind in _FILES else "either"
    return replace(words.about(view.unit), served=served)
