"""Ids of responses: UUIDs of version 7, whether we make them or a device does."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from app.intake import ids
from app.intake.ids import made_uuid7, new_id
from app.web.citizen.kept_id import is_id

MOMENTS = st.datetimes(datetime(1969, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, st.binary(min_size=10, max_size=10))
def test_a_new_id_is_the_uuid_of_its_moment_and_what_was_drawn(moment, drawn):
    real, ids.secrets.token_bytes = ids.secrets.token_bytes, lambda size: drawn[:size]
    try:
        made = new_id(moment)
    finally:
        ids.secrets.token_bytes = real
    id = UUID(made)
    assert made == str(id) == str(made_uuid7(moment, drawn)) and is_id(made)
    assert (id.version, id.variant) == (7, RFC_4122)
    assert id.int >> 80 == min(max(int(moment.timestamp() * 1000), 0), (1 << 48) - 1)


def test_of_a_moment_all_ids_differ_and_without_one_they_begin_now():
    moment = datetime(2026, 11, 30, tzinfo=UTC)
    assert len({new_id(moment) for _ in range(1000)}) == 1000
    began = datetime.now(UTC) - timedelta(milliseconds=1)
    ms = int(new_id().replace("-", "")[:12], 16)
    assert began.timestamp() * 1000 <= ms <= datetime.now(UTC).timestamp() * 1000
