"""A01, A05, A07–A10, A30, A31: what belongs to one inquiry is not reached through another, nor by a wrong role."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from collab import files
from collab.core import clock, tokens
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.files import StoredFile
from collab.inquiries import Inquiry, InquiryEvent
from tests.support import people
from tests.support.partners import pdf
from tests.support.people import Staff
from tests.support.world import World, other_department

NAMES = [
    '"><script>alert(1)</script>.pdf',
    "a\u202efdp.pdf",
    "ein\r\nSet-Cookie: x=1.pdf",
    "方案 ½.pdf",
    "x" * 180 + ".pdf",
]


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def address(world: World, id: int) -> str:
    return f"/staff/inquiries/{world.get(id).reference}"


def upload(world: World, name: str = "plan.pdf") -> tuple[int, int]:
    """A new inquiry with a file; both ids."""
    token = tokens.new_token()
    with unit_of_work():
        files.receive(
            BytesIO(pdf()), name, department_id=world.department_id, purpose="inquiry", claim_token=token,
            declared="application/pdf", allowed={files.PDF}, max_bytes=10**6,
        )  # fmt: skip
    id = world.received(claim_token=token)
    (file,) = files.of("inquiry", id)
    return id, file.id


def test_a01_files_of_another_inquiry_are_not_found(
    world: World, staff: Callable[..., Staff], app: Flask, client: Any, tmp_path: Path
) -> None:
    id, file_id = upload(world)
    other = world.received()
    coordinator, host = staff("coordinator"), staff("host")
    world.route(other, host.actor)
    own = coordinator.get(f"{address(world, id)}/files/{file_id}")
    assert own.status_code == 200
    assert own.data == pdf() or own.data.startswith(b"%PDF")
    missing = coordinator.get(f"{address(world, other)}/files/999999")
    wrong = coordinator.get(f"{address(world, other)}/files/{file_id}")
    assert (missing.status_code, wrong.status_code) == (404, 404)
    assert len(missing.data) == len(wrong.data)
    assert host.get(f"{address(world, other)}/files/{file_id}").status_code == 404
    assert host.get(f"{address(world, id)}/files/{file_id}").status_code == 404
    stranger = people.staff(app, other_department(tmp_path / "another"), "coordinator", "head")
    assert stranger.get(f"{address(world, id)}/files/{file_id}").status_code == 404
    assert client.get(f"{address(world, id)}/files/{file_id}").status_code == 303
    for number in ("0", "-1", "99999999999999999999", "1.5", "x"):
        assert coordinator.get(f"{address(world, id)}/files/{number}").status_code == 404


def test_a01_a_file_of_a_letter_goes_with_its_inquiry(world: World, staff: Callable[..., Staff]) -> None:
    id, other = world.received(), world.received()
    token = tokens.new_token()
    with unit_of_work():
        files.receive(
            BytesIO(pdf()), "answer.pdf", department_id=world.department_id, purpose="answer", claim_token=token,
            declared="application/pdf", allowed={files.PDF}, max_bytes=10**6,
        )  # fmt: skip
    world.answer(id, claim_token=token)
    file_id = db.session.query(StoredFile.id).filter_by(owner_kind="message").scalar()
    coordinator = staff("coordinator")
    assert coordinator.get(f"{address(world, id)}/files/{file_id}").status_code == 200
    assert coordinator.get(f"{address(world, other)}/files/{file_id}").status_code == 404
    assert "answer.pdf" in coordinator.get(address(world, id)).text


def test_a01_drafts_files_belong_to_nobody_yet(world: World, staff: Callable[..., Staff]) -> None:
    id = world.received()
    with unit_of_work():
        pending = files.receive(
            BytesIO(pdf()), "pending.pdf", department_id=world.department_id, purpose="inquiry",
            claim_token=tokens.new_token(), declared="application/pdf", allowed={files.PDF}, max_bytes=10**6,
        ).id  # fmt: skip
    assert staff("coordinator").get(f"{address(world, id)}/files/{pending}").status_code == 404


@pytest.mark.parametrize("name", NAMES)
def test_a30_a31_a_file_is_saved_never_shown(world: World, staff: Callable[..., Staff], name: str) -> None:
    id, file_id = upload(world, name)
    coordinator = staff("coordinator")
    answer = coordinator.get(f"{address(world, id)}/files/{file_id}")
    assert answer.status_code == 200
    assert len(answer.headers.getlist("Content-Disposition")) == 1
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers or "x=1" not in answer.headers["Set-Cookie"]
    page = coordinator.get(address(world, id)).text
    assert "<script>alert" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize("page", ["ask", "note", "letter", "own", "expedite"])
def test_a07_fields_that_no_form_has_change_nothing(
    world: World, staff: Callable[..., Staff], page: str
) -> None:
    id = world.received()
    coordinator = staff("coordinator")
    forged = {
        "status": "accepted", "urgency": "2", "coordinator_id": "1", "email": "evil@example.net", "reference": "NM-1",
        "confirmed_at": "2020-01-01", "department_id": "2", "is_demo": "1", "held_until": "2020-01-01",
        "question": "Which?", "answer_by": (world.today + timedelta(days=9)).isoformat(),
        "note": "A note.", "letter": "A letter.",
    }  # fmt: skip
    before = world.get(id)
    kept = (before.email, before.reference, before.department_id, before.is_demo, before.confirmed_at)
    answer = coordinator.fill(f"{address(world, id)}/{page}", _form="step", _forged=forged)
    assert answer.status_code == 303
    after = world.get(id)
    assert (after.email, after.reference, after.department_id, after.is_demo, after.confirmed_at) == kept
    assert after.status == ("needs_info" if page == "ask" else "received")
    assert after.urgency == (2 if page == "expedite" else 0)


def test_a08_the_second_object_is_checked_too(
    world: World, staff: Callable[..., Staff], app: Flask, tmp_path: Path
) -> None:
    """Merging into, routing to, and releasing on something of another department or another inquiry."""
    elsewhere = World(other_department(tmp_path / "another"))
    id = world.received(email="same@example.org")
    theirs = elsewhere.received(email="same@example.org")
    closed = world.received(email="same@example.org")
    coordinator = staff("coordinator")
    with unit_of_work():
        from collab.inquiries.models import Conflict

        db.session.add(Conflict(inquiry_id=closed, user_id=coordinator.user_id, declared_at=clock.now()))
    for target in (theirs, closed):
        reference = (elsewhere if target == theirs else world).get(target).reference
        answer = coordinator.fill(f"{address(world, id)}/join", _form="step", original=reference)
        assert answer.status_code == 422
        assert "Give the reference of another inquiry of this department." in answer.text
    outsider = elsewhere.actor("host")
    answer = coordinator.fill(
        f"{address(world, id)}/route", _form="step", kind="host",
        due_on=(world.today + timedelta(days=5)).isoformat(), _forged={"person": str(outsider.user_id)},
    )  # fmt: skip
    assert answer.status_code == 422
    answer = coordinator.fill(
        f"{address(world, id)}/own", _form="step", _forged={"person": str(outsider.user_id)}
    )
    assert answer.status_code == 422
    assigned = world.received()
    world.route(assigned)
    assignment = world.get(assigned).assignments[0].id
    assert coordinator.get(f"{address(world, id)}/release/{assignment}").status_code == 404
    assert world.get(id).status == "received"
    assert world.get(id).coordinator_id is None


def test_a10_the_history_is_not_changed_and_states_are_not_skipped(
    world: World, staff: Callable[..., Staff]
) -> None:
    id = world.at("accepted")
    member = staff("coordinator", "head")
    before = db.session.query(InquiryEvent).filter_by(inquiry_id=id).count()
    token = member.form("/staff/account", form="myself").value("csrf_token")
    day = (world.today + timedelta(days=9)).isoformat()
    for page, fields in (
        ("ask", {"question": "x", "answer_by": day}),
        ("set-aside", {"reason": "spam"}),
        ("restore", {}), ("ready", {}), ("confirm", {}), ("place-free", {}),
        ("reopen", {"note": "x"}), ("withdraw", {"note": "x"}), ("take-back", {}),
    ):  # fmt: skip
        answer = member.post(
            f"{address(world, id)}/{page}",
            data={"csrf_token": token, "version": world.get(id).version, **fields},
        )
        assert answer.status_code == 409, page
    for page in ("note/1/edit", "note/1/delete", "letter/1", "history/1"):
        assert member.post(f"{address(world, id)}/{page}", data={"csrf_token": token}).status_code == 404
    assert db.session.query(InquiryEvent).filter_by(inquiry_id=id).count() == before
    assert world.get(id).status == "accepted"


def test_a05_a_host_learns_nothing_of_other_inquiries(world: World, staff: Callable[..., Staff]) -> None:
    given = world.received(institution_name="Shared University")
    secret = world.received(institution_name="Shared University", title="A secret proposal", country="FR")
    host = staff("host")
    world.route(given, host.actor)
    reference = world.get(secret).reference
    for path in (
        "/staff/", "/staff/inquiries", "/staff/inquiries?q=secret", f"/staff/inquiries?q={reference}",
        "/staff/inquiries?country=FR", "/staff/inquiries?sort=due", "/staff/inquiries?assigned=nobody",
        "/staff/inquiries?status=received", address(world, given),
    ):  # fmt: skip
        text = host.get(path).text
        assert "A secret proposal" not in text, path
        assert f"/staff/inquiries/{reference}" not in text, path
    piles = host.get("/staff/").text.split("<b>")[1:]
    assert all(one.startswith(("0</b>", "1</b>")) for one in piles)


@pytest.mark.parametrize(
    "page", ["ask", "note", "expedite", "read", "take-back", "conflict", "decide", "decline"]
)
def test_a56_no_change_without_the_forms_key(world: World, staff: Callable[..., Staff], page: str) -> None:
    id = world.received()
    member = staff("coordinator", "head")
    version = world.get(id).version
    before = world.kinds(id)
    for sent in ({}, {"csrf_token": ""}, {"csrf_token": "forged"}):
        data = {
            "version": version,
            "note": "x",
            "question": "x",
            "reason": "out_of_scope",
            "send": "1",
            **sent,
        }
        assert member.post(f"{address(world, id)}/{page}", data=data).status_code == 400
        json = member.post(f"{address(world, id)}/{page}", json=data)
        assert json.status_code == 400
    override = member.get(f"{address(world, id)}/{page}?_method=POST&note=x")
    assert override.status_code in (200, 303, 403, 405, 409)  # 303: to declare interests first
    assert world.kinds(id) == before
    assert db.session.query(Inquiry.unread).filter_by(id=id).scalar() is True
