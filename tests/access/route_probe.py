"""How a route is called about a unit, and how what comes out tells whether it was allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.access.rights_world import World


def went_well(answer: httpx.Response) -> bool:
    """Whether the call did what was asked, and did not lead to signing in."""
    led_away = answer.headers.get("location", "").startswith(("/sign-in", "/screen"))
    return answer.status_code < 400 and not led_away


@dataclass(frozen=True)
class Probe:
    """How a route is called, by whom, about which unit; and whether that worked."""

    call: Callable[[World, str, str], httpx.Response]
    by_unit: bool = False
    worked: Callable[[httpx.Response, str], bool] = lambda answer, unit: went_well(answer)


def get(path: str, **options: Any) -> Probe:
    return Probe(lambda world, who, unit: world.call(who, "GET", path), **options)


def of_unit(path: str, worked: Callable[[httpx.Response, str], bool], **query: str) -> Probe:
    def call(world: World, who: str, unit: str) -> httpx.Response:
        return world.call(who, "GET", path, params={"unit": unit} | query)

    return Probe(call, True, worked)


def about(path: str) -> Probe:
    """A page whose address names the unit."""
    return Probe(lambda world, who, unit: world.call(who, "GET", path.format(unit=unit)), True)


def post_about(make: Callable[[World, str], tuple[str, dict[str, str]]]) -> Probe:
    def call(world: World, who: str, unit: str) -> httpx.Response:
        path, data = make(world, unit)
        return world.call(who, "POST", path, data=data)

    return Probe(call, True)


def has(*names: str) -> Callable[[httpx.Response, str], bool]:
    """Whether the answer is a list under a name that is not empty."""

    def check(answer: httpx.Response, unit: str) -> bool:
        return went_well(answer) and all(answer.json()[name] for name in names)

    return check


def listed(path: str, mark: Callable[[World, str], str]) -> Probe:
    """A page that shows something of a unit where the caller may see it."""

    def call(world: World, who: str, unit: str) -> httpx.Response:
        wanted = mark(world, unit)
        answer = world.call(who, "GET", path)
        answer.extensions["found"] = wanted in answer.text
        return answer

    return Probe(call, True, lambda answer, unit: went_well(answer) and answer.extensions["found"])


def let_in(answer: httpx.Response, unit: str) -> bool:
    """The statistics were computed, or there was too little to compute them from."""
    if answer.status_code == 422:
        problem = str(answer.json()["type"]).removeprefix("/problems/")
        return problem.startswith("too-few-") or problem == "margin-unregistered"
    return answer.status_code == 200


def account_mark(world: World, unit: str) -> str:
    return f'/accounts/{world.account(unit)[0]}"'


def point_mark(world: World, unit: str) -> str:
    return f'<option value="{world.points[unit]}"'


def key_mark(world: World, unit: str) -> str:
    return f"Số {world.key_for(unit)} "
