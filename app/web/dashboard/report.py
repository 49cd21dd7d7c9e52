"""The page with the buttons that make a report."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from app.dependencies import DatabaseDependency, SettingsDependency
from app.messages.words import Words
from app.reports.views.context import NothingToShow, ViewContext
from app.web.dashboard.routes import Choices, Linked, Reader, choices, nothing_page
from app.web.pages import language_of, render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class ReportPage:
    """What a report may be about."""

    words: Words
    unit: str
    questionnaire: str
    period: str
    choices: Choices
    #: The tree of units that the page shows; nothing for the usual one of each figure.
    structure: str = ""


@router.get("/dashboard/report")
def show_report(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Reader,
    linked: Linked,
) -> Response:
    """Offer reports as PDF, DOCX and XLSX. Who: ``figures:read``."""
    words = Words(language_of(request, caller))
    with database.reading() as session:
        try:
            context = ViewContext.of(session, caller, settings, linked.chosen)
        except NothingToShow:
            return nothing_page(request, caller)
        page = ReportPage(
            words,
            context.unit.code if context.unit else "",
            context.questionnaire,
            context.span.name,
            choices(context, words),
            str(linked.parts["structure"] or ""),
        )
    return render(request, caller, "dashboard/report.html", page)
