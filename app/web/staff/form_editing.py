"""Pages where one part of a questionnaire's draft is written: its form, saving, removing, moving.

What is typed can be tried in the preview before it is saved: the form's own button sends it there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from app.access.callers import Person
from app.access.doors import FormLimits
from app.dependencies import DatabaseDependency
from app.messages import house_language
from app.problems import FieldError, InvalidFields, Problem
from app.registry.form_drafts import Draft, DraftTooLarge, change_draft, draft
from app.web.pages import (
    EMPTY,
    Form,
    Number,
    QueryText,
    go_to,
    language_of,
    render,
    typed_fields,
    whole_number,
)
from app.web.staff.form_parts import (
    KINDS,
    MORE_ROWS,
    OPTIONS,
    WAY_OUT,
    Fields,
    Part,
    fields_of_factor,
    fields_of_form,
    fields_of_item,
    fields_of_scale,
    fields_of_scoring,
    form_in,
    item_in,
    problem_of,
    rows_of,
    scale_in,
    text_in,
)
from app.web.staff.form_previews import EDITORS, OnDevice, framing, previewed
from surveys import editing
from surveys.editing import AnyItem, ItemPlace, NoSuchPart
from surveys.model import RatedItem, Sketch, SketchedFactor, Text
from surveys.numbers import Language

router = APIRouter(prefix="/questionnaires/drafts", include_in_schema=False)

#: An item with as many options as there may be has some hundred fields in each language.
LIMITS: FormLimits = {"max_files": 0, "max_fields": 2000, "max_part_size": 64 * 1024}
Act = Literal["save", "show", "remove", "up", "down"]
_BESIDE = {"up": -1, "down": 1}


class NoSuchPartOfDraft(Problem):
    """The draft has no such question, part or scale: somebody may have removed it."""

    code, status = "no-such-part", 404


@dataclass(frozen=True)
class PartPage:
    """A part of a draft to be changed."""

    draft: Draft
    part: Part
    #: Which of its kind; empty for a new one, or where there is but one.
    at: str
    #: What it is called, for the heading; empty for a new one.
    name: str
    form: Form
    #: Items before it that may be asked after, with what they may be answered.
    earlier: Sequence[tuple[AnyItem, Sequence[tuple[int, Text | None]]]] = ()
    kinds: Sequence[str] = KINDS
    with_options: Sequence[str] = OPTIONS
    with_way_out: Sequence[str] = WAY_OUT

    @property
    def languages(self) -> Mapping[str, str]:
        """The languages side by side."""
        return self.draft.sketch.spoken

    @property
    def is_new(self) -> bool:
        """Whether there is none yet."""
        return self.part in ("scale", "factor", "item") and not self.name

    def rows(self, name: str) -> range:
        """The rows of a list."""
        return rows_of(self.form.values, name, 2 if name == "language" else MORE_ROWS)

    def ticked(self, field: str) -> bool:
        """Whether a box stands ticked."""
        return field in self.form.values

    @property
    def values_of(self) -> Sequence[tuple[int, Text | None]]:
        """What the item that is asked after may be answered."""
        asked = self.form.value("if")
        return next((values for item, values in self.earlier if item.code == asked), ())

    @property
    def shown_at(self) -> str:
        """Where the preview begins: at the question, or at the factor's first one."""
        factors = self.draft.sketch.factors
        if self.part == "item" and self.name:
            return f"#q-{self.form.value('code', self.name)}"
        if self.part == "factor" and self.name and factors[int(self.at)].items:
            return f"#q-{factors[int(self.at)].items[0].code}"
        return ""

    @property
    def query(self) -> str:
        """What the address of the preview carries of this part."""
        return urlencode({"part": self.part, "at": self.at})


PartFields = Annotated[Fields, Depends(typed_fields(LIMITS))]
PartQuery = Annotated[Part, Query()]


@router.get("/{id}/edit")
def edit(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    id: Number,
    part: PartQuery = "form",
    at: QueryText = "",
) -> Response:
    """Show the form of a part. Who: ``questionnaires:edit`` everywhere."""
    with database.reading() as session:
        found = draft(session, id)
    fields = _fields(found.sketch, part, at, _tongue(request, caller))
    return _shown(request, caller, found, part, at, Form(fields, {}))


@router.post("/{id}/edit", form_limits=LIMITS)
def change(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    fields: PartFields,
    id: Number,
    part: PartQuery = "form",
    at: QueryText = "",
) -> Response:
    """Keep a part as it was typed, or remove or move it.

    Who: ``questionnaires:edit`` everywhere.
    """
    with database.reading() as session:
        found = draft(session, id)
    act, revision = fields.get("act", "save"), fields.get("revision", "")
    tongue = _tongue(request, caller)
    if act == "show":
        return _shown(request, caller, found, part, at, Form(fields, {}))
    try:
        sketch, to = _changed(found.sketch, part, at, fields, act, tongue)
        with database.writing(caller.name) as session:
            change_draft(session, id, whole_number(revision) or 0, sketch, caller.name)
    except (InvalidFields, DraftTooLarge) as problem:
        errors = _errors(problem, request, caller)
        return _shown(request, caller, found, part, at, Form(fields, errors), problem.status)
    if act in _BESIDE:
        return go_to(f"/questionnaires/drafts/{id}/edit?{urlencode({'part': part, 'at': to})}")
    return go_to(f"/questionnaires/drafts/{id}", "draft_saved", f"{part}-{to}" if to else part)


@router.post("/{id}/preview", form_limits=LIMITS)
def preview_unsaved(
    request: Request,
    caller: Annotated[Person, Depends(EDITORS)],
    database: DatabaseDependency,
    fields: PartFields,
    id: Number,
    part: PartQuery = "form",
    at: QueryText = "",
    device: OnDevice = "phone",
) -> Response:
    """Show a draft with a part as it is typed, keeping nothing.

    Who: ``questionnaires:edit`` everywhere.
    """
    with database.reading() as session:
        found = draft(session, id)
    try:
        sketch, _ = _changed(found.sketch, part, at, fields, "save", _tongue(request, caller))
    except InvalidFields as problem:
        language = language_of(request, caller)
        said = [each.detail(language) for each in problem.errors]
        return previewed(request, found.sketch, device, list(dict.fromkeys(said)))
    return previewed(request, sketch, device)


def _tongue(request: Request, caller: Person) -> Language:
    return house_language(language_of(request, caller))


def _errors(problem: Problem, request: Request, caller: Person) -> dict[str, str]:
    language = language_of(request, caller)
    if not isinstance(problem, InvalidFields):
        return {"form": problem.detail(language)}
    errors: dict[str, str] = {}
    for error in problem.errors:
        errors.setdefault(error.field, error.detail(language))
    return errors


def _fields(sketch: Sketch, part: Part, at: str, tongue: Language) -> dict[str, str]:
    """The fields of a part as it is; of a new one, what it begins with."""
    found: dict[str, str] = {}
    try:
        match part:
            case "form":
                found = fields_of_form(sketch)
            case "scoring":
                found = fields_of_scoring(sketch)
            case "scale" if at:
                found = fields_of_scale(at, sketch.scales[at])
            case "factor" if at:
                found = fields_of_factor(editing.factor_at(sketch, _number(at)))
            case "item":
                found = _fields_of_item(sketch, ItemPlace.read(at or "more"), tongue)
    except (NoSuchPart, KeyError) as missing:
        raise NoSuchPartOfDraft from missing
    return found


def _fields_of_item(sketch: Sketch, place: ItemPlace, tongue: Language) -> dict[str, str]:
    if place.number is not None:
        return fields_of_item(editing.item_at(sketch, place), place, tongue)
    editing.group(sketch, place)
    scale = next(iter(sketch.scales), "")
    kind = "rated" if place.factor is not None and scale else "single_choice"
    return {"kind": kind, "scale": scale, "group": str(place)}


def _changed(
    sketch: Sketch, part: Part, at: str, fields: Fields, act: str, tongue: Language
) -> tuple[Sketch, str]:
    """A sketch with a part as it was typed, removed or moved; and which of its kind it is then."""
    try:
        match part:
            case "form":
                return _form_changed(sketch, fields), ""
            case "scoring":
                return _scoring_changed(sketch, fields), ""
            case "scale":
                return _scale_changed(sketch, at, fields, act)
            case "factor":
                return _factor_changed(sketch, at, fields, act)
            case "item":
                return _item_changed(sketch, at, fields, act, tongue)
    except NoSuchPart as missing:
        raise NoSuchPartOfDraft from missing


def _form_changed(sketch: Sketch, fields: Fields) -> Sketch:
    said = form_in(fields, sketch.spoken)
    try:
        return editing.with_general(sketch, said)
    except ValidationError as error:
        raise problem_of(error) from error


def _scoring_changed(sketch: Sketch, fields: Fields) -> Sketch:
    index = [each.code for each in sketch.factors if f"index.{each.code}" in fields]
    leave_out = [each.code for each in sketch.items if f"leave_out.{each.code}" in fields]
    return editing.with_scoring(sketch, list(dict.fromkeys(index)), list(dict.fromkeys(leave_out)))


def _scale_changed(sketch: Sketch, at: str, fields: Fields, act: str) -> tuple[Sketch, str]:
    if act == "remove":
        return editing.without_scale(sketch, at), ""
    name = " ".join(fields.get("name", "").split())
    if not name or len(name) > 60:
        raise _refusal(FieldError("name", "questionnaires.scale_name"))
    if name != at and name in sketch.scales:
        raise _refusal(FieldError("name", "questionnaires.scale_twice", {"name": name}))
    return editing.with_scale(sketch, name, at, scale_in(fields, sketch.spoken)), name


def _factor_changed(sketch: Sketch, at: str, fields: Fields, act: str) -> tuple[Sketch, str]:
    number = _number(at) if at else None
    if number is not None and act == "remove":
        return editing.without_factor(sketch, number), ""
    if number is not None and act in _BESIDE:
        sketch, to = editing.with_factor_moved(sketch, number, _BESIDE[act])
        return sketch, str(to)
    code = fields.get("code", "").strip()
    title = text_in(fields, "title", sketch.spoken)
    try:
        SketchedFactor(code=code, title=title)
    except ValidationError as error:
        raise problem_of(error) from error
    made = editing.with_factor(sketch, number, code, title)
    return made, str(len(made.factors) - 1 if number is None else number)


def _item_changed(
    sketch: Sketch, at: str, fields: Fields, act: str, tongue: Language
) -> tuple[Sketch, str]:
    place = ItemPlace.read(at)
    if place.number is not None and act == "remove":
        return editing.without_item(sketch, place), ""
    if place.number is not None and act in _BESIDE:
        sketch, place = editing.with_item_moved(sketch, place, _BESIDE[act])
        return sketch, str(place)
    item = item_in(fields, sketch.spoken, tongue)
    to = ItemPlace.read(fields.get("group", "") or str(ItemPlace(place.factor)))
    if to.number is not None:
        raise NoSuchPart(str(to))
    if to.factor is None and isinstance(item, RatedItem) and not sketch.scales:
        raise _refusal(FieldError("scale", "form_rule.no_scale"))
    made = editing.with_item(sketch, place, item, to)
    if place.number is not None and to.factor == place.factor:
        return made, str(place)
    return made, str(ItemPlace(to.factor, len(editing.group(made, to)) - 1))


def _refusal(error: FieldError) -> InvalidFields:
    return InvalidFields(errors=[error], count=1)


def _number(at: str) -> int:
    if not (at.isascii() and at.isdecimal() and len(at) <= 4):
        raise NoSuchPart(at)
    return int(at)


def _shown(
    request: Request,
    caller: Person,
    found: Draft,
    part: Part,
    at: str,
    form: Form = EMPTY,
    status: int = 200,
) -> Response:
    sketch = found.sketch
    earlier: list[tuple[AnyItem, Sequence[tuple[int, Text | None]]]] = []
    if part == "item":
        place = _place(at)
        for there, item in editing.placed(sketch):
            if there == place:
                break
            if values := editing.choices(sketch, item):
                earlier.append((item, values))
    name = _name(sketch, part, at, _tongue(request, caller))
    page = PartPage(found, part, at, name, form, earlier)
    return framing(render(request, caller, "staff/form_part.html", page, status))


def _place(at: str) -> ItemPlace:
    try:
        return ItemPlace.read(at or "more")
    except NoSuchPart as missing:
        raise NoSuchPartOfDraft from missing


def _name(sketch: Sketch, part: Part, at: str, tongue: Language) -> str:
    """What a part is called; nothing of a new one."""
    known = _fields(sketch, part, at, tongue)
    if part == "item":
        return known.get("code", "")
    return known.get("code", "") if part == "factor" else known.get("name", "")
