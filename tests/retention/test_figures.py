"""By HTTP, to whoever sees everything and to strangers: figures are as before, or say why not."""

from app.registry.points import find_by_code
from tests.retention.history import History, months_ago

OLD, NEW = months_ago(5), months_ago(2)
FIRST = months_ago(3)
KEPT = (
    "/api/v1/satisfaction?by=unit&questionnaire=sipas-desk",
    "/api/v1/satisfaction?by=month&by=channel&questionnaire=sipas-desk&unit=C1",
    "/api/v1/satisfaction?by=unit&questionnaire=sipas-desk&sensitivity=with",
    "/api/v1/satisfaction/trend?questionnaire=sipas-desk&unit=C1",
)
SINGLE = "/api/v1/satisfaction/reliability?questionnaire=sipas-desk&unit=C1"


def test_figures_stay_and_what_needs_single_responses_says_from_which_day(
    client, database, province
):
    history = History(database)
    with database.reading() as session:
        unit = find_by_code(session, province.points[("C1", "sipas-desk")]).unit_id
    for month in (OLD, NEW):
        history.came(month, 45, unit=unit)
    made = [each.row.id for each in history.came(NEW, 9, unit=unit)]
    history.came(OLD, 9, unit=unit, late=NEW)
    readers = province.reader(), province.public_reader()

    def figures():
        answers = [client.get(each, headers=reader) for each in KEPT for reader in readers]
        assert {answer.status_code for answer in answers} == {200}
        return [answer.json()["rows"] for answer in answers]

    before = figures()
    history.withdraw(made)
    assert figures() == before
    assert client.get(SINGLE, headers=readers[0]).status_code == 200
    history.delete(FIRST, texts=FIRST)
    assert figures() == before
    for reader in readers:
        refused = client.get(SINGLE, headers=reader)
        assert (
            refused.status_code == 422 and refused.json()["type"] == "/problems/responses-deleted"
        )
        assert f"{FIRST:%d/%m/%Y}" in refused.json()["detail"]
    for reader in readers:
        last = f"{months_ago(1)}"
        asked = f"{SINGLE}&from={FIRST}&to={last}"
        assert client.get(asked, headers=reader).json().get("type") != "/problems/responses-deleted"
    for view in ("overview", "quality", "unit"):
        period = f"{OLD:%Y-%m}"
        answer = client.get(
            f"/api/v1/views/{view}?unit=C1&questionnaire=sipas-desk&period={period}",
            headers=readers[0],
        )
        assert answer.status_code == 200, answer.text
        if view == "overview":
            assert answer.json()["set_aside"]["responses"] == 54
        if view == "quality":
            told = answer.json()["responses"]
            assert told["counted"] == told["known"] == 54  # cells know how forms were filled in
