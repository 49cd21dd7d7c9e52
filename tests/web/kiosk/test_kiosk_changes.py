"""The kiosk learns between respondents what changed: its point, the form, its own release."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.registry.models import PointState
from app.registry.points import change_state, find_by_code
from app.registry.questionnaires import publish
from app.web.kiosk import routes as kiosk
from surveys.loader import FORMS, load_file
from tests.server import ServerProcess, free_port
from tests.web.citizen import stored
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import (
    FACE,
    answer_five_faces,
    device,
    installed,
    pair,
    thanked,
    wait_for,
)

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def test_a_paused_point_says_so_and_a_changed_point_is_learnt_between_respondents(
    playwright, client, database, province, pairing, tmp_path
):
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, pairing().code)
        page.locator(".faces .choice").nth(0).click()  # somebody is in the middle of it
        expect(page.locator(".options")).to_be_visible()
        with database.writing() as session:
            point = find_by_code(session, province.points[("C1", FACE)])
            change_state(session, point, PointState.PAUSED)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.get_by_role("button", name="Tiếp tục").click()
        page.get_by_role("button", name="Tiếp tục").click()
        thanked(page)
        page.reload()
        expect(page.locator("h1")).to_contain_text("chưa nhận ý kiến")


def test_a_new_version_that_is_published_while_it_is_offline(
    playwright, database_url, database, province, pairing, tmp_path
):
    """Answers to the old version are counted as such; then the new one is asked."""
    port = free_port()
    log = tmp_path / "server.log"
    server = ServerProcess(database_url, log, port=port).wait_until_ready()
    profile = tmp_path / "p"
    with device(playwright, profile, server.address) as page:
        pair(page, pairing().code)
        installed(page)
        server.kill()
        answer_five_faces(page)
    text = (FORMS / "kiosk-face.yaml").read_text("utf-8")
    newer = tmp_path / "kiosk-face.yaml"
    newer.write_text(
        text.replace("version: 2", "version: 3").replace("lần phục vụ vừa rồi", "hôm nay"), "utf-8"
    )
    with database.writing() as session:
        publish(session, [load_file(newer)])
    server = ServerProcess(database_url, log, port=port).wait_until_ready()
    try:
        with device(playwright, profile, server.address) as page:
            wait_for(lambda: stored(database) == 1)
            expect(page.locator("h1")).to_contain_text("hôm nay")
            answer_five_faces(page)
            wait_for(lambda: stored(database) == 2)
    finally:
        server.stop()
    with database.reading() as session:
        versions = session.scalars(select(Response.version_id).order_by(Response.id)).all()
    assert len(set(versions)) == 2 and verify(database) == []


def test_a_new_release_takes_over_between_respondents_and_never_during_one(
    playwright, client, database, pairing, tmp_path, monkeypatch
):
    monkeypatch.setattr(kiosk, "release", lambda: "aaaa")
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, pairing().code)
        installed(page)
        page.reload()
        expect(page.locator(".faces")).to_be_visible()
        page.evaluate("window.sameLife = true")
        page.locator(".faces .choice").nth(0).click()  # somebody is in the middle of it
        expect(page.locator(".options")).to_be_visible()
        monkeypatch.setattr(kiosk, "release", lambda: "bbbb")
        page.evaluate("navigator.serviceWorker.getRegistration('/kiosk').then(r => r.update())")
        wait_for(
            lambda: page.evaluate(
                "navigator.serviceWorker.getRegistration('/kiosk').then(found => !!found.waiting)"
            )
        )
        page.get_by_role("button", name="Tiếp tục").click()
        page.get_by_role("button", name="Tiếp tục").click()
        thanked(page)
        assert page.evaluate("window.sameLife") is True
        # Thanked, and nobody there: now it takes over and begins a new life.
        page.wait_for_function("() => window.sameLife === undefined")
        expect(page.locator(".faces")).to_be_visible()
        wait_for(lambda: page.evaluate("caches.keys()") == ["kiosk-bbbb"])
        wait_for(lambda: stored(database) == 1)
