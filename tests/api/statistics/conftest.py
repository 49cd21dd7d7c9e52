"""The district on each store, with margins that its operator set."""

import pytest

from tests.api.statistics.sent import EMPTY, REGISTERED
from tests.figures.district import district

world = district(margins=(REGISTERED, EMPTY))


@pytest.fixture
def children(world):
    """Asks about the communes of the district."""

    def ask(name, **options):
        return world(name, **{"unit": "D1", "expand": "children", **options})

    return ask
