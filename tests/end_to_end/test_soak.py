"""A small form of ``make soak``: some troubles on each store, and all that must hold after them."""

import os

import pytest

from tests.soak import troubles
from tests.soak.run import soak

#: The tests' machine does other things meanwhile.
SLOWNESS = 6.0
FEW = {
    "sqlite": ("server killed", "disk full", "clock jumps", "slow clients"),
    "postgresql": ("silent connections", "database killed", "server restarted", "disk full"),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", FEW)
def test_nothing_is_lost_whatever_breaks(store, tmp_path):
    only = frozenset(FEW[store])
    missing = {t.needs for t in troubles.TROUBLES if t.name in only and not t.can_be_made}
    assert not missing or not os.environ.get("HAILONG_REQUIRE_ALL"), f"without {missing}"
    outcome = soak(store, seed=1, seconds=12, folder=tmp_path, only=only, slowness=SLOWNESS)
    assert outcome.broken == []
    assert outcome.acknowledged > 50 and outcome.recoveries
