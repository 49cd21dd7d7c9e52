"""What tests of reviewing and splitting share."""

import pytest

from tests.integrity.suspected import suspected


@pytest.fixture
def batch(province, client):
    return suspected(province, client)
