"""A problem's sentences: in one place, for pages, commands and the interface."""

from __future__ import annotations

from app.messages import LANGUAGES
from app.problems import BodyTooLarge, FieldError, InvalidFields, MalformedBody, NotFound


def test_the_sentences_of_a_document_are_the_problems_own() -> None:
    problem = BodyTooLarge(limit=1000, field="body")
    for language in LANGUAGES:
        document = problem.document(language)
        assert document["title"] == BodyTooLarge.title(language)
        assert document["detail"] == problem.detail(language)
        assert "1000" in problem.detail(language) or "1,000" in problem.detail(language)
    assert problem.detail("vi") != problem.detail("en")


def test_an_error_of_a_field_has_the_same_sentence() -> None:
    error = FieldError("point", "field.invalid", {"reason": "too long"})
    problem = InvalidFields(errors=[error], count=1)
    assert problem.document("en")["errors"] == [
        {"field": "point", "code": "field.invalid", "detail": error.detail("en")}
    ]


def test_a_problem_stands_among_the_errors_of_fields() -> None:
    problem = MalformedBody(reason="no brace", field="responses")
    error = problem.as_field_error()
    assert (error.field, error.detail("vi")) == ("responses", problem.detail("vi"))
    assert NotFound().as_field_error().field == ""
