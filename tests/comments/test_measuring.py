"""The measure of themes counts rightly, and the word list does not fall behind its own lines."""

import pytest

from app.themes.finding import Finding, ThemeFound
from app.themes.model import Tone
from tests.comments.measuring import FILES, OWN, TUNED, Line, by_list, read_lines, scores, themes_of

PLAIN = Finding((ThemeFound("waiting", Tone.BLAME), ThemeFound("fees", Tone.BLAME)), Tone.BLAME)


def test_precision_recall_and_f1_are_counted_by_hand():
    lines = [
        Line("i", "a", frozenset({"waiting"}), "blame"),
        Line("i", "b", frozenset({"waiting", "fees"}), "praise"),
        Line("i", "c", frozenset({"attitude"}), "blame"),
    ]
    by_name = {each.name: each for each in scores(lines, lambda line: PLAIN)}
    assert by_name["waiting"].precision.value == pytest.approx(2 / 3)
    assert by_name["waiting"].recall.value == 1 and by_name["attitude"].recall.value == 0
    assert by_name["all"].f1.value == pytest.approx(2 * 3 / (6 + 4))
    assert by_name["tone"].precision.value == pytest.approx(2 / 3)
    assert by_name["all"].f1.low < by_name["all"].f1.value < by_name["all"].f1.high


def test_general_praise_is_no_theme_of_the_labels():
    satisfied = ThemeFound("satisfied", Tone.PRAISE)
    assert themes_of(Finding((satisfied,), Tone.PRAISE)) == {"other"}
    assert themes_of(Finding((satisfied, *PLAIN.themes), Tone.PRAISE)) == {"waiting", "fees"}


def test_a_mistaken_label_is_named_with_its_line(tmp_path):
    file = tmp_path / "x.tsv"
    file.write_text("item\ttext\tthemes\ttone\ncomment\tx\twating\tblame\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.tsv:2"):
        read_lines(file)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_labelled_lines_can_be_measured(file):
    lines = read_lines(file)
    assert len(lines) == (70 if file == OWN else 300)
    together = next(each for each in scores(lines, by_list()) if each.name == "all")
    assert together.f1.low <= together.f1.value <= together.f1.high
    if file in (OWN, TUNED):
        assert together.f1.value > 0.9
