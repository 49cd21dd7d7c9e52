"""A group of responses by field is the responses."""

from datetime import timedelta

from app.intake.prepared import Group, Prepared, by_field, contributions
from app.rollups.conduct import conduct_of
from tests.retention.history import TODAY, History


def test_each_field_of_all_is_that_of_each(database, province):
    history = History(database)
    made = [
        history.one(TODAY - timedelta(days=n), late=TODAY if n else None)._replace(
            invitation="f" * 64 if n == 1 else None, told_as_change=n == 2
        )
        for n in range(3)
    ]
    made[1] = made[1]._replace(row=made[1].row._replace(duration_s=5, language="en", partial=True))
    assert Group._fields == Prepared._fields
    group = by_field(made)
    for name in Prepared._fields:
        assert getattr(group, name) == tuple(getattr(each, name) for each in made)
    assert contributions(group) == [
        (
            (each.row.day, each.row.unit_id, each.row.version_id, each.row.channel),
            each.version,
            each.row.packed,
            conduct_of(each.row.duration_s, each.row.partial, each.row.language),
        )
        for each in made
    ]
