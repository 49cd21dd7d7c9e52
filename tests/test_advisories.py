"""What the audit of dependencies concludes from pip-audit's answers (its JSON of version 2.10)."""

import json

import pytest

from tests.advisories import judge

SOUND = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "Dependency not found on PyPI"}
FLAWED = {
    "name": "c",
    "version": "2",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": [], "description": ""}],
}


@pytest.mark.parametrize(
    ("packages", "said", "code"),
    [
        ([SOUND, SOUND], "2 packages, no known vulnerability", 0),
        ([SOUND, SKIPPED], "1 could not be looked up", 0),
        ([SKIPPED], "NOT AUDITED", 0),
        ([SOUND, FLAWED], "c 2: PYSEC-2026-1, mended in 2.1", 1),
    ],
)
def test_an_answer_is_judged(packages, said, code):
    verdict, exit_code = judge(json.dumps({"dependencies": packages, "fixes": []}), "")
    assert said in verdict and exit_code == code


def test_no_answer_is_said_and_is_no_failure():
    verdict, code = judge("", "ConnectionError: no route\n")
    assert "NOT AUDITED" in verdict and "no route" in verdict and code == 0
