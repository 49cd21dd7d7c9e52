"""From an outline to one of our forms: what each question becomes, and what is not carried.

Nothing is dropped without a word. What has to be taken for something (that choices are a scale,
which of its ends is the good one) is named as well, for a person to check before the form is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from surveys.consistency import broken
from surveys.formats.codes import Codes, form_code
from surveys.formats.findings import Findings, FormUnreadable, Misfit, NotCarried, Place
from surveys.formats.items import Document, Drawn, Items
from surveys.formats.outline import Clause, Group, Outline, Question, Texts
from surveys.formats.speech import Speech
from surveys.model import Questionnaire

_LARGEST_VERSION = 32767


@dataclass(frozen=True)
class Draft:
    """What a file became: a form that is not published, and all that was not carried as it was.

    ``form`` is None where something is missing that only a person can add, a scale above all;
    ``document`` has then what there is, in the shape of our YAML.
    """

    document: Mapping[str, object]
    form: Questionnaire | None
    not_carried: tuple[NotCarried, ...]


def draft(outline: Outline, findings: Findings, *, name: str, code: str = "") -> Draft:
    """Make a form of an outline.

    ``name`` is the file's, which becomes the source; ``code`` the form's own one, where it shall
    not be that of the file.

    Raises
    ------
    FormUnreadable
        Where no question of the file can be one of ours.
    """
    return _Drafting(outline, findings).done(name, code)


class _Drafting:
    def __init__(self, outline: Outline, findings: Findings) -> None:
        self._outline, self._findings = outline, findings
        self._speech = Speech(outline, findings)
        self._items = Items(outline, findings, self._speech)
        self._codes = Codes(findings, "Q")
        self._factor_codes = Codes(findings, "F")
        #: What became of each question that was carried, by its code in the file.
        self._drawn: dict[str, Drawn] = {}

    def done(self, name: str, code: str) -> Draft:
        mark = self._outline.mark
        groups = self._drawn_groups()
        if not groups:
            raise FormUnreadable("formats.no_question")
        factors, more = self._factors(groups)
        title = self._speech.text(self._outline.title or mark.title, Place(), name)
        document: Document = {
            "code": form_code(code or mark.code or self._outline.code or name.rsplit(".", 1)[0]),
            "version": mark.version or _version(self._outline.version),
            "title": title,
            "source": dict(mark.source) or {"vi": name, "en": name},
        }
        if mark.unverified:
            document["unverified"] = mark.unverified
        if languages := self._speech.further:
            document["languages"] = languages
        document["estimated_minutes"] = mark.estimated_minutes
        if mark.keep_partial:
            document["keep_partial"] = True
        document["scales"] = self._items.scales
        document["factors"] = factors
        if more:
            document["more"] = more
        document["scoring"] = self._scoring(factors)
        return self._checked(document)

    def _drawn_groups(self) -> list[tuple[Group, list[Document]]]:
        found: list[tuple[Group, list[Document]]] = []
        for group in self._outline.groups:
            items = [item for each in group.questions if (item := self._item(each)) is not None]
            if items:
                found.append((group, items))
            elif group.code:
                self._findings.add(group.place, "formats.empty_group", group=group.code)
        return found

    def _item(self, question: Question) -> Document | None:
        drawn = self._items.draw(question)
        if drawn is None:
            return None
        if question.code in self._drawn:
            self._findings.add(question.place, "formats.question_twice", code=question.code)
        code = self._codes.new(question.mark.code or question.code, question.place)
        item: Document = {"code": code, **drawn.fields}
        if question.required:
            item["required"] = True
        if condition := self._condition(question):
            item["shown_if"] = condition
        self._drawn[question.code] = Drawn(drawn.fields, drawn.values, code, question)
        return item

    def _condition(self, question: Question) -> Document | None:
        clauses = [c for c in question.conditions if not self._is_implied(c, question)]
        if not clauses and not question.conditions:
            if question.condition_text:
                self._lost(question)
            return None
        clause = clauses[0]
        target = self._drawn.get(clause.question)
        if len(clauses) > 1 or target is None:
            self._lost(question)
            return None
        values = sorted(
            {
                value
                for code, value in target.values.items()
                if value is not None and target.fits(code, clause)
            }
        )
        known = all(target.value_of(code) is not None for code in clause.codes)
        if not values or not known:
            self._lost(question)
            return None
        return {"item": target.code, "is": values}

    def _is_implied(self, clause: Clause, question: Question) -> bool:
        """Whether a further clause holds already where the question's other clause can hold."""
        others = [c for c in question.conditions if c != clause]
        chain = [self._drawn[c.question] for c in others if c.question in self._drawn]
        return any(
            drawn.question is not None
            and clause in drawn.question.conditions
            and len(drawn.question.conditions) == 1
            for drawn in chain
        )

    def _lost(self, question: Question) -> None:
        self._findings.add(
            question.condition_place or question.place,
            "formats.condition",
            code=question.code,
            condition=question.condition_text or _said(question),
        )

    def _factors(
        self, groups: list[tuple[Group, list[Document]]]
    ) -> tuple[list[Document], list[Document]]:
        """Groups as factors, and what stands under no heading at the end as further items.

        What stands under none before is a factor of its own, so that the order stays.
        """
        rest: list[Document] = []
        last, items = groups[-1]
        own = bool(self._outline.mark.index)
        if len(groups) > 1 and not last.code and (own or not _has_rated(items)):
            groups.pop()
            rest = items
        factors: list[Document] = []
        for group, items in groups:
            marked = next((q.mark.factor for q in group.questions if q.mark.factor), "")
            written = marked or group.code
            code = self._factor_codes.new(written or "part", group.place)
            if not (group.code or marked):
                self._findings.add(group.place, "formats.no_group", group=code)
            title: Texts = group.texts or ({} if group.code else self._outline.title)
            factors.append(
                {
                    "code": code,
                    "title": self._speech.text(title, group.place, group.code or code),
                    "items": items,
                }
            )
        return factors, rest

    def _scoring(self, factors: list[Document]) -> Document:
        mark = self._outline.mark
        able = [str(f["code"]) for f in factors if _has_rated(f["items"])]
        index = [code for code in mark.index if code in able] or able
        if able and not mark.index:
            self._findings.add(Place(), "formats.index_assumed", factors=", ".join(index))
        scoring: Document = {"index": index}
        codes = {drawn.code for drawn in self._drawn.values()}
        if leave_out := [code for code in mark.leave_out if code in codes]:
            scoring["leave_out"] = leave_out
        return scoring

    def _checked(self, document: Document) -> Draft:
        form: Questionnaire | None = None
        if not any(_has_rated(f["items"]) for f in document["factors"]):
            self._findings.add(Place(), "formats.no_scale")
        if document["scales"]:
            try:
                form = Questionnaire.model_validate(document)
            except ValidationError as error:
                for each in error.errors():
                    place = Place(".".join(map(str, each["loc"])))
                    self._findings.add(place, "formats.unfit", said=Misfit(each))
            else:
                faults = list(broken(form))
                for breach in faults:
                    place = Place(".".join(map(str, breach.place)))
                    self._findings.add(place, "formats.unfit", said=breach)
                form = None if faults else form
        return Draft(document, form, self._findings.all())


def _has_rated(items: list[Document]) -> bool:
    return any(item.get("kind", "rated") == "rated" for item in items)


def _version(written: str) -> int:
    if re.fullmatch(r"\d{1,5}(\.0+)?", written.strip()):
        number = int(float(written))
        if 1 <= number <= _LARGEST_VERSION:
            return number
    return 1


def _said(question: Question) -> str:
    return " and ".join(f"{c.question}: {', '.join(c.codes)}" for c in question.conditions)
