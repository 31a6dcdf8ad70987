"""The calendar of due dates, who is away, and what a deputy finds on the start page."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from collab import accounts
from collab.accounts import Membership, Role, absences
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import Assignment, triage
from tests.support.html import parse, text_of
from tests.support.people import Staff
from tests.support.people import staff as make_staff
from tests.support.statements import queries, statements
from tests.support.world import World, other_department

Make = Callable[..., Staff]


@pytest.fixture(autouse=True)
def a_monday() -> Any:
    with time_machine.travel(datetime.fromisoformat("2026-11-02T09:00+08:00"), tick=True):
        yield


def away(department: Department, who: Staff, deputy: Staff | None, days: int = 9) -> None:
    today = clock.today(department.timezone)
    with unit_of_work():
        absences.enter(
            who.user,
            department=department,
            first_day=today,
            last_day=today + timedelta(days=days),
            deputy=deputy.user if deputy else None,
            by=who.actor,
        )


def test_days_hold_what_is_due_on_them_late_first_and_holidays_are_marked(world: World, staff: Make) -> None:
    coordinator = staff("coordinator")
    with clock.pretending(clock.now() - timedelta(days=20)):
        late = world.get(world.received(title="The wicken proposal")).reference
    soon = world.get(world.received()).reference
    page = coordinator.get("/staff/calendar?whose=all").text
    assert page.index(">Late<") < page.index(late) < page.index(soon)
    # Two things are late and stand on top alone; the answer in all is still to come, on its day.
    assert (page.count("was due"), page.count(f">{late}</a>")) == (2, 3)
    assert "wicken" not in page, "references, no topics"
    # The national holiday of the autumn, and the Saturday that is worked for it.
    october = coordinator.page("/staff/calendar?whose=all&month=2026-10")
    days = {}
    for day in october.iter("li"):
        heading = day.find(".//h3")
        if heading is not None:
            days[text_of(heading)] = day.get("class", "")
    free = [name for name, kinds in days.items() if "free" in kinds.split()]
    assert [name for name in free if "holiday" in name][:2] == ["Thu 1 Oct holiday", "Fri 2 Oct holiday"]
    assert "Sat 10 Oct worked" in days
    assert "Sat 10 Oct worked" not in free
    assert "Sun 11 Oct" in free


def test_a_gate_is_called_by_its_name(world: World, staff: Make) -> None:
    coordinator = staff("coordinator")
    world.route(world.received(), days=4)
    assert "A gate to clear: Restricted-party lists" in text_of(coordinator.page("/staff/calendar?whose=all"))


def test_mine_is_what_i_owe_and_empty_says_what_would_be_there(world: World, staff: Make) -> None:
    host, other = staff("host"), staff("host")
    assert "Nothing of yours is due in this month" in host.get("/staff/calendar").text
    id = world.received()
    world.route(id, host.actor, days=4, declared=False)
    reference = world.get(id).reference
    page = host.get("/staff/calendar").text
    assert reference in page
    assert "declare interests first" in page
    assert reference not in other.get("/staff/calendar?whose=all").text
    world.do(triage.declare_conflict, id, by=host.actor)
    assert reference not in host.get("/staff/calendar?whose=all").text


@pytest.mark.parametrize(
    "query",
    [
        "month=2026-13",
        "month=2026",
        "month=1999-01",
        "month=2036-01",
        "month=%00",
        "whose=ann",
        "month=2026-１１",
    ],
)
def test_a34_odd_months_are_refused(staff: Make, query: str) -> None:
    assert staff("coordinator").get(f"/staff/calendar?{query}").status_code == 400


def test_one_can_turn_the_leaves_and_come_back(staff: Make) -> None:
    coordinator = staff("coordinator")
    page = coordinator.get("/staff/calendar?month=2026-12&whose=all").text
    for month in ("2026-11", "2027-01"):
        assert f"month={month}" in page
    assert ">Today<" in page
    assert "month=2028-12" in coordinator.get("/staff/calendar?month=2028-11").text
    assert "month=2029-01" not in coordinator.get("/staff/calendar?month=2028-12").text


def test_it_costs_the_same_for_three_and_for_thirty(world: World, staff: Make) -> None:
    coordinator, host = staff("coordinator"), staff("host")
    costs = []
    for _ in range(2):
        for _number in range(3 if not costs else 27):
            id = world.received()
            world.route(id, host.actor)
        with statements(db.engine) as found:
            assert coordinator.get("/staff/calendar?whose=all").status_code == 200
        costs.append(len(queries(found)))
    assert costs[0] == costs[1] <= 12, costs


def test_choosing_a_person_says_who_is_away_and_offers_the_deputy_first(
    world: World, staff: Make, department: Department
) -> None:
    coordinator = staff("coordinator")
    ann, ben, cid = staff("host", name="Ann"), staff("host", name="Ben"), staff("host", name="Cid")
    away(department, ann, cid)
    id = world.received()
    reference = world.get(id).reference
    offered = coordinator.page(f"/staff/inquiries/{reference}/route")
    labels = [text_of(one) for one in offered.iter("option")]
    assert labels[-1] == "Ann (0) · Host · away until Wed 11 Nov, Cid deputises"
    assert [label.split(" ")[0] for label in labels if label[:3] in {"Ann", "Ben", "Cid"}] == [
        "Ben",
        "Cid",
        "Ann",
    ]
    world.route(id, ann.actor, days=2)
    (assignment,) = world.get(id).assignments
    page = coordinator.page(f"/staff/inquiries/{reference}/replace/{assignment.id}")
    assert [text_of(one) for one in page.iter("option")][1] == "Cid (0) · deputises for this person"
    assert ben.user.name == "Ben"


def test_the_deputy_takes_over_from_the_start_page(world: World, staff: Make, department: Department) -> None:
    ann, ben, other = staff("host", name="Ann"), staff("host", name="Ben"), staff("host")
    away(department, ann, ben)
    id = world.received(title="The wicken proposal")
    world.route(id, ann.actor)
    reference = world.get(id).reference
    page = ben.get("/staff/")
    assert "For Ann, who is away until Wed 11 Nov 2026" in page.text
    assert reference in page.text
    assert "wicken" not in page.text
    assert ben.get(f"/staff/inquiries/{reference}").status_code == 404
    (assignment,) = world.get(id).assignments
    number = assignment.id
    for stranger in (other, ann):
        form = {"csrf_token": stranger.form("/staff/account", form="myself").value("csrf_token") or ""}
        assert stranger.post(f"/staff/deputising/{number}/take-over", data=form).status_code == 404
        assert "Take it over" not in stranger.get("/staff/").text
    assert ben.get(f"/staff/deputising/{number}/take-over").status_code == 405
    answer = ben.fill("/staff/", _form="take-over")
    assert (answer.status_code, answer.location) == (303, f"/staff/inquiries/{reference}")
    assert ben.get(answer.location).location == f"/staff/inquiries/{reference}/interest"
    db.session.rollback()
    assert {one.user_id: one.released_at is None for one in db.session.query(Assignment)} == {
        ann.user_id: False,
        ben.user_id: True,
    }


def test_somebody_ill_is_entered_and_ended_by_a_coordinator(staff: Make, department: Department) -> None:
    coordinator, ill, deputy = staff("coordinator"), staff("host", name="Ill"), staff("host", name="Dee")
    assert "Everybody is here" in coordinator.get("/staff/absences").text
    today = clock.today(department.timezone)
    answer = coordinator.fill(
        "/staff/absences",
        _form="absence",
        person=str(ill.user_id),
        first_day=today.isoformat(),
        last_day=(today + timedelta(days=2)).isoformat(),
        deputy=str(deputy.user_id),
    )
    assert answer.status_code == 303
    page = ill.get("/staff/account/absences").text
    assert "Dee deputises." in page
    assert f"Entered by {coordinator.user.name}." in page
    assert "Ill" in coordinator.get("/staff/absences").text
    assert coordinator.fill("/staff/absences", _form="/end").status_code == 303
    assert "You are not away" in ill.get("/staff/account/absences").text


def test_who_coordinates_two_departments_sees_and_enters_both(
    app: Flask, world: World, staff: Make, department: Department, tmp_path: Path
) -> None:
    world.received()
    second = other_department(tmp_path / "second")
    coordinator, ill = staff("coordinator"), make_staff(app, second, "host", name="Ill")
    with unit_of_work():
        user = accounts.user_by_id(coordinator.user_id)
        user.memberships.append(Membership(department_id=second.id, role=Role.COORDINATOR))
    today = clock.today(second.timezone)
    entered = {
        "person": str(ill.user_id),
        "first_day": today.isoformat(),
        "last_day": (today + timedelta(days=30)).isoformat(),
    }
    elsewhere = coordinator.fill("/staff/absences", _form="absence", department=str(department.id), **entered)
    assert elsewhere.status_code == 422
    assert "Ill does not work in this department." in text_of(parse(elsewhere.text))
    answer = coordinator.fill("/staff/absences", _form="absence", department=str(second.id), **entered)
    assert answer.status_code == 303
    assert ill.user.name in text_of(coordinator.page("/staff/absences"))
    assert "away: Ill" in text_of(coordinator.page("/staff/calendar?whose=all"))


def test_ones_own_absence_is_entered_refused_at_its_field_and_ended(
    staff: Make, department: Department
) -> None:
    ann, ben = staff("host", name="Ann"), staff("host", name="Ben")
    today = clock.today(department.timezone)
    entered = {"first_day": today.isoformat(), "last_day": (today + timedelta(days=2)).isoformat()}
    wrong = ann.fill(
        "/staff/account/absences", _form="absence", first_day=today.isoformat(), last_day="2026-10-01"
    )
    assert wrong.status_code == 422
    assert "The last day comes after the first, and not before today." in wrong.text
    assert (
        ann.fill("/staff/account/absences", _form="absence", deputy=str(ben.user_id), **entered).status_code
        == 303
    )
    again = ann.fill("/staff/account/absences", _form="absence", **entered)
    assert again.status_code == 422
    assert "There is an absence in these days already." in again.text
    refused = ben.fill("/staff/account/absences", _form="absence", deputy=str(ann.user_id), **entered)
    assert "Ann is away on those days, too." in refused.text
    assert ann.fill("/staff/account/absences", _form="/end").status_code == 303
    assert "no absence is entered" in ann.get("/staff/account/absences").text


def test_mails_are_chosen_on_one_page_and_what_must_be_acted_on_has_no_off(staff: Make) -> None:
    host = staff("host")
    form = host.form("/staff/account/mails", form="mails")
    assert set(form.choices("late")) == {"at_once", "digest"}
    assert set(form.choices("mention")) == {"at_once", "digest", "never"}
    assert host.fill("/staff/account/mails", _form="mails", late="digest", mention="never").status_code == 303
    form = host.form("/staff/account/mails", form="mails")
    assert (form.value("late"), form.value("mention"), form.value("given")) == ("digest", "never", "at_once")
    assert host.fill("/staff/account/mails", _form="mails", _forged={"late": "never"}).status_code == 422
    assert host.form("/staff/account/mails", form="mails").value("late") == "digest"


def test_the_feeds_address_is_shown_once(staff: Make, client: Any) -> None:
    host = staff("host")
    assert "There is no address yet." in host.get("/staff/account/calendar").text
    page = host.fill("/staff/account/calendar", _form="/new")
    assert page.status_code == 200
    address = page.text.split('value="http')[1].split('"')[0]
    # The script copies the field that stands in one box with the button, and else the address of the page.
    (box,) = (one for one in parse(page.text).iter("div") if one.find("button[@data-copy]") is not None)
    copied = box.find("input[@data-copy-from]")
    assert copied is not None
    assert copied.get("value") == f"http{address}"
    path = "/feeds/" + address.split("/feeds/")[1]
    assert client.get(path).status_code == 200
    again = host.get("/staff/account/calendar").text
    assert path not in again
    assert "There is an address, made on" in again
    assert host.fill("/staff/account/calendar", _form="/end").status_code == 303
    assert client.get(path).status_code == 404
