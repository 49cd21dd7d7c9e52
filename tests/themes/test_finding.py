"""Which themes comments have, who is praised, and what “nothing” means under which question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.themes.finding import REACH, Finder, ThemeFound
from app.themes.model import OTHER, Name, Question, Theme, ThemeList, ThemeWords, Tone
from app.themes.reading import first_list

FINDER = Finder(first_list())


def found(text, item="comment", questionnaire="sipas-desk"):
    finding = FINDER.find(questionnaire, item, text)
    return {each.theme: each.tone.value for each in finding.themes}, finding.tone.value


def test_nothing_is_good_or_bad_by_what_was_asked():
    assert found("Không có gì ạ", "best") == ({"nothing": "blame"}, "blame")
    assert found("Không có gì ạ", "improve") == ({"nothing": "praise"}, "praise")
    assert found("Không có gì ạ") == ({"nothing": "neutral"}, "neutral")
    assert found("không có ghế ngồi")[0] == {"facilities": "blame"}
    assert found("...")[0] == {"nothing": "neutral"}


@pytest.mark.parametrize(
    ("text", "themes"),
    [
        ("Không phải chờ", {"waiting": "praise"}),
        ("Phải chờ", {"waiting": "blame"}),
        ("Không sạch", {"cleanliness": "blame"}),
        ("Hết sức nhiệt tình", {"attitude": "praise"}),
        ("Không chỉ sạch", {"cleanliness": "praise"}),
        ("khong phai cho lau", {"waiting": "praise"}),
        ("Nhà vệ sinh cần sạch hơn", {"cleanliness": "blame"}),
        ("Không ai vòi vĩnh", {"bribery": "praise"}),
    ],
)  # fmt: skip
def test_negations_turn_round_and_wishes_are_blame(text, themes):
    assert found(text)[0] == themes


def test_a_question_lends_its_tone_where_none_is_shown():
    assert found("thái độ", "best")[0] == {"attitude": "praise"}
    assert found("thái độ", "improve")[0] == {"attitude": "blame"}
    assert found("thái độ")[0] == {"attitude": "neutral"}
    assert found("thái độ", "comment", "kiosk-face")[0] == {"attitude": "blame"}


def test_what_stands_after_but_weighs_more():
    assert found("Cán bộ nhiệt tình nhưng chờ lâu") == (
        {"attitude": "praise", "waiting": "blame"}, "blame",
    )  # fmt: skip
    assert found("Chờ lâu nhưng cán bộ nhiệt tình")[1] == "praise"


def test_without_marks_single_words_are_not_guessed():
    assert found("cho toi hoi")[0] == {OTHER: "neutral"}
    assert found("phong cho nong, phai cho lau")[0]["waiting"] == "blame"


def made():
    name = Name(vi="x", en="x")
    return ThemeList(
        negations=("không",),
        questions=(Question(code="all", items=("*",)),),
        themes=(
            Theme(code="one", name=name, blame=("tệ",), at={"all": ThemeWords(praise=("à",))}),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("between", range(REACH + 2))
def test_a_negation_reaches_so_many_words(between):
    text = " ".join(["không", *["gà"] * between, "tệ"])
    tone = Tone.PRAISE if between < REACH else Tone.BLAME
    assert Finder(made()).find("f", "i", text).themes == (ThemeFound("one", tone),)
    assert Finder(made()).find("f", "i", "không, tệ").themes[0].tone is Tone.BLAME


WORDS = ["không", "chờ", "tốt", "nhưng", "cần", "sạch", "ghế", ".", "gà", "nhanh", "ạ", "no"]


@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_comment_has_themes_and_each_stands_singly(words):
    finding = FINDER.find("f", "comment", " ".join(words))
    codes = [each.theme for each in finding.themes]
    assert codes and len(codes) == len(set(codes))
    assert OTHER not in codes or len(codes) == 1


class Counted(str):
    """A word without marks that counts how often it is looked up."""

    looked = 0
    __slots__ = ()

    def __hash__(self):
        Counted.looked += 1
        return super().__hash__()


@pytest.mark.parametrize("phrase", ["không ", "không có ", "chờ ", "không tốt nhưng chờ ", "gà "])
def test_a_hostile_text_is_gone_through_in_linear_time(phrase, monkeypatch):
    """Steps are counted, not seconds: twice the words are twice the steps at the most."""
    from app.themes import finding

    steps = []
    whole = finding.words_of

    def counted(text):
        return [type(w)(w.typed, Counted(w.plain), w.clause) for w in whole(text)]

    monkeypatch.setattr(finding, "words_of", counted)
    for times in (100, 200):
        Counted.looked = 0
        FINDER.find("f", "comment", phrase * times)
        steps.append(Counted.looked)
    assert 0 < steps[1] <= 2.1 * steps[0]
