"""What a question of an outline becomes among our items."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from surveys.formats.expressions import passes
from surveys.formats.findings import Findings
from surveys.formats.outline import NO_OPINION, Choice, Clause, Outline, Question
from surveys.formats.scales import Parted, directed, looks_like_scale, parted, without_other
from surveys.formats.speech import Speech
from surveys.model import LARGEST_LEVEL, MOST_CHOICES

#: A part of a form in the shape of our YAML.
Document = dict[str, Any]

#: Bounds of a number for which a file has none.
_ASSUMED = (0, 1_000_000)
_LONG_TEXT, _SHORT_TEXT = 4000, 200


@dataclass(frozen=True)
class Drawn:
    """An item as it became, with our value for each code that the file has for an answer."""

    fields: Document
    values: dict[str, int | None] = field(default_factory=dict)
    code: str = ""
    question: Question | None = None

    def value_of(self, code: str) -> int | None:
        """Our value for a code; 1.0 is 1."""
        return self.values.get(code, self.values.get(_bare(code)))

    def fits(self, code: str, clause: Clause) -> bool:
        """Whether an answer of this code fulfils a clause."""
        if clause.tests:
            return passes(code, clause.tests)
        return code in clause.codes or code in {_bare(each) for each in clause.codes}


def _bare(code: str) -> str:
    return re.sub(r"^(-?\d+)\.0+$", r"\1", code.strip())


class Items:
    """Draws items, and gathers the scales that they share."""

    def __init__(self, outline: Outline, findings: Findings, speech: Speech) -> None:
        self._findings, self._speech, self._mark = findings, speech, outline.mark
        #: Scales by name, in the shape of our YAML.
        self.scales: dict[str, Document] = {}
        self._of_list: dict[str, tuple[str, dict[str, int | None]]] = {}
        for name, scale in outline.mark.scales.items():
            if scale.levels:
                levels = [
                    {"value": n, "text": speech.marked(text)}
                    for n, text in enumerate(scale.levels, start=1)
                ]
                self.scales[name] = {"levels": levels, "satisfied": scale.satisfied}
                if scale.no_opinion:
                    none = self._no_opinion_field(scale.no_opinion_value, scale.no_opinion)
                    self.scales[name]["no_opinion"] = none

    def draw(self, question: Question) -> Drawn | None:
        """The fields of the item save its code; None where we have none like it, which is noted."""
        text = self._speech.text(question.texts, question.place, question.code)
        match question.kind:
            case "text":
                return self._words(question, text)
            case "number":
                return self._number(question, text)
            case "one" | "many":
                return self._choice(question, text)

    def _words(self, question: Question, text: Document) -> Drawn:
        length = question.max_length
        long = question.long or (length or 0) > _SHORT_TEXT
        long = question.mark.kind == "long_text" or (long and question.mark.kind != "short_text")
        fields: Document = {"kind": "long_text" if long else "short_text", "text": text}
        most = _LONG_TEXT if long else _SHORT_TEXT
        if length is not None:
            if not 1 <= length <= most:
                self._findings.add(
                    question.place, "formats.length", code=question.code, length=length, most=most
                )
            fields["max_length"] = min(max(length, 1), most)
        return Drawn(fields)

    def _number(self, question: Question, text: Document) -> Drawn:
        mark, low, high = question.mark, question.minimum, question.maximum
        kind = mark.kind if mark.kind in ("zero_to_ten", "percent") else "number"
        if kind == "zero_to_ten" and (low, high) != (0, 10):
            kind = "number"
        if kind == "percent" and (low != 0 or high is None or not 1 <= high <= 1000):
            kind = "number"
        fields: Document = {"kind": kind, "text": text}
        if kind == "percent" and high is not None:
            fields["maximum"] = int(high)
        if kind == "number":
            self._bounds(question, fields)
        if mark.no_opinion:
            fields["no_opinion"] = self._no_opinion_field(mark.no_opinion_value, mark.no_opinion)
        values: dict[str, int | None] = {}
        if kind == "zero_to_ten":
            values = {str(n): n for n in range(11)}
        return Drawn(fields, values)

    def _bounds(self, question: Question, fields: Document) -> None:
        low, high = question.minimum, question.maximum
        decimals = question.decimals
        if decimals is None:
            decimals = 2
            self._findings.add(question.place, "formats.decimals_assumed", code=question.code)
        fields["decimals"] = min(max(decimals, 0), 4)
        if low is None or high is None or not low < high:
            low = min(_ASSUMED[0], high - 1) if low is None and high is not None else low
            low = _ASSUMED[0] if low is None else low
            if high is None or not low < high:
                high = max(_ASSUMED[1], low + 1)
            self._findings.add(
                question.place, "formats.bounds_assumed", code=question.code, low=low, high=high
            )
        if (high - low) * 10 ** fields["decimals"] >= 2**32 - 2:
            high = low + (2**32 - 3) // 10 ** fields["decimals"]
            self._findings.add(
                question.place, "formats.bounds_assumed", code=question.code, low=low, high=high
            )
        fields["minimum"], fields["maximum"] = low, high
        if question.mark.unit:
            fields["unit"] = self._speech.marked(question.mark.unit)

    def _choice(self, question: Question, text: Document) -> Drawn | None:
        own = question.mark.kind in ("rated", "single_choice", "multiple_choice")
        parts = self._parted(question, own)
        most = LARGEST_LEVEL if question.kind == "one" else MOST_CHOICES
        if not 2 <= len(parts.steps) <= most:
            self._findings.add(
                question.place, "formats.choices", code=question.code,
                count=len(parts.steps), most=most,
            )  # fmt: skip
            return None
        if question.kind == "one" and not own:
            steps, other = without_other(parts.steps)
            if other is not None:
                self._findings.add(other.place, "formats.other_level", code=other.code)
                parts = Parted(steps, parts.no_opinion, parts.further)
        is_scale = question.mark.kind == "rated" or (
            not own and (question.is_scale or looks_like_scale(parts.steps))
        )
        if question.kind == "one" and is_scale:
            return self._rated(question, text, parts)
        values = self._option_values(question, parts.steps)
        options = [
            {"value": value, "text": self._speech.text(c.texts, c.place, c.code)}
            for c, value in zip(parts.steps, values, strict=True)
        ]
        kind = "single_choice" if question.kind == "one" else "multiple_choice"
        fields: Document = {"kind": kind, "text": text, "options": options}
        if parts.no_opinion:
            fields["no_opinion"] = self._no_opinion(question, parts.no_opinion, values)
        by_code: dict[str, int | None] = {
            _bare(c.code): value for c, value in zip(parts.steps, values, strict=True)
        }
        return Drawn(fields, by_code if question.kind == "one" else {})

    def _parted(self, question: Question, own: bool) -> Parted:
        choices: dict[str, Choice] = {}
        for choice in question.choices:
            if choice.code in choices:
                self._findings.add(choice.place, "formats.code_twice", code=choice.code)
            else:
                choices[choice.code] = choice
        if own:
            steps = tuple(c for c in choices.values() if c.code != NO_OPINION)
            return Parted(steps, choices.get(NO_OPINION), ())
        parts = parted(list(choices.values()))
        if parts.no_opinion and len(parts.steps) < 2:
            return Parted(tuple(choices.values()), None, ())
        for choice in parts.further:
            self._findings.add(choice.place, "formats.second_no_opinion", code=choice.code)
        if parts.no_opinion:
            self._findings.add(
                parts.no_opinion.place, "formats.taken_for_no_opinion", code=parts.no_opinion.code
            )
        return parts

    def _option_values(self, question: Question, options: tuple[Choice, ...]) -> list[int]:
        codes = [_bare(choice.code) for choice in options]
        highest = len(codes) if question.kind == "many" else LARGEST_LEVEL
        if all(re.fullmatch(r"[1-9]\d{0,2}", code) for code in codes):
            values = [int(code) for code in codes]
            if len(set(values)) == len(values) and max(values) <= highest:
                return values
        shown = ", ".join(f"{code} → {n}" for n, code in enumerate(codes[:6], start=1))
        shown += ", …" if len(codes) > 6 else ""
        self._findings.add(
            options[0].place, "formats.numbered", code=question.list_name or question.code,
            codes=shown,
        )  # fmt: skip
        return list(range(1, len(codes) + 1))

    def _rated(self, question: Question, text: Document, parts: Parted) -> Drawn:
        key = f"{question.mark.scale or question.list_name or question.code}"
        marked = self._mark.scales.get(question.mark.scale)
        levels, turned = parts.steps, False
        satisfied: tuple[int, ...] = ()
        if marked is not None:
            satisfied = tuple(v for v in marked.satisfied if v <= len(levels))
        if not satisfied:
            direction = directed(parts.steps)
            levels, satisfied, turned = direction.steps, direction.satisfied, direction.turned
        scale: Document = {
            "levels": [
                {"value": n, "text": self._speech.text(c.texts, c.place, c.code)}
                for n, c in enumerate(levels, start=1)
            ],
            "satisfied": list(satisfied),
        }
        if parts.no_opinion:
            scale["no_opinion"] = self._no_opinion(question, parts.no_opinion, range(1, 255))
        name, number = key, 1
        while name in self.scales and self.scales[name] != scale:
            number += 1
            name = f"{key}_{number}"
        if name not in self.scales:
            self.scales[name] = scale
            if marked is None:
                self._findings.add(
                    question.place, "formats.scale_assumed", scale=name,
                    low=scale["levels"][0]["text"]["en"], high=scale["levels"][-1]["text"]["en"],
                    satisfied=", ".join(map(str, satisfied)),
                )  # fmt: skip
            codes = [_bare(c.code) for c in levels]
            if turned or codes != [str(n) for n in range(1, len(codes) + 1)]:
                shown = ", ".join(f"{code} → {n}" for n, code in enumerate(codes, start=1))
                self._findings.add(question.place, "formats.numbered", code=name, codes=shown)
        values = {_bare(c.code): n for n, c in enumerate(levels, start=1)}
        return Drawn({"scale": name, "text": text}, {**values})

    def _no_opinion(self, question: Question, choice: Choice, taken: Any) -> Document:
        text = self._speech.text(choice.texts, choice.place, choice.code)
        value = question.mark.no_opinion_value
        if value is None and question.mark.kind == "":
            code = re.fullmatch("-?[0-9]{1,4}", _bare(choice.code))
            value = None if code is None or int(code[0]) in taken else int(code[0])
        return self._no_opinion_field(value, text)

    def _no_opinion_field(self, value: int | None, text: dict[str, str]) -> Document:
        wording = self._speech.marked(text)
        return {"text": wording} if value is None else {"value": value, "text": wording}
