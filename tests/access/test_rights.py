"""Route × role × unit: what the running service does is what docs/rights.md says.

Every route of the application is called as everybody, about every unit; what comes out is written
as a table and compared with the documented one, so that a difference is read as a difference of
two tables. On SQLite alone, where a query costs least: that both stores bound alike is for
test_scope.py. A new route fails until it is probed in rights_probes.py and stands there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.access.models import Right
from app.access.roles import RIGHTS, Role
from app.main import create_app
from app.settings import Settings
from app.web.openapi import routes_of
from tests.access.rights_probes import PROBES
from tests.access.rights_world import CODES, WHO, World
from tests.access.route_probe import Probe

PAGE = Path(__file__).parents[2] / "docs/rights.md"


# --- the documented tables ----------------------------------------------------------------


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading, without its header."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_rights_of_roles_are_as_documented():
    documented = {row[0].split("`")[1]: row[1:] for row in table("Rights of roles")}
    assert set(documented) == set(Right)
    for right in Right:
        actual = ["yes" if right in RIGHTS[role] else "–" for role in Role]
        assert documented[right] == actual, right


# --- the probes ---------------------------------------------------------------------------


def observed(world: World, probe: Probe, who: str) -> str:
    """A cell of the table."""
    if not probe.by_unit:
        return "yes" if probe.worked(probe.call(world, who, "C1"), "C1") else "–"
    units = [unit for unit in CODES if probe.worked(probe.call(world, who, unit), unit)]
    return "all" if units == CODES else " ".join(units) or "–"


def routes(app) -> list[str]:
    return [
        f"{method} {route.path_format}"
        for route in routes_of(app)
        for method in sorted(route.methods - {"HEAD"})
    ]


def test_every_route_is_probed_and_documented(tmp_path):
    names = routes(create_app(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}")))
    assert sorted(names) == sorted(PROBES)
    assert sorted(row[0].strip("`") for row in table("Routes")) == sorted(PROBES)


#: So many routes are asked for all roles and units that four processes share them.
PARTS = 4


@pytest.mark.timeout(1800)
# Every other route on one store, the others on the other: what a role may do is looked up alike,
# and ``test_scope.py`` asks both stores for all of it.
@pytest.mark.parametrize(
    ("database_url", "part"),
    [("postgresql" if part % 2 else "sqlite", part) for part in range(PARTS)],
    indirect=["database_url"],
)
def test_the_table_is_what_the_service_does(client, province, part):
    world = World(province, client)
    for unit in CODES:
        world.respond(unit, f"về {unit}")
    lines = []
    names = list(PROBES)[part::PARTS]
    for name in names:
        probe = PROBES[name]
        cells = [observed(world, probe, who) for who in WHO]
        lines.append(f"| {' | '.join([f'`{name}`', *cells])} |")
    rows = {row[0].strip("`"): f"| {' | '.join(row)} |" for row in table("Routes")}
    assert lines == [rows[name] for name in names], "the service does:\n" + "\n".join(lines)
