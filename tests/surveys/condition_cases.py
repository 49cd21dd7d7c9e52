"""A form of a chain of conditions, and what is asked of it: for the server and both scripts."""

from __future__ import annotations

from surveys.model import Questionnaire


def text(words: str) -> dict[str, str]:
    """A wording, the same in both languages."""
    return {"vi": words, "en": words}


def _choice(code: str, condition: dict[str, object] | None = None) -> dict[str, object]:
    options = [{"value": value, "text": text(f"{code} {value}")} for value in (1, 2, 3)]
    item = {"code": code, "kind": "single_choice", "text": text(code), "options": options}
    return item | {"no_opinion": {"text": text("Không rõ")}, "shown_if": condition}


#: q1 shows q2, q2 shows q3, and q3 a text and a number; q1 shows a comment as well.
CHAIN = Questionnaire.model_validate(
    {
        "code": "chain",
        "version": 1,
        "title": text("Chuỗi"),
        "source": text("x"),
        "scales": {
            "two": {
                "levels": [{"value": v, "text": text(f"Mức {v}")} for v in (1, 2)],
                "satisfied": [2],
            }
        },
        "factors": [
            {
                "code": "A",
                "title": text("A"),
                "items": [{"code": "A1", "scale": "two", "text": text("Hài lòng?")}],
            }
        ],
        "more": [
            _choice("q1"),
            _choice("q2", {"item": "q1", "is": [1, 2]}),
            _choice("q3", {"item": "q2", "is": [1]}),
            {"code": "why", "kind": "short_text", "text": text("Vì sao?")}
            | {"shown_if": {"item": "q3", "is": [1]}},
            {"code": "days", "kind": "number", "minimum": 0, "maximum": 9, "text": text("Ngày")}
            | {"shown_if": {"item": "q3", "is": [1, 2]}},
            {"code": "note", "kind": "long_text", "text": text("Ghi chú")}
            | {"shown_if": {"item": "q1", "is": [3]}},
        ],
        "scoring": {"index": ["A"]},
    }
)

#: What stands on the form, and the items that are not asked then. None is “no opinion”.
CASES: list[tuple[dict[str, int | str | None], set[str]]] = [
    ({}, {"q2", "q3", "why", "days", "note"}),
    ({"q1": 1}, {"q3", "why", "days", "note"}),
    ({"q1": 1, "q2": 1}, {"why", "days", "note"}),
    ({"q1": 1, "q2": 1, "q3": 1, "why": "vì", "days": 3}, {"note"}),
    ({"q1": 2, "q2": 1, "q3": 2, "days": 3}, {"why", "note"}),
    # Changed at the second question: what hangs on the third is gone too.
    ({"q1": 1, "q2": 2, "q3": 1, "why": "vì", "days": 3}, {"q3", "why", "days", "note"}),
    # Changed at the first: two hidden answers stand between it and the last ones.
    (
        {"q1": 3, "q2": 1, "q3": 1, "why": "vì", "days": 3, "note": "x"},
        {"q2", "q3", "why", "days"},
    ),
    ({"q2": 1, "q3": 1, "why": "vì"}, {"q2", "q3", "why", "days", "note"}),
    ({"q1": None, "q2": 1, "q3": 1, "days": 3}, {"q2", "q3", "why", "days", "note"}),
    ({"q1": 1, "q2": None, "q3": 1, "days": 3}, {"q3", "why", "days", "note"}),
]
