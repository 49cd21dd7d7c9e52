"""How often a group's store is asked and waited for, whatever the group holds.

Each way there and back wakes the writer's thread once more, beside an event loop that is busy.
"""

import psycopg
import pytest
from sqlalchemy import delete

from app.access.buckets import Rate, draw
from app.intake.prepared import Outcome
from app.intake.rollup_rebuild import verify
from app.intake.store import ResponseStore
from app.rollups.models import RollupCell
from app.rollups.store import CellsVanishedError
from tests.retention.history import TODAY, History

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def ways(monkeypatch):
    """One of each time that anybody waits for the server."""
    made, wait = [], psycopg.Connection.wait

    def counting(connection, gen, *more):
        def counted():
            try:
                wanted = next(gen)
                made.append(gen.gi_code.co_name)
                while True:
                    wanted = gen.send((yield wanted))
            except StopIteration as end:
                return end.value

        return wait(connection, counted(), *more)

    monkeypatch.setattr(psycopg.Connection, "wait", counting)
    return made


@pytest.fixture
def history(database, province):
    """A store that knows its cells, and has prepared its statements."""
    history = History(database)
    for _ in range(8):
        history.came(TODAY, 3)
    return history


@pytest.mark.parametrize(("draws", "expected"), [(False, 2), (True, 3)])
def test_a_group_is_stored_in_three_ways_there_and_back(history, database, ways, draws, expected):
    """Its buckets are asked; then its rows, what was erased and its cells; then all is written."""
    rate = Rate("1000/hour", 1000, 3_600_000)
    drawn = [(draw(rate, bytes([n]), 10**15), draw(rate, b"all", 10**15)) for n in range(50)]
    groups = [
        [history.one(TODAY)._replace(draws=of if draws else ()) for of in drawn] for _ in range(2)
    ]
    history.store.append(groups[0])  # its buckets are put there
    ways.clear()
    assert history.store.append(groups[1]) == [Outcome.ACCEPTED] * 50
    assert len(ways) == expected, ways
    assert verify(database) == []


@pytest.mark.parametrize("erased", [False, True])
def test_those_that_are_not_accepted_add_nothing_to_cells_that_were_asked_for(
    history, database, erased
):
    stored = [history.one(TODAY, unit=unit) for unit in (1, 2, 1, 2)]
    history.store.append(stored)
    expected = [Outcome.DUPLICATE, Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.CONFLICT]
    if erased:
        history.withdraw([stored[3].id])
        expected[3] = Outcome.DUPLICATE  # what it said is not known any more
    before = sum(map(history.respondents, history.cells().values()))
    other = history.one(TODAY, unit=2, id=stored[3].id, level=1)
    group = [stored[0], history.one(TODAY, unit=2), stored[2], other]
    assert history.store.append(group) == expected
    assert sum(map(history.respondents, history.cells().values())) == before + 1
    assert verify(database) == []


def test_what_is_not_accepted_makes_no_cell(history, database):
    """What is sent again may name another unit, of which nothing was ever counted."""
    stored = [history.one(TODAY)]
    history.store.append(stored)
    other = history.one(TODAY, unit=2, id=stored[0].id, level=1)
    before = history.count(RollupCell)
    assert ResponseStore(database, history.store.keys).append([other]) == [Outcome.CONFLICT]
    assert history.count(RollupCell) == before


def test_cells_that_are_gone_are_noticed_where_they_were_known(history, database):
    with database.writing() as session:
        session.execute(delete(RollupCell))
    coming = [history.one(TODAY)]
    with pytest.raises(CellsVanishedError):
        history.store.append(coming)
    assert coming[0].id not in history.ids()
    assert history.store.append(coming) == [Outcome.ACCEPTED]
