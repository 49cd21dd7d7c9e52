"""Forms that strangers wrote are read within bounds, and every refusal names its place.

All sizes here are harmless: what a bound refuses is told by where reading stopped, well before the
end of the file.
"""

import time
import unicodedata

import pytest

from surveys import check_file, load_file
from surveys.loader import FORMS
from surveys.reading import DEEPEST, LONGEST_LINE, MOST_BYTES, MOST_PARTS, Mark

SOUND = (FORMS / "kiosk-face.yaml").read_text(encoding="utf-8")
TITLE = "  vi: Ông/Bà có hài lòng không?"


def mistakes_in(tmp_path, content):
    file = tmp_path / "form.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    began = time.process_time()
    found = check_file(file)
    # Of the processor, not of the clock: others use the machine too.
    assert time.process_time() - began < 1
    return found


def the_mistake(tmp_path, content):
    (mistake,) = mistakes_in(tmp_path, content)
    return mistake


def tenfold(levels):
    """A few lines that stand for 10 ** levels parts."""
    lines = ["a0: &a0 [" + ", ".join("x" * 10) + "]"]
    for level in range(1, levels):
        inner = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{inner}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("content", "line", "column", "field", "said"),
    [
        ("code: x\nmore: &a [1, *a]", 2, 14, "more[1]", "*a stands within itself"),
        ("a: &a\n  b: { c: *a }", 2, 11, "a.b.c", "*a stands within itself"),
        ("a: *nobody", 1, 4, "(form)", "undefined alias"),
        # The third list of tens is the first beyond the bound: nothing is expanded.
        (tenfold(9), 4, 25, "a3[3]", f"more than {MOST_PARTS}"),
        (
            "a0: &a0 { x: 1 }\n"
            + "\n".join(f"a{i}: &a{i} {{ <<: [{f'*a{i - 1}, ' * 20}] }}" for i in range(1, 9)),
            4,
            26,
            "a3.<<[2]",
            f"more than {MOST_PARTS}",
        ),
        ("a: " + "[" * 60 + "]" * 60, 1, 4 + DEEPEST, None, f"more than {DEEPEST} levels"),
        (
            "\n".join(" " * depth + "a:" for depth in range(60)),
            DEEPEST + 1,
            DEEPEST + 1,
            None,
            f"more than {DEEPEST} levels",
        ),
        ("a: &a [[[[[[[[1]]]]]]]]\nb: [[[[[[[[*a]]]]]]]]", 2, 12, None, "levels deep"),
        ("\n".join(["- x"] * MOST_PARTS), MOST_PARTS, 3, f"[{MOST_PARTS - 1}]", "more than"),
        ("a: 1\nb: '" + "x" * LONGEST_LINE + "'", 2, LONGEST_LINE + 1, "(form)", "characters"),
        ("# ten\n- x\n" * (MOST_BYTES // 10 + 1), None, None, "(form)", "256 KiB"),
        (b"code: x\ntitle: a\0b", 2, 9, "(form)", "NUL"),
        ("code: x\ntitle: a\u202eb", 2, 9, "(form)", "U+202E"),
        ("code: x # \u2066", 1, 11, "(form)", "U+2066"),
        ('title:\n  vi: "a\\0b"', 2, 7, "title.vi", "NUL"),
        ('title:\n  vi: "a\\u202Eb"', 2, 7, "title.vi", "U+202E"),
        ('title: "\\ud800"', 1, 8, "title", "U+D800"),
        ('title: "\\UFFFFFFFF"', 1, 11, "(form)", "not YAML"),
        ("code: !!python/name:os.system x", 1, 7, "code", "tag"),
        ("a: 1\ncode: 2026-13-45", 2, 7, "(form)", "month"),
        ("version: 0b_", 1, 10, "(form)", "not YAML"),
        ("? [a]\n: 1", 1, 3, "(form)", "unhashable"),
        ("a: 1\n---\nb: 1", 2, 1, "(form)", "another document"),
        ("code: x\ntitle: caf\xe9 1".encode("latin-1"), 2, 11, "(form)", "save the file as UTF-8"),
        (b"\xff\xfea\0:\0 \0\0\xd8\0\0", 1, 4, "(form)", "not UTF-16"),
    ],
)
def test_what_is_beyond_the_bounds_is_named_by_line_and_column(
    tmp_path, content, line, column, field, said
):
    mistake = the_mistake(tmp_path, content)
    assert said in mistake.reason
    if line is not None:
        assert mistake.mark == Mark(line, column)
        assert f"form.yaml:{line}:{column}: " in str(mistake)
    assert field is None or (mistake.field or "(form)") == field


def test_bounds_leave_room_for_forms(tmp_path):
    # An anchor that is used where it is whole is no danger.
    level = "{ value: 1, text: { vi: Thời gian chờ, en: Waiting time } }"
    assert level in SOUND
    shared = SOUND.replace(level, "{ value: 1, text: &wait { vi: Chờ, en: Waiting } }").replace(
        "text: { vi: Chi phí, en: Cost }", "text: *wait"
    )
    assert "*wait" in shared and mistakes_in(tmp_path, shared) == []
    # Seven times the longest form.
    many = "".join(
        f"  - {{ code: n{n}, kind: short_text, text: {{ vi: Câu {n}, en: Question {n} }} }}\n"
        for n in range(400)
    )
    assert mistakes_in(tmp_path, SOUND.replace("more:\n", f"more:\n{many}")) == []


def test_a_form_full_of_mistakes_is_told_within_a_second(tmp_path):
    entries = (MOST_PARTS - 10) // 2
    found = mistakes_in(tmp_path, "factors:\n- items:\n" + "  - {}\n" * entries)
    assert len(found) > 3 * entries
    lines = [mistake.mark.line for mistake in found if mistake.field.startswith("factors[0].items")]
    assert lines == sorted(lines) and lines[-1] == entries + 2


def test_every_key_that_stands_twice_is_named_with_its_column(tmp_path):
    text = SOUND.replace(TITLE, TITLE + "\n  vi: Hai lần").replace(
        "{ value: 2, text", "{ value: 2, value: 3, text", 1
    )
    found = mistakes_in(tmp_path, text)
    twice = {mistake.field: mistake.mark for mistake in found if "twice" in mistake.reason}
    lines = text.splitlines()
    assert twice == {
        "title.vi": Mark(lines.index("  vi: Hai lần") + 1, 3),
        "scales.faces.levels[1].value": Mark(
            next(n for n, line in enumerate(lines, 1) if "value: 3, text" in line), 21
        ),
    }


@pytest.mark.parametrize("escaped", [False, True])
def test_letters_are_composed(tmp_path, escaped):
    text = unicodedata.normalize("NFD", SOUND)
    assert text != SOUND
    if escaped:
        text = SOUND.replace(TITLE, '  vi: "O\\u0302ng/Bà có hài lòng không?"')
        assert "\\u0302" in text
    file = tmp_path / "form.yaml"
    file.write_text(text, encoding="utf-8")
    form = load_file(file)
    assert form.title.vi == "Ông/Bà có hài lòng không?"
    assert form.content_hash == load_file(FORMS / "kiosk-face.yaml").content_hash


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_files_of_notepad_are_read(tmp_path, encoding):
    text = SOUND if encoding in ("utf-8-sig", "utf-16") else "\ufeff" + SOUND
    file = tmp_path / "form.yaml"
    file.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert load_file(file) == load_file(FORMS / "kiosk-face.yaml")


DECEIVING = {
    '"={}"': "formula",
    '"../{}"': "path",
    '"{}\\nx"': "line break",
    '"{}\\rx"': "line break",
    '"{}\\0"': "NUL",
    '"{}\\u202e"': "U+202E",
    '"{}\\u2028"': "U+2028",
}


@pytest.mark.parametrize(
    ("was", "name", "field"),
    [
        ("code: kiosk-face", "kiosk-face", "code"),
        ("code: S1", "S1", "factors[0].items[0].code"),
        ("code: S\n", "S", "factors[0].code"),
        ("code: reason", "reason", "more[0].code"),
        (TITLE.strip(), "Ông/Bà có hài lòng không?", "title.vi"),
        ("vi: Xin cho biết thêm", "Xin cho biết thêm", "more[1].text.vi"),
        ("vi: Chi phí", "Chi phí", "more[0].options[5].text.vi"),
    ],
)
@pytest.mark.parametrize("written", DECEIVING)
def test_codes_and_names_hold_nothing_that_deceives(tmp_path, was, name, field, written):
    key = was.split(":")[0]
    assert was in SOUND
    end = "\n" if was.endswith("\n") else ""
    text = SOUND.replace(was, f"{key}: {written.format(name)}{end}", 1)
    found = {mistake.field: mistake for mistake in mistakes_in(tmp_path, text)}
    assert field in found
    # A code has a pattern; what a wording may not hold is said by name.
    said = found[field].reason
    assert DECEIVING[written] in said or (key == "code" and "pattern" in said)


def test_a_deceiving_name_of_a_scale_is_refused(tmp_path):
    text = SOUND.replace("  faces:", '  "=faces":').replace("scale: faces", 'scale: "=faces"')
    assert "formula" in mistakes_in(tmp_path, text)[0].reason
