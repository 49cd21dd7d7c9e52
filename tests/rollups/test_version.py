"""The version of the figures rises with every change of the cells, whoever makes it."""

from app.intake import rollup_rebuild as replay
from app.rollups.version import raise_version, version
from tests.small_province import body


def current(database):
    with database.reading() as session:
        return version(session)


def test_it_rises_with_what_is_counted_and_not_with_what_was_counted_before(client, province):
    sent, device = body(), province.device()
    seen = [current(province.database)]
    client.post("/api/v1/responses", json=sent, headers=device)
    seen.append(current(province.database))
    client.post("/api/v1/responses", json=sent, headers=device)
    seen.append(current(province.database))
    replay.rebuild(province.database)
    seen.append(current(province.database))
    assert seen[0] < seen[1] == seen[2] < seen[3]


def test_what_is_rolled_back_raises_nothing(province):
    before = current(province.database)
    try:
        with province.database.writing() as session:
            raise_version(session)
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert current(province.database) == before
