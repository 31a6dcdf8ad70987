"""A08: an act that names a second object needs the right to both, and joins only one person's own messages."""

from pathlib import Path

import pytest
import time_machine

from collab import inquiries
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.inquiries import Status, partner, triage
from collab.reviews import condition, conditions_of
from tests.support.world import MONDAY, World, other_department, refusal

SAME = "same@example.org"


def merge(world: World, id: int, into: int, role: str = "coordinator") -> None:
    actor = world.actor(role)
    with unit_of_work():
        triage.merge(world.get(id), into=world.get(into), by=actor)


def test_joined_with_an_earlier_one_of_the_same_address(world: World) -> None:
    first, second = world.received(email=SAME), world.received(email="Same@Example.org")
    merge(world, second, first)
    duplicate, original = world.get(second), world.get(first)
    assert (duplicate.status, duplicate.merged_into_id) == (Status.VOID, first)
    assert duplicate.reason == "duplicate"
    assert world.kinds(first)[-1] == "merged_here"
    letter = world.mails(second, "partner")[-1]
    assert (letter.topic, original.reference in letter.body_text) == ("M10", True)
    # The mail's link opens the original, and so does every page that was opened by the other one's own link.
    found = inquiries.links.find(inquiries.LinkKind.PRIVATE, letter.secrets[0])
    assert found is not None
    assert found.inquiry_id == first
    session = inquiries.links.open_session(duplicate, minutes=60)
    db.session.flush()
    page = inquiries.links.session_of(session, duplicate.reference)
    assert page is not None
    assert [one.reference for one in partner.joined_with(page)] == [duplicate.reference]
    assert page.id == first
    with pytest.raises(Conflict, match="not possible"):
        world.ask(second)


def test_brought_back_within_30_days(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        first = world.received(email=SAME)
        second, late = world.received(email=SAME), world.received(email=SAME)
        merge(world, second, first)
        merge(world, late, first)
    coordinator = world.actor("coordinator")
    with time_machine.travel(MONDAY.replace(day=30), tick=False):
        world.do(triage.restore, second, by=coordinator)
        inquiry = world.get(second)
        assert (inquiry.status, inquiry.merged_into_id, inquiry.reason) == (Status.RECEIVED, None, None)
        assert inquiry.due_at is not None
    world.do(inquiries.withdraw, first, by=world.visitor)
    later = MONDAY.replace(month=12, day=3)
    with time_machine.travel(later, tick=False), pytest.raises(Conflict, match="30 days only"):
        world.do(triage.restore, late, by=coordinator)


def test_another_persons_message_is_not_joined(world: World) -> None:
    first, second = world.received(email=SAME), world.received(email="other@example.org")
    with pytest.raises(Invalid, match="different e-mail addresses") as refused:
        merge(world, second, first)
    assert refused.value.field == "same_person"
    assert world.get(second).status is Status.RECEIVED


def test_another_departments_inquiry_is_no_original(world: World, tmp_path: Path) -> None:
    elsewhere = World(other_department(tmp_path / "another"))
    there = elsewhere.received(email=SAME)
    here = world.received(email=SAME)
    coordinator = world.actor("coordinator")
    before = elsewhere.stored()
    with pytest.raises(Invalid, match="of this department"), unit_of_work():
        triage.merge(world.get(here), into=world.get(there), by=coordinator)
    with pytest.raises(Forbidden), unit_of_work():
        triage.set_aside(world.get(there), reason=inquiries.Reason.SPAM, by=coordinator)
    assert elsewhere.stored() == before


def test_neither_itself_nor_one_that_is_away_is_an_original(world: World) -> None:
    first = world.received(email=SAME)
    second, third, waiting = world.received(email=SAME), world.received(email=SAME), world.submit(email=SAME)
    merge(world, second, first)
    for into in (third, second, waiting):
        with pytest.raises(Invalid):
            merge(world, third, into)


def test_a_conflict_of_interest_in_the_original_counts_too(world: World) -> None:
    first, second = world.received(email=SAME), world.received(email=SAME)
    coordinator = world.actor("coordinator")
    world.do(triage.declare_conflict, first, by=coordinator)
    with pytest.raises(Forbidden, match="conflict of interest"):
        merge(world, second, first)


def test_a_condition_of_another_inquiry_is_as_if_there_were_none(world: World) -> None:
    mine, other = world.at("conditional"), world.at("conditional")
    (foreign,) = conditions_of(world.get(other))
    with pytest.raises(NotFound):
        condition(foreign.id, world.get(mine))
    with pytest.raises(NotFound):
        condition(10**6, world.get(mine))
    assert condition(foreign.id, world.get(other)).id == foreign.id


def test_opened_again_once(world: World) -> None:
    id, coordinator = world.at("declined"), world.actor("coordinator")
    refused = refusal(lambda: triage.reopen(world.get(id), because="", by=coordinator))
    assert isinstance(refused, Invalid)
    world.do(triage.reopen, id, because="A new grant.", by=coordinator)
    inquiry = world.get(id)
    assert (inquiry.status, inquiry.reason, inquiry.outcome) == (Status.RECEIVED, None, None)
    world.decline(id)
    world.end_hold(id)
    with pytest.raises(Conflict, match="once only"):
        world.do(triage.reopen, id, because="Another grant.", by=coordinator)
