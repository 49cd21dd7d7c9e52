"""Runs migrations on the database of the settings, or on one that the caller hands over."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine

from app import clock as _clock  # noqa: F401
from app.access import models as _access  # noqa: F401 - each import registers a room's tables
from app.audit import models as _audit  # noqa: F401
from app.cases import models as _cases  # noqa: F401
from app.db import Base
from app.digest import models as _digest  # noqa: F401
from app.figures import models as _figures  # noqa: F401
from app.importing import models as _importing  # noqa: F401
from app.intake import models as _intake  # noqa: F401
from app.intake.partitions import is_partition
from app.integrity import models as _integrity  # noqa: F401
from app.invitations import models as _invitations  # noqa: F401
from app.registry import models as _registry  # noqa: F401
from app.rollups import models as _rollups  # noqa: F401
from app.rollups import version as _version  # noqa: F401
from app.settings import Settings
from app.themes import models as _themes  # noqa: F401
from app.webhooks import models as _webhooks  # noqa: F401


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave out the monthly partitions: they come and go without a migration."""
    return not (kind == "table" and name is not None and is_partition(name))


def run(connection: Any) -> None:
    """Run the migrations on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    # A plain engine: Alembic's reading of the schema wants the driver's ordinary results.
    engine = create_engine(Settings().database_url)
    with engine.begin() as connection:
        run(connection)
    engine.dispose()
