"""The tables of the pages are of this code, and what they say holds in a small form too."""

import pytest

from tests.promises import PROMISES
from tests.promises.promise import Promise, Row, bare
from tests.promises.table import fingerprint_in, written


@pytest.mark.parametrize("name", PROMISES)
def test_the_table_is_not_older_than_the_code(name):
    promise = PROMISES[name]
    found = fingerprint_in(promise.page.read_text("utf-8"), promise)
    assert found == promise.fingerprint, f"run: make promises (or: … {name})"


@pytest.mark.parametrize("name", PROMISES)
def test_promises_are_held_in_a_small_form(name):
    broken = [row for row in PROMISES[name].measure(False) if not row.held and not row.why]
    assert broken == []


def test_a_fingerprint_is_of_the_code_alone():
    one = 'def f(x):\n    """Says."""\n    return x  # why\n'
    other = 'def f(x):\n\n    """Says something else."""\n    return x\n'
    assert bare(one) == bare(other) != bare(one.replace("x", "y"))
    assert 'text = "# no comment"' in bare('text = "# no comment"  # one\n')


def test_a_table_is_put_in_the_place_of_the_last_one():
    promise = Promise("rates", "Rates", ("clustered",), lambda full: [])
    page = "before\n<!-- promises: rates -->\n<!-- end -->\nafter\n"
    assert fingerprint_in(page, promise) is None
    once = written(page, promise, [Row("covers", "kind", "95 %", "94.9 %", True)])
    twice = written(once, promise, [Row("covers", "kind", "95 %", "90 %", False, why="few")])
    assert "| covers | kind | 95 % | 94.9 % | – | held |" in once
    assert "**not held**: few" in twice and "94.9" not in twice
    measured = written(page, promise, [Row("covers", "kind", "–", "94.9 %", True)])
    assert "| covers | kind | – | 94.9 % | – | – |" in measured
    assert twice.startswith("before\n") and twice.endswith("after\n")
    with pytest.raises(LookupError, match="no place"):
        written("nothing", promise, [])
