"""Whatever comes, is deleted, withdrawn and sent again: nothing counted moves by few."""

from collections import defaultdict

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.intake.prepared import Outcome
from app.intake.rollup_rebuild import rebuild, verify
from tests.retention.history import TODAY, days_ago, months_ago

#: Few days, so that pieces fill.
_AGO = st.sampled_from((0, 1, 33, 34, 66, 130, 200, 270))
_STEP = st.one_of(
    st.tuples(st.just("come"), _AGO, st.integers(1, 14)),
    st.tuples(st.just("come late"), _AGO.filter(bool), st.integers(1, 14)),
    st.tuples(st.just("withdraw"), st.randoms(use_true_random=False), st.integers(1, 12)),
    st.tuples(st.just("delete"), st.integers(1, 9), st.just(0)),
    st.tuples(st.just("send again"), st.just(0), st.just(0)),
    st.tuples(st.just("rebuild"), st.just(0), st.just(0)),
)


def piece(history, key):
    """What strangers are told of together: unit, form, channel, month or day, rule."""
    day, unit, version, channel, *rule = key
    when = day if day >= TODAY.replace(day=1) else day.replace(day=1)
    return unit, version, channel, when, *rule


def pieces(history):
    found = defaultdict(int)
    for key, cell in history.cells().items():
        found[piece(history, key)] += history.respondents(cell)
    return found


@given(steps=st.lists(_STEP, min_size=3, max_size=9))
@settings(max_examples=7, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cells_are_what_was_counted_less_whom_ten_left_with(long_history, steps):
    history = long_history
    # What hypothesis repeats, it repeats on a history that has gone on.
    first = getattr(history, "first", months_ago(200))
    sent = getattr(history, "sent", {})
    for what, one, other in steps:
        before, told = history.cells(), pieces(history)
        if what.startswith("come"):
            late = days_ago(0) if what == "come late" else None
            made = [history.one(days_ago(one), 1 + n % 5, late=late) for n in range(other)]
            outcomes = history.store.append(made)
            right = Outcome.ACCEPTED if days_ago(one) >= first else Outcome.DAY_DELETED
            assert set(outcomes) == {right}
            if right is Outcome.ACCEPTED:
                sent |= {each.row.id: each for each in made}
                now = pieces(history)
                changed = {k: n - told.get(k, 0) for k, n in now.items() if n != told.get(k, 0)}
                assert list(changed.values()) == [other]
            else:
                assert history.cells() == before
        elif what == "withdraw":
            wanted = sorted(sent)
            one.shuffle(wanted)
            for id in wanted[:other]:
                told = pieces(history)
                history.withdraw([id])
                now = pieces(history)
                for key in told.keys() | now.keys():
                    left = told.get(key, 0) - now.get(key, 0)
                    assert left == 0 or left >= 10, (key, left)
                assert id not in history.ids()
        elif what == "delete":
            first = max(first, months_ago(one))
            history.delete(first)
            assert history.cells() == before
            rows = history.ids()
            gone = {id for id, each in sent.items() if each.row.day < first}
            assert not rows & gone
        elif what == "send again":
            if sent:
                assert set(history.store.append(list(sent.values())[-60:])) == {Outcome.DUPLICATE}
            assert history.cells() == before
        else:
            rebuild(history.database)
            assert history.cells() == before
        assert verify(history.database) == []
    history.first, history.sent = first, sent
