"""Migrations run up and down on both stores and leave no difference from the models."""

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from alembic import util
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, func, inspect, select, text

from app import clock as _clock  # noqa: F401
from app.access import models as _access  # noqa: F401 - each import registers a room's tables
from app.audit import models as _audit  # noqa: F401
from app.cases import models as _cases  # noqa: F401
from app.db import Base, Database
from app.db.migrate import migrate
from app.digest import models as _digest  # noqa: F401
from app.figures import models as _figures  # noqa: F401
from app.importing import models as _importing  # noqa: F401
from app.intake import models as _intake  # noqa: F401
from app.intake.ids import new_id
from app.intake.models import (
    Disposition,
    LateResponse,
    ReceivedDay,
    Response,
    ResponseText,
    RetentionNote,
)
from app.intake.partitions import is_partition
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import Together, change_dispositions
from app.invitations.models import SmsMessage
from app.registry import models as _registry  # noqa: F401
from app.registry.form_drafts import add_draft, all_drafts
from app.rollups import models as _rollups  # noqa: F401
from app.rollups import version as _version  # noqa: F401
from app.rollups.cells import FORMS
from app.rollups.models import AsideCell, RollupCell, WithheldCell
from app.text_keys import DROPPED
from app.themes import models as _themes  # noqa: F401
from app.webhooks.models import Delivery
from app.webhooks.service import add_webhook
from surveys import load_directory
from surveys.model import Sketch
from tests.databases import BACKENDS, address
from tests.figures.district import CODES
from tests.retention.history import TODAY, History, months_ago
from tests.server import ROOT
from tests.small_province import body


def include_name(name, kind, _parents):
    """The monthly partitions come and go without a migration."""
    return not (kind == "table" and is_partition(name))


def down_to(revision):
    """How many steps down from the newest schema a revision is."""
    walk = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).iterate_revisions
    return f"-{sum(1 for _ in walk('head', revision))}"


@pytest.mark.parametrize("backend", BACKENDS)
def test_up_no_difference_down_and_up_again(backend, postgres, tmp_path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    if backend == "postgresql":
        url = address(postgres.create())
    with closing(Database(url)) as database:
        migrate(database)
        with create_engine(url).connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "include_name": include_name}
            )
            assert compare_metadata(context, Base.metadata) == []
        migrate(database)  # nothing to do, nothing broken
        migrate(database, "base")
        with database.reading() as session:
            left = set(inspect(session.connection()).get_table_names())
        assert left == {"alembic_version"}
        migrate(database)


def test_servers_that_start_together_take_turns(postgres):
    from concurrent.futures import ThreadPoolExecutor

    url = address(postgres.create())
    databases = [Database(url) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(migrate, databases))
    for database in databases:
        database.close()


def test_a_database_with_responses_is_brought_from_0011_to_the_newest(client, province, database):
    device = province.device()
    now = datetime.now(UTC)
    comments = [
        body(
            answers={"A1": 4, "comment": f"Ý kiến {n}"}, age_s=86_400 * n,
            id=new_id(now - timedelta(days=n)),
        )
        for n in range(4)
    ]  # fmt: skip
    kiosk = [body(questionnaire="kiosk-face", answers={"S1": n}, language="en") for n in (1, 3)]
    for sender, sent in ((device, comments), (province.device("C1", "kiosk-face"), kiosk)):
        told = client.post("/api/v1/responses", json={"responses": sent}, headers=sender).json()
        assert {each["status"] for each in told["responses"]} == {"accepted"}, told

    def stored():
        with database.reading() as session:
            # Hashes of texts are dropped by 0019, and what masked them is of no column before it.
            columns = [
                c
                for c in Response.__table__.columns
                if c.name not in ("credential_id", "texts_hash")
            ]
            responses = session.execute(select(*columns).order_by(Response.id)).all()
            columns = [ResponseText.response_id, ResponseText.item, ResponseText.body]
            texts = session.execute(select(*columns).order_by("response_id")).all()
            late = session.execute(select(LateResponse.__table__).order_by("response_id")).all()
        return responses, texts, late

    def first_received():
        with database.reading() as session:
            query = select(ReceivedDay.day, func.min(ReceivedDay.begins)).group_by(ReceivedDay.day)
            return {each.day: each[1] for each in session.execute(query)}

    before, days = stored(), first_received()
    assert [len(each) for each in before] == [6, 4, 3]
    assert min(days.values()) == (now - timedelta(days=3)).date()

    migrate(database, down_to("0011"))
    with database.reading() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "0011"
    migrate(database)
    assert stored() == before and first_received() == days and verify(database) == []
    if database.locks_whole_database:  # the table is still ordered by its key
        with database.reading() as session:
            made = session.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'response'"))
        assert "WITHOUT ROWID" in made
    with database.reading() as session:
        hashes = session.scalars(select(Response.texts_hash)).all()
    assert Counter(hashes) == {None: 2, DROPPED: 4}
    # Devices go on, and what they sent before is known again.
    told = client.post("/api/v1/responses", json={"responses": [*comments, body()]}, headers=device)
    statuses = [each["status"] for each in told.json()["responses"]]
    assert statuses == ["duplicate"] * 4 + ["accepted"]


def test_sms_that_were_never_confirmed_stay_so_and_dead_letters_have_no_place_in_0014(database):
    now = datetime.now(UTC)
    with database.writing() as session:
        hook = add_webhook(session, "https://x.vn", None)
        for n, fate in enumerate((None, "unconfirmed", "refused")):
            due, failed = (None, now) if fate else (now, None)
            session.add(SmsMessage(phone=f"{n}", body="", due_at=due, failed_at=failed, fate=fate))
        for due, failed in ((now, None), (None, now)):
            session.add(Delivery(webhook_id=hook.id, body="{}", due_at=due, failed_at=failed))
    migrate(database, down_to("0014"))
    migrate(database)
    with database.reading() as session:
        messages = session.scalars(select(SmsMessage).order_by(SmsMessage.id)).all()
        deliveries = session.scalars(select(Delivery)).all()
    assert [(m.phone, m.fate, m.due_at is None, m.failed_at is None) for m in messages] == [
        ("0", None, False, True), ("1", "unconfirmed", True, False),
    ]  # fmt: skip
    assert [(d.due_at, d.failed_at) for d in deliveries] == [(now, None)]
    # By what its webhook may know it already.
    assert [d.event for d in deliveries] == [f"evt_{d.id}" for d in deliveries]


def test_drafts_that_were_there_before_0029_are_listed_by_their_titles(database):
    form = load_directory()[("kiosk-face", 2)]
    sketch = Sketch.model_validate(form.model_dump(mode="json", by_alias=True))
    with database.writing() as session:
        add_draft(session, sketch, "an")
    migrate(database, down_to("0028"))
    migrate(database)
    with database.reading() as session:
        (entry,) = all_drafts(session)
    assert (entry.code, entry.title) == ("kiosk-face", form.title)


def in_parts(monkeypatch, responses, cells):
    """Have 0033 read so many responses at a time, and write when it holds more than some cells."""
    really = util.load_python_file

    def loaded(folder, name):
        module = really(folder, name)
        if getattr(module, "revision", None) == "0033":
            module._CHUNK, module._MOST_HELD = responses, cells
        return module

    monkeypatch.setattr(util, "load_python_file", loaded)


@pytest.mark.parametrize(("parts", "kept"), [(None, 3), ((7, 3), 3), ((50, 0), 2)])
def test_forms_that_were_there_before_0033_are_counted_as_if_they_came_after(
    database, province, monkeypatch, parts, kept
):
    rng, history = np.random.default_rng(33), History(database)
    face = next(each for each in history.versions.values() if each.form.code == "kiosk-face")
    ids = []
    for ago in (4, 2, 1):
        made = []
        for n in range(60):
            day = months_ago(ago) + timedelta(days=int(rng.integers(4)) if ago > 1 else 0)
            one = history.one(day, unit=1 + n % 2, channel=("kiosk", "qr")[n % 3 > 0])
            given = {code: int(rng.integers(3, 5)) for code in CODES[: rng.integers(3, 8)]}
            given |= dict.fromkeys(CODES[8 : rng.integers(8, 11)])  # no opinion
            version, given = (history.version, given) if n % 5 else (face, {"S1": 1 + n % 3})
            row = one.row._replace(
                version_id=version.id,
                packed=version.sheet.pack(given, partial=True)[0],
                duration_s=(None, 5, 19, 20, 300)[rng.integers(5)],
                partial=bool(rng.integers(2)),
                language=("vi", "en", "tay")[rng.integers(3)],
            )
            late = TODAY - timedelta(days=1) if n < 3 else None
            made.append(one._replace(row=row, version=version, late=late))
        history.store.append(made)
        ids += [each.id for each in made]
    with database.writing() as session:
        among = Response.id.in_(ids[100:150])
        change_dispositions(
            session, Together(2, TODAY), Disposition.COUNTED, Disposition.DISTRUSTED,
            "distrusted", among,
        )  # fmt: skip
    history.delete(months_ago(3))
    with database.writing() as session:  # in the midst of a deletion, whose rows are there yet
        session.get_one(RetentionNote, 1).responses_from = months_ago(kept) + timedelta(days=1)

    def cells():
        with database.reading() as session:
            return {
                (table.__tablename__, *key): bytes(packed)
                for table in (RollupCell, AsideCell, WithheldCell)
                for *key, packed in session.execute(select(*table.__table__.columns))
            }

    before, more = cells(), 4 * len(FORMS)
    assert {name for name, *_ in before} == {"rollup_cell", "aside_cell", "withheld_cell"}
    assert all(any(cell[-more:]) for cell in before.values() if any(cell))
    migrate(database, down_to("0032"))
    assert cells() == {key: cell[:-more] for key, cell in before.items()}
    if parts:
        in_parts(monkeypatch, *parts)
    migrate(database)
    # Of what was deleted by rule nothing can be counted any more.
    gone = {key for key in before if key[1] <= months_ago(kept)}
    expected = {
        key: cell[:-more] + bytes(more) if key in gone else cell for key, cell in before.items()
    }
    assert gone and cells() == expected and verify(database) == []
