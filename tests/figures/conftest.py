"""What tests on the reorganised province have in common; each module has its own ``world``."""

import pytest


@pytest.fixture
def made(world):
    """Who stands in the province, and what was answered."""
    return world[0]


@pytest.fixture
def session(world):
    """Reads its database."""
    with world[1].reading() as session:
        yield session
