"""One district that all views of a module are asked of."""

import pytest

from tests.figures.district import FORM, standing
from tests.reports.views.asked import PERIOD

DAYS = {"from": "2026-01-01", "to": "2026-06-30"}


@pytest.fixture(scope="module")
def world(templates, postgres, tmp_path_factory):
    """One store; a test of ``test_views.py`` asks every view on both, of the same answers."""
    folder = tmp_path_factory.mktemp("views")
    with standing("sqlite", templates, postgres, folder) as world:
        yield world


@pytest.fixture
def view(world):
    return lambda name, **asked: world.view(name, **{"period": PERIOD} | asked)


@pytest.fixture
def api(world):
    def ask(path, *, headers=None, **parameters):
        asked = {"questionnaire": FORM.code, **DAYS} | parameters
        answer = world.client.get(
            f"/api/v1/satisfaction{path}", params=asked, headers=headers or world.analyst
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask
