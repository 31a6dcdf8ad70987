"""What staff see of due dates, and the buttons that follow from them."""

from datetime import date, timedelta
from typing import Any

import time_machine

from collab import accounts, reviews
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.inquiries import AssignmentKind
from collab.inquiries.deadlines import What, Who
from collab.jobs.inquiries import turn_clocks
from tests.support.html import text_of
from tests.support.statements import queries, statements
from tests.support.world import MONDAY, World


def at(days: float) -> Any:
    return time_machine.travel(MONDAY + timedelta(days=days), tick=True)


def test_a_late_host_is_marked_and_replaced_by_a_button(world: World, staff: Any) -> None:
    with at(0):
        old = world.actor("host", name="Old Host")
        new = world.actor("host", name="New Host")
        id = world.received()
        world.route(id, old, days=14)
    reference = world.get(id).reference
    with at(13.9):
        turn_clocks()
        coordinator = staff("coordinator")
        page = text_of(coordinator.page(f"/staff/inquiries/{reference}"))
        assert "no answer in time" not in page
        assert "Another host instead of Old Host" not in page
        assert "The host's yes, no or when" in page
        assert "Mon 16 Nov 2026 due soon" in " ".join(page.split())
    with at(15):
        turn_clocks()
        coordinator.sign_in()
        page = text_of(coordinator.page(f"/staff/inquiries/{reference}"))
        assert "no answer in time" in page
        assert "Another host instead of Old Host" in page
        assert "Mon 16 Nov 2026 late" in " ".join(page.split())
        (assignment,) = world.get(id).assignments
        path = f"/staff/inquiries/{reference}/replace/{assignment.id}"
        offered = coordinator.form(path, form="step").choices("person")
        assert str(new.user_id) in offered
        assert str(old.user_id) not in offered
        answer = coordinator.fill(
            path, _form="step", person=str(new.user_id), due_on="2026-12-01", note="Please."
        )
        assert answer.status_code == 303
        assert [(one.user_id, one.released_at is None) for one in world.get(id).assignments] == [
            (old.user_id, False),
            (new.user_id, True),
        ]
        page = text_of(coordinator.page(f"/staff/inquiries/{reference}"))
        assert "Another host instead of" not in page


def test_only_coordinators_replace(world: World, staff: Any) -> None:
    id = world.received()
    world.route(id)
    (assignment,) = world.get(id).assignments
    path = f"/staff/inquiries/{world.get(id).reference}/replace/{assignment.id}"
    for role, status in (("coordinator", 200), ("head", 403), ("viewer", 403)):
        assert staff(role).get(path).status_code == status, role
    other = world.received()
    world.route(other)
    wrong = f"/staff/inquiries/{world.get(id).reference}/replace/{world.get(other).assignments[0].id}"
    assert staff("coordinator").get(wrong).status_code == 404


def test_partner_and_staff_make_the_time_of_an_offer_longer_once(
    world: World, staff: Any, partner: Any
) -> None:
    def offered() -> int:
        id = world.at("waitlisted")
        world.do(reviews.place_free, id, by=world.actor("coordinator"))
        return id

    id = offered()
    client = partner(world.get(id))
    path = f"/en/my/{world.get(id).reference}"
    assert "A place is free. Please tell us by" in text_of(client.page(path))
    assert client.fill(path, _form="/more-time").status_code == 303
    page = text_of(client.page(path))
    assert "You have more time now." in page
    assert "I need more time" not in page
    assert client.fill(path, _form="/interested").status_code == 303
    page = text_of(client.page(path))
    assert "The department decides now." in page
    assert "I am still interested" not in page
    assert reviews.due_dates(world.get(id))[0].what is What.DECISION

    id = offered()
    reference = world.get(id).reference
    coordinator = staff("coordinator")
    assert "Give the partner more time" in text_of(coordinator.page(f"/staff/inquiries/{reference}"))
    assert coordinator.fill(f"/staff/inquiries/{reference}/more-time", _form="step").status_code == 303
    assert "Give the partner more time" not in text_of(coordinator.page(f"/staff/inquiries/{reference}"))
    assert world.topics(id)[-1] == "M12"
    again = coordinator.fill(f"/staff/inquiries/{reference}/more-time", _form="step")
    assert again.status_code == 409


def test_each_condition_has_its_own_date(world: World) -> None:
    with at(0):
        id = world.at("conditional")
        (due,) = reviews.due_dates(world.get(id))
        assert (due.what, due.who, str(due.words)) == (
            What.CONDITIONS,
            Who.PARTNER,
            "Transfer agreement signed",
        )
        assert clock.local_day(due.due, "Asia/Shanghai") == date(2026, 12, 2)


def test_a_condition_is_due_before_the_last_one(world: World) -> None:
    with at(0):
        coordinator = world.actor("coordinator")
        id = world.at("decision_ready")
        conditions = (
            ("Ethics approval", date(2026, 11, 10), reviews.ConditionOwner.DEPARTMENT),
            ("Transfer agreement signed", date(2027, 1, 20), reviews.ConditionOwner.PARTNER),
        )
        world.decide(id, "conditional", facts=reviews.Facts(conditions=conditions))
        world.end_hold(id)

        def november(**only: bool) -> list[str]:
            until = clock.end_of_day(date(2026, 11, 30), "Asia/Shanghai")
            found = reviews.all_due_dates(seen_by=coordinator, until=until, **only)
            return [str(one.words) for one in found if one.condition is not None]

        assert november() == november(mine=True) == ["Ethics approval"]
        first = min(reviews.conditions_of(world.get(id)), key=lambda one: one.due_on)
        with unit_of_work():
            met = db.session.get_one(reviews.Condition, first.id)
            reviews.settle(met, world.get(id), reviews.ConditionState.MET, by=coordinator)
        assert november() == []


def test_a_gate_is_due_while_the_partner_is_asked(world: World) -> None:
    with at(0):
        id = world.received()
        world.route(id)
        world.ask(id, days=60)
        coordinator = world.actor("coordinator")
        until = clock.end_of_day(date(2026, 11, 9), "Asia/Shanghai")
        found = reviews.all_due_dates(seen_by=coordinator, until=until)
        assert "Restricted-party lists" in {str(one.words) for one in found}
        assert {one.what for one in found} == {What.GATE}
        before = reviews.all_due_dates(seen_by=coordinator, until=until - timedelta(seconds=1))
        assert [one for one in found if one.due < until] == before


def test_everything_that_is_due_in_a_fixed_number_of_queries(world: World) -> None:
    counted = []
    with at(0):
        head, coordinator, host = world.actor("head"), world.actor("coordinator"), world.actor("host")
        for _more in range(2):
            for status in ("received", "needs_info", "decision_ready", "waitlisted", "conditional"):
                world.at(status)
            id = world.received()
            world.route(id, host)
            db.session.rollback()
            db.session.expire_all()
            with statements(db.engine) as found:
                reviews.all_due_dates(seen_by=accounts.actor_of(world.user(coordinator)))
            counted.append(len(queries(found)))
        assert counted[0] == counted[1]
        everything = reviews.all_due_dates(seen_by=coordinator)
        assert [one.due for one in everything] == sorted(one.due for one in everything)
        assert {one.what for one in everything} == {
            What.TRIAGE, What.FIRST_ANSWER, What.TOTAL, What.PARTNER_ANSWER, What.DECISION,
            What.WAITLIST_REFRESH, What.CONDITIONS, What.HOST_ANSWER, What.GATE,
        }  # fmt: skip
        assert {one.what for one in reviews.all_due_dates(seen_by=head, mine=True)} == {What.DECISION}
        mine = reviews.all_due_dates(seen_by=host, mine=True)
        assert {(one.what, one.assignment and one.assignment.kind) for one in mine} == {
            (What.HOST_ANSWER, AssignmentKind.HOST)
        }
        until = MONDAY + timedelta(days=4)
        soon = reviews.all_due_dates(seen_by=coordinator, until=until)
        assert soon
        assert all(one.due <= until for one in soon)
    with at(0):
        assert reviews.all_due_dates(seen_by=world.actor("viewer")) == []
