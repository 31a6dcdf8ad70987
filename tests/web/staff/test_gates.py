"""The pages of gates: mine, one of them, and what an office does not see."""

from collections.abc import Callable
from datetime import datetime

import pytest
import time_machine

from collab import reviews
from collab.core.db import db
from collab.reviews import GateState
from tests.support import html
from tests.support.people import Staff
from tests.support.statements import queries, statements
from tests.support.world import MONDAY, World


@pytest.fixture
def office(staff: Callable[..., Staff]) -> Staff:
    return staff("compliance")


@pytest.fixture
def routed(world: World, office: Staff) -> str:
    """The address of an inquiry in review, of which the office has gates."""
    id = world.received(
        title="Secret plan",
        summary="What only the dossier says. " * 4,
        full_name="Zoë Zwickenpflug",
        email="zoe@z.example",
    )
    world.route(id)
    return f"/staff/inquiries/{world.get(id).reference}"


def state(world: World, address: str, kind: str) -> GateState:
    from collab.inquiries import Inquiry

    inquiry = db.session.query(Inquiry).filter_by(reference=address.rpartition("/")[2]).one()
    return next(gate.state for gate in reviews.gates_of(inquiry) if gate.kind == kind)


def test_an_office_comes_straight_to_its_gates(office: Staff, routed: str) -> None:
    assert office.get("/staff/").location == "/staff/gates"
    page = office.get("/staff/gates").text
    assert "Restricted-party lists" in page
    assert "Secret plan" in page
    assert f"{routed}/gates/restricted_party" in page
    assert "Zwickenpflug" not in page
    for address in (
        routed,
        f"{routed}/ask",
        f"{routed}/note",
        "/staff/inquiries",
        "/staff/outbox",
        f"{routed}/interest",
    ):
        assert office.get(address).status_code == 403, address


def test_what_an_office_sees_of_an_inquiry(office: Staff, routed: str) -> None:
    listed = office.get(f"{routed}/gates/restricted_party").text
    assert "Zoë Zwickenpflug" in listed  # lists of persons cannot be searched without it
    other = office.get(f"{routed}/gates/export_control").text
    for page, words in ((listed, ()), (other, ("Zwickenpflug",))):
        for word in ("zoe@z.example", "What only the dossier says", f'href="{routed}"', *words):
            assert word not in page, word
    assert "Secret plan" in other
    assert office.get(f"{routed}/gates/scope").status_code == 404
    assert office.get(f"{routed}/gates/nonsense").status_code == 404


def test_an_answer_is_given_once_with_its_evidence(office: Staff, routed: str, world: World) -> None:
    address = f"{routed}/gates/restricted_party"
    refused = office.fill(address, _form="gate", state="cleared")
    assert refused.status_code == 422
    assert "on what grounds" in refused.text
    answer = office.fill(address, _form="gate", state="cleared", note="List of 20 November: no hit.")
    assert (answer.status_code, answer.location) == (303, "/staff/gates")
    assert state(world, routed, "restricted_party") is GateState.CLEARED
    page = office.get("/staff/gates").text
    assert "Answered by you" in page
    assert "List of 20 November: no hit." in office.get(address).text


def test_a_stale_page_says_what_happened_and_keeps_the_text(office: Staff, routed: str, world: World) -> None:
    address = f"{routed}/gates/legal"
    form = office.form(address, form="gate")
    token, version = form.value("csrf_token"), form.value("version")
    world.clear(db_id(world, routed), only="legal")
    data = {"csrf_token": token, "version": version, "state": "blocked", "note": "My own words."}
    answer = office.post(address, data=data)
    assert answer.status_code == 409
    assert "changed while you had it open: Cleared" in answer.text
    assert "My own words." in answer.text
    assert state(world, routed, "legal") is GateState.CLEARED


def db_id(world: World, address: str) -> int:
    from collab.inquiries import Inquiry

    return db.session.query(Inquiry.id).filter_by(reference=address.rpartition("/")[2]).scalar()  # type: ignore[no-any-return]


def test_the_coordinator_sees_all_gates_on_the_inquiry(
    coordinator: Staff, office: Staff, routed: str, world: World
) -> None:
    page = coordinator.get(routed).text
    assert "Restricted-party lists" in page
    assert f"{routed}/gates/scope" in page
    assert (
        coordinator.fill(f"{routed}/gates/scope", _form="gate", state="cleared").location == f"{routed}#gates"
    )
    view = coordinator.get(f"{routed}/gates/restricted_party").text
    assert "This is answered by: Compliance." in view
    assert 'id="gate"' not in view
    office.fill(f"{routed}/gates/restricted_party", _form="gate", state="blocked", note="A hit.")
    page = coordinator.get(routed).text
    assert "Blocked: Restricted-party lists." in page
    assert "A hit." in page
    asked = coordinator.get(f"{routed}/reviewers")
    assert asked.status_code == 409
    assert "Blocked: Restricted-party lists." in asked.text


def test_hosts_and_reviewers_see_no_gates(
    routed: str, office: Staff, staff: Callable[..., Staff], world: World
) -> None:
    host = staff("host")
    world.route(db_id(world, routed), host.actor)
    office.fill(f"{routed}/gates/restricted_party", _form="gate", state="blocked", note="A hit.")
    page = host.get(routed).text
    assert "Secret plan" in page
    for word in ("A hit.", "Restricted-party", "Gates opened"):
        assert word not in page
    assert host.get(f"{routed}/gates/scope").status_code == 403


def test_who_answers_and_by_when(coordinator: Staff, office: Staff, routed: str, world: World) -> None:
    address = f"{routed}/gates/restricted_party"
    day = world.today.replace(year=world.today.year + 1).isoformat()
    late = coordinator.fill(address, _form="owner-form", owner=str(office.user_id), due_on="2020-01-01")
    assert late.status_code == 422
    assert "Choose a day from today to a year ahead." in late.text
    done = coordinator.fill(address, _form="owner-form", owner=str(office.user_id), due_on=day)
    assert done.status_code == 303
    assert office.user.name in coordinator.get(address).text
    token = office.form("/staff/account", form="myself").value("csrf_token")
    posted = office.post(
        f"{address}/owner", data={"csrf_token": token, "version": 1, "owner": "", "due_on": day}
    )
    assert posted.status_code == 403


def test_a07_fields_that_nobody_offered(office: Staff, routed: str, world: World) -> None:
    forged = {
        "inquiry_id": "1", "settled_by_id": "1", "owner_role": "head", "owner_id": "1", "status": "accepted",
        "kind": "scope", "due_on": "2020-01-01", "settled_by_name": "Somebody",
    }  # fmt: skip
    office.fill(f"{routed}/gates/legal", _form="gate", state="cleared", note="Fine.", _forged=forged)
    gate = next(one for one in reviews.gates_of(world.get(db_id(world, routed))) if one.kind == "legal")
    assert (gate.settled_by_id, gate.owner_role, gate.owner_id) == (office.user_id, "compliance", None)
    assert gate.settled_by_name == office.user.name
    assert state(world, routed, "scope") is GateState.OPEN
    assert world.get(db_id(world, routed)).status == "in_review"
    bad = office.post(
        f"{routed}/gates/legal",
        data={
            "csrf_token": office.form("/staff/account", form="myself").value("csrf_token"),
            "version": "2",
            "state": "x",
        },
    )
    assert bad.status_code == 422


def test_the_pages_cost_the_same_for_many(
    office: Staff, coordinator: Staff, world: World, routed: str
) -> None:
    counts: list[tuple[int, int]] = []
    for _ in range(2):
        costs = []
        for member, address in ((office, "/staff/gates"), (coordinator, routed)):
            member.get(address)
            with statements(db.engine) as found:
                member.get(address)
            costs.append(len(queries(found)))
        counts.append((costs[0], costs[1]))
        for number in range(6):
            world.route(world.received(institution_name=f"Place {number}"))
    assert counts[0] == counts[1]
    assert counts[0][0] <= 5, counts
    assert counts[0][1] <= 15, counts


def test_a_gate_is_late_when_its_day_is_over_where_the_department_is(
    world: World, staff: Callable[..., Staff]
) -> None:
    with time_machine.travel(MONDAY, tick=True):
        id = world.received()
        world.route(id)
    reference = world.get(id).reference
    for moment, late in (("2026-11-09T23:30+08:00", False), ("2026-11-10T00:30+08:00", True)):
        with time_machine.travel(datetime.fromisoformat(moment), tick=True):
            page = staff("coordinator").page(f"/staff/inquiries/{reference}")
            gates = next(one for one in page.iter("section") if one.get("id") == "gates")
            of = next(one for one in gates.iter("li") if "Restricted-party lists" in html.text_of(one))
            classes = [one.get("class") for one in of.iter("span") if "9 Nov" in html.text_of(one)]
            assert classes[-1] == ("num late" if late else "num"), moment


def test_in_chinese(staff: Callable[..., Staff], routed: str) -> None:
    member = staff("compliance", locale="zh")
    page = member.get("/staff/gates").text
    assert "受限制方名单核查" in page
    assert "待我答复的前置条件" in page
    assert "通过" in member.get(f"{routed}/gates/legal").text
