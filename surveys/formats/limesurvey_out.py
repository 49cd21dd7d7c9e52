"""Writes LimeSurvey's survey structure (.lss) as LimeSurvey 3 does, which later editions read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

import msgspec

from surveys.formats.findings import Findings, Place
from surveys.formats.outline import Clause, Outline, Question, Texts, written_mark

#: The edition of LimeSurvey's tables in which there is a row a language.
_EDITION = 366
_SURVEY = "100001"
#: Most signs of a question's code, which may hold letters and digits alone.
_LONGEST = 20
Row = dict[str, str]


def write_limesurvey(outline: Outline, findings: Findings) -> bytes:
    """The survey structure of an outline."""
    return _Writing(outline, findings).document()


class _Writing:
    def __init__(self, outline: Outline, findings: Findings) -> None:
        self._outline, self._findings = outline, findings
        self._sections: dict[str, list[Row]] = {
            name: [] for name in ("answers", "groups", "questions", "subquestions",
                                  "question_attributes")
        }  # fmt: skip
        self._last = 0
        self._codes = self._own_codes()
        self._kinds = {q.code: q.kind for g in outline.groups for q in g.questions}

    def _own_codes(self) -> dict[str, str]:
        """A code of letters and digits for each question; ours stands in its mark."""
        found: dict[str, str] = {}
        for group in self._outline.groups:
            for question in group.questions:
                base = re.sub(r"[^A-Za-z0-9]", "", question.code)[:_LONGEST]
                code, number = base, 1
                while code in found.values():
                    number += 1
                    code = f"{base[: _LONGEST - len(str(number)) - 1]}x{number}"
                found[question.code] = code
                if code != question.code:
                    self._findings.add(
                        question.place, "formats.renamed", old=question.code, new=code
                    )
        return found

    def document(self) -> bytes:
        for n, group in enumerate(self._outline.groups, start=1):
            for code, text in self._worded(group.texts, group.place, "–" if not group.code else ""):
                self._sections["groups"].append(
                    {"gid": str(n), "sid": _SURVEY, "group_name": text, "group_order": str(n),
                     "description": "", "language": code, "randomization_group": "",
                     "grelevance": ""}
                )  # fmt: skip
            for order, question in enumerate(group.questions, start=1):
                self._question(question, str(n), order)
        languages = list(self._outline.languages)
        survey = {
            "sid": _SURVEY, "admin": "", "language": languages[0], "format": "G",
            "additional_languages": " ".join(languages[1:]), "anonymized": "Y", "datestamp": "N",
        }  # fmt: skip
        titles = [
            {"surveyls_survey_id": _SURVEY, "surveyls_language": code, "surveyls_title": text}
            for code, text in self._worded(self._outline.title, Place(), "")
        ]
        parts = [
            '<?xml version="1.0" encoding="UTF-8"?>', "<document>",
            " <LimeSurveyDocType>Survey</LimeSurveyDocType>",
            f" <DBVersion>{_EDITION}</DBVersion>", " <languages>",
            *(f"  <language>{code}</language>" for code in languages), " </languages>",
        ]  # fmt: skip
        sections = {**self._sections, "surveys": [survey], "surveys_languagesettings": titles}
        for name, rows in sections.items():
            if rows:
                parts += _section(name, rows)
        return "\n".join((*parts, "</document>", "")).encode()

    def _id(self) -> str:
        self._last += 1
        return str(self._last)

    def _worded(self, texts: Texts, place: Place, otherwise: str) -> Iterable[tuple[str, str]]:
        """The wording in each language: LimeSurvey wants a row of each, if an empty one."""
        for code in self._outline.languages:
            text = texts.get(code, "")
            if not text and not otherwise:
                self._findings.add(place, "formats.no_wording", name=code)
            if re.search(r"\{\S", text):
                self._findings.add(place, "formats.reference", text=text)
                text = re.sub(r"\{(?=\S)", "{ ", text)
            yield code, html.escape(text, quote=False) if text else otherwise

    def _question(self, question: Question, gid: str, order: int) -> None:
        qid, code = self._id(), self._codes[question.code]
        sort = self._type(question)
        for language, text in self._worded(question.texts, question.place, ""):
            self._sections["questions"].append(
                {"qid": qid, "parent_qid": "0", "sid": _SURVEY, "gid": gid, "type": sort,
                 "title": code, "question": text, "preg": "", "help": "", "other": "N",
                 "mandatory": "Y" if question.required else "N", "question_order": str(order),
                 "language": language, "scale_id": "0", "same_default": "0",
                 "relevance": self._relevance(question.conditions), "modulename": ""}
            )  # fmt: skip
        for n, choice in enumerate(question.choices, start=1):
            words = self._worded(choice.texts, question.place, "")
            if question.kind == "one":
                for language, text in words:
                    self._sections["answers"].append(
                        {"qid": qid, "code": choice.code, "answer": text, "sortorder": str(n),
                         "assessment_value": choice.code if choice.code.isdigit() else "0",
                         "language": language, "scale_id": "0"}
                    )  # fmt: skip
                continue
            sub = self._id()
            for language, text in words:
                self._sections["subquestions"].append(
                    {"qid": sub, "parent_qid": qid, "sid": _SURVEY, "gid": gid, "type": "T",
                     "title": choice.code, "question": text, "question_order": str(n),
                     "language": language, "scale_id": "0", "relevance": "1"}
                )  # fmt: skip
        self._attributes(question, qid, code)

    @staticmethod
    def _type(question: Question) -> str:
        if question.kind == "text":
            return "T" if question.long else "S"
        return {"one": "L", "many": "M", "number": "N"}[question.kind]

    def _attributes(self, question: Question, qid: str, code: str) -> None:
        found: Row = {}
        if question.kind == "number":
            for name, bound in (("min", question.minimum), ("max", question.maximum)):
                if bound is not None:
                    found[f"{name}_num_value_n"] = format(float(bound), "f").rstrip("0").rstrip(".")
            if not question.decimals:
                found["num_value_int_only"] = "1"
        if question.max_length:
            found["maximum_chars"] = str(question.max_length)
        mark = question.mark
        if code != question.code:
            mark = msgspec.structs.replace(mark, code=question.code)
        found["hailong"] = written_mark(mark)
        if qid == "1":
            found["hailong_form"] = written_mark(self._outline.mark)
        self._sections["question_attributes"] += [
            {"qid": qid, "attribute": name, "value": value, "language": ""}
            for name, value in found.items()
            if value
        ]

    def _relevance(self, conditions: Sequence[Clause]) -> str:
        if not conditions:
            return "1"
        return " and ".join(self._clause(clause) for clause in conditions)

    def _clause(self, clause: Clause) -> str:
        code, number = self._codes[clause.question], self._kinds[clause.question] == "number"
        tests = [f"{code}.NAOK == {each if number else chr(34) + each + chr(34)}"
                 for each in clause.codes]  # fmt: skip
        return tests[0] if len(tests) == 1 else f"({' or '.join(tests)})"


def _section(name: str, rows: Sequence[Row]) -> Iterable[str]:
    yield f" <{name}>"
    yield "  <fields>"
    yield from (f"   <fieldname>{field}</fieldname>" for field in rows[0])
    yield "  </fields>"
    yield "  <rows>"
    for row in rows:
        yield "   <row>"
        yield from (f"    <{field}>{escape(text)}</{field}>" for field, text in row.items())
        yield "   </row>"
    yield "  </rows>"
    yield f" </{name}>"
