"""What tests of cases share."""

import pytest

from app.cases.opening import open_wishes
from tests.cases.handlers import BRIBE
from tests.cases.sent import (
    LOW,
    MONTH,
    SETTINGS,
    form,
    keep,
    new_code,
    sent,
)


@pytest.fixture
def codes(database, province):
    """A wish about C1, one about C1 that speaks of misconduct, and one about C2."""
    version, at = form(database), province.units
    codes = [new_code() for _ in range(3)]
    keep(
        database,
        [
            sent(version, at["C1"], answers=LOW, comment="Chờ ba tiếng", code=codes[0]),
            sent(version, at["C1"], comment=BRIBE, code=codes[1]),
            sent(version, at["C2"], code=codes[2]),
        ],
    )
    assert open_wishes(database, SETTINGS, MONTH) == 3
    return codes
