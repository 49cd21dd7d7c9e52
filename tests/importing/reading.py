"""Reads files by what is proposed of them, as a person would who takes every proposal."""

from itertools import islice
from zoneinfo import ZoneInfo

from app.importing.headers import Headed
from app.importing.proposing import propose
from app.importing.reading import Reader
from app.settings import Settings
from app.text_keys import TextKeys
from tests.importing.exports import DESK

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KEYS = TextKeys.of(Settings())


def proposed(file, sheet=DESK, point="ABCDEFG", **changes):
    """The proposal's mapping, with what is undecided left out by choice."""
    headed = Headed(file)
    found = propose(headed, list(islice(headed, 100)), sheet)
    mapping = found.mapping(headed, "test", sheet, point)
    return mapping.model_copy(
        update={"leave_out": (*mapping.leave_out, *found.undecided), **changes}
    ), found


def read(file, mapping, sheet=DESK, codes=None):
    headed = Headed(file)
    reader = Reader(headed, mapping, sheet, ZONE, KEYS, codes or {})
    return [reader.read(row) for row in headed]


def imported(file, sheet=DESK, **changes):
    return read(file, proposed(file, sheet, **changes)[0], sheet)


def said(row):
    assert row.body is None
    return [error.detail("en") for error in row.errors]
