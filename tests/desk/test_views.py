"""Saved views: whose they are, who changes shared ones, and what is kept of that."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import audit
from collab.accounts import COMMAND, Actor
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.departments import Department
from collab.desk import views
from collab.desk.models import SavedView
from collab.inquiries.query_language import parse
from collab.inquiries.view import QueueView
from tests.support.crowd import at_once
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import World, other_department

OPEN = QueueView(pile="open", country="-DE", assigned="17", q='"two words" x')


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


@pytest.fixture
def elsewhere(world: World, tmp_path: Path) -> World:
    return World(other_department(tmp_path / "another"))


def keep(name: str, by: Actor, department_id: int | None = None, view: QueueView = OPEN) -> int:
    with unit_of_work():
        return views.save(name, view, by=by, department_id=department_id).id


def names(by: Actor) -> list[str]:
    return [one.name("en") for one in views.kept(by)]


def told() -> list[str]:
    return list(
        db.session.scalars(
            sa.select(audit.AuditEvent.action)
            .where(audit.AuditEvent.action.like("view.%"))
            .order_by(audit.AuditEvent.id)
        )
    )


def test_own_views_are_seen_by_nobody_else(world: World) -> None:
    one, other = world.actor("coordinator", name="One"), world.actor("coordinator", name="Other")
    id = keep("Mine", one)
    assert (names(one), names(other)) == (["Mine"], [])
    (kept,) = views.kept(one)
    assert parse(kept.query).view == OPEN
    for verb in (
        lambda: views.one(id, by=other),
        lambda: views.change(id, name="Theirs", version=1, by=other),
        lambda: views.share(id, department_id=world.department_id, version=1, by=other),
        lambda: views.unshare(id, version=1, by=other),
        lambda: views.move(id, up=True, by=other),
        lambda: views.delete(id, version=1, by=other),
        lambda: views.begin_with(id, by=other),
    ):
        with pytest.raises(NotFound), unit_of_work():
            verb()
    assert names(one) == ["Mine"]
    assert told() == []  # one's own concern nobody


def test_shared_views_are_everybodys_of_the_department(world: World, elsewhere: World) -> None:
    coordinator, host = world.actor("coordinator"), world.actor("host")
    stranger, viewer = elsewhere.actor("coordinator"), world.actor("viewer")
    id = keep("Ours", coordinator, world.department_id)
    assert [names(one) for one in (coordinator, host, stranger, viewer)] == [["Ours"], ["Ours"], [], []]
    with pytest.raises(Forbidden), unit_of_work():
        views.delete(id, version=1, by=host)
    with pytest.raises(NotFound), unit_of_work():
        views.delete(id, version=1, by=stranger)
    with pytest.raises(Forbidden), unit_of_work():
        views.save("Host's", OPEN, by=host, department_id=world.department_id)
    with pytest.raises(Forbidden), unit_of_work():
        views.save("There", OPEN, by=coordinator, department_id=elsewhere.department_id)
    with pytest.raises(Forbidden), unit_of_work():
        views.save("Nothing to see", OPEN, by=viewer)
    head = world.actor("head")
    with unit_of_work():
        views.change(id, name="All of us", name_zh="大家", version=1, by=head)
    assert [one.name("zh") for one in views.kept(host)] == ["大家"]
    with unit_of_work():
        views.unshare(id, version=2, by=head)
    assert (names(coordinator), names(head)) == (["All of us"], [])
    assert told() == ["view.shared", "view.changed", "view.unshared"]


def test_sharing_and_taking_back(world: World) -> None:
    one, other = world.actor("coordinator", name="One"), world.actor("coordinator", name="Other")
    id = keep("Mine", one)
    with unit_of_work():
        views.share(id, department_id=world.department_id, version=1, by=one)
    with unit_of_work():
        views.begin_with(id, by=other)
    start = views.start_of(other)
    assert start is not None
    assert start.id == id
    with pytest.raises(Conflict), unit_of_work():
        views.share(id, department_id=world.department_id, version=2, by=one)
    with unit_of_work():
        views.unshare(id, version=2, by=other)
    assert (names(one), names(other), views.start_of(other)) == (["Mine"], [], None)
    with pytest.raises(Conflict), unit_of_work():
        views.unshare(id, version=3, by=one)


def test_who_loses_the_department_loses_its_views(world: World) -> None:
    host = world.actor("host")
    id = keep("Ours", world.actor("coordinator"), world.department_id)
    with unit_of_work():
        views.begin_with(id, by=host)
    without = Actor(kind="staff", user_id=host.user_id, memberships=frozenset())
    assert (views.kept(without), views.start_of(without)) == ([], None)


def test_two_change_one_at_once(world: World) -> None:
    coordinator, head = world.actor("coordinator"), world.actor("head")
    id = keep("Ours", coordinator, world.department_id)
    with unit_of_work():
        views.change(id, name="First", version=1, by=coordinator)
    for verb in (
        lambda: views.change(id, name="Second", version=1, by=head),
        lambda: views.delete(id, version=1, by=head),
        lambda: views.unshare(id, version=1, by=head),
    ):
        with pytest.raises(Conflict), unit_of_work():
            verb()
    assert names(head) == ["First"]


def test_order_start_and_deleting(world: World) -> None:
    actor = world.actor("coordinator")
    first, second, third = (keep(name, actor) for name in ("a", "b", "c"))
    with unit_of_work():
        views.move(third, up=True, by=actor)
    with unit_of_work():
        views.move(first, up=True, by=actor)  # there is nothing before it
    assert names(actor) == ["a", "c", "b"]
    for id in (second, third):
        with unit_of_work():
            views.begin_with(id, by=actor)
    assert [one.is_start for one in views.kept(actor)] == [False, True, False]
    with unit_of_work():
        views.delete(third, version=views.one(third, by=actor).version, by=actor)
    assert (names(actor), views.start_of(actor)) == (["a", "b"], None)
    with unit_of_work():
        views.begin_with(second, by=actor)
    with unit_of_work():
        views.begin_with(None, by=actor)
    assert views.start_of(actor) is None


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\u202eb"])
def test_names_that_cannot_be(world: World, name: str) -> None:
    actor = world.actor("coordinator")
    with pytest.raises(Invalid), unit_of_work():
        views.save(name, OPEN, by=actor)


def test_there_is_a_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 2)
    actor = world.actor("coordinator")
    keep("a", actor)
    keep("b", actor)
    with pytest.raises(Conflict), unit_of_work():
        views.save("c", OPEN, by=actor)
    keep("shared", actor, world.department_id)


def test_a_department_begins_with_some_views_once(world: World) -> None:
    with unit_of_work():
        assert views.supply(world.department_id, by=COMMAND)
    actor = world.actor("coordinator")
    assert len(names(actor)) == len(views.shipped()) > 0
    for one in views.kept(actor):
        understood = parse(one.query)
        assert understood.problems == ()
        assert understood.view != QueueView()
        assert one.name("en") != one.name("zh")
    for one in views.kept(actor):
        with unit_of_work():
            views.delete(one.id, version=one.version, by=actor)
    with unit_of_work():
        assert not views.supply(world.department_id, by=COMMAND)
    assert names(actor) == []


def test_one_query_for_any_number(world: World) -> None:
    actor = world.actor("coordinator")
    costs = []
    for _round in range(2):
        for number in range(5):
            keep(f"View {number}", actor)
        with statements(db.engine) as found:
            assert views.kept(actor)
        costs.append(len(asked(found)))
    assert costs == [1, 1]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SavedView)) == 10


@pytest.mark.both_databases
def test_two_pages_choose_the_first_view_at_once(app: Flask, world: World) -> None:
    me = world.actor("coordinator")
    id = keep("Mine", me)
    db.session.rollback()
    for _again in range(5):
        assert at_once(app, [lambda: views.begin_with(id, by=me)] * 12) == [None] * 12
        start = views.start_of(me)
        assert start is not None
        assert start.id == id
        with unit_of_work():
            views.begin_with(None, by=me)
