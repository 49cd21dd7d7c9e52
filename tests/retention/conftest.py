"""A database of each kind in turn, with what came to it."""

from contextlib import closing

import pytest

from app.db import Database
from tests.databases import BACKENDS, new_database
from tests.retention.history import History
from tests.small_province import SmallProvince


@pytest.fixture
def history(database, province):
    return History(database)


@pytest.fixture(scope="module", params=BACKENDS)
def long_history(request, templates, postgres, tmp_path_factory):
    """One that all drawn examples of a module go on with."""
    url = new_database(request.param, templates, postgres, tmp_path_factory.mktemp("long"))
    with closing(Database(url)) as database:
        SmallProvince.found(database)
        yield History(database)
