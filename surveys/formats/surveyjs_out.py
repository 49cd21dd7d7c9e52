"""Writes a form for SurveyJS: a panel a factor, and what stands under no heading after them."""

from __future__ import annotations

import json
from typing import Any

from surveys.formats.findings import Findings, Place
from surveys.formats.outline import Choice, Clause, Outline, Question, Texts, written_mark

Node = dict[str, Any]


def write_surveyjs(outline: Outline, findings: Findings) -> bytes:
    """The form of an outline, in JSON.

    ``findings`` gets wordings that a language lacks.
    """
    return _Writing(outline, findings).document()


class _Writing:
    def __init__(self, outline: Outline, findings: Findings) -> None:
        self._outline, self._findings = outline, findings
        self._questions = {q.code: q for g in outline.groups for q in g.questions}

    def document(self) -> bytes:
        elements: list[Node] = []
        for group in self._outline.groups:
            inside = [self._element(question) for question in group.questions]
            if group.code:
                title = self._texts(group.texts, group.place)
                name = f"panel_{group.code}"
                elements.append({"type": "panel", "name": name, "title": title, "elements": inside})
            else:
                elements += inside
        document = {
            "title": self._texts(self._outline.title, Place()),
            "locale": "vi",
            "hailong": written_mark(self._outline.mark),
            "pages": [{"name": "page1", "elements": elements}],
        }
        return json.dumps(document, ensure_ascii=False, indent=2).encode()

    def _texts(self, texts: Texts, place: Place) -> dict[str, str]:
        for code in self._outline.languages:
            if code not in texts:
                self._findings.add(place, "formats.no_wording", name=code)
            if "{" in texts.get(code, ""):
                self._findings.add(place, "formats.reference", text=texts[code])
        others = {code: text for code, text in texts.items() if code != "vi"}
        return {"default": texts["vi"], "vi": texts["vi"], **others}

    def _element(self, question: Question) -> Node:
        element: Node = {"type": "", "name": question.code}
        element["title"] = self._texts(question.texts, question.place)
        match question.kind:
            case "one" if question.is_scale and all(c.code.isdigit() for c in question.choices):
                element |= {"type": "rating", "autoGenerate": False}
                element["rateValues"] = self._choices(question)
            case "one":
                element |= {"type": "radiogroup", "choices": self._choices(question)}
            case "many":
                element |= {"type": "checkbox", "choices": self._choices(question)}
            case "number" if question.mark.kind == "zero_to_ten":
                element |= {"type": "rating", "rateMin": 0, "rateMax": 10}
            case "number":
                element |= {"type": "text", "inputType": "number", "min": question.minimum,
                            "max": question.maximum}  # fmt: skip
                if question.decimals:
                    element["step"] = 10**-question.decimals
            case "text":
                element["type"] = "comment" if question.long else "text"
        if question.max_length:
            element["maxLength"] = question.max_length
        if question.required:
            element["isRequired"] = True
        if question.conditions:
            element["visibleIf"] = " and ".join(self._clause(c) for c in question.conditions)
        element["hailong"] = written_mark(question.mark)
        return element

    def _choices(self, question: Question) -> list[Node]:
        return [self._choice(choice, question.place) for choice in question.choices]

    def _choice(self, choice: Choice, place: Place) -> Node:
        value = int(choice.code) if choice.code.isdigit() else choice.code
        return {"value": value, "text": self._texts(choice.texts, place)}

    @staticmethod
    def _clause(clause: Clause) -> str:
        if len(clause.codes) == 1:
            return f"{{{clause.question}}} = {clause.codes[0]}"
        return f"{{{clause.question}}} anyof [{', '.join(clause.codes)}]"
