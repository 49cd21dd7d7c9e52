"""A kiosk that nobody walks away from, and codes to pair it."""

from types import SimpleNamespace

import pytest

from app.access import devices
from app.registry.points import find_by_code
from tests.web.kiosk.device import FACE


@pytest.fixture
def settings(settings):
    """However slow the machine is, nobody is taken to have walked away."""
    return settings.model_copy(update={"kiosk_idle_s": 3600})


@pytest.fixture
def pairing(database, province):
    """Makes a pairing code for a point of C1."""

    def make(form=FACE):
        with database.writing() as session:
            point = find_by_code(session, province.points[("C1", form)])
            return devices.new_code(session, point, "Ki-ốt")

    return make


@pytest.fixture
def playwright(browser):
    """What starts browsers with profiles of their own, beside the session's browser."""
    return SimpleNamespace(chromium=browser.browser_type)
