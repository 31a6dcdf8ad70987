"""Every step of the staff: done, refused by role, department, state, field and version."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import pytest

from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Forbidden, NotFound
from collab.inquiries import AssignmentKind, Inquiry, interests, triage
from tests.support import html, people
from tests.support.people import Staff
from tests.support.world import World, other_department


def stored(world: World, address: str) -> Inquiry:
    from collab.core.db import db

    return db.session.query(Inquiry).filter_by(reference=address.rpartition("/")[2]).one()


def day(world: World, ahead: int) -> str:
    return (world.today + timedelta(days=ahead)).isoformat()


#: (from, page, who, what is filled in, where it stands then, what the partner is sent)
STEPS: list[tuple[str, str, str, dict[str, Any], str, str | None]] = [
    ("received", "ask", "coordinator", {"question": "Which weeks?", "answer_by": 14}, "needs_info", "M3"),
    ("in_review", "ask", "coordinator", {"question": "Which weeks?", "answer_by": 14}, "needs_info", "M3"),
    ("received", "set-aside", "coordinator", {"reason": "spam"}, "void", None),
    ("void", "restore", "coordinator", {}, "received", "M2"),
    ("in_review", "ready", "coordinator", {"note": "Both reviewers are away."}, "decision_ready", None),
    ("declined", "reopen", "coordinator", {"note": "New facts came."}, "received", "M2b"),
    ("received", "withdraw", "coordinator", {"note": "By mail on Monday."}, "withdrawn", "M13"),
    ("unconfirmed", "confirm", "coordinator", {}, "received", "M2"),
    ("waitlisted", "place-free", "coordinator", {}, "decision_ready", "M12"),
    ("received", "letter", "coordinator", {"letter": "We read it with interest."}, "received", "letter"),
    ("received", "note", "coordinator", {"note": "Fits focus 1."}, "received", None),
    ("received", "note", "head", {"note": "Fits focus 1."}, "received", None),
    ("received", "expedite", "coordinator", {}, "received", None),
    ("received", "light", "coordinator", {"light": "meeting"}, "received", None),
    ("received", "renew-link", "coordinator", {}, "received", "link"),
    ("withdrawn", "erase", "coordinator", {}, "withdrawn", "M14"),
]


@pytest.mark.parametrize(("status", "path", "role", "fields", "then", "topic"), STEPS)
def test_a_step_is_taken(
    world: World,
    at: Callable[..., str],
    staff: Callable[..., Staff],
    status: str,
    path: str,
    role: str,
    fields: dict[str, Any],
    then: str,
    topic: str | None,
) -> None:
    address = at(status)
    before = len(world.mails(stored(world, address).id, "partner"))
    member = staff(role)
    given = {name: day(world, value) if isinstance(value, int) else value for name, value in fields.items()}
    answer = member.fill(f"{address}/{path}", _form="step", _typing=timedelta(0), **given)
    assert (answer.status_code, answer.location) == (303, address), answer.text
    inquiry = stored(world, address)
    assert inquiry.status == then
    mails = world.mails(inquiry.id, "partner")
    if path == "erase":  # the others went with the data
        assert [one.topic for one in mails] == ["M14"]
    else:
        assert [one.topic for one in mails][before:] == ([topic] if topic else [])
    assert html.text_of(member.page(address)).count("Error") == 0


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        ("ask", {"question": "", "answer_by": 14}, "question"),
        ("ask", {"question": "Which?", "answer_by": 0}, "answer_by"),
        ("ask", {"question": "Which?", "answer_by": 91}, "answer_by"),
        ("ask", {"question": "Which?", "answer_by": ""}, "answer_by"),
        ("ask", {"question": "Which?", "answer_by": "31.12.2026"}, "answer_by"),
        ("ask", {"question": "Wh\u202eich?", "answer_by": 14}, "question"),
        ("ask", {"question": "x" * 8001, "answer_by": 14}, "question"),
        ("set-aside", {}, "reason"),
        ("join", {"original": ""}, "original"),
        ("join", {"original": "NM-1999-0001"}, "original"),
        ("withdraw", {"note": ""}, "note"),
        ("letter", {"letter": "   "}, "letter"),
        ("note", {"note": ""}, "note"),
        ("note", {"note": "x" * 4001}, "note"),
    ],
)
def test_a_wrong_field_is_told_at_the_field(
    world: World, at: Callable[..., str], coordinator: Staff, path: str, fields: dict[str, Any], field: str
) -> None:
    address = at("received")
    given = {name: day(world, value) if isinstance(value, int) else value for name, value in fields.items()}
    answer = coordinator.fill(f"{address}/{path}", _form="step", **given)
    assert answer.status_code == 422
    tree = html.parse(answer.text)
    assert any(one.get("id") == f"{field}-error" for one in tree.iter())
    for name, value in given.items():
        if name != field and value:
            assert str(value) in answer.text
    assert stored(world, address).status == "received"


# -- by whom ---------------------------------------------------------------------------------------------------------

COORDINATORS = [
    "route", "refer", "set-aside", "join", "move", "withdraw", "own", "expedite", "renew-link", "letter",
]  # fmt: skip


def test_only_coordinators_triage(at: Callable[..., str], world: World, staff: Callable[..., Staff]) -> None:
    address = at("received")
    head, admin = staff("head"), staff("admin")
    for page in COORDINATORS:
        assert head.get(f"{address}/{page}").status_code == 403, page
        assert admin.get(f"{address}/{page}").status_code == 403, page
    assert head.get(f"{address}/decline").status_code == 200
    assert staff("coordinator").get(f"{address}/decide").status_code == 403


PAGES = [
    "", "ask", "route", "refer", "decline", "set-aside", "join", "unjoin", "move", "restore", "ready", "reopen",
    "withdraw", "confirm", "place-free", "own", "expedite", "renew-link", "erase", "letter", "answer-as-host", "review",
    "light", "conflict", "note", "take-back", "decide", "fulfil", "release/1", "files/1",
]  # fmt: skip
EVERYTHING = ("coordinator", "head", "host", "reviewer")


def test_other_departments_and_strangers_find_nothing(
    world: World, at: Callable[..., str], app: Any, client: Any, tmp_path: Path
) -> None:
    address = at("in_review")
    stranger = people.staff(app, other_department(tmp_path / "another"), *EVERYTHING)
    missing = stranger.get("/staff/inquiries/NM-1999-9999")
    assert missing.status_code == 404
    token = stranger.form("/staff/account", form="myself").value("csrf_token")
    for page in PAGES:
        path = f"{address}/{page}".rstrip("/")
        answer = stranger.get(path)
        assert answer.status_code == 404, page
        assert _without_id(answer.text) == _without_id(missing.text)
        if page and not page.startswith("files"):
            posted = stranger.post(
                path, data={"csrf_token": token, "version": "1", "note": "x", "letter": "x"}
            )
            assert posted.status_code == 404, page
        assert client.get(path).status_code == 303
        assert client.get(path).location.startswith("/staff/sign-in")
    for page in ("read", "conditions/1"):
        assert (
            stranger.post(f"{address}/{page}", data={"csrf_token": token, "version": "1"}).status_code == 404
        )
    assert world.kinds(stored(world, address).id)[-1] == "host_answered"


def _without_id(text: str) -> str:
    import re

    return re.sub(r"[0-9a-f]{16}", "", text)


def test_a_coordinator_elsewhere_does_not_triage_what_she_hosts_here(
    world: World, at: Callable[..., str], app: Any, tmp_path: Path
) -> None:
    from collab.accounts import Membership, Role
    from collab.core.db import db
    from collab.departments import Department

    address = at("received")
    member = people.staff(app, other_department(tmp_path / "another"), "coordinator", "head", signed_in=False)
    with unit_of_work():
        db.session.add(Membership(user_id=member.user_id, department_id=world.department_id, role=Role.HOST))
    member.sign_in()
    inquiry = stored(world, address)
    world.do(
        triage.route,
        inquiry.id,
        member.user,
        kind=AssignmentKind.HOST,
        due_on=world.today + timedelta(days=5),
        by=world.actor("coordinator"),
    )
    world.declare(inquiry.id, member.actor)
    assert isinstance(db.session.get(Department, world.department_id), Department)
    assert member.get(address).status_code == 200
    for page in [*COORDINATORS, "decide", "erase", "take-back"]:
        assert member.get(f"{address}/{page}").status_code == 403, page
    token = member.form("/staff/account", form="myself").value("csrf_token")
    for page in ("expedite", "read", "renew-link", "erase"):
        version = stored(world, address).version
        answer = member.post(f"{address}/{page}", data={"csrf_token": token, "version": version})
        assert answer.status_code == 403, page
    assert stored(world, address).urgency == 0


def test_the_host_answers_and_nobody_else(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    host, other = staff("host", name="Hua"), staff("host")
    address = at("received")
    coordinator = staff("coordinator")
    answer = coordinator.fill(
        f"{address}/route", kind="host", person=str(host.user_id), due_on=day(world, 7), note="Could you?"
    )
    assert answer.status_code == 303
    assert "Given to Hua." in coordinator.get(address).text
    chinese = staff("coordinator", locale="zh")
    third = staff("host", name="Ming")
    chinese.fill(f"{address}/route", kind="host", person=str(third.user_id), due_on=day(world, 7))
    assert "已转交 Ming。" in chinese.get(address).text
    assert other.get(address).status_code == 404
    assert coordinator.get(f"{address}/answer-as-host").status_code == 403
    assert host.get(f"{address}/answer-as-host").location == f"{address}/interest"
    declared = host.fill(f"{address}/interest", _form="interest", **dict.fromkeys(interests.QUESTIONS, "no"))
    assert declared.status_code == 303
    home = html.text_of(host.page("/staff/"))
    assert "Can your group take this?" in home

    refused = host.fill(f"{address}/answer-as-host", answer="later", note="Busy until then.")
    assert refused.status_code == 422
    assert 'id="period-error"' in refused.text
    assert "Busy until then." in refused.text
    assert host.answer(refused, period="spring 2027").status_code == 303
    assignment = stored(world, address).assignments[0]
    assert (assignment.answer, assignment.answer_period) == ("later", "spring 2027")
    assert "spring 2027" in coordinator.get(address).text


def test_route_offers_those_who_can_take_it(
    world: World, at: Callable[..., str], staff: Callable[..., Staff]
) -> None:
    address = at("received")
    host, reviewer, head = staff("host"), staff("reviewer"), staff("head")
    coordinator = staff("coordinator")
    form = coordinator.form(f"{address}/route", form="step")
    assert set(form.choices("person")) == {"", str(host.user_id), str(reviewer.user_id)}
    forged = coordinator.fill(
        f"{address}/route", kind="host", due_on=day(world, 5), _forged={"person": str(head.user_id)}
    )
    assert forged.status_code == 422
    wrong = coordinator.fill(
        f"{address}/route", kind="host", person=str(reviewer.user_id), due_on=day(world, 5), note="Kept text"
    )
    assert wrong.status_code == 422
    assert 'id="person-error"' in wrong.text
    assert "Kept text" in wrong.text
    assert stored(world, address).assignments == []


def test_take_an_assignment_off(world: World, at: Callable[..., str], staff: Callable[..., Staff]) -> None:
    address = at("in_review")
    coordinator = staff("coordinator")
    assignment = stored(world, address).assignments[0]
    assert coordinator.get(f"{address}/release/{assignment.id + 1}").status_code == 404
    assert coordinator.fill(f"{address}/release/{assignment.id}", _form="step").status_code == 303
    assert stored(world, address).assignments[0].released_at is not None


def test_a_declared_conflict_closes_the_inquiry(
    world: World, at: Callable[..., str], coordinator: Staff
) -> None:
    address = at("received")
    mail_id = world.mails(stored(world, address).id)[0].id
    assert coordinator.get(f"/staff/outbox/{mail_id}").status_code == 200
    answer = coordinator.fill(f"{address}/conflict", _form="step")
    assert (answer.status_code, answer.location) == (303, "/staff/")
    for path in (address, f"{address}/note", f"/staff/outbox/{mail_id}"):
        assert coordinator.get(path).status_code == 404
    reference = address.rpartition("/")[2]
    for path in ("/staff/", "/staff/inquiries", "/staff/outbox", f"/staff/inquiries?q={reference}"):
        page = coordinator.get(path).text
        assert f"/staff/inquiries/{reference}" not in page
        assert reference not in page.replace(f'value="{reference}"', "")


def test_own_and_read(world: World, at: Callable[..., str], staff: Callable[..., Staff]) -> None:
    address = at("received")
    coordinator, other = staff("coordinator"), staff("coordinator", name="Other Coordinator")
    assert coordinator.fill(f"{address}/own", person=str(other.user_id)).status_code == 303
    assert stored(world, address).coordinator_id == other.user_id
    world.answer(stored(world, address).id)
    assert stored(world, address).unread
    assert "Other Coordinator" in coordinator.get(address).text
    assert other.fill(address, _form="/read").status_code == 303
    assert not stored(world, address).unread
    assert coordinator.fill(f"{address}/own", person="").status_code == 303
    assert stored(world, address).coordinator_id is None


def test_who_may_not_act_on_an_inquiry_does_not_mark_it_as_read(world: World) -> None:
    id = world.received()
    world.answer(id)
    closed = world.actor("coordinator", name="Closed")
    world.do(triage.declare_conflict, id, by=closed)
    for by, refused in ((world.actor("viewer"), Forbidden), (closed, (Forbidden, NotFound))):
        with pytest.raises(refused):
            world.do(triage.mark_read, id, by=by)
    assert world.get(id).unread


def test_join_with_the_original_of_the_same_address(
    world: World, at: Callable[..., str], coordinator: Staff
) -> None:
    original = at("received", email="twice@example.org")
    other = at("received", email="somebody.else@example.org")
    duplicate = at("received", email="twice@example.org")
    first, second, third = (one.rpartition("/")[2] for one in (original, other, duplicate))
    assert f"{duplicate}/join?with={first}" in coordinator.get(duplicate).text
    assert first in coordinator.get(f"{duplicate}/join").text
    chosen = coordinator.fill(f"{duplicate}/join", _form="step", original=first.lower())
    assert chosen.headers["Location"].endswith(f"{duplicate}/join?with={first}")
    refused = coordinator.fill(f"{duplicate}/join?with={second}", _form="step", stays=second)
    assert refused.status_code == 422
    assert "different e-mail addresses" in refused.text
    joined = coordinator.fill(f"{duplicate}/join?with={first}", _form="step", stays=first)
    assert joined.headers["Location"].endswith(original)
    assert stored(world, duplicate).status == "void"
    page = coordinator.get(original).text
    assert f"Merged from {third}" in page
    assert f"{duplicate}/unjoin" in page
    assert coordinator.get(f"{duplicate}/restore").status_code == 200
    again = coordinator.fill(f"{duplicate}/unjoin", _form="step")
    assert again.headers["Location"].endswith(duplicate)
    assert stored(world, duplicate).status == "received"
    assert f"Merged from {third}" not in coordinator.get(original).text


def test_either_may_go_on_and_two_addresses_need_a_word(
    world: World, at: Callable[..., str], coordinator: Staff
) -> None:
    early, late = at("received", email="one@example.org"), at("received", email="two@example.org")
    first, second = (one.rpartition("/")[2] for one in (early, late))
    assert (
        coordinator.fill(
            f"{early}/join?with={second}", _form="step", stays=second, same_person=True, note="Told us so."
        ).status_code
        == 303
    )
    assert stored(world, early).merged_into_id == stored(world, late).id
    assert "two addresses, one person: confirmed" in coordinator.get(late).text
    assert first in coordinator.get(late).text


def test_a_signal_is_judged_and_leads_to_its_step(
    world: World, at: Callable[..., str], coordinator: Staff, staff: Callable[..., Staff]
) -> None:
    address = at(
        "received", summary="My mother has cancer. Can your professors see her? Please help us soon."
    )
    page = coordinator.get(address).text
    assert "May be a patient" in page
    assert "my mother" in page
    assert (
        coordinator.form(f"{address}/refer?reason=patient_request", form="facts").value("reason")
        == "patient_request"
    )
    assert "Patient?" in coordinator.get("/staff/inquiries").text
    assert coordinator.fill(address, _form="/signals/patient_request").status_code == 303
    assert "says that it is not so" in coordinator.get(address).text
    assert "Patient?" not in coordinator.get("/staff/inquiries").text
    assert staff("head").get(address).status_code == 200


def test_moved_to_another_track_on_the_partners_word(
    world: World, at: Callable[..., str], coordinator: Staff, partner: Callable[..., Any]
) -> None:
    address = at("received")
    inquiry = stored(world, address)
    slug = world.department.slug
    assert f"to={slug}.visit" in coordinator.get(f"{address}/move").text
    asked = coordinator.fill(f"{address}/move?to={slug}.visit", _form="step")
    assert asked.status_code == 303
    assert stored(world, address).status == "needs_info"
    mine = partner(inquiry)
    assert "Say whether we may move" in mine.get(f"/en/my/{inquiry.reference}").text
    assert mine.fill(f"/en/my/{inquiry.reference}/moving", _button="I agree").status_code == 303
    assert stored(world, address).status == "received"
    assert "Move it now" in coordinator.get(address).text
    assert coordinator.fill(f"{address}/move", _form="step").status_code == 303
    assert stored(world, address).track == "visit"
    page = coordinator.get(address).text
    assert "Moved to another track" in page
    assert "Your proposal in brief" in page


# -- refused by the state --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "path"),
    [
        ("accepted", "ask"),
        ("in_review", "set-aside"),
        ("received", "ready"),
        ("received", "restore"),
        ("received", "reopen"),
        ("received", "confirm"),
        ("received", "place-free"),
        ("accepted", "withdraw"),
        ("unconfirmed", "renew-link"),
        ("declined", "decline"),
    ],
)
def test_a_step_that_is_not_possible_says_so(
    at: Callable[..., str], staff: Callable[..., Staff], status: str, path: str
) -> None:
    answer = staff("coordinator", "head").get(f"{at(status)}/{path}")
    assert answer.status_code == 409
    assert "Not possible now" in html.text_of(html.parse(answer.text))


def test_the_page_says_what_is_possible_and_why_other_things_are_not(
    at: Callable[..., str], world: World, staff: Callable[..., Staff]
) -> None:
    address = at("received")
    page = staff("coordinator").page(address)
    links = _steps(page)
    assert {f"{address}/route", f"{address}/ask", f"{address}/refer", f"{address}/decline"} <= set(links)
    primary = [link for link in page.iter("a") if "btn-primary" in (link.get("class") or "")]
    assert [urlsplit(link.get("href") or "").path for link in primary] == [f"{address}/route"]
    # Each step knows the view it was begun in: its page leads on from there.
    assert set(parse_qs(urlsplit(links[f"{address}/route"]).query, keep_blank_values=True)) == {"view"}
    head = staff("head").page(address)
    assert "Only this role may do it: Coordinator." in html.text_of(head)
    assert f"{address}/route" not in _steps(head)


def _steps(page: Element) -> dict[str, str]:
    """Where the links of a page lead, by their paths."""
    found = [link.get("href") or "" for link in page.iter("a")]
    return {urlsplit(one).path: one for one in found}


def test_somebody_was_faster(world: World, at: Callable[..., str], coordinator: Staff) -> None:
    address = at("received")
    opened = coordinator.get(f"{address}/ask")
    world.do(triage.expedite, stored(world, address).id, by=world.actor("coordinator", name="Fast Colleague"))
    answer = coordinator.answer(opened, question="A long and careful question.", answer_by=day(world, 20))
    assert answer.status_code == 409
    text = html.text_of(html.parse(answer.text))
    assert "Marked as urgent, by Fast Colleague" in text
    assert "What happened meanwhile" in text
    assert clock.now().strftime("%Y") in text
    assert "A long and careful question." in answer.text
    assert day(world, 20) in answer.text
    assert stored(world, address).status == "received"
    assert [one.topic for one in world.mails(stored(world, address).id, "partner")] == ["M1", "M2"]
    # Having looked, the same can be done.
    assert coordinator.answer(answer, _form="step").status_code == 303
    assert stored(world, address).status == "needs_info"


def test_a_forged_version_is_refused(at: Callable[..., str], world: World, coordinator: Staff) -> None:
    address = at("received")
    for version in ("", "x", "-1", "99999999999999", "1; DROP"):
        answer = coordinator.fill(
            f"{address}/ask", question="Which?", answer_by=day(world, 9), _forged={"version": version}
        )
        assert answer.status_code == 422, version
    assert stored(world, address).status == "received"
