"""What doors and the pages of sign-in share: callers, rate limits, queues, the provider."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from app.access.callers import Callers
from app.access.openid import Provider
from app.access.password_queue import PasswordQueue
from app.access.rate_limits import RateLimits
from app.access.signing_in import SigningIn
from app.dependencies import Shared

CALLERS = Shared[Callers]("callers")
RATE_LIMITS = Shared[RateLimits]("limits")
#: None where no identity provider is set up.
PROVIDER = Shared[Provider | None]("provider")

SIGNING_IN = Shared[SigningIn]("signing_in")
PASSWORD_QUEUE = Shared[PasswordQueue]("password_queue")

RateLimitsDependency = Annotated[RateLimits, Depends(RATE_LIMITS)]
SigningInDependency = Annotated[SigningIn, Depends(SIGNING_IN)]
PasswordQueueDependency = Annotated[PasswordQueue, Depends(PASSWORD_QUEUE)]
