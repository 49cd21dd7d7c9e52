"""What else leaves the house besides rates tells strangers to small cells nothing of them."""

from datetime import UTC, date, datetime

import pytest

from app.figures.release import ReleaseRule
from app.invitations.models import Invitation
from app.registry.models import Channel, Unit, UnitKind
from app.registry.points import current_code, open_point
from tests.small_province import body

pytestmark = pytest.mark.usefixtures("month_over")
SATISFACTION, LEVELS, QUALITY = (
    "/api/v1/satisfaction", "/api/v1/views/levels", "/api/v1/views/quality",
)  # fmt: skip
DAY = "2026-08-10T09:00:00+07:00"
ABOUT = {"unit": "C1", "questionnaire": "sipas-desk", "period": "2026-Q3"}


@pytest.fixture
def get(client):
    def ask(path, headers, status=200, **parameters):
        answer = client.get(path, params=parameters, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def send(client, province, point, every):
    batch = [body(point=point, answered_at=DAY, **each) for each in every]
    answer = client.post(
        "/api/v1/responses", json={"responses": batch}, headers=province.importer()
    )
    assert {each["status"] for each in answer.json()["responses"]} == {"accepted"}


def by_item(levels):
    return {item["item"]: item for section in levels["sections"] for item in section["items"]}


def test_levels_of_an_item_that_few_answered_are_hidden_with_those_of_a_guard(
    client, province, get
):
    few = [{"answers": {"A1": 4, "A2": 5, "A3": 5, "B1": 3}} for _ in range(4)]
    most = [{"answers": {"A1": 4, "A3": 2, "B1": 3}} for _ in range(20)]
    send(client, province, province.points[("C1", "sipas-desk")], few + most)
    open_, hidden = (
        by_item(get(LEVELS, headers, **ABOUT))
        for headers in (province.reader(), province.public_reader())
    )
    assert sum(open_["A2"]["levels"]) == 4 and sum(open_["A1"]["levels"]) == 24
    assert hidden["A2"]["levels"] == [] and hidden["A2"]["no_opinion"] is None
    # The factor less the other items would be those four: another item is hidden too.
    gone = {
        item for item, row in hidden.items() if sum(open_[item]["levels"]) and not row["levels"]
    }
    assert "A2" in gone and len(gone) == 2
    assert sum(hidden["B1"]["levels"]) == 24


def test_counts_of_how_few_answered_are_not_given(client, province, get):
    point = province.points[("C1", "sipas-desk")]
    send(client, province, point, [{"duration_s": 5} for _ in range(9)])
    for headers, counted in ((province.reader(), 9), (province.public_reader(), None)):
        shown = get(QUALITY, headers, **ABOUT)
        assert shown["responses"]["counted"] == shown["responses"]["hasty"] == counted
        assert shown["set_aside"]["responses"] == counted
    (row,) = get(
        f"{SATISFACTION}/planning", province.public_reader(),
        questionnaire="sipas-desk", unit="C1", month="2026-08",
    )["rows"]  # fmt: skip
    assert row["respondents"] is row["needed_to_publish"] is row["needed_for_margin"] is None
    (row,) = get(
        f"{SATISFACTION}/planning", province.reader(),
        questionnaire="sipas-desk", unit="C1", month="2026-08",
    )["rows"]  # fmt: skip
    assert (row["respondents"], row["needed_to_publish"]) == (9, 1)


def test_two_choices_of_adjusters_are_about_the_same_patients(client, database, province, get):
    with database.writing() as session:
        hospital = session.get_one(Unit, province.units["H1"])
        first = session.get_one(Unit, province.units["W1"])
        second = Unit(
            code="W2", kind=UnitKind.WARD, name_vi="Khoa 2", name_en="Ward 2", parent=hospital,
            valid_from=first.valid_from,
        )  # fmt: skip
        session.add(second)
        session.flush()
        points = {
            unit.code: current_code(
                open_point(session, unit, "moh-inpatient", Channel.PAPER, unit.code)
            )
            for unit in (first, second)
        }
    for ward, without_age in (("W1", 1), ("W2", 0)):
        patients = [
            {"A1": 3 + n % 3, "G1": 80 + n % 9, "G2": 4 + n % 2, "sex": 1 + n % 2,
             "insurance": 1 + n % 2, "nights": 2 + n % 5, "age": 30 + n}
            for n in range(40)
        ]  # fmt: skip
        for patient in patients[:without_age]:
            del patient["age"]
        form = {"questionnaire": "moh-inpatient"}
        send(client, province, points[ward], [form | {"answers": each} for each in patients])
    ask = {"questionnaire": "moh-inpatient", "unit": ["W1", "W2"], "from": "2026-07-01",
           "to": "2026-09-30"}  # fmt: skip

    def rows(headers, adjuster):
        found = get(f"{SATISFACTION}/casemix", headers, adjust=adjuster, **ask)
        return {row["unit"]["code"]: row for row in found["rows"]}

    open_ = [rows(province.reader(), name)["W1"]["respondents"] for name in ("sex", "age")]
    assert open_ == [40, 39]  # by the difference one patient's answers were told
    for name in ("sex", "age"):
        shown = rows(province.public_reader(), name)
        # What is not adjusted is everybody's.
        whole = get(SATISFACTION, province.public_reader(), by="unit", **ask)["rows"]
        mean = {row["unit"]["code"]: row["mean_score"] for row in whole}
        for ward in ("W1", "W2"):
            assert shown[ward]["raw"] == pytest.approx(mean[ward])
            assert shown[ward]["respondents"] == 40 and shown[ward]["rank_raw"] is None
            assert shown[ward]["adjusted"] is not None
    # The regression is over the same 79 complete patients, whatever it adjusts for.
    freedom = {
        name: get(f"{SATISFACTION}/casemix", province.public_reader(), adjust=name, **ask)[
            "degrees_of_freedom"
        ][1]
        for name in ("sex", "age")
    }
    assert freedom["sex"] == freedom["age"] == 79 - 2 - 1


def test_casemix_tells_of_no_other_people_than_rates_do(client, province, get):
    """Of D1 beside C1 only those who are not C1's are left: by the difference, a few may follow."""
    for unit, times in (("A1", 40), ("C1", 40), ("C2", 50), ("D1", 12)):
        answers = [{"A1": 1 + n % 5, "trips": 1 + n % 3} for n in range(times)]
        point = province.points[unit, "sipas-desk"]
        send(client, province, point, [{"answers": each} for each in answers])
    ask = {"questionnaire": "sipas-desk", "from": "2026-07-01", "to": "2026-09-30"}

    def units(headers, **more):
        found = get(f"{SATISFACTION}/casemix", headers, adjust="trips", **ask, **more)
        return {row["unit"]["code"] for row in found["rows"]}

    nested = ["A1", "C1", "D1"]
    assert units(province.reader(), unit=nested) == {"A1", "C1", "D1"}
    assert units(province.public_reader(), unit=nested) == {"A1", "C1"}
    # Alone, without those below, D1 is a figure of its own.
    alone = units(province.public_reader(), unit=nested, descendants=False)
    assert alone == {"A1", "C1", "D1"}


def test_nothing_is_said_of_the_people_of_a_hidden_unit_one_by_one(client, province, get):
    for unit, times in (("C1", 4), ("C2", 40)):
        answers = [{"A1": 1 + n % 5, "A2": 5 - n % 5, "B1": 1 + n % 4} for n in range(times)]
        point = province.points[(unit, "sipas-desk")]
        send(client, province, point, [{"answers": each} for each in answers])
    ask = {"questionnaire": "sipas-desk", "unit": "C2", "from": "2026-07-01", "to": "2026-09-30"}
    # The second commune guards the first, of whom there are four.
    refused = get(f"{SATISFACTION}/reliability", province.public_reader(), 422, **ask)
    assert refused["type"] == "/problems/too-few-respondents"
    assert get(f"{SATISFACTION}/reliability", province.reader(), **ask)["respondents"] == 40


def test_response_rates_are_of_whole_months(get, province):
    days = {"from": "2026-07-01", "to": "2026-07-15"}
    refused = get("/api/v1/response-rates", province.public_reader(), 422, **days)
    assert (refused["type"], refused["field"]) == ("/problems/calendar-periods-only", "to")
    assert get("/api/v1/response-rates", province.reader(), **days)["rows"] == []


def invite(database, province, form, month, times, answered=0):
    """Invitations about C1, of which some were answered."""
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C1"])
        point = open_point(session, unit, form, Channel.INVITATION, f"{form} {month}")
        session.flush()
        for n in range(times):
            mark = f"{form} {month} {n}"
            session.add(
                Invitation(
                    number=mark, token_hash=mark, case_hash=mark, unit_id=unit.id,
                    point_id=point.id, finished_on=date(2026, month, 10), answered=n < answered,
                    expires_at=datetime(2026, month + 1, 9, tzinfo=UTC),
                )
            )  # fmt: skip


def test_how_many_were_invited_follows_from_no_two_routes(client, database, province, get):
    """Three invited in a month, or to another form, are no difference of two figures."""
    send(client, province, province.points[("C1", "sipas-desk")], [{} for _ in range(12)])
    for form, month, times in (
        ("sipas-desk", 7, 20), ("sipas-desk", 8, 3), ("sipas-desk", 9, 15), ("kiosk-face", 9, 4),
    ):  # fmt: skip
        invite(database, province, form, month, times, times // 2)

    def told(headers):
        days = {"from": "2026-07-01", "to": "2026-09-30", "unit": "C1"}
        rows = get("/api/v1/response-rates", headers, **days)["rows"]
        found = {row["month"]: row["issued"] for row in rows}
        for period in ("2026-08", "2026-09", "2026-Q3"):
            about = ABOUT | {"period": period}
            found[f"view {period}"] = get("/api/v1/views/overview", headers, **about)["volume"][
                "invited"
            ]
        (row,) = get(f"{SATISFACTION}/non-response", headers, **days, questionnaire="sipas-desk")[
            "rows"
        ]
        found["form"] = row["by_invitations"]["reached"]
        return found

    assert told(province.reader()) == {
        "2026-07": 20, "2026-08": 3, "2026-09": 19,
        "view 2026-08": 3, "view 2026-09": 19, "view 2026-Q3": 42, "form": 38,
    }  # fmt: skip
    shown = {name: n for name, n in told(province.public_reader()).items() if n is not None}
    assert shown and not {"2026-08", "view 2026-08"} & set(shown)
    # 42 of the quarter less 38 of the form are four; 42 less 20 and 19 are three.
    assert not {"view 2026-Q3", "form"} <= set(shown)
    assert not {"view 2026-Q3", "2026-07", "2026-09"} <= set(shown)


def test_who_was_invited_lately_moves_no_count(client, database, province, get, monkeypatch):
    send(client, province, province.points[("C1", "sipas-desk")], [{} for _ in range(12)])
    invite(database, province, "sipas-desk", 8, 20, 5)
    days = {"from": "2026-08-01", "to": "2026-08-31"}

    def told(day):
        rule = classmethod(lambda cls, settings: cls(settings.least_respondents, day, 30))
        monkeypatch.setattr(ReleaseRule, "of", rule)
        headers = province.public_reader()
        (row,) = get(
            "/api/v1/response-rates", headers, **{"from": "2026-08-01", "to": "2026-08-31"}
        )["rows"]
        about = ABOUT | {"period": "2026-08"}
        volume = get("/api/v1/views/overview", headers, **about)["volume"]
        asked = days | {"questionnaire": "sipas-desk", "unit": "C1"}
        (silent,) = get(f"{SATISFACTION}/non-response", headers, **asked)["rows"]
        return row["answered"], volume["answered"], silent["by_invitations"]["answered"]

    # A case of the last day of August may be answered until the thirtieth of September.
    assert told(date(2026, 9, 30)) == (None, None, None)
    assert told(date(2026, 10, 1)) == (5, 5, 5)


def test_a_first_month_in_the_midst_of_a_quarter_has_its_pages(client, province, get):
    send(client, province, province.points[("C1", "sipas-desk")], [{} for _ in range(12)])
    for name in ("overview", "unit", "units"):
        for headers in (province.reader(), province.public_reader()):
            ask = {"unit": "D1", "questionnaire": "sipas-desk", "period": "2026-08"}
            assert get(f"/api/v1/views/{name}", headers, **ask)["period"] == "2026-08"
