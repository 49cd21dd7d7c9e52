"""After a plan and its undoing every answer is, byte for byte, what it was before the plan."""

from datetime import date, datetime, timedelta

import pytest

from app.access.models import Right
from app.clock import local_today
from app.reform import service
from app.registry.models import UnitKind
from app.registry.reorganisation.plan import Action, Plan, PlanLine
from app.settings import Settings
from tests.small_province import body

ZONE = Settings().zone
MONTHS = [date(2026, month, 10) for month in range(1, 7)]
DAY = date(2026, 4, 1)
PLAN = Plan((
    PlanLine(2, DAY, Action.FOUND, "N1", name_vi="Xã Mới", name_en="New commune",
             kind=UnitKind.COMMUNE, parent="77"),
    PlanLine(3, DAY, Action.MERGE, "C1", to="N1", accounts=True),
    PlanLine(4, DAY, Action.MERGE, "C2", to="N1"),
    PlanLine(5, DAY, Action.CLOSE, "D1"),
    PlanLine(6, DAY, Action.RENAME, "A1", name_vi="Sở Khác", name_en="Other"),
))  # fmt: skip
FIGURES = "/api/v1/satisfaction"
ASKED = (
    f"{FIGURES}?by=unit&by=month", f"{FIGURES}?by=unit&structure=then&to=2026-03-31",
    f"{FIGURES}?by=factor&unit=D1&structure=2026-03-31", f"{FIGURES}?unit=77&expand=all&by=unit",
    f"{FIGURES}/ranking?questionnaire=sipas-desk&unit=77&expand=all",
    f"{FIGURES}/trend?questionnaire=sipas-desk&unit=77&step=month",
    f"{FIGURES}/compare?questionnaire=sipas-desk&unit=77&expand=all&from=2026-04-01&to=2026-06-30",
    "/api/v1/units", "/api/v1/units?on=2026-05-01", "/api/v1/points",
    "/api/v1/views/overview?period=2026-Q2&unit=77", "/api/v1/views/units?period=2026-Q2&unit=77",
)  # fmt: skip


@pytest.fixture
def answered(client, province):
    moments = [datetime.combine(day, datetime.min.time(), ZONE) for day in MONTHS]
    bodies = [
        body(
            point=province.points[unit, "sipas-desk"],
            answered_at=(moment + timedelta(hours=9, minutes=n)).isoformat(),
            answers={"A1": 1 + (n + place) % 5, "B1": 5},
        )
        for place, unit in enumerate(("A1", "D1", "C1", "C2"))
        for moment in moments
        for n in range(12)
    ]
    province.send(client, bodies)
    return province


def told(client, headers):
    answers = {}
    for path in ASKED:
        answer = client.get(path, headers=headers)
        answers[path] = (answer.status_code, answer.content)
    return answers


def changed(province, do):
    with province.database.writing("operator") as session:
        return do(session)


def test_nothing_tells_of_a_plan_that_was_undone(client, answered):
    readers = [answered.reader(), answered.public_reader()]
    before = [told(client, headers) for headers in readers]
    assert {status for answers in before for status, _ in answers.values()} <= {200, 403}
    today = local_today(ZONE)
    made = changed(
        answered,
        lambda session: service.carry_out(
            session, PLAN, name="Sắp xếp", decision="NQ", today=today
        ),
    )
    after = [told(client, headers) for headers in readers]
    differing = [path for path in ASKED if after[0][path] != before[0][path]]
    assert len(differing) > len(ASKED) / 2  # the plan is seen
    changed(answered, lambda session: service.undo(session, made.id, decision="Hủy", today=today))
    for headers, expected in zip(readers, before, strict=True):
        assert told(client, headers) == expected


def test_whoever_has_older_rights_alone_reads_the_past(client, answered):
    former = answered.credential(Right.READ_FIGURES, Right.READ_SMALL_CELLS, unit="C2")
    changed(
        answered,
        lambda session: service.carry_out(
            session, PLAN, name="Sắp xếp", decision="NQ", today=local_today(ZONE)
        ),
    )
    found = client.get(f"{FIGURES}?by=unit&questionnaire=sipas-desk", headers=former).json()
    assert found["structure"] == "2026-03-31"
    assert [row["unit"]["code"] for row in found["rows"]] == ["C2"]
    assert found["rows"][0]["respondents"] == 12 * len(MONTHS)
