"""What tests on the reorganised province have in common; each module has its own ``world``."""

from datetime import timedelta

import pytest

from app.export import anonymising


@pytest.fixture
def made(world):
    """Who stands in the province, and what was answered."""
    return world[0]


@pytest.fixture
def session(world):
    """Reads its database."""
    with world[1].reading() as session:
        yield session


@pytest.fixture(scope="module", autouse=True)
def _made_when_sent():
    """Worlds are sent and made anonymous in one minute; only while their module is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anonymising, "QUIET", timedelta(days=-1))
        yield
