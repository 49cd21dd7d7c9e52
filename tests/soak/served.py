"""``hailong serve`` with a calendar that a file sets, as a clock that jumps."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import app.main
from app.cli import main

_OFFSET = Path(os.environ["HAILONG_SOAK_CLOCK_OFFSET"])


def _wall() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_OFFSET.read_text() or 0))


app.main.create_app = partial(app.main.create_app, wall=_wall)  # type: ignore[assignment]
main()
