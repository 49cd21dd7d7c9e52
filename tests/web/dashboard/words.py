"""What a page of the dashboard says, as a reader has it."""

import html
import re

from app.messages.words import Words
from tests.figures.district import FELL, FORM

LINK = f"unit=D1&questionnaire={FORM.code}&period=2026-H1&kind=commune"
OF_FELL = f"unit={FELL}&questionnaire={FORM.code}&period=2026-H1"
WORDS = Words("vi")


def words_of(answer):
    """What a page says, without its marks."""
    text = re.sub(r"<(script|style|svg|datalist).*?</\1>", " ", answer.text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def shown(row):
    """A rate, its interval and its respondents as a page writes them."""
    texts = [
        WORDS.percent(row["rate"]),
        WORDS.between(row["low"], row["high"]),
        WORDS.number(row["respondents"]),
    ]
    return [" ".join(text.split()) for text in texts]
