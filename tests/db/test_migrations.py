"""Migrations run up and down on both stores and leave no difference from the models."""

from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from app import clock as _clock  # noqa: F401
from app.access import models as _access  # noqa: F401 - each import registers a room's tables
from app.audit import models as _audit  # noqa: F401
from app.db import Base, Database
from app.db.migrate import migrate
from app.intake import models as _intake  # noqa: F401
from app.intake.partitions import is_partition
from app.invitations import models as _invitations  # noqa: F401
from app.registry import models as _registry  # noqa: F401
from app.rollups import models as _rollups  # noqa: F401
from app.rollups import version as _version  # noqa: F401
from app.webhooks import models as _webhooks  # noqa: F401
from tests.databases import BACKENDS, address


def include_name(name, kind, _parents):
    """The monthly partitions come and go without a migration."""
    return not (kind == "table" and is_partition(name))


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
