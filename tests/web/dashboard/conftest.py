"""The district behind the dashboard, and its pages opened."""

import pytest

from app.access.roles import Role
from tests.figures.district import FORM, standing


@pytest.fixture(scope="module")
def world(templates, postgres, tmp_path_factory):
    """One store: pages show what the views say, and these are asked on both."""
    folder = tmp_path_factory.mktemp("dashboard")
    with standing("sqlite", templates, postgres, folder) as world:
        world.opened = {}
        world.person = world.province.person((Role.PROVINCIAL_ANALYST, None))
        yield world


@pytest.fixture
def open_page(world):
    def get(path, person=None, status=200, **headers):
        if person is None and not headers and path in world.opened:
            return world.opened[path]
        sent = (person or world.person).headers | headers
        answer = world.client.get(path, headers=sent)
        for _ in range(2):  # a client that follows by itself would leave the cookie behind
            if answer.status_code == 303:
                answer = world.client.get(answer.headers["location"], headers=sent)
        assert answer.status_code == status, answer.text[:2000]
        if person is None and not headers and "comments" not in path:
            world.opened[path] = answer  # what does not change is not asked for again
        return answer

    return get


@pytest.fixture
def view(world):
    def get(name, **parameters):
        asked = {"unit": "D1", "questionnaire": FORM.code, "period": "2026-H1"} | parameters
        return world.client.get(f"/api/v1/views/{name}", params=asked, headers=world.analyst).json()

    return get
