"""Mistakes in forms are named by file, line and field; published versions never change."""

import json
import shutil

import pytest

from surveys import FormError, check_file, load_directory, load_file
from surveys.loader import FORMS

SOUND = (FORMS / "kiosk-face.yaml").read_text(encoding="utf-8")


def line_of(text, part):
    return next(n for n, line in enumerate(text.splitlines(), start=1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("version: 2", "version: eins", "version", "integer"),
        ("        scale: faces", "        scale: smileys", "factors[0].items[0].scale", "smileys"),
        ("index: [S]", "index: [T]", "scoring.index[0]", "T is not a factor"),
        ("satisfied: [4, 5]", "satisfied: [4, 6]", "scales.faces", "6"),
        (
            "        required: true",
            "        requird: true",
            "factors[0].items[0].requird",
            "no such",
        ),
        ("    kind: multiple_choice", "    kind: many", "more[0]", "many"),
        ("code: kiosk-face", "code: Kiosk Face", "code", "pattern"),
        (
            "    shown_if: { item: S1, is: [1, 2, 3] }\n    text: { vi: 'Điều",
            "    shown_if: { item: S1, is: [9] }\n    text: { vi: 'Điều",
            "more[0].shown_if.is",
            "S1 never takes [9]",
        ),
        (
            "    shown_if: { item: S1, is: [1, 2, 3] }\n    text: { vi: 'Điều",
            "    shown_if: { item: comment, is: [1] }\n    text: { vi: 'Điều",
            "more[0].shown_if.item",
            "comment is not an item before reason",
        ),
        ("  - code: comment", "  - code: reason", "more[1].code", "stands twice"),
        ("estimated_minutes: 1", "version: 2", "version", "this key stands twice"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_field(tmp_path, old, new, field, said):
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    file = tmp_path / "form.yaml"
    file.write_text(text, encoding="utf-8")
    mistakes = check_file(file)
    assert [m.field for m in mistakes] == [field]
    assert said in mistakes[0].reason
    mark = mistakes[0].mark
    assert str(mistakes[0]).startswith(f"{file}:{mark.line}:{mark.column}: {field}: ")


def test_the_line_is_the_mistakes_own(tmp_path):
    text = SOUND.replace("        scale: faces", "        scale: smileys", 1)
    file = tmp_path / "form.yaml"
    file.write_text(text, encoding="utf-8")
    (mistake,) = check_file(file)
    assert mistake.mark.line == line_of(text, "scale: smileys")
    text = SOUND.replace("    is: [1, 2, 3]", "").replace(
        "{ item: S1, is: [1, 2, 3] }", "{ item: S9, is: [1] }", 1
    )
    file.write_text(text, encoding="utf-8")
    (mistake,) = check_file(file)
    assert mistake.mark.line == line_of(text, "S9")


def test_every_mistake_is_named_at_once(tmp_path):
    file = tmp_path / "form.yaml"
    text = SOUND.replace("version: 2", "version: 0").replace("code: kiosk-face", "code: X")
    file.write_text(text, encoding="utf-8")
    assert [m.field for m in check_file(file)] == ["code", "version"]


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "empty"), ("a: [", "not YAML"), (b"\xff\xfe\x00", "not UTF-16"), ("- 1", "valid")],
)
def test_what_is_no_form_is_refused(tmp_path, content, said):
    file = tmp_path / "form.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert said in check_file(file)[0].reason
    with pytest.raises(FormError):
        load_file(file)


def test_a_changed_published_version_is_refused(tmp_path):
    shutil.copy(FORMS / "published.json", tmp_path)
    file = tmp_path / "kiosk-face.yaml"
    file.write_text(SOUND.replace("Waiting time", "Time spent waiting"), encoding="utf-8")
    with pytest.raises(FormError, match="make this version 3"):
        load_directory(tmp_path)
    file.write_text(
        SOUND.replace("Waiting time", "Time").replace("version: 2", "version: 3"), "utf-8"
    )
    assert set(load_directory(tmp_path)) == {("kiosk-face", 3)}


def test_layout_of_the_yaml_is_no_change_of_content(tmp_path):
    file = tmp_path / "kiosk-face.yaml"
    file.write_text("# a comment\n" + SOUND.replace("{ value: 1,", "{value:   1,"), "utf-8")
    record = json.loads((FORMS / "published.json").read_text(encoding="utf-8"))
    assert load_file(file).content_hash == record["kiosk-face/2"]


def test_one_version_in_two_files_is_refused(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(SOUND, encoding="utf-8")
    with pytest.raises(FormError, match="stands twice"):
        load_directory(tmp_path)


@pytest.mark.parametrize(
    ("was", "becomes", "field"),
    [
        ("en: Satisfied }", "en: Satisfied, kh: x }", "scales.faces.levels[3].text.kh"),
        ("estimated_minutes: 1", "estimated_minutes: 1\nlanguages: { vi: x }", "languages.vi"),
        ("en: Satisfied }", "en: Satisfied, fr: '' }", "scales.faces.levels[3].text.fr"),
    ],
)
def test_a_form_names_its_languages(tmp_path, was, becomes, field):
    file = tmp_path / "form.yaml"
    text = (FORMS / "kiosk-face.yaml").read_text("utf-8")
    file.write_text(text.replace(was, becomes, 1), "utf-8")
    assert [mistake.field for mistake in check_file(file)] == [field]
