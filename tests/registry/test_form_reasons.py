"""What is wrong with a form is said in the reader's language, whoever found it."""

import pytest
from pydantic import ValidationError

from app.messages import say
from app.registry.form_drafts import DraftTooLarge, add_draft
from app.registry.form_reasons import worded
from surveys import load_directory
from surveys.consistency import Breach
from surveys.formats.findings import Misfit
from surveys.model import Sketch
from surveys.reading import UnreadableError, parsed, text_of

FORM = load_directory()[("kiosk-face", 2)]


@pytest.mark.parametrize(
    ("content", "vi", "en"),
    [
        (b"x" * 300_000, "lớn hơn 256 KiB", "larger than 256 KiB"),
        (b"\xff", "không phải văn bản UTF-8; hãy lưu tệp ở dạng UTF-8", "no UTF-8 text"),
        (b"\xff\xfea", "không phải văn bản UTF-16 như phần đầu tệp cho biết", "no UTF-16 text"),
        ("a: \u202eb".encode(), "có ký tự U+202E", "the sign U+202E"),
        (b"a: " + b"x" * 5000, "dòng có 5003 ký tự, chỉ đọc nhiều nhất 4000", "5003 characters"),
        (b"a: [", "không đúng cú pháp YAML", "no YAML"),
        (b"a: &x [*x]", "*x nằm trong chính nó", "*x stands within itself"),
        (b"a: !!set {}", "có thẻ kiểu", "it has the tag"),
        (b"[" + b"1,\n" * 6000 + b"]", "có hơn 5000 mục", "more than 5000 keys"),
        (b"[" * 20 + b"]" * 20, "lồng nhau quá 16 tầng", "more than 16 levels"),
    ],
    ids=["large", "utf8", "utf16", "unseen", "line", "yaml", "itself", "tag", "parts", "deep"],
)
def test_why_a_text_is_not_read_is_said_in_both_languages(content, vi, en):
    with pytest.raises(UnreadableError) as refused:
        parsed(text_of(content))
    said = worded({"line": 1, "said": refused.value.said})
    assert vi in say("questionnaires.unreadable", "vi", **said)
    assert en in say("questionnaires.unreadable", "en", **said)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_draft_that_is_too_large_is_refused_without_a_word_of_english(database):
    many = Sketch.model_validate(
        FORM.model_dump(mode="json", by_alias=True) | {"unverified": ["x" * 3000] * 100}
    )
    with pytest.raises(DraftTooLarge) as refused, database.writing() as session:
        add_draft(session, many, "an")
    assert refused.value.detail("vi") == "Phiếu lớn hơn mức cho phép: lớn hơn 256 KiB."
    assert refused.value.detail("en").endswith("larger than 256 KiB.")


def test_what_does_not_fit_and_which_rules_are_broken_is_said_in_both_languages():
    with pytest.raises(ValidationError) as wrong:
        Sketch.model_validate(FORM.model_dump(mode="json", by_alias=True) | {"version": "x"})
    misfit = Misfit(wrong.value.errors()[0])
    assert say("formats.unfit", "vi", **worded({"said": misfit})) == (
        "Chưa hợp lệ: Giá trị không hợp lệ: cần một số nguyên."
    )
    broken = Breach(("more",), "item_twice", {"code": "A1"})
    assert say("formats.unfit", "vi", **worded({"said": broken})) == (
        "Chưa hợp lệ: Hai câu hỏi cùng mã A1."
    )
    assert str(broken) == "item A1 stands twice", "whoever writes YAML has it in English"
