"""Gates: opened in review, answered by their owners with evidence, and what a blocked or an open one stops."""

from datetime import date, timedelta

import pytest
import time_machine

from collab import audit, reviews
from collab.accounts import Actor
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from collab.departments import Track, read_settings
from collab.inquiries import AssignmentKind, InquiryEvent, gates, triage
from collab.inquiries.models import LightPath
from collab.jobs.inquiries import turn_clocks
from collab.reviews import GateState, Verdict, assigning
from tests.support.interests import declare_none
from tests.support.world import LETTER, MONDAY, World, refusal


def states(world: World, id: int) -> dict[str, GateState]:
    return {gate.kind: gate.state for gate in reviews.gates_of(world.get(id))}


def settle(world: World, id: int, kind: str, state: str, by: Actor, note: str = "", **more: object) -> None:
    world.do(reviews.gates.settle, id, kind, GateState(state), note=note, by=by, **more)


def refused(
    world: World, id: int, kind: str, state: str, by: Actor, note: str = "", **more: object
) -> Refused:
    found = refusal(
        lambda: reviews.gates.settle(world.get(id), kind, GateState(state), note=note, by=by, **more)  # type: ignore[arg-type]
    )
    assert found is not None
    return found


def in_review(world: World, track: str = "cooperation", **given: object) -> int:
    id = world.received(track, **given)
    world.route(id)
    return id


def test_every_gate_of_the_domain_is_in_the_settings_and_asked_of_its_tracks(world: World) -> None:
    settings = world.department.settings
    of_c = {"scope", "host_available", "capacity", "legal", "ethics_path", "adult", "licence", "funding"}
    checks = {
        "restricted_party", "export_control", "human_genetic_resources", "ethics_human", "ethics_animal",
        "transfer_agreement", "radioactive_transport", "conflict_of_interest", "research_integrity", "visa",
    }  # fmt: skip
    assert {gate.code for gate in settings.gates} == of_c | checks
    assert {gate.code for gate in settings.gates if gate.is_check} == checks | {"legal"}
    assert all(gate.name.zh and gate.question.zh for gate in settings.gates)
    assert {gate.code for gate in settings.gates if Track.TRAINING in gate.tracks} >= {
        "adult",
        "visa",
        "scope",
    }
    assert "adult" not in {gate.code for gate in settings.gates if Track.COOPERATION in gate.tracks}


def test_no_office_is_asked_about_a_first_contact(world: World) -> None:
    id = world.received("visit")
    found = states(world, id)
    assert not {"restricted_party", "legal", "visa"} & found.keys()
    assert found["scope"] is GateState.OPEN
    assert found["adult"] is GateState.CLEARED  # by the partner's own declaration
    assert found["licence"] is GateState.NOT_NEEDED
    compliance = world.actor("compliance")
    assert refused(world, id, "restricted_party", "cleared", compliance, "Nothing found.").message
    with pytest.raises(NotFound):
        reviews.gates.find(world.get(id).reference, "scope", seen_by=compliance)
    assert reviews.gates.my_gates(compliance).waiting == []


def test_going_into_review_opens_them_and_tells_the_offices(world: World) -> None:
    compliance = world.actor("compliance")
    id = in_review(world, cooperation_type="material_or_data_sharing")
    found = {gate.kind: gate for gate in reviews.gates_of(world.get(id))}
    assert all(gate.is_kept for gate in found.values())
    open_to_all = {
        "restricted_party",
        "export_control",
        "transfer_agreement",
        "radioactive_transport",
        "legal",
    }
    assert {kind for kind, gate in found.items() if gate.state is GateState.OPEN} >= open_to_all
    assert found["ethics_animal"].state is GateState.NOT_NEEDED
    assert found["restricted_party"].due_on is not None
    assert found["restricted_party"].due_on > world.today
    (told,) = [one for one in world.mails(id, "staff") if one.to_address == world.user(compliance).email]
    assert (told.topic, "/staff/gates" in told.body_text) == ("S1", True)
    assert "Restricted-party lists" in told.body_text
    assert world.get(id).full_name not in told.body_text
    assert world.get(id).title not in told.body_text
    assert "gates_opened" in world.kinds(id)
    # One host more opens nothing twice.
    world.route(id, world.actor("host", name="Second"))
    assert world.kinds(id).count("gates_opened") == 1


def test_an_office_sees_its_gates_and_nothing_else(world: World) -> None:
    compliance, safety = world.actor("compliance"), world.actor("radiation_safety_officer")
    id = in_review(world, cooperation_type="material_or_data_sharing", full_name="Zoë Zwickenpflug")
    mine = reviews.gates.my_gates(compliance)
    assert {one.gate.kind for one in mine.waiting} >= {"restricted_party", "export_control", "legal"}
    assert "radioactive_transport" not in {one.gate.kind for one in mine.waiting}
    assert [one.gate.kind for one in reviews.gates.my_gates(safety).waiting] == ["radioactive_transport"]
    names = {one.gate.kind: one.full_name for one in mine.waiting}
    assert names["restricted_party"] == "Zoë Zwickenpflug"  # whoever looks persons up needs the name
    assert {name for kind, name in names.items() if kind != "restricted_party"} == {""}
    reference = world.get(id).reference
    inquiry, gate = reviews.gates.find(reference, "export_control", seen_by=compliance)
    assert reviews.gates.file_of(inquiry, gate).full_name == ""
    for actor, kind in ((safety, "export_control"), (compliance, "scope"), (world.actor("host"), "scope")):
        with pytest.raises(NotFound):
            reviews.gates.find(reference, kind, seen_by=actor)


def test_answers_need_what_they_rest_on(world: World) -> None:
    compliance = world.actor("compliance")
    id = in_review(world)
    for state, word in (
        ("cleared", "grounds"),
        ("blocked", "stands against"),
        ("cleared_with_conditions", "conditions"),
    ):
        problem = refused(world, id, "restricted_party", state, compliance)
        assert isinstance(problem, Invalid)
        assert (problem.field, word in problem.message) == ("note", True)
    settle(world, id, "restricted_party", "cleared", compliance, "UN list of 20 November, no hit.")
    gate = next(one for one in reviews.gates_of(world.get(id)) if one.kind == "restricted_party")
    assert (gate.settled_by_id, gate.settled_by_name) == (compliance.user_id, compliance.name)
    assert (gate.note, gate.settled_at is not None) == ("UN list of 20 November, no hit.", True)
    event = db.session.query(InquiryEvent).filter_by(inquiry_id=id, kind="gate").one()
    assert (event.data, event.note) == ({"gate": "restricted_party", "state": "cleared"}, gate.note)
    logged = [one for one in db.session.query(audit.AuditEvent) if one.action == "gate.settled"]
    assert [one.detail for one in logged] == [{"gate": "restricted_party", "from": "open", "to": "cleared"}]
    (again,) = [refused(world, id, "restricted_party", "cleared", compliance, gate.note)]
    assert isinstance(again, Conflict)
    # A gate without evidence in the settings is a tick.
    settle(world, id, "scope", "cleared", world.actor("coordinator"))


def test_whose_gate_it_is(world: World) -> None:
    world.actor("compliance")
    id = in_review(world)
    for role in ("coordinator", "head", "host", "reviewer", "viewer", "admin", "radiation_safety_officer"):
        problem = refused(world, id, "restricted_party", "cleared", world.actor(role), "Looked up.")
        assert isinstance(problem, Forbidden), role
    for role in ("compliance", "head", "host"):
        assert isinstance(refused(world, id, "scope", "blocked", world.actor(role), "No."), Forbidden), role
    # Asking for one that was not needed is the coordinators' and heads', too.
    settle(world, id, "ethics_animal", "open", world.actor("coordinator"))
    assert states(world, id)["ethics_animal"] is GateState.OPEN
    assert isinstance(refused(world, id, "ethics_human", "open", world.actor("host")), Forbidden)


def test_where_there_is_no_office_the_coordinator_answers(world: World) -> None:
    id = in_review(world)
    assert isinstance(refused(world, id, "restricted_party", "cleared", world.actor("host"), "x"), Forbidden)
    coordinator = world.actor("coordinator")
    waiting = {file.gate.kind for file in reviews.gates.my_gates(coordinator).waiting}
    assert {"restricted_party", "scope"} <= waiting
    settle(world, id, "restricted_party", "cleared", coordinator, "Asked the hospital's office.")
    assert states(world, id)["restricted_party"] is GateState.CLEARED
    world.actor("compliance")
    waiting = {file.gate.kind for file in reviews.gates.my_gates(coordinator).waiting}
    assert "scope" in waiting
    assert "export_control" not in waiting


def test_who_has_not_answered_is_reminded_and_it_stands_among_the_dates(world: World) -> None:
    compliance = world.actor("compliance")
    with time_machine.travel(MONDAY, tick=False) as moment:
        id = in_review(world)
        gate = next(one for one in reviews.gates_of(world.get(id)) if one.kind == "restricted_party")
        assert gate.due_on == date(2026, 11, 9)  # five working days
        due = [
            one for one in reviews.all_due_dates(seen_by=world.actor("coordinator")) if one.gate is not None
        ]
        assert {one.words for one in due} >= {"Restricted-party lists", "Scope"}
        assert all(one.gate is None for one in reviews.all_due_dates(seen_by=world.actor("host")))
        told = []
        for _day in range(24):
            moment.shift(timedelta(days=1))
            before = len(world.mails(id))
            turn_clocks()
            turn_clocks()
            mine = [one for one in world.mails(id)[before:] if one.to_address == world.user(compliance).email]
            told += [
                (clock.today("Asia/Shanghai"), one.topic, "Restricted-party" in one.body_text) for one in mine
            ]
    days = [day for day, topic, about in told if about and topic == "S2"]
    assert days == [date(2026, 11, 9), date(2026, 11, 12), date(2026, 11, 19)]


def test_a_blocked_gate_stops_routing_scoring_and_acceptance(world: World) -> None:
    coordinator = world.actor("coordinator")
    id = world.received()
    settle(world, id, "scope", "blocked", coordinator, "Not what the department does.")
    with pytest.raises(Conflict, match="Blocked: Scope"):
        world.route(id)
    assert world.get(id).status == "received"
    problem = refused(world, id, "scope", "cleared", coordinator)
    assert isinstance(problem, Invalid)
    assert "not blocked any more" in problem.message
    settle(world, id, "scope", "cleared", coordinator, "The second part fits.")
    world.route(id)
    settle(world, id, "capacity", "blocked", coordinator, "All taken.")
    reviewer = world.actor("reviewer")
    with pytest.raises(Conflict, match="Blocked: Capacity"):
        world.route(id, reviewer, kind="reviewer")
    with pytest.raises(Conflict, match="Blocked"):
        world.do(
            assigning.ask_reviewers,
            id,
            [world.user(reviewer)],
            due_on=world.today + timedelta(days=9),
            judged=[reviewer.user_id],
            by=coordinator,
        )
    world.host_says(id)
    world.ready(id)
    head = world.actor("head")
    world.do(declare_none, id, by=head)
    for verdict in ("accept", "conditional"):
        with pytest.raises(Conflict, match="Blocked: Capacity"):
            world.decide(id, verdict)
    world.decide(id, "waitlist")
    world.end_hold(id)
    assert gates.blocked(world.get(id))
    settle(world, id, "capacity", "cleared", coordinator, "A place became free.")
    world.decide(id, "accept")


def test_a_gate_blocked_after_the_conditions_stops_the_agreement(world: World) -> None:
    id, coordinator = world.at("conditional"), world.actor("coordinator")
    settle(world, id, "funding", "blocked", coordinator, "The grant was refused.")
    (condition,) = reviews.conditions_of(world.get(id))
    world.do(
        lambda one, **given: reviews.settle(condition, one, reviews.ConditionState.MET, **given),
        id,
        by=coordinator,
    )
    with pytest.raises(Conflict, match="Blocked: Funding"):
        world.do(reviews.fulfil, id, letter=LETTER, by=coordinator)


def test_the_coordinator_hears_of_a_block_by_somebody_else(world: World) -> None:
    compliance, coordinator = world.actor("compliance"), world.actor("coordinator")
    id = in_review(world)
    before = len(world.mails(id))
    settle(world, id, "restricted_party", "blocked", compliance, "A hit on a list.")
    (told,) = world.mails(id)[before:]
    assert told.to_address == world.user(coordinator).email
    assert "Restricted-party lists" in told.body_text
    assert "A hit on a list" not in told.body_text  # read in the portal, not in a mailbox


def test_the_hosts_word_answers_its_gate(world: World) -> None:
    id = in_review(world)
    assert states(world, id)["host_available"] is GateState.OPEN
    world.host_says(id, "later")
    gate = next(one for one in reviews.gates_of(world.get(id)) if one.kind == "host_available")
    assert (gate.state, gate.note) == (GateState.CLEARED_WITH_CONDITIONS, "spring 2027")
    world.host_says(id, "yes")
    assert states(world, id)["host_available"] is GateState.CLEARED
    world.host_says(id, "no")
    assert states(world, id)["host_available"] is GateState.OPEN
    other = world.actor("host", name="Another")
    world.route(id, other)
    world.host_says(id, "yes", other)
    assert states(world, id)["host_available"] is GateState.CLEARED
    release = next(one for one in world.get(id).assignments if one.user_id == other.user_id)
    world.do(lambda one, **given: triage.release(one, release, **given), id, by=world.actor("coordinator"))
    assert states(world, id)["host_available"] is GateState.OPEN


def test_open_checks_keep_it_from_the_head(world: World) -> None:
    world.actor("compliance")
    id = in_review(world)
    assert {gate.kind for gate in reviews.gates.unanswered(world.get(id))} >= {"restricted_party", "legal"}
    assert any("Restricted-party" in one for one in reviews.waits_for(world.get(id)))
    world.clear(id)
    assert reviews.gates.unanswered(world.get(id)) == []
    assert not any("Not answered yet" in one for one in reviews.waits_for(world.get(id)))


def test_on_the_light_path_no_office_is_asked(world: World) -> None:
    id = world.received()
    world.do(reviews.take_path, id, LightPath.MEETING, by=world.actor("coordinator"))
    world.route(id)
    assert reviews.gates.unanswered(world.get(id)) == []
    assert "restricted_party" not in states(world, id)


def test_named_owner_and_due_date(world: World) -> None:
    one, two = world.actor("compliance", name="One"), world.actor("compliance", name="Two")
    head, id = world.actor("head"), in_review(world)
    due = world.today + timedelta(days=3)
    before = len(world.mails(id))
    world.do(reviews.gates.entrust, id, "restricted_party", owner_id=two.user_id, due_on=due, by=head)
    assert [mail.to_address for mail in world.mails(id)[before:]] == [world.user(two).email]
    assert "restricted_party" in {file.gate.kind for file in reviews.gates.my_gates(two).waiting}
    assert "restricted_party" not in {file.gate.kind for file in reviews.gates.my_gates(one).waiting}
    for owner, day, field in (
        (head.user_id, due, "owner"),
        (None, world.today - timedelta(days=1), "due_on"),
    ):
        problem = refusal(
            lambda owner=owner, day=day: reviews.gates.entrust(  # type: ignore[misc]
                world.get(id), "restricted_party", owner_id=owner, due_on=day, by=head
            )
        )
        assert isinstance(problem, Invalid)
        assert problem.field == field
    with pytest.raises(Forbidden):
        world.do(reviews.gates.entrust, id, "restricted_party", owner_id=None, due_on=due, by=one)


def test_two_at_once_one_wins_and_the_other_is_told(world: World) -> None:
    one, two = world.actor("compliance", name="One"), world.actor("compliance", name="Two")
    id = in_review(world)
    version = next(gate for gate in reviews.gates_of(world.get(id)) if gate.kind == "legal").version
    settle(world, id, "legal", "cleared", one, "Fine.", version=version)
    problem = refused(world, id, "legal", "blocked", two, "Not fine.", version=version)
    assert isinstance(problem, Conflict)
    assert "Cleared, by One" in problem.message
    # One that had no row yet when the page was shown is taken all the same.
    fresh = world.received()
    settle(world, fresh, "scope", "cleared", world.actor("coordinator"), version=0)
    assert isinstance(
        refused(world, fresh, "scope", "blocked", world.actor("coordinator"), "No.", version=0), Conflict
    )


def test_inquiries_from_before_get_their_gates(world: World) -> None:
    id = in_review(world)
    db.session.query(reviews.Gate).filter_by(inquiry_id=id).delete()
    db.session.commit()
    assert not any(gate.is_kept for gate in reviews.gates_of(world.get(id)))
    world.do(reviews.gates.open_missing, id, by=world.actor("coordinator"))
    assert all(gate.is_kept for gate in reviews.gates_of(world.get(id)))
    world.do(reviews.gates.open_missing, id, by=world.actor("coordinator"))
    with pytest.raises(Forbidden):
        world.do(reviews.gates.open_missing, id, by=world.actor("host"))


def test_a_conflict_of_interest_closes_gates_too(world: World) -> None:
    compliance, id = world.actor("compliance"), in_review(world)
    reference = world.get(id).reference
    assert reviews.gates.my_gates(compliance).waiting
    world.do(triage.declare_conflict, id, by=compliance)
    assert reviews.gates.my_gates(compliance).waiting == []
    with pytest.raises(NotFound):
        reviews.gates.find(reference, "restricted_party", seen_by=compliance)
    assert isinstance(refused(world, id, "restricted_party", "cleared", compliance, "x"), Forbidden)
    gate = reviews.gates_of(world.get(id))[0]
    assert compliance.user_id not in {one.id for one in reviews.gates.owners_for(world.get(id), gate)}


def test_settings_refuse_two_gates_of_one_name(world: World) -> None:
    content = world.department.settings.as_json()
    content["gates"] = [content["gates"][0], content["gates"][0]]
    from collab.departments import DepartmentSettings

    with pytest.raises(ValueError, match="gates: named twice: scope"):
        DepartmentSettings.model_validate(content)
    assert read_settings("").gates == world.department.settings.gates


def test_the_head_needs_no_gate_to_decline(world: World) -> None:
    id = in_review(world)
    settle(world, id, "scope", "blocked", world.actor("coordinator"), "No.")
    world.host_says(id)
    world.ready(id)
    world.decide(id, Verdict.DECLINE)
    assert world.get(id).status == "declined"
    assert AssignmentKind.HOST in {one.kind for one in world.get(id).assignments}


def test_the_word_of_a_host_with_a_conflict_answers_no_gate(world: World) -> None:
    id, joined = in_review(world), in_review(world)
    host = world.actor("host")
    for one in (id, joined):
        world.host_says(one, "yes")
        assert states(world, one)["host_available"] is GateState.CLEARED
    world.do(triage.declare_conflict, id, by=host)
    assert states(world, id)["host_available"] is GateState.OPEN
    assert world.kinds(id)[-2:] == ["conflict", "gate"]
    assert states(world, joined)["host_available"] is GateState.CLEARED
    spare = world.received(email=world.get(joined).email)
    world.do(triage.declare_conflict, spare, by=host)
    world.do(triage.merge, spare, into=world.get(joined), by=world.actor("coordinator"))
    assert states(world, joined)["host_available"] is GateState.OPEN


def test_off_the_light_path_the_offices_are_asked(world: World) -> None:
    compliance, coordinator = world.actor("compliance"), world.actor("coordinator")
    id, first = world.received(), world.received()
    for one in (id, first):
        world.do(reviews.take_path, one, LightPath.MEETING, by=coordinator)
    world.route(id)
    assert world.mails(id)[-1].to_address != world.user(compliance).email
    world.do(reviews.take_path, id, None, by=coordinator)
    kept = {gate.kind: gate.is_kept for gate in reviews.gates_of(world.get(id))}
    assert kept["restricted_party"]
    assert world.kinds(id)[-1] == "gates_opened"
    assert world.user(compliance).email in {one.to_address for one in world.mails(id)}
    world.ask(first)  # nothing was routed yet: no gate is kept of a first contact
    world.do(reviews.take_path, first, None, by=coordinator)
    assert not any(gate.is_kept for gate in reviews.gates_of(world.get(first)))
