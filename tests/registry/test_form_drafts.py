"""Drafts of questionnaires, changed in turn and published; versions that are withdrawn."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import update

from app.problems import Problem
from app.registry import form_drafts
from app.registry.form_drafts import (
    DraftChanged,
    DraftTooLarge,
    DraftUnchanged,
    DraftUnfinished,
    NoSuchDraft,
    add_draft,
    change_draft,
    discard_draft,
    draft,
    publish_draft,
    sketch_in,
    yaml_of,
)
from app.registry.models import PointState, SurveyPoint
from app.registry.questionnaires import (
    StillAnswered,
    UnknownVersion,
    offer_again,
    offered,
    publish,
    version_of,
    versions_of,
    withdraw,
)
from surveys import Questionnaire, load_directory
from surveys.editing import form_of, with_general, with_scoring
from surveys.model import Sketch

FORM = load_directory()[("kiosk-face", 2)]
SKETCH = Sketch.model_validate(FORM.model_dump(mode="json", by_alias=True))
LONGER = with_general(SKETCH, {"estimated_minutes": 9})


def test_a_draft_is_changed_in_turn_and_published_once(database):
    with database.writing("an@tinh.vn") as session:
        id = add_draft(session, SKETCH, "an@tinh.vn")
    with pytest.raises(DraftUnchanged), database.writing() as session:
        publish_draft(session, id, 1, before=2)
    with database.writing() as session:
        change_draft(session, id, 1, LONGER, "binh@tinh.vn")
    with database.reading() as session:
        kept = draft(session, id)
    assert (kept.revision, kept.sketch, kept.changed_by) == (2, LONGER, "binh@tinh.vn")
    for refused in (
        lambda session: change_draft(session, id, 1, SKETCH, "an@tinh.vn"),
        lambda session: discard_draft(session, id, 1),
        lambda session: publish_draft(session, id, 1, before=2),
        lambda session: publish_draft(session, id, 2, before=1),
    ):
        with pytest.raises(DraftChanged), database.writing() as session:
            refused(session)
    with database.writing() as session:
        form = publish_draft(session, id, 2, before=2)
    assert (form.version, form.estimated_minutes) == (3, 9)
    with database.reading() as session:
        assert version_of(session, "kiosk-face", 3).form == form
        with pytest.raises(NoSuchDraft):
            draft(session, id)
        with pytest.raises(UnknownVersion):
            version_of(session, "kiosk-face", 4)


def test_what_is_no_form_or_too_large_is_not_published_or_kept(database):
    with database.writing() as session:
        id = add_draft(session, with_scoring(LONGER, [], []), "an")
    with pytest.raises(DraftUnfinished), database.writing() as session:
        publish_draft(session, id, 1, before=2)
    many = with_general(SKETCH, {"unverified": ["x" * 3000] * 100})
    with pytest.raises(DraftTooLarge), database.writing() as session:
        add_draft(session, many, "an")


def test_yaml_says_all_of_every_form():
    for form in load_directory().values():
        assert form_of(sketch_in(yaml_of(form).encode())) == form


def test_the_number_of_what_staff_published_stops_no_later_release(database, caplog):
    theirs = Questionnaire.model_validate(
        LONGER.model_copy(update={"version": 3}).model_dump(mode="json", by_alias=True)
    )
    ours = theirs.model_copy(update={"estimated_minutes": 2})
    with database.writing() as session:
        assert publish(session, [theirs], written_here=True) == [theirs]
    with caplog.at_level(logging.WARNING), database.writing() as session:
        assert publish(session, [FORM, ours]) == []
    assert "kiosk-face version 3 is not published" in caplog.text
    with database.reading() as session:
        assert version_of(session, "kiosk-face", 3).form == theirs


def test_a_withdrawn_version_is_asked_no_more_while_another_is_left(database, province, hailong):
    with database.writing() as session:
        id = add_draft(session, LONGER, "an")
        publish_draft(session, id, 1, before=2)
    with database.writing() as session:
        withdraw(session, "kiosk-face", 3)
        withdraw(session, "kiosk-face", 3)
    with database.reading() as session:
        versions = versions_of(session, "kiosk-face")
        assert offered(versions).form.version == 2
    with pytest.raises(StillAnswered), database.writing() as session:
        withdraw(session, "kiosk-face", 2)
    with database.writing() as session:
        session.execute(
            update(SurveyPoint)
            .where(SurveyPoint.questionnaire == "kiosk-face")
            .values(state=PointState.REVOKED)
        )
        withdraw(session, "kiosk-face", 2)
    with database.reading() as session:
        # Nothing asks it, and nothing new may; answers of devices that were off are read by it.
        assert offered(versions_of(session, "kiosk-face")).form.version == 3
    refused = hailong("points", "add", "C1", "kiosk-face", code=1)
    assert "all versions of kiosk-face are withdrawn" in refused
    with database.writing() as session:
        offer_again(session, "kiosk-face", 2)
    with database.reading() as session:
        assert offered(versions_of(session, "kiosk-face")).form.version == 2


def at_once(*acts):
    """Does all at the same time; what each came to, or was refused by."""
    begin = Barrier(len(acts))

    def one(act):
        begin.wait()
        try:
            return act()
        except Problem as problem:
            return type(problem)

    with ThreadPoolExecutor(len(acts)) as pool:
        return [each.result() for each in [pool.submit(one, act) for act in acts]]


def test_of_two_who_publish_at_once_the_second_is_refused_in_words(database, monkeypatch):
    """On PostgreSQL both found version 2 the newest, and the second broke a unique index."""
    with database.writing() as session:
        drafts = [add_draft(session, LONGER, by) for by in ("an", "binh")]

    def publishing(id):
        with database.writing() as session:
            return publish_draft(session, id, 1, before=2).version

    read = form_drafts.newest_of
    # Whoever is first stays between reading and writing until the other would have read, too.
    monkeypatch.setattr(form_drafts, "newest_of", lambda *given: (read(*given), time.sleep(0.3))[0])
    came = at_once(*(partial(publishing, id) for id in drafts))
    assert set(came) == {3, DraftChanged}
    with database.reading() as session:
        assert [v.form.version for v in versions_of(session, "kiosk-face")] == [2, 3]


def test_of_two_who_withdraw_the_last_versions_at_once_one_is_refused(
    database, province, monkeypatch
):
    with database.writing() as session:
        publish_draft(session, add_draft(session, LONGER, "an"), 1, before=2)

    def withdrawing(number):
        with database.writing() as session:
            withdraw(session, "kiosk-face", number)
            time.sleep(0.3)

    assert set(at_once(*(partial(withdrawing, number) for number in (2, 3)))) == {
        None, StillAnswered,
    }  # fmt: skip


def test_servers_that_start_together_publish_a_form_once(database):
    def publishing():
        with database.writing() as session:
            new = len(publish(session, [theirs]))
            time.sleep(0.3)
        return new

    theirs = Questionnaire.model_validate(
        LONGER.model_copy(update={"version": 3}).model_dump(mode="json", by_alias=True)
    )
    assert sorted(at_once(publishing, publishing)) == [0, 1]
