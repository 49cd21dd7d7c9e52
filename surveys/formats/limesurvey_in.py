"""Reads LimeSurvey's survey structure (.lss), of LimeSurvey 2 to 6."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from surveys.formats.cells import MOST_BYTES
from surveys.formats.expressions import clauses
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

Row = dict[str, str]
_LISTS = {"L", "!", "O"}
_ARRAYS = {"A", "B", "C", "E", "F", "H"}
_NAMES = {"vi": "Tiếng Việt", "en": "English", "de": "Deutsch", "fr": "Français"}
_YES_NO = (
    Choice("Y", {"vi": "Có", "en": "Yes"}), Choice("N", {"vi": "Không", "en": "No"}),
)  # fmt: skip
#: The choices of arrays whose choices are LimeSurvey's own.
_FIXED = {
    "A": tuple(Choice(str(n), {"": str(n)}) for n in range(1, 6)),
    "B": tuple(Choice(str(n), {"": str(n)}) for n in range(1, 11)),
    "C": (_YES_NO[0], Choice("U", {"vi": "Không chắc", "en": "Uncertain"}), _YES_NO[1]),
    "E": (
        Choice("D", {"vi": "Giảm", "en": "Decrease"}), Choice("S", {"vi": "Như cũ", "en": "Same"}),
        Choice("I", {"vi": "Tăng", "en": "Increase"}),
    ),
    "5": tuple(Choice(str(n), {"": str(n)}) for n in range(1, 6)),
    "Y": _YES_NO,
    "G": (Choice("F", {"vi": "Nữ", "en": "Female"}), Choice("M", {"vi": "Nam", "en": "Male"})),
}  # fmt: skip
#: Attributes that are read, or that only say how a question looks.
_ATTRIBUTES = {
    "min_num_value_n", "max_num_value_n", "num_value_int_only", "maximum_chars", "hailong",
    "hailong_form", "min_num_value", "max_num_value", "slider_min", "slider_max", "slider_layout",
    "slider_accuracy", "slider_showminmax", "slider_default", "slider_reset", "display_columns",
    "text_input_width", "display_rows", "cssclass", "hide_tip", "statistics_showgraph", "hidden",
    "statistics_graphtype", "public_statistics", "save_as_default", "clear_default",
    "answer_width", "label_input_columns", "location_mapservice", "time_limit_action", "page_break",
}  # fmt: skip
_ID = re.compile(r"\b(?:INSERTANS:)?\d+X\d+X(\d+)(\w*)")


def read_limesurvey(content: bytes, findings: Findings) -> Outline:
    """The outline of a survey structure.

    Raises
    ------
    FormUnreadable
        Where the file is no XML that we read, or no survey of LimeSurvey.
    """
    if len(content) > MOST_BYTES:
        raise FormUnreadable("formats.too_large", size=len(content) >> 10, most=MOST_BYTES >> 10)
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise FormUnreadable("formats.entities") from error
    except ParseError as error:
        row, column = error.position
        place = Place(row=row, column=str(column + 1))
        raise FormUnreadable("formats.not_xml", place, said=str(error)[:200]) from error
    except (ValueError, LookupError, RecursionError) as error:
        raise FormUnreadable("formats.not_xml", said=str(error)[:200]) from error
    if root.findtext("LimeSurveyDocType") != "Survey":
        raise FormUnreadable("formats.not_lss")
    return _Reading(root, findings).outline()


def _rows(root: Element, section: str) -> list[Row]:
    return [
        {field.tag: (field.text or "").strip() for field in row}
        for row in root.findall(f"{section}/rows/row")
    ]


def _order(row: Row, *names: str) -> tuple[int, ...]:
    return tuple(int(row[n]) if re.fullmatch(r"\d{1,9}", row.get(n, "")) else 0 for n in names)


class _Reading:
    def __init__(self, root: Element, findings: Findings) -> None:
        self._root, self._findings = root, findings
        settings = _rows(root, "surveys")
        main = settings[0].get("language", "") if settings else ""
        named = [row.text or "" for row in root.findall("languages/language")]
        self._default = language_of(main or (named[0] if named else ""))
        codes = (self._default, *(language_of(name) for name in named))
        self._languages = {code: _NAMES.get(code, code) for code in codes if code}
        self._attributes: dict[str, Row] = defaultdict(dict)
        for row in _rows(root, "question_attributes"):
            self._attributes[row.get("qid", "")][row.get("attribute", "")] = row.get("value", "")
        self._questions, self._words = self._by_id("questions", "qid", "question_l10ns", "question")
        self._subs, sub_words = self._by_id("subquestions", "qid", "question_l10ns", "question")
        self._words |= sub_words
        #: Newer editions keep them with the questions.
        for qid, row in list(self._questions.items()):
            if row.get("parent_qid", "0") not in ("", "0"):
                self._subs[qid] = self._questions.pop(qid)
        self._answers = self._choices()
        self._form_mark: FormMark | None = None

    def _by_id(
        self, section: str, key: str, l10ns: str, name: str
    ) -> tuple[dict[str, Row], dict[str, dict[str, str]]]:
        """The rows of a section by id, and their wordings by language: one row a language.

        Newer editions keep wordings in a section of their own.
        """
        found: dict[str, Row] = {}
        words: dict[str, dict[str, str]] = defaultdict(dict)
        rows = _rows(self._root, section)
        known = {row.get(key, "") for row in rows}
        for row in rows:
            found.setdefault(row.get(key, ""), row)
        for row in (*rows, *(r for r in _rows(self._root, l10ns) if r.get(key, "") in known)):
            if text := row.get(name):
                language = language_of(row.get("language", "")) or self._default
                words[row.get(key, "")].setdefault(language, self._plain(text))
        return found, words

    @staticmethod
    def _plain(written: str) -> str:
        """Words of HTML; what has tags is cleaned with everything else."""
        return written if re.search(r"<\w", written) else html.unescape(written)

    def _choices(self) -> dict[str, list[Choice]]:
        of_answer: dict[str, list[Row]] = defaultdict(list)
        for row in _rows(self._root, "answer_l10ns"):
            of_answer[row.get("aid", "")].append(row)
        by_code: dict[tuple[str, str], tuple[tuple[int, ...], dict[str, str]]] = {}
        for row in _rows(self._root, "answers"):
            if row.get("scale_id", "0") not in ("", "0"):
                continue
            key = (row.get("qid", ""), row.get("code", ""))
            _, texts = by_code.setdefault(key, (_order(row, "sortorder"), {}))
            for each in (row, *of_answer.get(row.get("aid", "-"), ())):
                if text := each.get("answer"):
                    texts.setdefault(language_of(each.get("language", "")), self._plain(text))
        found: dict[str, list[Choice]] = defaultdict(list)
        for (qid, code), (_, texts) in sorted(by_code.items(), key=lambda each: each[1][0]):
            title = self._questions.get(qid, {}).get("title", qid)
            found[qid].append(Choice(code, texts, Place(f"answers/{title}")))
        return found

    def outline(self) -> Outline:
        groups, titles = self._by_id("groups", "gid", "group_l10ns", "group_name")
        by_group: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(self._questions.values(), key=lambda r: _order(r, "question_order")):
            by_group[row.get("gid", "")].append(row)
        found = []
        for gid, row in sorted(groups.items(), key=lambda each: _order(each[1], "group_order")):
            relevance = row.get("grelevance", "")
            questions = tuple(
                q for each in by_group.pop(gid, ()) for q in self._question(each, relevance)
            )
            texts = titles.get(gid, {})
            # What stands under no heading of ours is written under one that says nothing.
            bare = all(text.strip("– ") == "" for text in texts.values())
            found.append(
                Group("" if bare else f"G{gid}", {} if bare else texts, questions, Place("groups"))
            )
        for gid in by_group:
            self._findings.add(Place("questions"), "formats.group_missing", group=gid)
        texts = {
            language_of(row.get("surveyls_language", "")): self._plain(row["surveyls_title"])
            for row in _rows(self._root, "surveys_languagesettings")
            if row.get("surveyls_title")
        }
        for name in ("quota", "assessments", "defaultvalues", "defaultvalue_l10ns"):
            if _rows(self._root, name):
                self._findings.add(Place(name), "formats.section", section=name)
        mark = self._form_mark
        languages = {**self._languages, **(mark.languages if mark else {})}
        return Outline("", texts, tuple(found), "", self._default, languages, mark or FormMark())

    def _question(self, row: Row, around: str) -> Iterator[Question]:
        qid, sort, code = row.get("qid", ""), row.get("type", ""), row.get("title", "")
        place = Place(f"questions/{code}")
        attributes = self._attributes.get(qid, {})
        self._beside(row, attributes, place)
        mark = Mark()
        if written := attributes.get("hailong"):
            mark = mark_of(written) or Mark()
            if mark_of(written) is None:
                self._findings.add(place, "formats.mark")
        if written := attributes.get("hailong_form"):
            self._form_mark = form_mark_of(written)
            if self._form_mark is None:
                self._findings.add(place, "formats.mark")
        question = Question(
            code, "text", self._words.get(qid, {}), place, mark=mark, list_name=mark.scale or code,
            required=row.get("mandatory") in ("Y", "S"),
        )  # fmt: skip
        question = self._conditions(row, question, around)
        if sort in _LISTS:
            yield replace(question, kind="one", choices=tuple(self._answers.get(qid, ())))
        elif sort in ("5", "Y", "G"):
            yield replace(question, kind="one", choices=_FIXED[sort], is_scale=sort == "5")
        elif sort in ("M", "P"):
            choices = [
                Choice(sub.get("title", ""), self._words.get(sub["qid"], {}), place)
                for sub in self._of(qid)
            ]
            yield replace(question, kind="many", choices=tuple(choices))
        elif sort in ("N", "S", "T", "U"):
            yield self._bounds(replace(question, kind="number" if sort == "N" else "text",
                                       long=sort in "TU"), attributes)  # fmt: skip
        elif sort in _ARRAYS or sort in ("K", "Q"):
            yield from self._parts(qid, sort, question, attributes)
        else:
            self._findings.add(place, "formats.type", type=sort, code=code)

    def _of(self, qid: str) -> list[Row]:
        subs = [row for row in self._subs.values() if row.get("parent_qid") == qid]
        first = [row for row in subs if row.get("scale_id", "0") in ("", "0")]
        return sorted(first, key=lambda row: _order(row, "question_order"))

    def _parts(
        self, qid: str, sort: str, question: Question, attributes: Row
    ) -> Iterator[Question]:
        """The rows of an array, or the fields of several, each a question of its own."""
        self._findings.add(question.place, "formats.array", code=question.code)
        choices = _FIXED.get(sort) or tuple(self._answers.get(qid, ()))
        for sub in self._of(qid):
            words = self._words.get(sub["qid"], {})
            texts = {
                language: f"{stem} – {words[language]}" if words.get(language) else stem
                for language, stem in question.texts.items()
            }
            code = f"{question.code}_{sub.get('title', '')}"
            each = replace(question, code=code, texts=texts or words)
            if sort == "K":
                yield self._bounds(replace(each, kind="number"), attributes)
            elif sort == "Q":
                yield self._bounds(each, attributes)
            else:
                yield replace(each, kind="one", choices=choices, is_scale=sort in "AB")

    def _bounds(self, question: Question, attributes: Row) -> Question:
        def number(*names: str) -> float | None:
            for name in names:
                if re.fullmatch(r"-?\d{1,12}(\.\d+)?", attributes.get(name, "")):
                    return float(attributes[name])
            return None

        if question.kind == "text":
            length = number("maximum_chars")
            return replace(question, max_length=int(length) if length else None)
        whole = attributes.get("num_value_int_only") == "1"
        decimals: int | None = question.mark.decimals if question.mark.kind else None
        return replace(
            question, decimals=0 if whole else decimals,
            minimum=number("min_num_value_n", "slider_min", "min_num_value"),
            maximum=number("max_num_value_n", "slider_max", "max_num_value"),
        )  # fmt: skip

    def _named(self, written: str) -> str:
        """A condition with codes for ids: ``245554X1X2`` is the question 2."""

        def code(match: re.Match[str]) -> str:
            # The id of a part follows that of its question without a sign between.
            for length in range(len(match[1]), 0, -1):
                row = self._questions.get(match[1][:length])
                rest = match[1][length:] + match[2]
                if row is not None:
                    return row.get("title", "") + (f"_{rest}" if rest else "")
            return match[0]

        return _ID.sub(code, written)

    def _conditions(self, row: Row, question: Question, around: str) -> Question:
        found: tuple[Clause, ...] = ()
        texts = []
        for written in (around, row.get("relevance", "")):
            if written.strip() in ("", "1"):
                continue
            named = self._named(html.unescape(written))
            texts.append(named)
            read = clauses(named)
            if read is None:
                return replace(question, conditions=(), condition_text=" and ".join(texts))
            found += tuple(c for c in read if c not in found)
        if not texts:
            found, said = self._old_conditions(row.get("qid", ""))
            return replace(question, conditions=found, condition_text=said)
        return replace(question, conditions=found, condition_text=" and ".join(texts))

    def _old_conditions(self, qid: str) -> tuple[tuple[Clause, ...], str]:
        rows = [r for r in _rows(self._root, "conditions") if r.get("qid") == qid]
        by_question: dict[str, list[str]] = defaultdict(list)
        sound = True
        for row in rows:
            target = self._questions.get(row.get("cqid", ""), {}).get("title", "")
            by_question[target].append(row.get("value", ""))
            sound = sound and row.get("method", "").strip() == "==" and bool(target)
        said = "; ".join(f"{code}: {', '.join(values)}" for code, values in by_question.items())
        found = tuple(Clause(code, tuple(values)) for code, values in by_question.items())
        return (found if sound else ()), said

    def _beside(self, row: Row, attributes: Row, place: Place) -> None:
        code = row.get("title", "")
        if row.get("help"):
            self._findings.add(place, "formats.hint", code=code)
        if row.get("preg"):
            self._findings.add(place, "formats.constraint", code=code, constraint=row["preg"][:200])
        if row.get("other") == "Y":
            self._findings.add(place, "formats.or_other", code=code)
        if attributes.get("hidden") == "1":
            self._findings.add(place, "formats.hidden", code=code)
        strange = sorted(n for n, v in attributes.items() if v and n not in _ATTRIBUTES)
        if strange:
            self._findings.add(place, "formats.attributes", code=code, names=", ".join(strange))
