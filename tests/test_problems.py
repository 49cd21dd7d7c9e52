"""A problem's sentences: in one place, for pages, commands and the interface."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from app.messages import LANGUAGES
from app.problems import (
    BodyTooLarge,
    FieldError,
    InvalidFields,
    MalformedBody,
    NotFound,
    invalid_fields,
)


def test_the_sentences_of_a_document_are_the_problems_own() -> None:
    problem = BodyTooLarge(limit=1000 * 2**20)
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


MISSING = FieldError("unit", "field.missing", kind="parameter")


def test_the_detail_names_each_wrong_field_and_what_is_wrong() -> None:
    problem = InvalidFields(errors=[MISSING], count=1)
    assert problem.detail("vi") == "Thiếu tham số unit."
    assert problem.document("en")["detail"] == "The parameter unit is missing."
    wrong = FieldError("days", "field.invalid", {"le": 30}, "cause.at_most", "parameter")
    both = InvalidFields(errors=[MISSING, wrong], count=2)
    assert both.detail("vi") == (
        "Thiếu tham số unit. Tham số days: Giá trị không hợp lệ: lớn nhất là 30."
    )
    body = InvalidFields(errors=[FieldError("name", "field.missing")], count=1)
    assert body.detail("en") == "The field name is missing."
    of_the_form = InvalidFields(errors=[FieldError("form", "role.gone")], count=1)
    assert of_the_form.detail("en") == FieldError("form", "role.gone").detail("en")


def test_of_many_wrong_fields_the_first_are_named() -> None:
    errors = [FieldError(f"f{n}", "field.missing") for n in range(5)]
    assert InvalidFields(errors=errors, count=5).detail("vi") == (
        "Thiếu trường f0. Thiếu trường f1. Thiếu trường f2. Còn 2 lỗi nữa; xem errors."
    )


class Model(BaseModel):
    """A field for each sort of mistake that the catalogue has a sentence for."""

    number: int = 1
    share: float = 1.0
    yes: bool = True
    day: date = date(2026, 1, 1)
    at: datetime = datetime(2026, 1, 1)
    one: Literal["a", "b"] = "a"
    least: Annotated[int, Field(ge=1)] = 1
    most: Annotated[int, Field(lt=9)] = 1
    text: Annotated[str, Field(max_length=2, min_length=1, pattern="a*")] = "a"
    many: Annotated[list[int], Field(max_length=1)] = []


@pytest.mark.parametrize(
    ("field", "value", "vi", "en"),
    [
        ("number", "x", "cần một số nguyên.", "a whole number is needed."),
        ("share", "x", "cần một số.", "a number is needed."),
        ("yes", "x", "chỉ nhận true hoặc false.", "takes true or false."),
        ("day", "x", "cần một ngày, ví dụ 2026-11-24.", "a day is needed, such as 2026-11-24."),
        ("at", "x", "cần một thời điểm, ví dụ", "a time is needed, such as"),
        ("one", "c", "chỉ nhận một trong các giá trị: a, b.", "takes one of these: a, b."),
        ("least", 0, "nhỏ nhất là 1.", "the least is 1."),
        ("most", 9, "phải nhỏ hơn 9.", "must be less than 9."),
        ("text", "aaa", "dài nhất 2 ký tự.", "at most 2 characters."),
        ("text", "", "ngắn nhất 1 ký tự.", "at least 1 characters."),
        ("text", 1, "cần văn bản.", "text is needed."),
        ("many", [1, 2], "nhiều nhất 1 mục.", "at most 1 entries."),
        ("many", 1, "cần một danh sách.", "a list is needed."),
    ],
)
def test_what_is_wrong_is_said_in_both_languages(
    field: str, value: object, vi: str, en: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Model.model_validate({field: value})
    problem = invalid_fields(refused.value)
    assert vi in problem.detail("vi") and f"Trường {field}: " in problem.detail("vi")
    assert en in problem.detail("en") and f"Field {field}: " in problem.detail("en")
    assert problem.document("vi")["errors"][0]["code"] == "field.invalid"
    assert "should be" not in problem.detail("vi")
