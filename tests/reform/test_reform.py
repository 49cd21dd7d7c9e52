"""A plan for all rooms: the dry run, who follows, the commands, and undoing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.access.credentials import issue
from app.access.models import Account, Credential, Right, RoleGrant
from app.audit.models import AuditEntry
from app.clock import local_today
from app.invitations.models import Invitation
from app.reform import service
from app.reform.following import Sort
from app.reform.preview import preview
from app.registry.models import Reorganisation, Unit
from app.registry.points import find_by_code
from app.registry.structures import read_units
from app.rollups.models import RollupCell
from app.settings import Settings
from app.webhooks.models import Webhook
from tests.intake.test_store import Preparing
from tests.registry.plans import DAY, EVE, MERGER, TODAY, plan, rows, tree
from tests.small_province import body

AHEAD = date(2025, 1, 1)
RECODED = ("found|H9|name_vi=Bệnh viện Mới|kind=hospital|parent=77", "merge|H1|to=H9")


def carried(province, plan, today=TODAY):
    with province.database.writing("operator") as session:
        return service.carry_out(session, plan, name="Sắp xếp", decision="NQ", today=today)


def undone(province, number, today=TODAY):
    with province.database.writing("operator") as session:
        return service.undo(session, number, decision="Hủy", today=today)


def previewed(province, plan, today=TODAY):
    with province.database.reading() as session:
        return preview(session, plan, today)


def roles(province):
    with province.database.reading() as session:
        query = select(Account.email, RoleGrant.role, Unit.code).select_from(RoleGrant)
        query = query.join(Account).join(Unit)
        return sorted(map(tuple, session.execute(query)))


def key_unit(province):
    with province.database.reading() as session:
        return session.scalars(select(Credential).where(Credential.name == "HIS")).one().unit.code


def test_what_becomes_one_new_unit_takes_roles_keys_and_webhooks_along(people, tmp_path):
    before = roles(people)
    done = carried(people, plan(tmp_path, *RECODED), today=AHEAD)
    assert set(roles(people)) - set(before) == {("h1@example.vn", "unit-head", "H9")}
    assert key_unit(people) == "H1"  # it is the old one's until its last day
    with people.database.writing() as session:
        assert service.bring_up_to_date(session, EVE) == 0
        assert service.bring_up_to_date(session, DAY) >= 1
    assert key_unit(people) == "H9"
    with people.database.reading() as session:
        hooks = session.scalars(select(Webhook).order_by(Webhook.id)).all()
        assert [session.get(Unit, hook.unit_id).code for hook in hooks] == ["H1", "H9"]
        assert hooks[0].secret == hooks[1].secret
        assert session.scalar(
            select(AuditEntry.subject).where(AuditEntry.action == "role.grant")
            .order_by(AuditEntry.id.desc())
        ) == "h1@example.vn"  # fmt: skip
    undone(people, done.id)
    assert roles(people) == before and key_unit(people) == "H1"
    with people.database.reading() as session:
        query = select(Webhook.unit_id).where(Webhook.ended_at.is_(None))
        assert session.scalars(query).all() == [people.units["H1"]]


def test_at_a_merger_roles_follow_only_where_the_plan_says_so(people, tmp_path):
    done = carried(people, plan(tmp_path, *MERGER))
    assert not [each for each in roles(people) if each[2] == "N1"]
    undone(people, done.id)
    told = [line + "|accounts=follow" if line.startswith("merge|C1") else line for line in MERGER]
    carried(people, plan(tmp_path, *told))
    assert ("c1@example.vn", "unit-head", "N1") in roles(people)


def test_what_follows_goes_on_over_several_days_and_a_key_where_the_plan_says_so(people, tmp_path):
    before = roles(people)
    first = plan(tmp_path, *RECODED)
    lines = ("found|H7|name_vi=Bệnh viện Chung|kind=hospital|parent=77",
             "merge|H9|to=H7|accounts=follow", "merge|A1|to=H7")  # fmt: skip
    second = plan(tmp_path, *lines, day="2026-01-01")
    done = carried(people, type(first)(first.lines + second.lines))
    assert {each[2] for each in roles(people) if each[0] == "h1@example.vn"} == {"H1", "H9", "H7"}
    assert key_unit(people) == "H7"
    undone(people, done.id)
    assert roles(people) == before and key_unit(people) == "H1"


def test_answers_that_came_before_the_undoing_are_lost_nowhere(province, database, tmp_path):
    done = carried(province, plan(tmp_path, *MERGER))
    prepare = Preparing(database)
    point = province.points["C1", "sipas-desk"]
    prepare.store.append([prepare(body(point)) for _ in range(3)])
    undone(province, done.id)
    prepare = Preparing(database)
    prepare.store.append([prepare(body(point)) for _ in range(2)])
    new = done.changes.foundings[0].unit_id
    with database.reading() as session:
        cells = select(RollupCell.unit_id).distinct()
        assert set(session.scalars(cells)) == {new, province.units["C1"]}
        today = read_units(session).on(local_today(Settings().zone))
        # Of the merged commune: they were C1's or C2's, which D1 holds.
        assert today.tree.nodes[today.placements[new].whole].code == "D1~"
        assert today.placements[province.units["C1"]].whole == province.units["C1"]


def test_the_dry_run_says_who_follows_and_what_is_unclear(people, tmp_path):
    before = rows(people)
    found = previewed(people, plan(tmp_path, *MERGER, *RECODED))
    assert rows(people) == before
    assert {(e.sort, e.who, e.unit.code) for e in found.follow} == {
        (Sort.ROLE, "h1@example.vn", "H1"), (Sort.KEY, "HIS", "H1"),
        (Sort.WEBHOOK, "https://his.example.vn/told", "H1"),
    }  # fmt: skip
    assert [(e.sort, e.who) for e in found.unclear] == [(Sort.ROLE, "c1@example.vn")]
    begins = {each.unit.code: each for each in found.begins}
    assert [part.unit.code for part in begins["N1"].made_of] == ["C1", "C2"]
    assert begins["N1"].above.code == "77"
    assert {each.unit.code: bool(each.becomes) for each in found.ends} == {
        "C1": True, "C2": True, "D1": False, "H1": True,
    }  # fmt: skip
    assert [each.unit.code for each in found.undivided] == ["D1"]
    assert [(each.before.code, each.above_after.code, each.implied) for each in found.changes] == [
        ("W1", "H9", True)
    ]


def test_the_dry_run_says_what_moves_closes_and_is_printed_anew(province, tmp_path):
    with province.database.writing() as session:
        point = find_by_code(session, province.points["C1", "kiosk-face"])
        issue(session, "Ki-ốt", frozenset({Right.SUBMIT}), point=point)
        now = datetime.now(UTC)
        for number, answered in enumerate((True, False, False)):
            session.add(
                Invitation(
                    number=f"n{number}", token_hash=f"t{number}", unit_id=province.units["C1"],
                    point_id=point.id, case_hash=f"c{number}", finished_on=EVE,
                    expires_at=now + timedelta(days=1 if number < 2 else -1), answered=answered,
                )
            )  # fmt: skip
    found = previewed(province, plan(tmp_path, *MERGER, "rename|A1|name_vi=Sở Mới"))
    by_code = {each.code: each for each in found.points}
    kiosk = by_code[province.points["C1", "kiosk-face"]]
    assert (kiosk.after.code, kiosk.devices, kiosk.print_anew) == ("N1", 1, True)
    closing = [each.code for each in found.closing]
    assert closing == [province.points["D1", "sipas-desk"]]
    assert len(found.moving) == 3
    agency = by_code[province.points["A1", "sipas-desk"]]
    assert (agency.before.code, agency.after.name_vi, agency.print_anew) == ("A1", "Sở Mới", True)
    assert {each.code for each in found.printing} == set(by_code) - set(closing)
    assert [(each.unit.code, each.count) for each in found.invitations] == [("C1", 1)]


def test_the_dry_run_shows_figures_before_and_after(province, database, tmp_path):
    prepare = Preparing(database)
    today = local_today(Settings().zone)
    for code, number in (("C1", 3), ("C2", 2), ("D1", 4)):
        point = province.points[code, "sipas-desk"]
        prepare.store.append([prepare(body(point)) for _ in range(number)])
    day = (today + timedelta(days=3)).isoformat()
    found = previewed(province, plan(tmp_path, *MERGER, day=day), today)
    people = {each.unit.code: each.respondents for each in found.figures_before}
    assert people == {"C1": 3, "C2": 2, "D1": 9}
    after = {(each.unit.code, each.undivided): each for each in found.figures_after}
    assert {key: each.respondents for key, each in after.items()} == {
        ("N1", False): 5, ("77~", True): 4,
    }  # fmt: skip
    rates = {each.unit.code: each.rate for each in found.figures_before}
    assert after["N1", False].rate == pytest.approx((3 * rates["C1"] + 2 * rates["C2"]) / 5)


def test_commands_check_apply_list_and_undo(hailong, database, province, tmp_path):
    plan(tmp_path, *MERGER)
    file = tmp_path / "plan.csv"
    before = rows(province)
    shown = hailong("reform", "check", file)
    assert "4 lines, from 2025-07-01 on; nothing was changed" in shown and "N1" in shown
    assert rows(province) == before
    done = hailong("reform", "apply", file, "--name", "Xã Mới", "--decision", "1685/NQ")
    assert "no. 1: 1 units begin, 3 end, 0 change, 3 survey points move, 1 close" in done
    assert "N1" in tree(province, DAY)
    refused = hailong("reform", "check", file, code=1)
    assert "Row 3, column “code” (cell C3)" in refused and "nothing was changed" in refused
    assert "1685/NQ" in hailong("reform", "list")
    assert "no. 2 undoes no. 1: Xã Mới" in hailong("reform", "undo", 1, "--decision", "Hủy")
    assert rows(province) == before
    assert "undone already" in hailong("reform", "undo", 1, code=1)
    assert "no such file" in hailong("reform", "check", tmp_path / "none.csv", code=1)
    assert "--name" in hailong("reform", "apply", file, "--name", " ", "--decision", "x", code=1)
    with database.reading() as session:
        by = session.scalars(select(Reorganisation.applied_by)).all()
        assert len(by) == 2 and all(each.startswith("command:") for each in by)
