"""A kiosk whose calendar was wrong while it was offline: on which day its answers are counted."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.access import devices
from app.intake.models import ReceiptDated, Response
from app.registry.points import find_by_code
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import wait_for

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
HOUR = timedelta(hours=1)
COUNT = "import('/static/kiosk/store.js').then(store => store.countWaiting())"


class Kiosk:
    """A paired kiosk whose clocks and network a test has in hand."""

    def __init__(self, page, database):
        self.page, self.database = page, database

    def offline(self):
        self.page.route("**/api/v1/**", lambda route: route.abort())

    def online(self):
        self.page.unroute("**/api/v1/**")

    def set_calendar(self, moment):
        """As staff or a time server sets it: the steady clock goes on as before."""
        self.page.clock.set_system_time(moment)

    def pass_time(self, much):
        """Both clocks go on; what is due in between happens once."""
        self.page.clock.fast_forward(int(much.total_seconds() * 1000))
        self.page.evaluate("import('/static/kiosk/clock.js').then(clock => clock.look())")

    def start_again(self, moment):
        """Switched off and on, with a calendar that shows something else."""
        self.page.clock.set_system_time(moment)
        self.page.reload()

    def answer(self):
        waiting = self.page.evaluate(COUNT)
        self.page.wait_for_selector(".faces .choice")
        self.page.locator(".faces .choice").nth(4).click()
        self.page.clock.run_for(1000)
        self.page.wait_for_selector("#thanks")
        self.page.evaluate("document.querySelector('#thanks').click()")
        assert self.page.evaluate(COUNT) == waiting + 1

    def sent(self):
        """The responses once they have been sent, with the rule by which each is dated."""
        self.page.evaluate("import('/static/kiosk/queue.js').then(queue => queue.flush())")
        wait_for(lambda: self.page.evaluate(COUNT) == 0)
        aside = self.page.evaluate(
            "import('/static/kiosk/store.js').then(store => store.setAside())"
        )
        assert aside == []
        with self.database.reading() as session:
            rules = {each.response_id: each.rule for each in session.scalars(select(ReceiptDated))}
            rows = session.scalars(select(Response).order_by(Response.answered_at)).all()
            return [(row.received_at - row.answered_at, rules.get(row.id)) for row in rows]


@pytest.fixture
def kiosk(browser, client, database, province):
    with database.writing() as session:
        point = find_by_code(session, province.points[("C1", "kiosk-face")])
        code = devices.new_code(session, point, "Ki-ốt").code
    context = browser.new_context(locale="vi-VN", service_workers="block")
    page = context.new_page()
    page.clock.install(time=datetime.now(UTC))
    page.goto(f"{client.base_url}/kiosk")
    page.fill("#code", code)
    page.get_by_role("button", name="Ghép máy").click()
    page.wait_for_selector(".faces .choice")
    yield Kiosk(page, database)
    context.close()


def near(given, expected):
    """The server's clock goes on meanwhile, on a busy machine for some time."""
    return expected - timedelta(seconds=5) < given < expected + timedelta(minutes=10)


@pytest.mark.parametrize("shown", ["2020-01-01T00:00:00Z", "two years ahead"])
def test_a_calendar_that_was_wrong_offline_and_was_corrected_later(kiosk, shown):
    now = datetime.now(UTC)
    wrong = now + timedelta(days=730) if "ahead" in shown else datetime.fromisoformat(shown)
    kiosk.offline()
    kiosk.set_calendar(wrong)
    kiosk.pass_time(HOUR)
    kiosk.answer()
    kiosk.pass_time(5 * HOUR)
    kiosk.answer()
    kiosk.pass_time(2 * HOUR)
    kiosk.set_calendar(now)  # set right, before anything is sent
    kiosk.pass_time(HOUR)
    kiosk.online()
    (late, late_rule), (early, early_rule) = sorted(kiosk.sent())
    assert (late_rule, early_rule) == (None, None)
    assert near(late, 3 * HOUR) and near(early, 8 * HOUR)


def test_a_calendar_that_is_still_wrong_when_it_sends(kiosk):
    kiosk.offline()
    kiosk.set_calendar(datetime(2020, 1, 1, tzinfo=UTC))
    kiosk.pass_time(HOUR)
    kiosk.answer()
    kiosk.pass_time(3 * HOUR)
    kiosk.start_again(datetime(2020, 1, 1, 4, 30, tzinfo=UTC))
    kiosk.online()
    ((age, rule),) = kiosk.sent()
    assert rule is None and near(age, 3.5 * HOUR)


def test_a_calendar_that_was_set_while_it_was_switched_off_is_lost_and_says_so(kiosk):
    kiosk.offline()
    kiosk.set_calendar(datetime.now(UTC) + timedelta(days=730))
    kiosk.pass_time(HOUR)
    kiosk.answer()
    # How long it was off nobody knows; that its calendar went back is seen.
    kiosk.start_again(datetime.now(UTC))
    kiosk.answer()
    kiosk.pass_time(HOUR)
    kiosk.online()
    (lost, lost_rule), (known, known_rule) = sorted(kiosk.sent())
    assert (lost, lost_rule) == (timedelta(0), "clock-lost")
    assert known_rule is None and near(known, HOUR)


def test_one_that_was_offline_for_forty_days_is_counted_at_receipt_and_marked(kiosk):
    kiosk.offline()
    kiosk.answer()
    kiosk.pass_time(timedelta(days=20))
    kiosk.answer()
    kiosk.pass_time(timedelta(days=20))
    kiosk.online()
    ages = sorted(kiosk.sent())
    assert ages[0] == (timedelta(0), "beyond-backlog")
    assert ages[1][1] is None and near(ages[1][0], timedelta(days=20))


def test_a_device_that_slept_over_the_weekend_dates_its_answers_before_it(kiosk):
    kiosk.offline()
    kiosk.answer()
    # Asleep, the steady clock stands: it looks as if the calendar had been put forward.
    kiosk.set_calendar(datetime.now(UTC) + timedelta(hours=60))
    kiosk.pass_time(HOUR)
    kiosk.online()
    ((age, rule),) = kiosk.sent()
    assert rule is None and near(age, 61 * HOUR)


def test_what_an_earlier_server_refused_for_its_time_is_sent_again(kiosk):
    kiosk.offline()
    kiosk.answer()
    kiosk.page.evaluate(
        """async () => {
            const store = await import('/static/kiosk/store.js');
            const [response] = await store.waiting(1);
            const problem = { type: '/problems/answered-too-long-ago' };
            await store.settle([], [{ response, problem }]);
            await store.keepFact('taken-up', false);
        }"""
    )
    kiosk.page.reload()
    kiosk.page.wait_for_selector(".faces .choice")
    kiosk.online()
    ((_, rule),) = kiosk.sent()
    assert rule == "clock-lost"
