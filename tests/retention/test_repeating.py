"""What was erased is erased again in what was before, as a restore brings it back."""

from datetime import UTC, datetime, timedelta

from app.intake.models import ErasedResponse, Response
from app.intake.prepared import Outcome
from app.intake.retained import Erased, mark_of
from app.intake.rollup_rebuild import verify
from app.retention.repeating import Erasures, Repeated, repeat
from app.retention.withdrawing import withdraw_texts
from tests.retention.history import SETTINGS, months_ago

OLD, NEW = months_ago(5), months_ago(2)
FIRST = months_ago(3)


def again(history, erasures, now=None):
    now = now or datetime.now(UTC)
    return repeat(history.database, SETTINGS, erasures, "command:test", now)


def test_days_and_wishes_are_known_by_marks_alone(history):
    """Of an earlier state of the database, which has all of it."""
    old = history.came(OLD, 12, text="cũ")
    new = history.came(NEW, 13, text="mới")
    by_wish, words = new[0].row.id, new[1].row.id
    before = history.cells()
    erasures = Erasures(
        FIRST, FIRST, frozenset([mark_of(by_wish), 17]), frozenset([mark_of(words, Erased.TEXTS)])
    )
    assert again(history, erasures) == {
        Repeated.WITHDRAWN: 1, Repeated.TEXTS_WITHDRAWN: 1, Repeated.RESPONSES: 12,
        Repeated.TEXTS: 12,
    }  # fmt: skip
    assert history.cells() == before and verify(history.database) == []
    assert history.texts() == ["mới"] * 11 and history.waiting() == 1
    assert set(history.store.append([*old, *new])) == {Outcome.DUPLICATE}
    # It knows now itself, and there is nothing to do any more.
    with history.database.reading() as session:
        assert Erasures.of(session) | erasures == Erasures.of(session)
    assert again(history, erasures) == {}


def test_what_was_withdrawn_and_is_not_there_does_not_come_from_its_device(history):
    """It came after the backup, and its device has it still."""
    whole, words = history.one(NEW, text="cả phiếu"), history.one(NEW, text="chỉ lời")
    again(
        history,
        Erasures(
            withdrawn=frozenset([mark_of(whole.row.id)]),
            texts=frozenset([mark_of(words.row.id, Erased.TEXTS)]),
        ),
    )
    other = history.one(NEW, text="của người khác")
    told = history.store.append([whole, words, other])
    assert told == [Outcome.DUPLICATE, Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert history.ids() == {words.row.id, other.row.id} and verify(history.database) == []
    assert history.texts() == ["của người khác"]
    assert set(history.store.append([whole, words, other])) == {Outcome.DUPLICATE}


def test_what_others_withdrew_later_leaves_with_them(history):
    made = [each.row.id for each in history.came(NEW, 12)]
    history.withdraw(made[:6])
    assert again(history, Erasures(withdrawn=frozenset(map(mark_of, made[:10])))) == {
        Repeated.WITHDRAWN: 4
    }
    assert history.count(Response) == 2 and verify(history.database) == []


def test_rules_go_on_unless_the_clock_may_be_wrong(history):
    history.came(months_ago(30), 3, text="xưa")
    far = datetime.now(UTC) + timedelta(days=SETTINGS.clock_gap_days + 2)
    assert again(history, Erasures(), far) == {} and len(history.texts()) == 3
    assert again(history, Erasures()) == {Repeated.TEXTS: 3} and history.texts() == []
    assert history.count(ErasedResponse) == 0


def test_words_withdrawn_stay_marked(history):
    (one,) = history.came(NEW, 1, text="x")
    with history.database.writing() as session:
        withdraw_texts(session, one.row.id)
    with history.database.reading() as session:
        known = Erasures.of(session)
    assert known.texts == {mark_of(one.row.id, Erased.TEXTS)} and not known.withdrawn
    assert mark_of(one.row.id) not in known.texts
