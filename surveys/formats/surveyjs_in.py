"""Reads SurveyJS forms: pages and panels of questions, in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from surveys.formats.expressions import clauses
from surveys.formats.fhir_in import json_object
from surveys.formats.findings import Findings, FormUnreadable, Place
from surveys.formats.outline import (
    Choice,
    Clause,
    FormMark,
    Group,
    Mark,
    Outline,
    Question,
    form_mark_of,
    mark_of,
)
from surveys.formats.wordings import language_of

_NAMES = {"vi": "Tiếng Việt", "en": "English"}
_DEEPEST = 20
#: What a question may hold that says how it looks, or is read.
_READ = {
    "type", "name", "title", "isRequired", "visibleIf", "choices", "rateValues", "rateMin",
    "rateMax", "rateCount", "rateStep", "maxLength", "inputType", "min", "max", "step", "hailong",
    "autoGenerate", "titleLocation", "hideNumber", "placeholder", "colCount", "rows", "columns",
    "minRateDescription", "maxRateDescription", "elements", "labelTrue", "labelFalse", "validators",
    "valueTrue", "valueFalse", "displayMode", "startWithNewLine", "width", "minWidth", "maxWidth",
    "showNoneItem", "noneText", "hasNone", "rateType", "state", "showNumber", "questionStartIndex",
    "description", "defaultValue", "correctAnswer", "readOnly", "hasOther", "showOtherItem",
    "choicesByUrl", "hasComment", "showCommentArea", "searchEnabled", "descriptionLocation",
}  # fmt: skip
_LISTS = {"radiogroup": "one", "dropdown": "one", "buttongroup": "one", "imagepicker": "one",
          "checkbox": "many", "tagbox": "many"}  # fmt: skip
Node = Mapping[str, Any]


def read_surveyjs(content: bytes, findings: Findings) -> Outline:
    """The outline of a form of SurveyJS.

    Raises
    ------
    FormUnreadable
        Where it has no pages and no elements.
    """
    document = json_object(content)
    if not isinstance(document.get("pages", document.get("elements")), list):
        raise FormUnreadable("formats.not_surveyjs")
    return _Reading(document, findings).outline()


class _Reading:
    def __init__(self, document: Node, findings: Findings) -> None:
        self._document, self._findings = document, findings
        self._default = language_of(str(document.get("locale") or ""))
        self._languages: dict[str, str] = {}

    def outline(self) -> Outline:
        document = self._document
        written = document.get("hailong")
        mark = form_mark_of(written) if isinstance(written, str) else None
        if written and mark is None:
            self._findings.add(Place("hailong"), "formats.mark")
        pages = document.get("pages", [{"elements": document.get("elements")}])
        groups = [g for n, page in enumerate(pages) for g in self._page(page, f"pages[{n}]")]
        texts = self._texts(document.get("title"))
        languages = {**self._languages, **(mark.languages if mark else {})}
        return Outline("", texts, tuple(groups), "", self._default, languages, mark or FormMark())

    def _texts(self, value: object) -> dict[str, str]:
        """A wording, or wordings by language, of which ``default`` is that of the form."""
        if isinstance(value, str | int | float):
            return {self._default: str(value)}
        if not isinstance(value, dict):
            return {}
        found: dict[str, str] = {}
        for name, text in value.items():
            code = self._default if name == "default" else language_of(str(name))
            if isinstance(text, str) and (code or name == "default"):
                found[code] = text
                if code:
                    self._languages.setdefault(code, _NAMES.get(code, code))
        return found

    def _page(self, page: object, path: str) -> Iterator[Group]:
        if not isinstance(page, dict):
            return
        around = self._condition(page, ((), ""))
        run: list[Question] = []
        for n, element in enumerate(_objects(page, "elements")):
            place = Place(f"{path}.elements[{n}]")
            if element.get("type") == "panel":
                if run:
                    yield self._run(page, run, path)
                    run = []
                inside = tuple(self._inside(element, place, around, 1))
                name = str(element.get("name") or "panel")
                yield Group(name, self._texts(element.get("title")), inside, place)
            else:
                run += self._questions(element, place, around, 0)
        if run:
            yield self._run(page, run, path)

    def _run(self, page: Node, run: list[Question], path: str) -> Group:
        texts = self._texts(page.get("title"))
        code = str(page.get("name") or "page") if texts else ""
        return Group(code, texts, tuple(run), Place(path))

    def _condition(
        self, node: Node, around: tuple[tuple[Clause, ...], str]
    ) -> tuple[tuple[Clause, ...], str]:
        written = node.get("visibleIf")
        if not isinstance(written, str) or not written.strip():
            return around
        said = " and ".join(filter(None, (around[1], written)))
        read = clauses(written)
        if read is None or (around[1] and not around[0]):
            return (), said
        return (*around[0], *(c for c in read if c not in around[0])), said

    def _inside(
        self, node: Node, place: Place, around: tuple[tuple[Clause, ...], str], depth: int
    ) -> Iterator[Question]:
        if depth > _DEEPEST:
            raise FormUnreadable("formats.too_deep", place, most=_DEEPEST)
        around = self._condition(node, around)
        for n, element in enumerate(_objects(node, "elements")):
            where = Place(f"{place.part}.elements[{n}]")
            if element.get("type") == "panel":
                self._findings.add(where, "formats.nested_group", group=str(element.get("name")))
                yield from self._inside(element, where, around, depth + 1)
            else:
                yield from self._questions(element, where, around, depth)

    def _questions(
        self, node: Node, place: Place, around: tuple[tuple[Clause, ...], str], depth: int
    ) -> Iterator[Question]:
        sort, code = str(node.get("type") or ""), str(node.get("name") or "")
        conditions, said = self._condition(node, around)
        written = node.get("hailong")
        mark = mark_of(written) if isinstance(written, str) else None
        if written and mark is None:
            self._findings.add(place, "formats.mark")
        length = node.get("maxLength")
        question = Question(
            code, "text", self._texts(node.get("title")) or self._texts(node.get("placeholder"))
            or {self._default: code}, place, required=node.get("isRequired") is True,
            conditions=conditions, condition_text=said, mark=mark or Mark(),
            max_length=length if type(length) is int and length > 0 else None, list_name=code,
        )  # fmt: skip
        self._beside(node, place, code)
        if sort == "comment":
            yield replace(question, long=True)
        elif sort == "text":
            yield from self._field(node, question, place)
        elif sort in _LISTS:
            choices = tuple(self._listed(node, "choices", place))
            if node.get("showNoneItem") or node.get("hasNone"):
                self._findings.add(place, "formats.none_item", code=code)
            kind = "one" if _LISTS[sort] == "one" else "many"
            yield replace(
                question, kind=kind, choices=choices,  # type: ignore[arg-type]
                list_name=question.mark.scale or code,
            )  # fmt: skip
        elif sort == "rating":
            yield self._rating(node, question, place)
        elif sort == "boolean":
            yield replace(question, kind="one", choices=self._yes_no(node))
        elif sort == "matrix":
            yield from self._matrix(node, question, place)
        else:
            self._findings.add(place, "formats.type", type=sort, code=code)

    def _field(self, node: Node, question: Question, place: Place) -> Iterator[Question]:
        sort = str(node.get("inputType") or "text")
        if sort in ("number", "range"):
            low, high = node.get("min"), node.get("max")
            whole = question.mark.kind != "number" and node.get("step", 1) in (1, "1")
            decimals: int | None = 0 if whole else question.mark.decimals
            yield replace(
                question, kind="number", decimals=decimals, max_length=None,
                minimum=low if isinstance(low, int | float) else None,
                maximum=high if isinstance(high, int | float) else None,
            )  # fmt: skip
        elif sort == "text":
            yield question
        elif sort in ("email", "tel", "url", "password"):
            self._findings.add(place, "formats.device_data", type=sort, code=question.code)
        else:
            self._findings.add(place, "formats.type", type=sort, code=question.code)

    def _listed(self, node: Node, name: str, place: Place) -> Iterator[Choice]:
        values = node.get(name)
        for n, value in enumerate(values if isinstance(values, list) else []):
            where = Place(f"{place.part}.{name}[{n}]")
            if isinstance(value, dict):
                code = str(value.get("value"))
                texts = self._texts(value.get("text")) or {self._default: code}
                if value.get("visibleIf") or value.get("enableIf"):
                    self._findings.add(where, "formats.choice_filter", code=str(node.get("name")))
                yield Choice(code, texts, where)
            elif isinstance(value, str | int | float):
                yield Choice(str(value), {self._default: str(value)}, where)

    def _rating(self, node: Node, question: Question, place: Place) -> Question:
        choices = tuple(self._listed(node, "rateValues", place))
        if not choices:
            low, high = node.get("rateMin", 1), node.get("rateMax")
            if not isinstance(low, int):
                low = 1
            if not isinstance(high, int):
                count = node.get("rateCount", 5)
                high = low + (count if isinstance(count, int) else 5) - 1
            high = min(high, low + 99)
            if (low, high) == (0, 10):
                mark = question.mark if question.mark.kind else Mark("zero_to_ten")
                return replace(question, kind="number", minimum=0, maximum=10, mark=mark)
            ends = {low: node.get("minRateDescription"), high: node.get("maxRateDescription")}
            choices = tuple(
                Choice(str(n), self._texts(ends.get(n)) or {self._default: str(n)}, place)
                for n in range(low, high + 1)
            )
        name = question.mark.scale or question.code
        return replace(question, kind="one", choices=choices, is_scale=True, list_name=name)

    def _yes_no(self, node: Node) -> tuple[Choice, Choice]:
        yes = self._texts(node.get("labelTrue")) or {"vi": "Có", "en": "Yes"}
        no = self._texts(node.get("labelFalse")) or {"vi": "Không", "en": "No"}
        return Choice("true", yes), Choice("false", no)

    def _matrix(self, node: Node, question: Question, place: Place) -> Iterator[Question]:
        columns = tuple(self._listed(node, "columns", place))
        self._findings.add(place, "formats.array", code=question.code)
        for row in self._listed(node, "rows", place):
            texts = {
                language: f"{stem} – {row.texts.get(language, row.code)}"
                for language, stem in question.texts.items()
            }
            yield replace(
                question, code=f"{question.code}_{row.code}", kind="one", texts=texts,
                choices=columns, place=row.place,
            )  # fmt: skip

    def _beside(self, node: Node, place: Place, code: str) -> None:
        for name, reason in (
            ("description", "formats.hint"), ("defaultValue", "formats.default"),
            ("readOnly", "formats.readonly"), ("hasOther", "formats.or_other"),
            ("showOtherItem", "formats.or_other"), ("choicesByUrl", "formats.value_set_outside"),
            ("hasComment", "formats.or_other"), ("showCommentArea", "formats.or_other"),
        ):  # fmt: skip
            if node.get(name):
                self._findings.add(place, reason, code=code)
        if node.get("validators"):
            said = ", ".join(str(v.get("type")) for v in _objects(node, "validators"))
            self._findings.add(place, "formats.constraint", code=code, constraint=said)
        if strange := sorted(set(node) - _READ):
            names = ", ".join(str(name) for name in strange)[:200]
            self._findings.add(place, "formats.attributes", code=code, names=names)


def _objects(node: Node, name: str) -> list[dict[str, Any]]:
    value = node.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
