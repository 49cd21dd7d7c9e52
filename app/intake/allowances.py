"""How many responses whom is allowed: devices, keys, and strangers by where they are.

Of strangers nothing is known but a network address, which a hospital's patients share and a cheat
may have many of, and whether they opened our page. So a response draws from several buckets, and
what is scarce is kept for those who are more likely to be people:

* from its network (an IPv4 address, the /64 of IPv6) at the point;
* from its page, if it has one; otherwise, or if that was opened a moment ago, from a smaller one of
  its network;
* from the point, of which neither one neighbourhood (/24, /48) nor responses without a page can use
  up all.

docs/security.md says what is left to a cheat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from limits import parse

from app.access.buckets import Draw, Empty, Rate, draw, neighbourhood_of, network_of
from app.access.callers import Caller
from app.access.models import Right
from app.access.rate_limits import RateLimits
from app.db.base import microseconds
from app.intake.page_tokens import OpenedPage
from app.registry.points import Point
from app.settings import Settings


@dataclass(frozen=True)
class Sender:
    """Where a request came from: who sent it, from which address, and from which page of ours."""

    caller: Caller
    address: str
    page: OpenedPage | None = None


class Allowances:
    """The rates of one server process; what was drawn is shared through the database."""

    def __init__(self, settings: Settings, limits: RateLimits) -> None:
        self.limits = limits
        self._public, self._pageless = _rate(settings.public_rate), _rate(settings.pageless_rate)
        self._page, self._point = _rate(settings.page_rate), _rate(settings.point_rate)
        self._device, self._key = _rate(settings.device_rate), _rate(settings.key_rate)
        self._page_age_s = settings.page_age_s
        point = parse(settings.point_rate)
        shared = max(1, round(point.amount * (1 - settings.point_reserve)))
        #: The same point's, less what is kept for others.
        self._part = _rate(f"{shared} per {point.get_expiry()} second")

    def draws(self, point: Point, sender: Sender, now: datetime) -> tuple[Draw, ...]:
        """What a response to a point draws from."""
        caller = sender.caller
        if caller.credential_id is None:
            return self._of_stranger(point, sender, now)
        if Right.IMPORT_HISTORY in caller.rights:
            return ()
        rate = self._key if caller.point is None else self._device
        return (self._draw(rate, now, "credential", caller.credential_id),)

    def find_empty(self, draws: tuple[Draw, ...]) -> Empty | None:
        """A bucket that is known to have nothing at this moment, without asking the database."""
        for each in draws:
            until = self.limits.empty_until(each.key)
            if until > each.at:
                return Empty(each.key, until)
        return None

    def _of_stranger(self, point: Point, sender: Sender, now: datetime) -> tuple[Draw, ...]:
        network, page = network_of(sender.address), sender.page
        drawn = [self._draw(self._public, now, "point", point.id, network)]
        if page is not None:
            drawn.append(self._draw(self._page, now, "page", page.number))
        if page is None or page.age_s(now) < self._page_age_s:
            drawn.append(self._draw(self._pageless, now, "pageless", point.id, network))
            drawn.append(self._draw(self._part, now, "pageless at", point.id))
        near = neighbourhood_of(sender.address)
        drawn.append(self._draw(self._part, now, "neighbourhood", point.id, near))
        drawn.append(self._draw(self._point, now, "point", point.id))
        return tuple(drawn)

    def _draw(self, rate: Rate, now: datetime, *what: object) -> Draw:
        return draw(rate, self.limits.key(rate, *what), microseconds(now))


def _rate(said: str) -> Rate:
    """The rate that a setting says."""
    return Rate.of(parse(said))
