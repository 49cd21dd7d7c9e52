"""Lists of themes as people write them: every mistake is named, and nothing hostile is expanded."""

import pytest
import yaml

from app.problems import InvalidFields
from app.themes.reading import FIRST_LIST, LONGEST_PHRASE, first_list, read_list, written

SMALL = {
    "questions": [{"code": "open", "items": ["*"]}],
    "themes": [{"code": "waiting", "name": {"vi": "Chờ", "en": "Waiting"}, "blame": ["chờ"]}],
}


def mistakes(document):
    content = document if isinstance(document, bytes) else yaml.safe_dump(document).encode()
    with pytest.raises(InvalidFields) as refused:
        read_list(content)
    for each in refused.value.errors:
        assert each.detail("vi") and each.detail("en")
    return {each.field for each in refused.value.errors}


def test_the_first_list_reads_and_is_written_as_it_reads():
    assert read_list(written(first_list()).encode()) == first_list()
    codes = {"waiting", "attitude", "procedure", "fees", "cleanliness", "facilities", "competence",
             "information", "online", "bribery", "nothing"}  # fmt: skip
    assert codes < {each.code for each in first_list().themes}
    assert FIRST_LIST.exists()


def test_each_mistake_is_named_where_it_stands():
    theme = SMALL["themes"][0]
    assert mistakes(SMALL | {"themes": [theme, theme]}) == {"themes"}
    assert mistakes(SMALL | {"themes": [theme | {"code": "other"}]}) == {"themes.0.code"}
    assert mistakes(SMALL | {"themes": [theme | {"tones": {"best": "praise"}}]}) == {"themes.0"}
    assert mistakes(SMALL | {"questions": [{"code": "a", "items": ["b"]}]}) == {"questions"}
    long = "một " * (LONGEST_PHRASE + 1)
    assert mistakes(SMALL | {"themes": [theme | {"words": [long.strip(), "…"]}]}) == {"words"}
    assert "themes.0.wrods" in mistakes(SMALL | {"themes": [theme | {"wrods": []}]})
    assert mistakes(SMALL | {"good": ["(tốt/hay"]}) == {"words"}
    assert mistakes(SMALL | {"good": ["(a/b/c/d) " * 8]}) == {"words"}
    assert mistakes(SMALL | {"good": ["(a/b/c/d/e/f/g) " * 4] * 20}) == {"words"}
    assert mistakes(SMALL | {"spellings": {"không": ["hai từ"]}}) == {"spellings"}
    assert mistakes(SMALL | {"good": [False]}) == {"good.0"}
    assert mistakes([]) == {""}


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xff", b"a: [", b"", b"!!python/object:os.system x", b"x" * 300_000,
        b"a: &a [" + b"1," * 100 + b"]\nb: &b [" + b"*a," * 100 + b"]\nc: [" + b"*b," * 100 + b"]",
    ],
)  # fmt: skip
def test_hostile_files_are_refused(content):
    assert mistakes(content)
