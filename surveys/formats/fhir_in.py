"""Reads a FHIR Questionnaire, R4 (``choice``) and R5 (``coding``) alike, from JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from surveys.formats.cells import text_content
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

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
MARK = "urn:hailong:mark"
_EXTENSIONS = "http://hl7.org/fhir/StructureDefinition/"
_TEXTS = {"string", "text", "url"}
_CHOICES = {"choice", "coding", "open-choice"}
_DEEPEST = 30
_LANGUAGE_NAMES = {"vi": "Tiếng Việt", "en": "English", "ru": "Русский", "uz": "Oʻzbekcha"}
Node = Mapping[str, Any]


def json_object(content: bytes) -> dict[str, Any]:
    """The object that a file in JSON holds.

    Raises
    ------
    FormUnreadable
        With the row and column of what is wrong.
    """
    try:
        document = json.loads(text_content(content))
    except json.JSONDecodeError as error:
        place = Place(row=error.lineno, column=str(error.colno))
        raise FormUnreadable("formats.not_json", place, said=error.msg) from error
    except (ValueError, RecursionError) as error:
        raise FormUnreadable("formats.not_json", said=str(error)[:200]) from error
    if not isinstance(document, dict):
        raise FormUnreadable("formats.not_json", said="no object")
    return document


def read_fhir(content: bytes, findings: Findings) -> Outline:
    """The outline of a Questionnaire.

    Raises
    ------
    FormUnreadable
        Where it is none, or its items have not the shape of items.
    """
    document = json_object(content)
    if document.get("resourceType") != "Questionnaire":
        raise FormUnreadable("formats.not_questionnaire", found=str(document.get("resourceType")))
    return _Reading(document, findings).outline()


class _Reading:
    def __init__(self, document: Node, findings: Findings) -> None:
        self._document, self._findings = document, findings
        self._language = language_of(str(document.get("language") or ""))
        self._languages: dict[str, str] = {}
        if self._language:
            self._languages[self._language] = self._named(self._language)
        self._sets = {
            str(each.get("id")): each
            for each in _objects(document, "contained")
            if each.get("resourceType") == "ValueSet"
        }
        self._groups: list[Group] = []
        self._run: list[Question] = []

    @staticmethod
    def _named(code: str) -> str:
        return _LANGUAGE_NAMES.get(code, code)

    def outline(self) -> Outline:
        for n, item in enumerate(_objects(self._document, "item")):
            place = Place(f"item[{n}]")
            if item.get("type") == "group":
                self._end_run()
                code, texts = self._code(item), self._texts(item, "text")
                found = tuple(self._inside(item, place, self._conditions(item, place), 1))
                self._beside(item, place, group=True)
                self._groups.append(Group(code or "group", texts, found, place))
            else:
                self._run += self._questions(item, place, ((), ""), 0)
        self._end_run()
        written = _extension(self._document, MARK, "valueString")
        mark = form_mark_of(str(written)) if written else None
        if written and mark is None:
            self._findings.add(Place("extension"), "formats.mark")
        document = self._document
        code = str(document.get("name") or document.get("id") or "")
        title = self._texts(document, "title") or {"": code}
        languages = {**self._languages, **(mark.languages if mark else {})}
        return Outline(
            code, title, tuple(self._groups), str(document.get("version") or ""), self._language,
            languages, mark or FormMark(),
        )  # fmt: skip

    def _end_run(self) -> None:
        if self._run:
            self._groups.append(Group("", {}, tuple(self._run), self._run[0].place))
        self._run = []

    def _texts(self, node: Node, name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        if isinstance(text := node.get(name), str):
            found[self._language] = text
        beside = node.get(f"_{name}")
        for each in _objects(beside if isinstance(beside, dict) else {}, "extension"):
            if each.get("url") == TRANSLATION:
                code = language_of(str(_extension(each, "lang", "valueCode") or ""))
                content = _extension(each, "content", "valueString") or _extension(
                    each, "content", "valueMarkdown"
                )
                if code and isinstance(content, str):
                    found.setdefault(code, content)
                    self._languages.setdefault(code, self._named(code))
        return found

    @staticmethod
    def _code(item: Node) -> str:
        return str(item.get("linkId") or "")

    def _inside(
        self, item: Node, place: Place, around: tuple[tuple[Clause, ...], str], depth: int
    ) -> Iterator[Question]:
        if depth > _DEEPEST:
            raise FormUnreadable("formats.too_deep", place, most=_DEEPEST)
        for n, each in enumerate(_objects(item, "item")):
            yield from self._questions(each, Place(f"{place.part}.item[{n}]"), around, depth + 1)

    def _questions(
        self, item: Node, place: Place, around: tuple[tuple[Clause, ...], str], depth: int
    ) -> Iterator[Question]:
        own = self._conditions(item, place)
        conditions = (*around[0], *(c for c in own[0] if c not in around[0]))
        written = " and ".join(filter(None, (around[1], own[1])))
        if (own[1] and not own[0]) or (around[1] and not around[0]):
            conditions = ()
        if item.get("type") == "group":
            if item.get("text"):
                self._findings.add(place, "formats.nested_group", group=self._code(item))
            self._beside(item, place, group=True)
        else:
            question = self._question(item, place)
            if question is not None:
                yield replace(question, conditions=conditions, condition_text=written)
        yield from self._inside(item, place, (conditions, written), depth)

    def _conditions(self, item: Node, place: Place) -> tuple[tuple[Clause, ...], str]:
        """The conditions that hold together, and all of it in words."""
        when = _objects(item, "enableWhen")
        found: list[Clause] = []
        words = []
        sound = True
        for each in when:
            answer = next((v for k, v in each.items() if k.startswith("answer")), None)
            if isinstance(answer, dict):
                answer = answer.get("code") or answer.get("display") or answer.get("value")
            if isinstance(answer, bool):
                answer = str(answer).lower()
            words.append(f"{each.get('question')} {each.get('operator')} {answer}")
            question, operator = str(each.get("question")), each.get("operator")
            if operator == "=" and answer is not None:
                found.append(Clause(question, (str(answer),)))
            elif operator in ("<", "<=", ">", ">=") and _is_number(answer):
                found.append(Clause(question, tests=((str(operator), float(answer)),)))
            else:
                sound = False
        any_of = item.get("enableBehavior") != "all"
        together = f" {'or' if any_of else 'and'} ".join(words)
        if not sound:
            return (), together
        if len(found) > 1 and any_of:
            if len({c.question for c in found}) > 1 or any(c.tests for c in found):
                return (), together
            codes = dict.fromkeys(code for c in found for code in c.codes)
            return (Clause(found[0].question, tuple(codes)),), together
        return tuple(found), together

    def _question(self, item: Node, place: Place) -> Question | None:
        sort, code = str(item.get("type") or ""), self._code(item)
        written = _extension(item, MARK, "valueString")
        mark = mark_of(str(written)) if written else None
        if written and mark is None:
            self._findings.add(place, "formats.mark")
        self._beside(item, place)
        question = Question(
            code, "text", self._texts(item, "text"), place,
            required=item.get("required") is True, mark=mark or Mark(),
            max_length=item["maxLength"] if type(item.get("maxLength")) is int else None,
        )  # fmt: skip
        if sort in _TEXTS:
            return replace(question, long=sort == "text")
        if sort in ("integer", "decimal"):
            places = 0 if sort == "integer" else _extension(
                item, f"{_EXTENSIONS}maxDecimalPlaces", "valueInteger"
            )  # fmt: skip
            return replace(
                question, kind="number", decimals=places, max_length=None,
                minimum=self._bound(item, "minValue"), maximum=self._bound(item, "maxValue"),
            )  # fmt: skip
        if sort == "boolean":
            yes, no = Choice("true", {"vi": "Có", "en": "Yes"}), Choice(
                "false", {"vi": "Không", "en": "No"}
            )  # fmt: skip
            return replace(question, kind="one", choices=(yes, no), list_name=code)
        if sort in _CHOICES:
            return self._choice(item, place, question)
        self._findings.add(place, "formats.type", type=sort, code=code)
        return None

    @staticmethod
    def _bound(item: Node, name: str) -> float | None:
        for kind in ("valueInteger", "valueDecimal"):
            value = _extension(item, f"{_EXTENSIONS}{name}", kind)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return value
        return None

    def _choice(self, item: Node, place: Place, question: Question) -> Question | None:
        if item.get("type") == "open-choice" or item.get("answerConstraint") == "optionsOrString":
            self._findings.add(place, "formats.or_other", code=question.code)
        options = tuple(self._options(item, place))
        if not options and item.get("answerValueSet"):
            address = str(item["answerValueSet"])
            options = tuple(self._of_set(address, place))
            if not options:
                self._findings.add(
                    place, "formats.value_set", code=question.code, address=address[:200]
                )
                return None
        several = item.get("repeats") is True
        return replace(
            question, kind="many" if several else "one", choices=options,
            list_name=question.mark.scale or question.code, max_length=None,
        )  # fmt: skip

    def _options(self, item: Node, place: Place) -> Iterator[Choice]:
        for n, option in enumerate(_objects(item, "answerOption")):
            where = Place(f"{place.part}.answerOption[{n}]")
            coding = option.get("valueCoding")
            if isinstance(coding, dict):
                texts = self._texts(coding, "display")
                code = str(coding.get("code") or coding.get("display") or n + 1)
                yield Choice(code, texts or {"": code}, where)
            else:
                value = next((v for k, v in option.items() if k.startswith("value")), None)
                if isinstance(value, str | int | float):
                    texts = self._texts(option, "valueString") or {"": str(value)}
                    yield Choice(str(value), texts, where)
                else:
                    self._findings.add(where, "formats.option", code=self._code(item))
            if option.get("extension"):
                self._extensions(option, where)

    def _of_set(self, address: str, place: Place) -> Iterator[Choice]:
        """The choices of a value set within the file; one outside of it is not looked for."""
        found = self._sets.get(address.removeprefix("#")) if address.startswith("#") else None
        if found is None:
            return
        expansion, compose = found.get("expansion"), found.get("compose")
        concepts = _objects(expansion if isinstance(expansion, dict) else {}, "contains")
        if not concepts:
            includes = _objects(compose if isinstance(compose, dict) else {}, "include")
            concepts = [c for each in includes for c in _objects(each, "concept")]
        for each in concepts:
            code = str(each.get("code") or "")
            if code:
                yield Choice(code, self._texts(each, "display") or {"": code}, place)

    def _beside(self, item: Node, place: Place, *, group: bool = False) -> None:
        code = self._code(item)
        if item.get("readOnly") is True:
            self._findings.add(place, "formats.readonly", code=code)
        if item.get("initial") or any(
            option.get("initialSelected") for option in _objects(item, "answerOption")
        ):
            self._findings.add(place, "formats.default", code=code)
        if item.get("repeats") is True and (group or item.get("type") not in _CHOICES):
            self._findings.add(place, "formats.repeat", code=code, repeat=code)
        if item.get("prefix"):
            self._findings.add(place, "formats.prefix", code=code, prefix=str(item["prefix"])[:40])
        self._extensions(item, place)

    def _extensions(self, node: Node, place: Place) -> None:
        known = {MARK, *(f"{_EXTENSIONS}{n}" for n in ("minValue", "maxValue", "maxDecimalPlaces",
                 "questionnaire-unit", "questionnaire-optionExclusive", "ordinalValue",
                 "itemWeight"))}  # fmt: skip
        for each in _objects(node, "extension"):
            url = str(each.get("url") or "")
            if url not in known:
                self._findings.add(place, "formats.extension", name=url.rsplit("/", 1)[-1][:80])


def _objects(node: Node, name: str) -> list[dict[str, Any]]:
    value = node.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_number(answer: object) -> TypeGuard[int | float]:
    """Whether an answer can be compared with: JSON has numbers that no float holds."""
    return isinstance(answer, int | float) and abs(answer) < 1e15


def _extension(node: Node, url: str, kind: str) -> Any:
    return next((e.get(kind) for e in _objects(node, "extension") if e.get("url") == url), None)
