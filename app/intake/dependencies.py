"""The one intake of a server process, and the tokens of the pages that send to it."""

from __future__ import annotations

from app.dependencies import Shared
from app.intake.page_tokens import PageTokens
from app.intake.service import Intake

INTAKE = Shared[Intake]("intake")
PAGE_TOKENS = Shared[PageTokens]("page_tokens")
