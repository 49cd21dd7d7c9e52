"""What doors and the pages of sign-in share: known callers, rate limits, the identity provider."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.access.callers import Callers
from app.access.openid import Provider
from app.access.rate_limits import RateLimits
from app.dependencies import Shared

CALLERS = Shared[Callers]("callers")
RATE_LIMITS = Shared[RateLimits]("limits")
#: None where no identity provider is set up.
PROVIDER = Shared[Provider | None]("provider")

RateLimitsDependency = Annotated[RateLimits, Depends(RATE_LIMITS)]
