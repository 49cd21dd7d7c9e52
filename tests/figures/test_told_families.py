"""What is told of a change of a unit made of parts is judged with all of its kind, as it is told.

Against a recount over HTTP: the family's p are those of the changes with the mix held fixed, and
of the pooled rate's change only where a unit is one part alone.
"""

import pytest
from statsmodels.stats.multitest import multipletests

from tests.figures.mixed import FORM, mixed

ASKED = {"questionnaire": FORM, "period": "2026-Q3"}


world = mixed()


@pytest.fixture
def view(world):
    client, province = world

    def ask(name, unit, headers=None, **more):
        answer = client.get(
            f"/api/v1/views/{name}",
            params=ASKED | {"unit": unit} | more,
            headers=headers or province.reader(),
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


def told(row):
    return row["fixed_mix"] or row["change"]


def test_the_family_is_of_what_is_told_with_the_mix_held_fixed(view, world):
    _, province = world
    rows = view("units", "D1", headers=province.public_reader())["rows"]
    shown = [row for row in rows if row["change"] and told(row)["p"] is not None]
    unseen = sum(row["suppressed"] for row in rows)
    for of in (told, lambda row: row["change"]):
        p = [of(row)["p"] for row in shown] + [1.0] * unseen
        rejected, adjusted, *_ = multipletests(p, method="fdr_bh")
        for row, each, discovery in zip(shown, adjusted, rejected, strict=False):
            assert of(row)["adjusted_p"] == pytest.approx(each)
            assert of(row)["discovery"] == discovery
    for row in shown:
        code = row["unit"]["code"]
        previous = view("unit", code, headers=province.public_reader())["index"]["previous"]
        assert previous["fixed_mix"] is None or row["fixed_mix"] is not None
        assert previous["adjusted_p"] == pytest.approx(told(row)["adjusted_p"])
        assert previous["discovery"] == told(row)["discovery"]
        assert previous["judged_together"] == len(shown) + unseen
    assert any(row["fixed_mix"] for row in shown)


def test_a_parent_whose_pooled_rate_fell_by_its_mix_is_not_called_to_have_fallen(view):
    previous = view("unit", "D1")["index"]["previous"]
    assert previous["high"] < 0 < previous["fixed_mix"]["high"] and not previous["discovery"]
    # The only district is looked at alone.
    assert previous["judged_together"] == 1
    assert previous["adjusted_p"] == pytest.approx(previous["fixed_mix"]["p"])
