"""A questionnaire as a phone and as a kiosk show it, before anybody answers it.

The pages are those of citizens and kiosks, and send nothing. They stand in frames of the pages
where questionnaires are written, and may stand in no other site's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Right
from app.dependencies import DatabaseDependency
from app.intake.ids import new_id
from app.messages import house_language, say
from app.registry.form_drafts import draft
from app.registry.questionnaires import version_of
from app.web.citizen.filling import html_of
from app.web.citizen.form_fields import FormFields
from app.web.citizen.languages import chosen
from app.web.citizen.shown import POLICY, STYLES
from app.web.citizen.wishes import Wish
from app.web.kiosk.routes import words_in
from app.web.pages import PRIVATE, Number, fill
from app.web.security import CONTENT_SECURITY_POLICY
from app.web.staff.form_words import FormWords
from surveys.consistency import broken
from surveys.model import Sketch

router = APIRouter(prefix="/questionnaires", include_in_schema=False)

EDITORS = PageDoor(Right.EDIT_QUESTIONNAIRES, everywhere=True)
Device = Literal["phone", "kiosk"]
OnDevice = Annotated[Device, Query()]


@dataclass(frozen=True)
class PreviewSurvey:
    """What a form shows of where it stands: nowhere yet."""

    spoken: Mapping[str, str]
    path: str = ""
    synthetic: bool = False

    def name(self, language: str) -> str:
        """In the place of the unit's name."""
        return say("questionnaires.preview_unit", house_language(language))


@dataclass(frozen=True)
class PreviewPage:
    """A citizen's form as it would be opened; nothing that is done there is kept."""

    survey: PreviewSurvey
    fields: FormFields
    id: str
    opened: int = 0
    token: str = ""
    sent: Mapping[str, Sequence[str]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    trouble: str | None = None
    anew: bool = True
    wish: Wish = field(default_factory=Wish)
    styles: str = STYLES
    preview: bool = True


@dataclass(frozen=True)
class KioskPreviewPage:
    """What the kiosk's program gets of a questionnaire."""

    form: Mapping[str, Any]
    languages: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class NoPreviewPage:
    """Why there is nothing to be shown yet."""

    reasons: Sequence[str]
    styles: str = STYLES


@router.get("/{code}/versions/{version}/preview")
def preview_version(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    code: str,
    version: Number,
    device: OnDevice = "phone",
) -> Response:
    """Show a published version as a device does. Who: ``questionnaires:edit`` everywhere."""
    with database.reading() as session:
        form = version_of(session, code, version).form
    return previewed(request, form, device)


@router.get("/drafts/{id}/preview")
def preview_draft(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    id: Number,
    device: OnDevice = "phone",
) -> Response:
    """Show a draft as a device does. Who: ``questionnaires:edit`` everywhere."""
    with database.reading() as session:
        sketch = draft(session, id).sketch
    return previewed(request, sketch, device)


def previewed(
    request: Request, sketch: Sketch, device: Device, mistakes: Sequence[str] = ()
) -> Response:
    """A sketch as a device shows it, or why it cannot be shown."""
    said = FormWords.of(chosen(request), sketch)
    reasons = [*mistakes, *(said.breach(each) for each in broken(sketch))]
    if not reasons and not any(True for _ in sketch.items):
        reasons = [say("questionnaires.no_item", chosen(request))]
    if reasons:
        shown = html_of(request, "staff/no_preview.html", NoPreviewPage(reasons))
    elif device == "phone":
        survey = PreviewSurvey(sketch.spoken, request.url.path)
        page = PreviewPage(survey, FormFields(sketch), new_id())
        shown = html_of(request, "citizen/form.html", page, sketch.spoken)
    else:
        shown = _kiosk(request, sketch)
        return shown
    return framed(shown, POLICY)


def _kiosk(request: Request, sketch: Sketch) -> Response:
    page = KioskPreviewPage(
        sketch.model_dump(mode="json", by_alias=True),
        sketch.spoken,
        {language: words_in(language) for language in sketch.spoken},
    )
    language = chosen(request, sketch.spoken)
    html = fill("staff/kiosk_preview.html", language, page)
    shown = Response(html, media_type="text/html; charset=utf-8", headers=dict(PRIVATE))
    return framed(shown, CONTENT_SECURITY_POLICY)


def framed(shown: Response, policy: str) -> Response:
    """A page that pages of ours may have in a frame, and no others."""
    shown.headers["Content-Security-Policy"] = policy.replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    )
    shown.headers["X-Frame-Options"] = "SAMEORIGIN"
    return shown


def framing(shown: Response) -> Response:
    """A page that has such frames."""
    shown.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return shown
