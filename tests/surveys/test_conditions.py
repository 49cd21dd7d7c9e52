"""Hidden hides on: in the rule, and in what the interface takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import AnswerError, AnswerSheet
from surveys.conditions import hidden
from tests.surveys.condition_cases import CASES, CHAIN

SHEET = AnswerSheet(CHAIN)


@pytest.mark.parametrize(("answers", "not_asked"), CASES)
def test_what_hangs_on_a_hidden_question_is_hidden(answers, not_asked):
    assert hidden(CHAIN.items, answers.get) == not_asked


@pytest.mark.parametrize(("answers", "not_asked"), CASES)
def test_the_interface_refuses_answers_to_what_was_not_asked(answers, not_asked):
    wrong = not_asked & answers.keys()
    if not wrong:
        assert SHEET.unpack(SHEET.pack(answers)[0]).items() <= answers.items()
        return
    with pytest.raises(AnswerError) as refused:
        SHEET.pack(answers)
    assert {(m.item, m.reason) for m in refused.value.mistakes} == {
        (item, "answer.not_shown") for item in wrong
    }


ANSWERS = st.dictionaries(st.sampled_from(["q1", "q2", "q3"]), st.sampled_from([1, 2, 3, None]))


@given(ANSWERS)
def test_answers_to_hidden_questions_change_nothing(answers):
    not_asked = hidden(CHAIN.items, answers.get)
    asked = {code: answer for code, answer in answers.items() if code not in not_asked}
    assert hidden(CHAIN.items, asked.get) == not_asked
