"""The one intake of a server process."""

from __future__ import annotations

from app.dependencies import Shared
from app.intake.service import Intake

INTAKE = Shared[Intake]("intake")
