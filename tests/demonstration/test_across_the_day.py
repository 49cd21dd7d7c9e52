"""The province goes through 1 July 2025: its tree on both sides, its points, people and answers."""

from collections import Counter, defaultdict
from contextlib import closing
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from app.access.models import Account, RoleGrant
from app.audit.models import AuditEntry
from app.db import Database
from app.demonstration import draw, people, province
from app.demonstration.reform import DECISION, SEATS, reorganise
from app.figures.visible import PUBLIC
from app.registry.carrying_back import carried_back
from app.registry.models import (
    PointMove,
    Reorganisation,
    ServiceVolume,
    Succession,
    SurveyPoint,
    Unit,
)
from app.registry.points import as_point
from app.registry.queries import find_unit
from app.registry.structures import read_units
from app.reports.views.context import Chosen, ViewContext
from app.settings import Settings
from surveys import AnswerSheet, load_directory
from tests.databases import address, copy_sqlite

UNTIL = datetime(2026, 11, 24, 9, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
DAY, EVE = date(2025, 7, 1), date(2025, 6, 30)
SHEETS = {form.code: AnswerSheet(form) for form in load_directory().values()}


@pytest.fixture(scope="module")
def database(templates, tmp_path_factory):
    """The demonstration before its answers: founded, with its people, taken through the plan."""
    file = tmp_path_factory.mktemp("demonstration") / "x.db"
    with closing(Database(address(copy_sqlite(templates("sqlite"), file)))) as database:
        with database.writing("demonstration") as session:
            province.found(session)
        people.settle(database, "mat khau cua mo phong")
        with database.writing("demonstration") as session:
            before = {point.code for point in province.points(session)}
            reorganise(session, UNTIL.date())
            province.serve(session, date(2024, 1, 1), UNTIL.date(), 2020)
        with database.reading() as session:
            assert {point.code for point in province.points(session)} == before
        yield database


@pytest.fixture(scope="module")
def points(database):
    with database.reading() as session:
        return province.points(session)


@pytest.fixture(scope="module")
def units(database):
    with database.reading() as session:
        return read_units(session)


@pytest.fixture(scope="module")
def bodies(points):
    first = province.OF_TODAY.first_day(UNTIL.date())
    return list(draw.responses(points, SHEETS, size=6000, seed=2020, until=UNTIL, first=first))


def kinds(structure):
    return Counter(node.kind for node in structure.tree.nodes.values())


def test_the_tree_is_that_of_its_day_on_both_sides(units):
    before, after = units.on(EVE), units.on(DAY)
    assert kinds(before) == {
        "province": 1, "agency": 15, "district": 7, "commune": 77,
        "hospital": 6, "health_centre": 7, "ward": 39, "undivided": 6,
    }  # fmt: skip
    # Twenty-nine communes and the special zone; what districts' own desks were told is undivided.
    gone = Counter(district=7, commune=77, undivided=6)
    assert kinds(after) == kinds(before) - gone + Counter(commune=30, undivided=1)
    # And before the day what merged communes were told since, in the district of their parts.
    undivided = {n.code for n in before.tree.nodes.values() if n.kind == "undivided"}
    assert undivided == {"747~", "748~", "750~", "751~", "753~", "754~"}
    roots = [
        [(node.code, node.name_vi) for node in each.tree.nodes.values() if node.parent_id is None]
        for each in (before, after)
    ]
    assert roots[0] == [("77", "Tỉnh Bà Rịa – Vũng Tàu")]
    assert roots[1] == [("79", "Thành phố Hồ Chí Minh (phần Bà Rịa – Vũng Tàu trước đây)")]
    communes = Counter(
        before.tree.nodes[node.parent_id].code
        for node in before.tree.nodes.values()
        if node.kind == "commune"
    )
    assert communes == {"747": 17, "748": 10, "750": 16, "751": 13, "753": 11, "754": 10}
    assert units.on(date(2024, 1, 1)).tree.nodes.keys() == before.tree.nodes.keys()


def test_names_and_places_are_those_of_the_day(units):
    def told(day):
        nodes = units.on(day).tree.nodes
        return {
            node.code: (node.name_vi, nodes[node.parent_id].code if node.parent_id else None)
            for node in nodes.values()
        }

    before, after = told(EVE), told(DAY)
    for code, eve, day in (
        ("26506", ("Phường 1", "747"), ("Phường Vũng Tàu", "79")),
        ("26545", ("Xã Long Sơn", "747"), ("Xã Long Sơn", "79")),
        ("TT01", ("Trung tâm Y tế thành phố Vũng Tàu", "AG17"),
         ("Trung tâm Y tế khu vực Vũng Tàu", "AG17")),
        ("BV01", ("Bệnh viện Bà Rịa", "AG17"), ("Bệnh viện Bà Rịa", "AG17")),
        ("AG19", ("Thanh tra tỉnh", "77"), ("Thanh tra Thành phố", "79")),
    ):  # fmt: skip
        assert (before[code], after[code]) == (eve, day)
    assert after["26732"] == ("Đặc khu Côn Đảo", "79") and "26732" not in before
    # A hospital and a commune that nobody joined are the same units; a department is another one.
    ids = [{n.code: n.id for n in units.on(day).tree.nodes.values()} for day in (EVE, DAY)]
    same = {code for code in ids[0] if ids[1].get(code) == ids[0][code]}
    assert {"BV01", "BV01-N", "TT08", "26545", "26647", "26656"} <= same
    assert not same & {"AG17", "26506", "26560"}


def test_every_commune_became_one_and_none_was_divided(database, units):
    with database.reading() as session:
        steps = session.scalars(select(Succession)).all()
    assert all(step.share is None and step.day == DAY for step in steps)
    assert max(Counter(step.from_id for step in steps).values()) == 1
    ended = {id for id, unit in units.histories.items() if unit.last_day == EVE}
    left = ended - {step.from_id for step in steps}
    assert {units.histories[id].code for id in left} == set(SEATS)
    into = Counter(units.histories[step.to_id].code for step in steps)
    assert into["26506"] == 7 and into["79"] == 1 and into["26732"] == 1
    assert sum(into.values()) == 74 + 15 + 1 + 1


def test_points_keep_their_codes_and_follow_their_units(database, points):
    by_origin = {(p.origin.unit, p.questionnaire): p for p in points}
    desk, joined = by_origin["26506", "sipas-desk"], by_origin["26508", "sipas-desk"]
    assert (desk.unit, desk.moved, joined.unit) == ("26506", DAY, "26506")
    assert desk.unit_on(EVE) == ("26506", False) and desk.unit_on(DAY) == ("26506", True)
    assert joined.unit_on(EVE) == ("26508", False)
    for district, seat in SEATS.items():
        assert by_origin[district, "sipas-desk"].last_day == EVE
        kiosk = by_origin[district, "kiosk-face"]
        assert (kiosk.unit, kiosk.moved, kiosk.last_day) == (seat, DAY, None)
    assert {by_origin["755", form].unit for form in ("sipas-desk", "kiosk-face")} == {"26732"}
    assert by_origin["BV01-N", "moh-inpatient"].moved is None
    with database.reading() as session:
        moved = session.scalar(select(func.count(PointMove.point_id)))
        assert moved == sum(point.moved is not None for point in points) > 100


def test_desks_are_called_by_the_unit_that_they_are_of(database):
    with database.reading() as session:
        query = select(SurveyPoint.name).join(Unit).where(Unit.code == "26506")
        names = session.scalars(query.where(SurveyPoint.unit_id == Unit.id, Unit.valid_from == DAY))
        assert Counter(names) == {"Phường Vũng Tàu": 7}


def test_a_commune_with_a_kiosk_opens_with_the_form_by_which_it_is_compared(database):
    with database.reading() as session:
        for seat in SEATS.values():
            context = ViewContext.of(session, PUBLIC, Settings(), Chosen(seat))
            assert list(context.questionnaires) == ["sipas-desk", "kiosk-face"]
            assert context.questionnaire == "sipas-desk"


def test_no_answer_is_of_a_unit_that_was_not_there(bodies, database):
    """So the intake takes all of them: each at the unit that its point was of on its day."""
    with database.reading() as session:
        known = {
            point.code: as_point(row)
            for point, row in zip(
                province.points(session),
                session.scalars(select(SurveyPoint).join(Unit).order_by(Unit.code, SurveyPoint.id)),
                strict=True,
            )
        }
        histories = read_units(session).histories
    sides = Counter()
    for sent in bodies:
        moment = datetime.fromisoformat(sent["answered_at"])
        id = known[sent["point"]].unit_on(moment.date())
        assert id is not None and histories[id].valid_on(moment.date())
        sides[moment.date() >= DAY] += 1
    assert min(sides.values()) > 2000


def test_totals_are_equal_in_both_structures(bodies, points, units):
    """The rows of every structure add up to all answers, those that nobody can deal out too."""
    ids = {
        day: {node.code: node.id for node in units.on(day).tree.nodes.values()}
        for day in (EVE, DAY)
    }
    by_unit = Counter()
    of_code = {point.code: point for point in points}
    for sent in bodies:
        day = datetime.fromisoformat(sent["answered_at"]).date()
        code, _ = of_code[sent["point"]].unit_on(day)
        by_unit[ids[DAY if day >= DAY else EVE][code]] += 1
    sums = {}
    for day in (EVE, DAY):
        rows, structure = defaultdict(float), units.on(day)
        for id, count in by_unit.items():
            for node, weight in structure.placements[id].parts:
                rows[structure.tree.nodes[node].code] += weight * count
        assert sum(rows.values()) == len(bodies) == 6000
        sums[day] = rows
    codes = {p.code for p in points if p.unit == "26506" and p.questionnaire == "sipas-desk"}
    expected = sum(sent["point"] in codes for sent in bodies)
    # One line of the merged ward across the day, and of its parts' past nothing is lost.
    assert sums[DAY]["26506"] == expected
    assert sums[DAY]["79~"] > 0 and "79~" not in sums[EVE]


def test_a_merged_units_level_crosses_the_day(bodies, points):
    """Who answers is the same: no planted shift lies on the day."""
    planted = draw.plant(points, 2020, UNTIL.date())
    assert all(since > DAY + timedelta(days=180) for since, _ in planted.shifted.values())
    assert all(day > DAY for day in planted.stuffed.values())
    assert all(since < DAY for since, _ in planted.earlier.values())
    now = {point.unit for point in points}
    assert now >= set(planted.shifted) | set(planted.stuffed)
    (code,) = planted.earlier
    assert {p.moved for p in points if p.origin.unit == code} == {DAY}
    unit_of = {point.code: point for point in points}
    levels = {True: [], False: []}
    for sent in bodies:
        point = unit_of[sent["point"]]
        if sent["questionnaire"] != "sipas-desk" or point.unit in planted.shifted:
            continue
        if point.kind != "commune" or point.origin.unit in planted.earlier:
            continue
        day = datetime.fromisoformat(sent["answered_at"]).date()
        if abs((day - DAY).days) < 365 and datetime.fromisoformat(sent["answered_at"]).hour < 18:
            rated = [v for v in sent["answers"].values() if v in (1, 2, 3, 4, 5)]
            levels[day >= DAY].append(sum(v >= 4 for v in rated) / len(rated))
    means = {side: sum(each) / len(each) for side, each in levels.items()}
    assert min(map(len, levels.values())) > 400 and abs(means[True] - means[False]) < 0.05


def grants_of(session, email):
    account = session.scalars(select(Account).where(Account.email == email)).one()
    rows = session.scalars(select(RoleGrant).where(RoleGrant.account_id == account.id))
    return {row.unit_id for row in rows}


def test_the_chairwoman_has_the_merged_ward_and_all_of_its_past(database, units):
    with database.reading() as session:
        old, new = (find_unit(session, "26506", day).id for day in (EVE, DAY))
        assert grants_of(session, "chutich@demo.example") == {old, new}
        assert grants_of(session, "quay@demo.example") == {old, new}
        other = find_unit(session, "26508", EVE).id
        assert grants_of(session, "cuuchutich@demo.example") == {other}
        ward = find_unit(session, "BV01-N").id
        assert grants_of(session, "truongkhoa@demo.example") == {ward}
    structure, today = units.on(UNTIL.date()), UNTIL.date()
    # Her line is of all seven wards, and all seven are hers; the former head's past is his alone.
    assert structure.held[new] <= carried_back(units, {old, new}, today)
    assert len(structure.held[new] - {new}) == 7 and other in structure.held[new]
    assert carried_back(units, {other}, today) == {other}


def test_volumes_are_of_the_units_of_their_month(database):
    with database.reading() as session:
        rows = session.execute(
            select(Unit, func.min(ServiceVolume.month), func.max(ServiceVolume.month))
            .join(ServiceVolume, ServiceVolume.unit_id == Unit.id)
            .group_by(Unit.id)
        ).all()
        monthly = dict(
            session.execute(
                select(ServiceVolume.unit_id, func.avg(ServiceVolume.cases)).group_by(
                    ServiceVolume.unit_id
                )
            ).all()
        )
        for unit, first, last in rows:
            assert first == (DAY if unit.valid_from == DAY else date(2024, 1, 1))
            assert last == (date(2025, 6, 1) if unit.valid_to == EVE else date(2026, 11, 1))
        parts = [
            find_unit(session, code, EVE).id
            for code in ("26506", "26508", "26509", "26512", "26515", "26518", "26521")
        ]
        merged = find_unit(session, "26506", DAY).id
    assert len(rows) > 150
    assert monthly[merged] == pytest.approx(sum(monthly[part] for part in parts), rel=0.05)


def test_the_plan_is_kept_and_audited_and_not_carried_out_twice(database):
    with database.writing("demonstration") as session:
        province.found(session)
        reorganise(session, UNTIL.date())
    with database.reading() as session:
        (row,) = session.scalars(select(Reorganisation)).all()
        assert (row.first_day, row.applied_by, row.decision) == (DAY, "demonstration", DECISION)
        lines = row.plan.splitlines()
        assert len(lines) == 1 + 150 + len(SEATS)
        told = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("%reorg%")))
        assert told.all()


def test_the_province_of_2020_goes_through_no_plan(templates, tmp_path):
    file = tmp_path / "x.db"
    with closing(Database(address(copy_sqlite(templates("sqlite"), file)))) as database:
        with database.writing() as session:
            province.found(session, province.OF_2020)
            reorganise(session, UNTIL.date(), province.OF_2020)
        people.settle(database, "mat khau cua mo phong", province.OF_2020)
        with database.reading() as session:
            assert session.scalar(select(func.count(Reorganisation.id))) == 0
            emails = set(session.scalars(select(Account.email)))
            assert emails == {p.email for p in people.PEOPLE if not p.former}
            assert all(point.moved is None for point in province.points(session))
