"""Writes a FHIR Questionnaire of R4 or R5.

Levels and options are codings with one system each: readers of FHIR lose answers to options that
are numbers, and add up weights of codings that have a system only.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from surveys.formats.fhir_in import MARK, TRANSLATION
from surveys.formats.findings import Findings, Place
from surveys.formats.outline import NO_OPINION, Choice, Outline, Question, Texts, written_mark

Release = Literal["R4", "R5"]
_EXTENSIONS = "http://hl7.org/fhir/StructureDefinition/"
_PERCENT = {"system": "http://unitsofmeasure.org", "code": "%", "display": "%"}
Node = dict[str, Any]


def write_fhir(outline: Outline, findings: Findings, release: Release) -> bytes:
    """The Questionnaire of an outline, in JSON, as a draft."""
    return _Writing(outline, findings, release).document()


class _Writing:
    def __init__(self, outline: Outline, findings: Findings, release: Release) -> None:
        self._outline, self._findings, self._release = outline, findings, release
        self._questions = {q.code: q for g in outline.groups for q in g.questions}

    def document(self) -> bytes:
        outline = self._outline
        items: list[Node] = []
        for group in outline.groups:
            inside = [self._item(question) for question in group.questions]
            if group.code:
                head: Node = {"linkId": f"group:{group.code}", **self._worded("text", group.texts)}
                items.append({**head, "type": "group", "item": inside})
            else:
                items += inside
        document: Node = {
            "resourceType": "Questionnaire",
            "language": "vi",
            "extension": [_mark(written_mark(outline.mark))],
            "url": f"urn:hailong:questionnaire:{outline.code}",
            "version": outline.version,
            "name": "".join(part.capitalize() for part in outline.code.split("-")),
            **self._worded("title", outline.title),
            "status": "draft",
            "item": items,
        }
        return json.dumps(document, ensure_ascii=False, indent=2).encode()

    def _worded(self, name: str, texts: Texts) -> Node:
        """A wording in Vietnamese, its other languages as translations beside it."""
        found: Node = {name: texts["vi"]}
        others = [
            {
                "url": TRANSLATION,
                "extension": [
                    {"url": "lang", "valueCode": code},
                    {"url": "content", "valueString": text},
                ],
            }
            for code, text in texts.items()
            if code != "vi"
        ]
        if others:
            found[f"_{name}"] = {"extension": others}
        return found

    def _item(self, question: Question) -> Node:
        extensions = self._number(question)
        if written := written_mark(question.mark):
            extensions.append(_mark(written))
        item: Node = {"linkId": question.code}
        if extensions:
            item["extension"] = extensions
        item |= self._worded("text", question.texts)
        item["type"] = self._type(question)
        if question.required:
            item["required"] = True
        if question.kind == "many":
            item["repeats"] = True
        if question.max_length:
            item["maxLength"] = question.max_length
        if question.choices:
            item["answerOption"] = [self._option(question, choice) for choice in question.choices]
        for clause in question.conditions:
            item["enableWhen"] = [self._when(clause.question, code) for code in clause.codes]
            if len(clause.codes) > 1:
                item["enableBehavior"] = "any"
        return item

    def _type(self, question: Question) -> str:
        if question.kind in ("one", "many"):
            return "choice" if self._release == "R4" else "coding"
        if question.kind == "number":
            return "decimal" if question.decimals else "integer"
        return "text" if question.long else "string"

    def _number(self, question: Question) -> list[Node]:
        if question.kind != "number":
            return []
        found: list[Node] = []
        for name, bound in (("minValue", question.minimum), ("maxValue", question.maximum)):
            if bound is not None:
                whole = not question.decimals and float(bound).is_integer()
                value = {"valueInteger": int(bound)} if whole else {"valueDecimal": float(bound)}
                found.append({"url": f"{_EXTENSIONS}{name}", **value})
        if question.decimals:
            url = f"{_EXTENSIONS}maxDecimalPlaces"
            found.append({"url": url, "valueInteger": question.decimals})
        if question.mark.kind == "percent":
            found.append({"url": f"{_EXTENSIONS}questionnaire-unit", "valueCoding": _PERCENT})
        return found

    def _system(self, question: Question) -> str:
        return f"urn:hailong:{self._outline.code}:{question.list_name}"

    def _option(self, question: Question, choice: Choice) -> Node:
        coding = {
            "system": self._system(question),
            "code": choice.code,
            **self._worded("display", choice.texts),
        }
        option: Node = {"valueCoding": coding}
        if question.mark.kind == "rated" and choice.code.isdigit():
            name = "ordinalValue" if self._release == "R4" else "itemWeight"
            weight = {"url": f"{_EXTENSIONS}{name}", "valueDecimal": int(choice.code)}
            option = {"extension": [weight], **option}
        if question.kind == "many" and choice.code == NO_OPINION:
            # Whoever ticks it ticks nothing else.
            alone = {"url": f"{_EXTENSIONS}questionnaire-optionExclusive", "valueBoolean": True}
            option = {"extension": [alone], **option}
        return option

    def _when(self, code: str, value: str) -> Node:
        target = self._questions[code]
        when: Node = {"question": code, "operator": "="}
        if target.kind == "number":
            return {**when, "answerInteger": int(value)}
        return {**when, "answerCoding": {"system": self._system(target), "code": value}}


def _mark(written: str) -> Node:
    return {"url": MARK, "valueString": written}


def unshown(outline: Outline, findings: Findings) -> None:
    """Note what readers of FHIR do not show: a unit of a number in our own words."""
    for group in outline.groups:
        for question in group.questions:
            if question.mark.unit:
                findings.add(Place(question.code), "formats.unit_in_mark", code=question.code)
