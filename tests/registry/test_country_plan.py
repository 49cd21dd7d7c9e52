"""The shipped plan of 1 July 2025 beside the lists that it was made from."""

import csv
from collections import Counter

from app.registry.reorganisation.country import whole_plan
from app.registry.reorganisation.plan import Action
from tests.registry.test_country import BEFORE, listed, needs_lists


@needs_lists
def test_the_plan_is_what_the_lists_say():
    lines = whole_plan().lines
    founded = {line.code: line for line in lines if line.action is Action.FOUND}
    after = {row["commune_code"]: row for row in listed("communes_from_2025-07-01.csv")}
    renamed = {line.code: line.name_vi for line in lines if line.action is Action.RENAME}
    names = {row["code"]: row["name"] for row in csv.DictReader(BEFORE.open(encoding="utf-8"))}
    for code, row in after.items():
        if code in founded:
            line = founded[code]
            assert (line.name_vi, line.parent) == (row["commune"], row["province_code"])
        else:
            assert renamed.get(code, names[code]) == row["commune"]
    pairs = {(line.code, line.to) for line in lines if line.to}
    goes_on = {line.code for line in lines if line.action is Action.MOVE}
    for row in listed("commune_successions_2025-07-01.csv"):
        old, new = row["old_commune_code"], row["new_commune_code"]
        assert (old, new) in pairs or (old == new and old in goes_on)
    divided = Counter(line.code for line in lines if line.action is Action.SPLIT)
    assert len(divided) == 444 and min(divided.values()) >= 2
    assert sum(line.main for line in lines) == 444
