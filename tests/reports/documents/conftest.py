"""One district that all reports of a module are about."""

import pytest

from tests.figures.district import standing


@pytest.fixture(scope="module")
def world(templates, postgres, tmp_path_factory):
    """One store: what a report says is computed by the views, which are asked on both."""
    folder = tmp_path_factory.mktemp("documents")
    with standing("sqlite", templates, postgres, folder) as world:
        world.fetched = {}
        yield world
