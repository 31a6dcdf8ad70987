"""Statements are kept for everybody with the same roles: what they answer is each person's own, and of this moment."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from collab.accounts import Actor, Membership
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import queries
from collab.inquiries.models import Conflict
from collab.inquiries.queries import QueueView
from tests.support.world import World

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases

VIEWS = [QueueView(), QueueView(pile="open"), QueueView(q="ligands"), QueueView(q="ligands", country="DE")]


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def ids(view: QueueView, actor: Actor) -> list[int]:
    return [row.id for row in queries.queue(view, seen_by=actor).rows]


@pytest.mark.parametrize("view", VIEWS)
def test_a_closed_inquiry_stays_closed_though_somebody_else_asked_first(
    world: World, view: QueueView
) -> None:
    id = world.received(title="Ligands")
    closed, open_ = world.actor("coordinator", name="Closed"), world.actor("coordinator", name="Open")
    assert closed.memberships == open_.memberships
    with unit_of_work():
        db.session.add(Conflict(inquiry_id=id, user_id=closed.user_id, declared_at=clock.now()))
    assert ids(view, open_) == [id]
    assert ids(view, closed) == []
    assert ids(view, open_) == [id]
    assert (queries.piles(open_).unread, queries.piles(closed).unread) == (1, 0)


def test_mine_is_whose_who_asks(world: World) -> None:
    id = world.received()
    one, other = world.actor("coordinator", name="One"), world.actor("coordinator", name="Other")
    with unit_of_work():
        world.get(id).coordinator_id = one.user_id
    view = QueueView(assigned="me")
    assert (ids(view, one), ids(view, other), ids(view, one)) == ([id], [], [id])
    assert (queries.piles(one).mine, queries.piles(other).mine) == (1, 0)


def test_a_role_that_was_taken_away_shows_nothing_any_more(world: World) -> None:
    id = world.received()
    actor = world.actor("coordinator")
    assert ids(QueueView(), actor) == [id]
    with unit_of_work():
        db.session.execute(sa.delete(Membership).where(Membership.user_id == actor.user_id))
    without = Actor(kind="staff", user_id=actor.user_id, memberships=frozenset())
    assert ids(QueueView(), without) == []


def test_late_is_what_is_late_now(world: World) -> None:
    id = world.received()
    actor = world.actor("coordinator")
    view = QueueView(late=True)
    assert (ids(view, actor), queries.piles(actor).late) == ([], 0)
    with clock.pretending(clock.now() + timedelta(days=40)):
        assert (ids(view, actor), queries.piles(actor).late) == ([id], 1)
    assert (ids(view, actor), queries.piles(actor).late) == ([], 0)


@pytest.mark.parametrize("view", VIEWS)
def test_nobody_sees_anything_without_an_account(world: World, view: QueueView) -> None:
    world.received(title="Ligands")
    actor = world.actor("coordinator")
    assert ids(view, actor) != []
    assert ids(view, Actor(kind="staff", memberships=actor.memberships)) == []
