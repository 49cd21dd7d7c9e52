"""Plans at once, and a plan whose process is killed: whole, once, or not at all."""

import signal
import subprocess
import sys
from threading import Event, Thread

from sqlalchemy import func, select

from app.reform.service import carry_out
from app.registry.models import Reorganisation, Succession
from app.tables import WrongTable
from tests.registry.plans import DAY, MERGER, TODAY, plan, rows, tree
from tests.server import ROOT

#: A process that dies by its own hand once some rows are written.
_KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from app.db import Database
from app.reform.service import carry_out
from app.registry.reorganisation.reading import read_plan

with Database(sys.argv[1]).writing("operator") as session:
    carry_out(
        session, read_plan(Path(sys.argv[2])), name="Một", decision="", today=date(2026, 11, 1),
        tell=lambda done, total: os.kill(os.getpid(), signal.SIGKILL),
    )
"""


def do(province, what, name, tell=lambda done, total: None):
    with province.database.writing("operator") as session:
        return carry_out(session, what, name=name, decision="1685", today=TODAY, tell=tell)


def test_of_two_plans_at_once_the_second_sees_what_the_first_did(province, tmp_path):
    what = plan(tmp_path, *MERGER)
    halfway, may_go_on = Event(), Event()

    def wait(done, total):
        halfway.set()
        assert may_go_on.wait(60)

    found = []

    def second():
        try:
            found.append(do(province, what, "Hai"))
        except WrongTable as wrong:
            found.append(wrong)

    first = Thread(target=do, args=(province, what, "Một", wait))
    other = Thread(target=second)
    first.start()
    assert halfway.wait(60)
    other.start()
    other.join(1)
    may_go_on.set()
    first.join(60)
    other.join(60)
    (refused,) = found
    assert isinstance(refused, WrongTable), refused
    with province.database.reading() as session:
        assert session.scalars(select(Reorganisation.name)).all() == ["Một"]
        assert session.scalar(select(func.count()).select_from(Succession)) == 2
    assert tree(province, DAY)["N1"] == "77"


def test_a_plan_whose_process_is_killed_changes_nothing_and_may_come_again(province, tmp_path):
    what, before = plan(tmp_path, *MERGER), rows(province)
    url = province.database.url.render_as_string(hide_password=False)
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, url, tmp_path / "plan.csv"], cwd=ROOT, timeout=120
    )
    assert ended.returncode == -signal.SIGKILL
    assert rows(province) == before
    do(province, what, "Một")
    assert tree(province, DAY)["N1"] == "77"
