"""What a plan promises is what is shown once so many have answered."""

import pytest

from app.messages.words import Words
from app.reports import sentences
from app.reports.views.results import UnitView
from surveys.loader import FORMS, load_file
from tests.results import result
from tests.small_province import body

FORM = load_file(FORMS / "moh-inpatient.yaml")
ITEMS = [item.code for factor in FORM.index_factors for item in FORM.index_items(factor)]
#: How many items in a hundred each of ten people is content with.
CONTENT = (100, 100, 95, 90, 90, 80, 100, 60, 100, 40)


def person(place):
    satisfied = round(len(ITEMS) * CONTENT[place % len(CONTENT)] / 100)
    # The items they mind differ, as people do.
    at = [(i + 7 * place) % len(ITEMS) for i in range(len(ITEMS))]
    return {code: 5 if at[i] < satisfied else 2 for i, code in enumerate(ITEMS)}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_with_as_many_as_planned_the_shown_limits_lie_within_the_margin(client, province):
    headers, importer = province.reader(), province.importer()

    def send(month, places):
        batch = [
            body(
                province.points[("W1", FORM.code)], person(i), questionnaire=FORM.code,
                answered_at=f"2026-{month:02}-{1 + i % 28:02}T10:00:00+07:00",
            )
            for i in places
        ]  # fmt: skip
        for start in range(0, len(batch), 100):
            done = client.post(
                "/api/v1/responses", json={"responses": batch[start : start + 100]},
                headers=importer,
            )  # fmt: skip
            assert {each["status"] for each in done.json()["responses"]} == {"accepted"}

    def ask(path, **options):
        about = {"unit": "W1", "questionnaire": FORM.code, **options}
        answer = client.get(f"/api/v1/satisfaction{path}", params=about, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def farthest():
        (row,) = ask("", **{"from": "2026-08-01", "to": "2026-08-31"})["rows"]
        return max(row["rate"] - row["low"], row["high"] - row["rate"])

    send(7, range(40))
    (row,) = ask("/planning", month="2026-08", margin=0.05)["rows"]
    assert row["respondents"] == 0 and row["needed_for_margin"] == row["required"] > 40
    planned = row["required"] - row["required"] % 10  # of whole tens, so that the rate is the same
    send(8, range(planned // 20 * 10))
    assert farthest() > 0.06
    send(8, range(planned // 20 * 10, row["required"]))
    (row,) = ask("/planning", month="2026-08", margin=0.05)["rows"]
    assert row["needed_for_margin"] <= 2
    # Half a point for what a month's answers teach of how alike one person's are.
    assert farthest() == pytest.approx(0.05, abs=0.005)


def plan_row(**changes):
    unit = {"code": "W1", "kind": "ward", "name": {"vi": "Khoa Một", "en": "Ward One"}}
    row = {"unit": unit, "cases": None, "respondents": 26, "needed_to_publish": 0,
           "required": 150, "needed_for_margin": 124}  # fmt: skip
    view = {"collecting": {"month": "2026-08", "margin": 0.05, "least_respondents": 10,
                           "rows": [row | changes]}}  # fmt: skip
    return {
        language: sentences.collecting(Words(language), result(UnitView, view))[0]
        for language in ("vi", "en")
    }


def test_what_is_no_longer_needed_is_not_asked_for():
    enough = plan_row(needed_for_margin=0)
    assert "còn cần 0" not in enough["vi"] and "đủ để công bố" in enough["vi"]
    assert "0 more" not in enough["en"]
    published = plan_row()
    assert "còn cần 124" in published["vi"] and "còn cần 0" not in published["vi"]
    both = plan_row(respondents=4, needed_to_publish=6, needed_for_margin=146)
    assert "6" in both["vi"] and "146" in both["vi"] and "10" in both["vi"]
    rare = plan_row(cases=120)
    assert "120" in rare["vi"] and "150" in rare["vi"] and "120" in rare["en"]
