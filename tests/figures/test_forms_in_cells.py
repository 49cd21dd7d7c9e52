"""How forms were filled in, as cells count it, is what the responses themselves say one by one."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from app.access.callers import Caller, Grant
from app.access.models import Right
from app.access.roles import Role
from app.figures.doubts import _counted
from app.figures.late import find_late_aside
from app.figures.visible import PUBLIC
from app.intake.models import Disposition, Response
from app.intake.rollup_rebuild import rebuild, verify
from app.intake.setting_aside import Together, change_dispositions
from app.registry.points import find_by_code
from app.reports.views.context import Chosen, ViewContext
from app.reports.views.quality import quality
from app.rollups.cells import FORMS
from app.rollups.models import AsideCell, RollupCell
from tests.retention.history import SETTINGS, TODAY, History, months_ago

EVERYTHING = Caller("analyst", (Grant(frozenset({Right.READ_FIGURES, Right.READ_SMALL_CELLS})),))
MONTHS = (3, 2, 1, 0)


def drawn(history, rng, unit, day, *, whole=False, **more):
    """A response of whatever kind; ``whole`` are those in which every item is rated."""
    form, sheet = history.version.form, history.version.sheet
    items = [item.code for factor in form.index_factors for item in form.index_items(factor)]
    levels = np.full(len(items), rng.integers(1, 6))
    if rng.random() < 0.6:
        levels = rng.integers(3, 6, len(items))
    given = dict(zip(items, levels.tolist(), strict=True))
    for code in [] if whole else items[int(rng.choice([0, 20, len(items) - 5])) :]:
        if rng.random() < 0.3:
            given[code] = None
        elif rng.random() < 0.8:
            del given[code]
    made = history.one(day, unit=unit, channel=rng.choice(["kiosk", "qr"]), **more)
    row = made.row._replace(
        packed=sheet.pack(given, partial=True)[0],
        duration_s=None if rng.random() < 0.2 else int(rng.integers(0, 60)),
        partial=bool(rng.random() < 0.2),
        language=rng.choice(["vi", "en", "tay"]),
    )
    return made._replace(row=row)


@pytest.fixture(params=[1, 2])
def world(request, database, province):
    """Three units with some months of responses, of which some were taken out again."""
    rng, history = np.random.default_rng(request.param), History(database)
    with database.reading() as session:
        points = {code: province.points[(code, "sipas-desk")] for code in ("C1", "C2", "A1")}
        units = {code: find_by_code(session, at).unit_id for code, at in points.items()}
    made = {}
    for unit in units.values():
        for ago in MONTHS:
            first = months_ago(ago)
            days = max(1, min(28, (TODAY - first).days))
            made[unit, ago] = [
                drawn(history, rng, unit, first + timedelta(days=int(rng.integers(0, days))))
                for _ in range(45)
            ]
            history.store.append(made[unit, ago])
    # Twelve of one channel are told where they count, once their day is over; four wait.
    for code, n in (("C1", 12), ("C2", 4)):
        day, yesterday = months_ago(2), TODAY - timedelta(days=1)
        late = [drawn(history, rng, units[code], day, late=yesterday, whole=True) for _ in range(n)]
        history.store.append(
            [each._replace(row=each.row._replace(channel="kiosk")) for each in late]
        )
    with database.writing("test") as session:
        ids = [each.id for each in made[units["A1"], 2]]
        change_dispositions(
            session, Together(5, TODAY), Disposition.COUNTED, Disposition.DISTRUSTED,
            "distrusted", Response.id.in_(ids[:30]),
        )  # fmt: skip
    history.withdraw([each.id for each in made[units["C2"], 1][:25]])
    assert verify(database) == []
    return history, units


def one_by_one(session, context):
    """Of what a caller is told of: unit, seconds, unfinished, language, levels, channel."""
    unreleased, form = context.figures.unreleased, context.form
    rows = session.execute(
        select(Response.__table__).where(
            Response.disposition == Disposition.COUNTED.value,
            Response.day.between(context.span.first, context.span.last),
            Response.unit_id.in_(context.unit_ids),
        )
    ).all()
    if unreleased is not None:
        rows = [
            row for row in rows
            if row.id not in unreleased.late
            and not unreleased.holds(row.unit_id, row.day, row.channel)
        ]  # fmt: skip
    items = [item for factor in form.form.index_factors for item in form.form.index_items(factor)]
    found = []
    for row in rows:
        answers = form.sheet.unpack(bytes(row.packed))
        levels = [answers[i.code] for i in items if answers.get(i.code) is not None]
        found.append((row.unit_id, row.duration_s, row.partial, row.language, levels, row.channel))
    return found


def with_enough(rows):
    """Those of which there are ten in their unit and channel."""
    number = Counter((row[0], row[5]) for row in rows)
    return [row for row in rows if number[row[0], row[5]] >= 10]


@pytest.mark.parametrize("caller", [PUBLIC, EVERYTHING], ids=["stranger", "analyst"])
def test_counts_of_cells_are_those_of_single_responses(database, world, caller):
    history, units = world
    periods = [f"{months_ago(ago):%Y-%m}" for ago in MONTHS]
    told = {}
    for period in (*periods, f"{months_ago(3)}..{TODAY}"):
        if caller is PUBLIC and ".." in period:
            continue
        with database.reading() as session:
            chosen = Chosen(questionnaire="sipas-desk", period=period)
            context = ViewContext.of(session, caller, SETTINGS, chosen)
            rows = one_by_one(session, context)
            told[period] = shown = quality(context)
            waiting = 0
            if context.figures.unreleased is not None:
                waiting = len(context.figures.unreleased.late)
            of_units = _counted(context.figures, {id: n for n, id in enumerate(units.values())}, 3)
        assert waiting == (4 if caller is PUBLIC else 0)
        timed = [row for row in rows if row[1] is not None]
        able = [row for row in rows if len(row[4]) >= 5]
        if caller is PUBLIC:
            over = period != periods[-1]
            timed, able = (with_enough(each) if over else [] for each in (timed, able))
        alike = [row for row in able if len(set(row[4])) == 1]
        handled, straight = shown.responses, shown.straight_lining
        if caller is EVERYTHING:
            assert handled.counted
        if handled.counted is not None:
            assert handled.counted == handled.known == len(rows)
            assert (handled.timed or 0) == len(timed)
            assert (handled.hasty or 0) == sum(row[1] < 20 for row in timed)
            assert handled.partial == sum(row[2] for row in rows)
            assert handled.in_english == sum(row[3] == "en" for row in rows)
            if able:
                assert (straight.respondents, straight.alike) == (len(able), len(alike))
            else:
                assert straight is None
        for n, id in enumerate(units.values()):
            own = [row for row in rows if row[0] == id]
            seconds = [row[1] for row in own if row[1] is not None]
            rated = [row[4] for row in own if len(row[4]) >= 5]
            assert of_units[:, :, n].tolist() == [
                [sum(each < 20 for each in seconds), len(seconds)],
                [sum(len(set(each)) == 1 for each in rated), len(rated)],
            ]
    assert any(each.responses.counted for each in told.values())
    # What was deleted by rule is counted as before, and a recount changes nothing of it.
    history.delete(months_ago(1))
    rebuild(database)
    for period, before in told.items():
        with database.reading() as session:
            chosen = Chosen(questionnaire="sipas-desk", period=period)
            after = quality(ViewContext.of(session, caller, SETTINGS, chosen))
        assert after.responses == before.responses
        assert after.straight_lining == before.straight_lining


def test_cells_that_lost_their_responses_before_they_counted_forms_say_that_nothing_is_known(
    client, database, province
):
    history = History(database)
    with database.reading() as session:
        unit = find_by_code(session, province.points[("C1", "sipas-desk")]).unit_id
    history.came(months_ago(3), 20, unit=unit)
    history.came(months_ago(1), 20, unit=unit)
    history.delete(months_ago(2))
    with database.writing() as session:
        for cell in session.scalars(select(RollupCell).where(RollupCell.day < months_ago(2))):
            cell.packed = cell.packed[: -4 * len(FORMS)] + bytes(4 * len(FORMS))
    told = {}
    for period in (f"{months_ago(3):%Y-%m}", f"{months_ago(1):%Y-%m}", f"{months_ago(3)}..{TODAY}"):
        with database.reading() as session:
            chosen = Chosen(questionnaire="sipas-desk", period=period)
            shown = quality(ViewContext.of(session, EVERYTHING, SETTINGS, chosen)).responses
        told[period] = (shown.counted, shown.known, shown.timed, shown.hasty, shown.partial)
        assert shown.partial_share == (0.0 if shown.known else None)
    assert list(told.values()) == [
        (20, 0, 0, 0, None), (20, 20, 20, 0, 0), (40, 20, 20, 0, 0),
    ]  # fmt: skip
    analyst = province.person((Role.PROVINCIAL_ANALYST, None)).headers
    asked = {"questionnaire": "sipas-desk", "period": period}
    page = client.get("/dashboard/quality", params=asked, headers=analyst)
    if page.is_redirect:  # to the link that names all that was chosen
        page = client.get(page.headers["location"], headers=analyst)
    assert "Chỉ biết cách trả lời của 20 phiếu" in page.text
    # A stranger's count of those that are known would be one of other months than they asked for.
    with database.reading() as session:
        chosen = Chosen(questionnaire="sipas-desk", period=f"{months_ago(3):%Y-%m}")
        shown = quality(ViewContext.of(session, PUBLIC, SETTINGS, chosen))
    assert shown.responses.counted == 20 and shown.straight_lining is None
    assert shown.responses.model_dump(exclude={"counted"}) == dict.fromkeys(
        set(type(shown.responses).model_fields) - {"counted"}
    )


def test_what_came_late_and_is_set_aside_is_counted_as_its_cell_counts_it(database, province):
    history, day = History(database), months_ago(2)
    made = [history.one(day, late=TODAY - timedelta(days=1)) for _ in range(12)]
    made = [
        each._replace(row=each.row._replace(duration_s=n, partial=n < 3, language="en"))
        for n, each in enumerate(made, start=12)
    ]
    history.store.append(made)
    with database.writing() as session:
        change_dispositions(
            session, Together(10, TODAY), Disposition.COUNTED, Disposition.DISTRUSTED,
            "distrusted", Response.id.in_([each.id for each in made]),
        )  # fmt: skip
    with database.reading() as session:
        found = find_late_aside(session, history.version, day)
        (stored,) = session.scalars(select(AsideCell.packed))
    assert found.cells.tobytes() == bytes(stored) and found.cells["forms"].any()


def test_shares_are_of_those_forms_of_which_it_is_known(database, province):
    history = History(database)
    history.came(months_ago(3), 20)
    made = [history.one(months_ago(1)) for _ in range(20)]
    said = [(5, False), (90, False), (None, True), (90, True)]
    history.store.append(
        [
            each._replace(
                row=each.row._replace(
                    duration_s=said[n % 4][0], partial=said[n % 4][1], language="en"
                )
            )
            for n, each in enumerate(made)
        ]
    )
    history.delete(months_ago(2))
    with database.writing() as session:
        for cell in session.scalars(select(RollupCell).where(RollupCell.day < months_ago(2))):
            cell.packed = cell.packed[: -4 * len(FORMS)] + bytes(4 * len(FORMS))
    told = []
    for period in (f"{months_ago(3):%Y-%m}", f"{months_ago(3)}..{TODAY}"):
        with database.reading() as session:
            chosen = Chosen(questionnaire="sipas-desk", period=period)
            told.append(quality(ViewContext.of(session, EVERYTHING, SETTINGS, chosen)).responses)
    unknown, some = told
    assert (unknown.partial, unknown.partial_share, unknown.in_english) == (None, None, None)
    assert (some.counted, some.known, some.timed, some.hasty) == (40, 20, 15, 5)
    assert (some.hasty_share, some.partial, some.partial_share) == (5 / 15, 10, 0.5)
    assert some.in_english == 20
