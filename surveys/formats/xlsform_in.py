"""Reads XLSForm: Kobo's, ODK's and SurveyCTO's workbooks, pyxform's CSV, Kobo's JSON.

pyxform makes forms for phones and refuses what SurveyCTO takes, so rows are read by us, and
pyxform is asked afterwards what it thinks of the whole.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace

from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from surveys.formats import odk as odk_validate
from surveys.formats.expressions import clauses
from surveys.formats.findings import Findings, Place
from surveys.formats.outline import (
    Choice,
    Clause,
    FormMark,
    Group,
    Kind,
    Mark,
    Outline,
    Question,
    form_mark_of,
    mark_of,
)
from surveys.formats.wordings import language_of, own_name
from surveys.formats.xlsform_tables import Line, Tables, tables_of

#: What a phone notes by itself, much of it about whom it belongs to.
_OF_DEVICES = {
    "start", "end", "today", "deviceid", "phonenumber", "username", "subscriberid", "simserial",
    "email", "audit", "caseid", "comments", "start_geopoint", "background_audio",
    "background_geopoint",
    "text_audit", "speed_violations_count", "sensor_statistic", "sensor_stream", "deviceinfo",
}  # fmt: skip
_TYPES: dict[str, Kind] = {
    "text": "text", "string": "text", "integer": "number", "int": "number", "decimal": "number",
    "range": "number", "select_one": "one", "select_multiple": "many", "select one": "one",
    "select all that apply": "many", "select_one_from": "one",
}  # fmt: skip
#: Ways to show a question that change nothing about what is asked.
_PLAIN_LOOKS = {
    "field-list", "minimal", "likert", "horizontal", "vertical", "compact", "quick", "multiline",
    "numbers", "label", "list-nolabel", "list", "table-list", "autocomplete", "columns", "no-label",
    "horizontal-compact", "quickcompact", "columns-pack", "no-buttons", "picker", "search",
}  # fmt: skip
_LIMIT = re.compile(r"\.\s*(<=|>=|<|>|=)\s*(-?\d+(?:\.\d+)?)")


def read_xlsform(content: bytes, findings: Findings, *, odk: bool = False) -> Outline:
    """The outline of an XLSForm; with ``odk`` what ODK Validate complains of is found, too.

    Raises
    ------
    FormUnreadable
        Where the file cannot be read at all.
    """
    tables = tables_of(content, findings)
    return _Reading(tables, findings, odk).outline()


class _Reading:
    def __init__(self, tables: Tables, findings: Findings, odk: bool) -> None:
        self._tables, self._findings, self._odk = tables, findings, odk
        self._settings = tables.settings
        #: The language of columns that name none.
        self._bare = ""
        self._languages = self._spoken()
        self._lists = self._choice_lists()
        self._groups: list[Group] = []
        self._questions: list[Question] = []
        #: Open groups: their line, and the condition of each; repeats hide what is in them.
        self._open: list[tuple[Line, str]] = []
        self._group: Line | None = None

    def outline(self) -> Outline:
        self._columns()
        for line in self._tables.survey:
            self._line(line)
        self._close()
        for line, _ in self._open:
            self._findings.add(line.at("type"), "formats.group_open", group=line.get("name"))
        self._ask_pyxform()
        settings = self._settings
        written = settings.get("hailong") if settings else ""
        mark = form_mark_of(written) if written else None
        if written and mark is None:
            self._findings.add(Place("settings", 2, "hailong"), "formats.mark")
        title = settings.get("form_title") if settings else ""
        texts = dict(mark.title) if mark else {"": title} if title else {}
        default = self._language(settings.get("default_language")) if settings else ""
        if settings and settings.get("default_language") and default not in self._languages:
            if "" not in self._languages:
                self._findings.add(
                    settings.at("default_language"), "formats.default_language",
                    name=settings.get("default_language"),
                )  # fmt: skip
            default = ""
        named = {code: name for code, name in self._languages.items() if code}
        if not named and default:
            named = {default: default}
        return Outline(
            settings.get("form_id") if settings else "", texts, tuple(self._groups),
            settings.get("version") if settings else "",
            default or next(iter(self._languages), ""), named, mark or FormMark(),
        )  # fmt: skip

    def _language(self, name: str) -> str:
        return language_of(name) if name else self._bare

    def _spoken(self) -> dict[str, str]:
        """The languages of all columns of labels, in their order; unknown ones are named."""
        found: dict[str, str] = {}
        for lines in (self._tables.survey, self._tables.choices):
            for line in lines:
                for base, language in line.worded:
                    code = self._language(language)
                    if language and not code:
                        column = line.columns.get(f"{base}::{language}", "")
                        self._findings.add(
                            Place(line.place.part, 1, column), "formats.language_unknown",
                            name=language,
                        )  # fmt: skip
                    elif base == "label":
                        found.setdefault(code, own_name(language))
        default = self._settings.get("default_language") if self._settings else ""
        code = language_of(default)
        if code and "" in found and code not in found:
            self._bare = code
            found = {each or code: name for each, name in found.items()}
            found[code] = own_name(default)
        return found

    def _texts(self, line: Line, name: str = "label") -> dict[str, str]:
        found: dict[str, str] = {}
        for language, text in line.texts(name).items():
            code = self._language(language)
            if code or not language:
                found.setdefault(code, text)
        return found

    def _choice_lists(self) -> dict[str, list[Choice]]:
        found: dict[str, list[Choice]] = defaultdict(list)
        for line in self._tables.choices:
            name = line.get("list_name")
            if not name or "name" not in line.cells:
                self._findings.add(line.place, "formats.choice_without_code", list=name)
                continue
            if any(key.startswith("media::") for key in line.cells):
                self._findings.add(line.place, "formats.media")
            code = re.sub(r"^(-?\d+)\.0+$", r"\1", line.get("name"))
            found[name].append(Choice(code, self._texts(line), line.place))
        return found

    def _columns(self) -> None:
        known = {
            "type", "name", "label", "hint", "constraint", "constraint_message", "relevant",
            "required", "required_message", "appearance", "calculation", "choice_filter",
            "default", "readonly", "parameters", "repeat_count", "guidance_hint", "disabled",
            "hailong", "trigger",
        }  # fmt: skip
        for name in self._tables.headings["survey"]:
            if name not in known and not name.startswith("media::"):
                column = next(
                    (x.columns[name] for x in self._tables.survey if name in x.columns), ""
                )
                self._findings.add(
                    Place("survey", 1, column), "formats.unknown_column", column=name
                )
        for title in self._tables.others:
            self._findings.add(Place(title), "formats.unknown_sheet", sheet=title)

    def _line(self, line: Line) -> None:
        written = " ".join(line.get("type").split())
        low = written.lower()
        if not written:
            self._findings.add(line.at("type"), "formats.no_type")
            return
        if line.get("disabled").lower() in ("yes", "true", "1"):
            self._findings.add(line.place, "formats.disabled", code=line.get("name"))
            return
        mark = re.match(r"(begin|end)[ _](group|repeat|lgroup)\b", low)
        if mark:
            self._begin(line, mark[2]) if mark[1] == "begin" else self._end(line)
            return
        if repeat := next((x for x, sort in self._open if sort == "repeat"), None):
            self._findings.add(
                line.place, "formats.repeat", code=line.get("name"), repeat=repeat.get("name")
            )
            return
        self._question(line, written)

    def _begin(self, line: Line, sort: str) -> None:
        if not self._open:
            self._close()
            self._group = line
        elif sort == "group" and line.texts("label"):
            self._findings.add(line.place, "formats.nested_group", group=line.get("name"))
        self._open.append((line, sort))
        if sort == "repeat":
            self._findings.add(
                line.place, "formats.repeat", code=line.get("name"), repeat=line.get("name")
            )

    def _end(self, line: Line) -> None:
        if not self._open:
            self._findings.add(line.at("type"), "formats.end_without_begin")
            return
        self._open.pop()
        if not self._open:
            self._close()

    def _close(self) -> None:
        """End the group of the outermost heading, or the run of questions under none."""
        line, self._group = self._group, None
        if line is not None:
            name = line.get("name")
            group = Group(name or "group", self._texts(line), tuple(self._questions), line.place)
            self._groups.append(group)
        elif self._questions:
            self._groups.append(Group("", {}, tuple(self._questions), self._questions[0].place))
        self._questions = []

    def _question(self, line: Line, written: str) -> None:
        sort, _, rest = written.partition(" ")
        low = written.lower()
        for name in ("select one", "select all that apply"):
            if low.startswith(name):
                sort, rest = name, re.sub(r"^from\s+", "", written[len(name) :].strip())
        kind = _TYPES.get(sort.lower())
        code, place = line.get("name"), line.place
        if kind is None:
            bare = sort.lower().replace("-", "_").removeprefix("uri:")
            device = bare in _OF_DEVICES or sort.lower().startswith("uri:")
            reason = "formats.device_data" if device else "formats.type"
            self._findings.add(line.at("type"), reason, type=written, code=code)
            return
        look = line.get("appearance").lower().split()
        self._looks(line, look)
        if "label" in look and kind in ("one", "many"):
            self._findings.add(place, "formats.grid_heading", code=code)
            return
        question = Question(
            code, kind, self._texts(line), place,
            required=line.get("required").lower() in ("yes", "true", "true()", "1"),
            is_scale="likert" in look, long="multiline" in look,
            decimals=None if sort.lower() == "decimal" else 0,
            mark=self._mark(line), condition_place=line.at("relevant"),
        )  # fmt: skip
        question = self._conditions(line, question)
        question = self._bounds(line, question)
        if kind in ("one", "many"):
            listed = self._listed(line, question, rest)
            if listed is None:
                return
            question = listed
        self._beside(line, question)
        self._questions.append(question)

    def _mark(self, line: Line) -> Mark:
        if not (written := line.get("hailong")):
            return Mark()
        mark = mark_of(written)
        if mark is None:
            self._findings.add(line.at("hailong"), "formats.mark")
        return mark or Mark()

    def _listed(self, line: Line, question: Question, rest: str) -> Question | None:
        name, _, further = rest.strip().partition(" ")
        if further.strip().lower() in ("or_other", "or other", "or specify other"):
            self._findings.add(line.at("type"), "formats.or_other", code=question.code)
        if name not in self._lists:
            reason = "formats.list_missing" if name and "." not in name else "formats.list_outside"
            self._findings.add(line.at("type"), reason, code=question.code, list=name)
            return None
        if line.get("choice_filter"):
            self._findings.add(
                line.at("choice_filter"), "formats.choice_filter", code=question.code
            )
        own = question.mark.scale
        return replace(question, choices=tuple(self._lists[name]), list_name=own or name)

    def _conditions(self, line: Line, question: Question) -> Question:
        """Its own condition, and those of the groups around it."""
        found: tuple[Clause, ...] = ()
        texts: list[str] = []
        lines = [x for x, _ in self._open] + [line]
        for each in lines:
            written = each.get("relevant")
            if not written or written.strip().lower() in ("true()", "1", "yes", "true"):
                continue
            texts.append(written)
            read = clauses(written)
            if read is None:
                return replace(question, conditions=(), condition_text=" and ".join(texts))
            found += tuple(clause for clause in read if clause not in found)
        return replace(question, conditions=found, condition_text=" and ".join(texts))

    def _bounds(self, line: Line, question: Question) -> Question:
        written = line.get("constraint")
        low, high = question.minimum, question.maximum
        if question.kind == "number" and "=" in line.get("parameters"):
            given = dict(
                p.split("=", 1) for p in re.split(r"[\s;,]+", line.get("parameters")) if "=" in p
            )
            low, high = _number(given.get("start", "")), _number(given.get("end", ""))
        rest = re.sub(r"\band\b", " ", _LIMIT.sub(" ", written)).strip(" ()")
        if written and question.kind == "number" and not rest:
            step = 1 if question.decimals == 0 else 0
            for operator, text in _LIMIT.findall(written):
                value = float(text)
                if operator in (">=", ">", "="):
                    low = value + (step if operator == ">" else 0)
                if operator in ("<=", "<", "="):
                    high = value - (step if operator == "<" else 0)
        elif match := re.fullmatch(r"\s*string-length\(\s*\.\s*\)\s*<=\s*(\d{1,6})\s*", written):
            if question.kind == "text":
                return replace(question, max_length=int(match[1]))
        elif written:
            self._findings.add(
                line.at("constraint"), "formats.constraint", code=question.code,
                constraint=written[:200],
            )  # fmt: skip
        decimals = question.mark.decimals if question.mark.kind == "number" else question.decimals
        return replace(question, minimum=low, maximum=high, decimals=decimals)

    def _looks(self, line: Line, look: list[str]) -> None:
        sized = re.compile(r"(compact|quickcompact|columns)-\d+")
        strange = [w for w in look if w not in _PLAIN_LOOKS and not sized.fullmatch(w)]
        if strange:
            self._findings.add(
                line.at("appearance"), "formats.appearance", appearance=" ".join(strange)[:100]
            )

    def _beside(self, line: Line, question: Question) -> None:
        """What stands beside a question that we have no place for."""
        for name in ("hint", "guidance_hint"):
            if line.get(name):
                self._findings.add(line.at(name), "formats.hint", code=question.code)
        if line.get("default"):
            self._findings.add(line.at("default"), "formats.default", code=question.code)
        if line.get("calculation"):
            self._findings.add(line.at("calculation"), "formats.calculation", code=question.code)
        if line.get("readonly").lower() in ("yes", "true", "true()"):
            self._findings.add(line.at("readonly"), "formats.readonly", code=question.code)
        if any(name.startswith("media::") for name in line.cells):
            self._findings.add(line.place, "formats.media")

    def _ask_pyxform(self) -> None:
        """What pyxform refuses the form for, if it does: it may still be one of SurveyCTO.

        What it takes, ODK Validate is asked about.
        """
        book: dict[str, object] = {"sheet_names": list(self._tables.plain)}
        for title, rows in self._tables.plain.items():
            book[title] = [dict(row) for row in rows]
            book[f"{title}_header"] = [{k: None for row in rows for k in row}]
        try:
            xform = convert(book, warnings=[], form_name="form").xform
        except PyXFormError as error:
            self._findings.add(Place(), "formats.pyxform", said=" ".join(str(error).split())[:300])
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            RecursionError,
        ) as error:
            # pyxform stumbles over some of what it does not refuse.
            self._findings.add(Place(), "formats.pyxform", said=repr(error)[:300])
        else:
            if self._odk:
                odk_validate.check(xform, self._findings)


def _number(written: str) -> float | None:
    try:
        return float(written)
    except ValueError:
        return None
