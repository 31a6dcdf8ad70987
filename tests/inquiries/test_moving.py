"""To another track or department: never without consent, no more than needed, and a wall afterwards."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from collab import files, inquiries, search
from collab.accounts import Membership, Role, actor_of
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.departments import Department, Track
from collab.inquiries import Inquiry, Status, joining, likeness, moving, queries, questions, triage
from collab.inquiries.models import Transfer, TransferState
from collab.inquiries.queries import QueueView
from tests.support import partners
from tests.support.world import World, other_department, refusal


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


@pytest.fixture
def there(world: World, tmp_path: Path) -> World:
    return World(other_department(tmp_path / "another"))


def ask(
    world: World, id: int, to: Department | None = None, track: Track = Track.VISIT, **given: Any
) -> None:
    to = to or world.department
    facts: dict[str, Any] = {
        "to": to,
        "track": track,
        "area": to.settings.areas[0].code,
        "with_file": True,
    } | given
    world.do(
        moving.ask_consent,
        id,
        letter="May we move it?",
        answer_by=world.today + timedelta(days=14),
        by=world.actor("coordinator"),
        **facts,
    )


def agree(world: World, id: int, *, with_file: bool = True) -> None:
    world.do(moving.agree, id, with_file=with_file, by=world.visitor)


def carry_out(world: World, id: int) -> int:
    by = world.actor("coordinator")
    with unit_of_work():
        return moving.carry_out(world.get(id), by=by).id


def with_a_file(world: World, **given: str) -> int:
    with unit_of_work():
        files.receive(
            BytesIO(partners.pdf()),
            "plan.pdf",
            department_id=world.department_id,
            claim_token="a-token-of-the-form",
            purpose="attachment",
            max_bytes=5_000_000,
        )
    return world.received(claim_token="a-token-of-the-form", **given)


def test_nothing_moves_without_consent(world: World, there: World) -> None:
    id = world.received()
    with pytest.raises(Conflict, match="not agreed"):
        carry_out(world, id)
    ask(world, id, there.department, Track.COOPERATION)
    assert world.get(id).status is Status.NEEDS_INFO
    with pytest.raises(Conflict, match="not agreed"):
        carry_out(world, id)
    world.do(moving.refuse, id, by=world.visitor)
    assert world.get(id).status is Status.RECEIVED
    with pytest.raises(Conflict, match="not agreed"):
        carry_out(world, id)
    assert db.session.scalars(sa.select(Transfer.state)).all() == [TransferState.REFUSED]
    assert there.real_counts() == {}
    with pytest.raises(Conflict, match="Nothing is asked"):
        agree(world, id)


def test_to_another_track_in_place(world: World) -> None:
    id = world.received(summary="A long text on ligands that keeps its old wording whatever the track is.")
    due = world.get(id).decision_due
    ask(world, id, track=Track.TRAINING)
    agree(world, id)
    agree(world, id)  # twice is once
    assert world.kinds(id).count("consent_given") == 1
    assert carry_out(world, id) == id
    inquiry = world.get(id)
    levels = world.department.settings.service_levels.total_days
    assert (inquiry.track, inquiry.status) == (Track.TRAINING, Status.RECEIVED)
    assert due is not None
    assert inquiry.decision_due == due + timedelta(days=levels.training - levels.cooperation)
    labels = [answer.label for answer in questions.answers(inquiry, "en")]
    assert "Your proposal in brief" in labels
    assert world.kinds(id)[-1] == "moved_track"
    assert world.topics(id)[-1] == "M4"
    view = QueueView(track=Track.TRAINING)
    assert [row.id for row in queries.queue(view, seen_by=world.actor("coordinator")).rows] == [id]
    assert world.counts() == world.real_counts()


def test_to_another_department_with_what_it_needs(world: World, there: World) -> None:
    id = with_a_file(world, email="mover@example.org")
    world.do(inquiries.note, id, "INTERNAL", by=world.actor("coordinator"))
    told = moving.plan(world.get(id), there.department, Track.VISIT)
    assert {"Full name", "Title of the inquiry", "Your proposal in brief"} <= set(told.along)
    assert told.stays == ["Kind of organisation", "What you have in mind"]
    ask(world, id, there.department, Track.VISIT)
    agree(world, id)
    new = carry_out(world, id)
    old, moved = world.get(id), world.get(new)
    assert (old.status, old.reason) == (Status.REFERRED, "other_department")
    assert (moved.status, moved.department_id, moved.track) == (
        Status.RECEIVED,
        there.department_id,
        Track.VISIT,
    )
    assert moved.reference.startswith("OTHER-")
    assert set(moved.answers) == {"purpose"}
    assert moved.answers["purpose"] == old.answers["summary"]
    assert moved.first_answer_due is not None
    assert [file.filename for file in files.of("inquiry", new)] == ["plan.pdf"]
    assert moved.file_count == 1
    assert queries.thread(moved).entries[-1].event.kind == "came_from"  # type: ignore[union-attr]
    assert [e for e in queries.thread(moved).entries if e.note or e.message] == []
    assert world.counts() == world.real_counts()
    assert there.counts() == there.real_counts() == {"received": 1}
    assert search.find("inquiry", moved.reference, department_ids=[there.department_id]) == [new]
    assert likeness.hits(moved, seen_by=there.actor("coordinator", department_id=there.department_id)) == []
    letter = [one for one in world.mails(id, "partner") if one.topic == "M8"][-1]
    assert moved.reference in letter.body_text
    assert letter.subject == f"{old.reference}: passed on to another department"
    assert db.session.scalars(sa.select(Transfer.state)).all() == [TransferState.DONE]


def test_the_file_goes_only_if_the_partner_said_so(world: World, there: World) -> None:
    id = with_a_file(world)
    ask(world, id, there.department, Track.COOPERATION)
    agree(world, id, with_file=False)
    new = carry_out(world, id)
    assert files.of("inquiry", new) == []


def test_a01_each_side_sees_no_more_than_where_the_other_stands(world: World, there: World) -> None:
    id = world.received()
    ask(world, id, there.department, Track.COOPERATION)
    agree(world, id)
    new = carry_out(world, id)
    ours = world.actor("coordinator")
    theirs = there.actor("coordinator", department_id=there.department_id)
    (seen,) = moving.elsewhere(world.get(id), seen_by=ours)
    assert (seen.status, seen.reference, seen.came_from) == (Status.RECEIVED, None, False)
    (seen,) = moving.elsewhere(world.get(new), seen_by=theirs)
    assert (seen.status, seen.reference, seen.came_from) == (Status.REFERRED, None, True)
    both = world.actor("coordinator", name="Both")
    with unit_of_work():
        user = world.user(both)
        user.memberships.append(Membership(department_id=there.department_id, role=Role.COORDINATOR))
    (seen,) = moving.elsewhere(world.get(id), seen_by=actor_of(world.user(both)))
    assert seen.reference == world.get(new).reference


def test_a08_the_right_to_the_first_is_needed(world: World, there: World) -> None:
    theirs = there.received()
    facts: dict[str, Any] = {
        "to": world.department, "track": Track.VISIT, "area": "unsure", "with_file": False,
        "on": world.today, "how": "Said so.", "by": world.actor("coordinator"),
    }  # fmt: skip
    assert isinstance(refusal(lambda: moving.record_consent(there.get(theirs), **facts)), Forbidden)
    mine = world.received()
    for wrong in (
        {"track": Track.COOPERATION},
        {"area": "no_such_area"},
        {"how": ""},
        {"on": world.today + timedelta(1)},
    ):
        assert isinstance(
            refusal(lambda wrong=wrong: moving.record_consent(world.get(mine), **facts | wrong)), Invalid
        )
    assert refusal(lambda: moving.record_consent(world.get(mine), **facts)) is None


def test_recorded_by_a_coordinator_and_called_off(world: World) -> None:
    id = world.received()
    ask(world, id)
    by = world.actor("coordinator")
    with pytest.raises(Conflict):
        ask(world, id)
    world.do(moving.consent_came, id, on=world.today, how="By telephone.", with_file=False, by=by)
    assert world.get(id).status is Status.RECEIVED
    other = world.received(email=world.get(id).email)
    with pytest.raises(Conflict, match="about to be moved"):
        world.do(joining.join, id, into=world.get(other), by=by)
    world.do(moving.call_off, id, by=by)
    with pytest.raises(Conflict, match="not agreed"):
        carry_out(world, id)


def test_what_a_head_decides_on_is_not_moved(world: World) -> None:
    id = world.at("decision_ready")
    with pytest.raises(Conflict, match="before it is decided"):
        ask(world, id)


def test_a_conflict_of_interest_goes_along(world: World, there: World) -> None:
    id = world.received()
    interested = world.actor("head", name="Interested")
    world.do(triage.declare_conflict, id, by=interested)
    ask(world, id, there.department, Track.COOPERATION)
    agree(world, id)
    new = carry_out(world, id)
    closed = queries.closed_to(interested, [id, new])
    assert closed == {id, new}
    assert db.session.get(Inquiry, new) is not None


def test_nobody_is_asked_for_what_is_refused_afterwards(
    world: World, there: World, staff: Callable[..., Any]
) -> None:
    id = world.received()
    world.route(id)
    with pytest.raises(Conflict, match="A host has to say no first"):
        ask(world, id, there.department, Track.COOPERATION)
    coordinator = staff("coordinator")
    path = f"/staff/inquiries/{world.get(id).reference}/move"
    page = coordinator.get(path).text
    assert "A host has to say no first" in page
    assert f"to={there.department.slug}." not in page
    assert f"to={world.department.slug}.visit" in page
    assert coordinator.get(f"{path}?to={there.department.slug}.visit").status_code == 409
    world.host_says(id, "no")
    assert f"to={there.department.slug}.visit" in coordinator.get(path).text
    ask(world, id, there.department, Track.COOPERATION)
    agree(world, id)
    assert world.get(carry_out(world, id)).department_id == there.department_id


@pytest.mark.parametrize("agreed", [False, True])
def test_what_is_over_is_not_moved_any_more(world: World, partner: Callable[..., Any], agreed: bool) -> None:
    id = world.received()
    ask(world, id)
    if agreed:
        agree(world, id)
    world.do(inquiries.withdraw, id, by=world.visitor)
    assert db.session.scalars(sa.select(Transfer.state)).all() == [TransferState.CALLED_OFF]
    with pytest.raises(Conflict, match="Nothing is asked"):
        agree(world, id)
    inquiry = world.get(id)
    page = partner(inquiry).get(f"/en/my/{inquiry.reference}").text
    assert "may move your inquiry" not in page
    assert "You agreed that we move" not in page
    with pytest.raises(Conflict, match="not agreed"):
        carry_out(world, id)
