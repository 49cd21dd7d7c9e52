"""Cells are added to safely beside other processes."""

import numpy as np
import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import OperationalError

from app.db.locks import Lock
from app.intake import rollup_rebuild
from app.intake.rollup_rebuild import rebuild, verify
from app.rollups import store
from app.rollups.models import RollupCell
from app.rollups.store import CellsVanishedError
from tests.retention.history import History, days_ago


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_cells_that_are_gone_nothing_is_written_until_they_are_made_again(database, province):
    """Two processes would each begin an empty one, and the first's answers were lost."""
    history = History(database)
    history.came(days_ago(3), 4)
    with database.writing() as session:
        session.execute(delete(RollupCell))
    coming = [history.one(days_ago(3)) for _ in range(2)]
    with pytest.raises(CellsVanishedError, match="1 cells are gone"):
        history.store.append(coming)
    assert not history.cells() and len(history.ids()) == 4
    history.store.append(coming)
    assert sum(map(history.respondents, history.cells().values())) == 2
    rebuild(database)
    assert verify(database) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_missing_cells_are_made_in_one_order_by_everybody(database, province, monkeypatch):
    """Or two processes that make the same ones would wait for one another for ever."""
    history, made = History(database), []
    really = store.bulk.insert_missing

    def noted(connection, table, columns, rows):
        if table is RollupCell.__table__:
            made.append([row[:4] for row in rows])
        return really(connection, table, columns, rows)

    monkeypatch.setattr(store.bulk, "insert_missing", noted)
    group = [
        history.one(days_ago(day), unit=unit, channel=channel)
        for day in range(3) for unit in (2, 1) for channel in ("qr", "kiosk")
    ]  # fmt: skip
    form = next(each for each in history.versions.values() if each.form.code == "kiosk-face")
    packed = form.sheet.pack({"S1": 2})[0]
    group += [
        each._replace(row=each.row._replace(id=other.id, version_id=form.id, packed=packed),
                      version=form)
        for each, other in zip(group, [history.one(days_ago(9)) for _ in group], strict=True)
    ]  # fmt: skip
    history.store.append([group[place] for place in np.random.default_rng(1).permutation(24)])
    assert [len(keys) for keys in made] == [24] and made == [sorted(made[0])]
    with database.reading() as session:
        assert len(session.scalars(select(RollupCell)).all()) == 24
    assert verify(database) == []


def test_a_recount_of_many_parts_is_that_of_all_at_once(database, province, monkeypatch):
    history = History(database)
    for day in range(3):
        history.came(days_ago(day), 13, unit=1 + day % 2)
    right = history.cells()
    monkeypatch.setattr(rollup_rebuild, "_CHUNK", 7)
    assert verify(database) == []
    with database.writing() as session:
        session.execute(delete(RollupCell))
    assert [each.recounted_respondents for each in verify(database)] == [13] * 3
    assert rebuild(database) == 3 and history.cells() == right


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_while_cells_are_made_anew_nobody_adds_to_them_and_nothing_is_deleted_by_rule(
    database, province, monkeypatch
):
    history, tried = History(database), []
    history.came(days_ago(3), 4)
    really = rollup_rebuild.retained

    def meanwhile(session):
        with database.reading() as other:
            key = {"key": int(Lock.RETAINING)}
            tried.append(other.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), key))
            with pytest.raises(OperationalError, match="could not obtain lock"):
                other.execute(text("LOCK TABLE rollup_cell IN ROW SHARE MODE NOWAIT"))
        return really(session)

    monkeypatch.setattr(rollup_rebuild, "retained", meanwhile)
    assert rebuild(database) == 1
    assert tried and not any(tried)
