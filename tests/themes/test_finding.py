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


def test_praise_and_blame_in_balance_are_neither():
    assert found("Cán bộ nhiệt tình nhưng chờ lâu") == (
        {"attitude": "praise", "waiting": "blame"}, "neutral",
    )  # fmt: skip
    assert found("Cán bộ nhiệt tình, phòng sạch nhưng chờ lâu")[1] == "praise"
    assert found("Chờ lâu quá. Xin cảm ơn")[1] == "blame"  # thanks weigh nothing beside it
    assert found("Lúc nhanh lúc chậm") == ({"waiting": "blame"}, "neutral")
    assert found("Bình thường")[1] == "neutral"


def test_under_a_question_what_to_improve_praise_is_a_wish_unless_it_is_so_already():
    assert found("vui vẻ với dân", "improve") == ({"attitude": "blame"}, "blame")
    assert found("nhân viên rất vui vẻ", "improve") == ({"attitude": "praise"}, "praise")
    assert found("vui vẻ với dân", "best") == ({"attitude": "praise"}, "praise")
    assert found("Xin cảm ơn", "improve")[1] == "praise"
    assert found("Thái độ tốt rồi", "improve") == ({"attitude": "praise"}, "praise")


@pytest.mark.parametrize(
    ("text", "item", "themes", "tone"),
    [
        ("Không có điểm nào cần cải thiện, thái độ rất tận tình", "improve",
         {"nothing": "praise", "attitude": "praise"}, "praise"),
        ("hông có, mấy cô làm tốt quá", "improve", {"nothing": "praise"}, "praise"),
        ("không, chờ lâu quá", "improve", {"waiting": "blame"}, "blame"),
        ("Không có gì để hài lòng", "best", {"nothing": "blame"}, "blame"),
        ("Không có gì để chê", "best", {"nothing": "praise"}, "praise"),
        ("không, cảm ơn", "comment", {"nothing": "neutral"}, "neutral"),
    ],
)  # fmt: skip
def test_nothing_beside_other_words(text, item, themes, tone):
    assert found(text, item) == (themes, tone)


@pytest.mark.parametrize(
    ("text", "themes"),
    [
        ("Khỏi phải photo", {"procedure": "praise"}),  # spared of a thing
        ("Không có ghế", {"facilities": "blame"}),  # a thing that is missed
        ("Không bồi dưỡng thì làm khó", {"bribery": "blame"}),  # a condition
        ("Nước uống không có", {"facilities": "blame"}),  # denied after it
        ("Phòng tiêm bẩn quá", {"cleanliness": "blame"}),  # a place, and what it is about
        ("Phòng nhỏ quá", {"facilities": "blame"}),
        ("ko ai hướng dẫn", {"information": "blame"}),
        ("chờ 3 tiếng", {"waiting": "blame"}),
        ("chờ 45 phút", {"waiting": "blame"}),
    ],
)
def test_what_a_clause_says_of_a_thing(text, themes):
    assert found(text)[0] == themes


def test_a_question_praises_and_blames_nobody():
    assert found("Bãi xe có nhận giữ qua đêm không?") == ({"facilities": "neutral"}, "neutral")
    assert found("Xin hỏi lệ phí ở đâu", "improve") == ({"fees": "neutral"}, "neutral")


def test_pictures_are_words():
    assert found("👍👍") == ({OTHER: "praise"}, "praise")
    assert found("😡", "best")[1] == "blame"


def test_without_marks_single_words_are_not_guessed():
    assert found("cho toi hoi")[0] == {OTHER: "neutral"}
    assert found("phong cho nong, phai cho lau")[0]["waiting"] == "blame"
    assert found("thieu giuong")[0] == {"facilities": "blame"}  # long enough to be known
    assert found("nhà cho người già")[0] == {OTHER: "neutral"}  # whoever marks, marks all


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
    from app.themes import phrases

    steps = []
    whole = phrases.words_of

    def counted(text):
        return [type(w)(w.typed, Counted(w.plain), w.clause) for w in whole(text)]

    monkeypatch.setattr(phrases, "words_of", counted)
    for times in (100, 200):
        Counted.looked = 0
        FINDER.find("f", "comment", phrase * times)
        steps.append(Counted.looked)
    assert 0 < steps[1] <= 2.1 * steps[0]
