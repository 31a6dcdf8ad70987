"""Tags: put on, taken off, renamed, merged, retired; A57 by twenty at once, A05 not counted where they are closed."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import privacy
from collab.audit.models import AuditEvent
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.departments import Department
from collab.inquiries import joining, tags
from collab.inquiries.models import InquiryEvent, InquiryTag, Tag
from tests.support.crowd import at_once
from tests.support.world import World, other_department

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def put(world: World, id: int, name: str, *, new: bool = True, by: Any = None) -> int:
    who = by or world.actor("coordinator")
    with unit_of_work():
        return tags.put(world.get(id), name, by=who, new=new).id


def on(id: int) -> list[str]:
    """The names of the tags on an inquiry."""
    found = (
        sa.select(Tag.name).join(InquiryTag, InquiryTag.tag_id == Tag.id).where(InquiryTag.inquiry_id == id)
    )
    return sorted(db.session.scalars(found))


def told(id: int) -> list[tuple[str, str]]:
    """What the history tells of tags."""
    events = sa.select(InquiryEvent).where(InquiryEvent.inquiry_id == id, InquiryEvent.kind.like("%tagged"))
    return [
        (one.kind, (one.data or {}).get("name", ""))
        for one in db.session.scalars(events.order_by(InquiryEvent.id))
    ]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Follow up", "follow-up"), ("  #Follow—UP! ", "follow-up"), ("随访", "随访"), ("Größe 2", "grosse-2"),
        ("Ａ１", "a1"), ("تابع", "تابع"), ("a_b", "a-b"),
    ],
)  # fmt: skip
def test_a_name_in_any_script_has_one_slug(name: str, slug: str) -> None:
    assert tags.slug_of(name) == tags.slug_of(slug) == tags.slug_of(name.upper())
    assert tags.is_slug(tags.slug_of(name))
    if slug.isascii():
        assert tags.slug_of(name) == slug


@pytest.mark.parametrize("name", ["", "  ", "#", "★ ★", "x" * 41, "a\u202eb", "ﷺ" * 40])
def test_what_is_no_tag_is_refused_at_its_field(world: World, name: str) -> None:
    id = world.received()
    with pytest.raises(Invalid) as refusal:
        put(world, id, name)
    assert refusal.value.field == "tag"
    assert refusal.value.message
    assert on(id) == []


def test_a_tag_is_put_on_once_and_told_once(world: World) -> None:
    id = world.received()
    version = world.get(id).version
    head = world.actor("head")
    first = put(world, id, "Follow up")
    assert put(world, id, "follow-UP", new=False) == first
    assert on(id) == ["Follow up"]
    for _time in range(2):
        with unit_of_work():
            tags.take_off(world.get(id), first, by=head)
    assert on(id) == []
    assert told(id) == [("tagged", "Follow up"), ("untagged", "Follow up")]
    # Nobody's open page gets old by it.
    assert world.get(id).version == version
    actions = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id))
    assert [one for one in actions if "tag" in one] == ["tag.added", "inquiry.tagged", "inquiry.untagged"]


def test_a_new_name_is_made_only_when_that_is_asked_for(world: World) -> None:
    id = world.received()
    with pytest.raises(Invalid, match="There is no tag “Typpo” yet"):
        put(world, id, "Typpo", new=False)
    assert db.session.query(Tag).count() == 0


@pytest.mark.parametrize("role", ["host", "reviewer", "admin", "viewer", "compliance"])
def test_others_put_none_on(world: World, role: str) -> None:
    id = world.received()
    with pytest.raises(Forbidden):
        put(world, id, "Mine", by=world.actor(role))
    assert on(id) == []


def test_twelve_are_enough(world: World) -> None:
    id = world.received()
    for number in range(tags.MOST_ON_ONE):
        put(world, id, f"tag {number}")
    put(world, id, "tag 1")
    with pytest.raises(Invalid, match="take one off first"):
        put(world, id, "one more")


def test_another_name_and_the_old_one_leads_there(world: World, department: Department) -> None:
    id, other = world.received(), world.received()
    tag_id = put(world, id, "Folow up")
    by = world.actor("coordinator")
    with unit_of_work():
        tags.rename(db.session.get_one(Tag, tag_id), "Follow up", seen="Folow up", by=by)
    assert put(world, other, "folow up", new=False) == tag_id
    assert on(id) == on(other) == ["Follow up"]
    with pytest.raises(Conflict, match="renamed this tag to “Follow up”"), unit_of_work():
        tags.rename(db.session.get_one(Tag, tag_id), "Something", seen="Folow up", by=by)
    with unit_of_work():  # and back again
        tags.rename(db.session.get_one(Tag, tag_id), "Folow up", seen="Follow up", by=by)
    assert [one.tag.name for one in tags.of_department(department, seen_by=by)] == ["Folow up"]
    put(world, id, "Taken")
    with pytest.raises(Invalid, match="merge them"), unit_of_work():
        tags.rename(db.session.get_one(Tag, tag_id), "taken", seen="Folow up", by=by)


def test_two_are_made_one(world: World, department: Department) -> None:
    both, first, second = world.received(), world.received(), world.received()
    old = put(world, both, "Old")
    put(world, first, "Old")
    new = put(world, both, "New")
    put(world, second, "New")
    by = world.actor("head")
    with unit_of_work():
        assert tags.merge(db.session.get_one(Tag, old), db.session.get_one(Tag, new), by=by) == 2
    assert on(both) == on(first) == on(second) == ["New"]
    assert [(one.tag.name, one.inquiries) for one in tags.of_department(department, seen_by=by)] == [
        ("New", 3)
    ]
    assert put(world, second, "old", new=False) == new
    with pytest.raises(Conflict, match="merged this tag"), unit_of_work():
        tags.retire(db.session.get_one(Tag, old), by=by)
    with pytest.raises(Invalid), unit_of_work():
        tags.merge(db.session.get_one(Tag, new), db.session.get_one(Tag, new), by=by)


def test_a_retired_one_stays_where_it_is_and_is_not_put_on(world: World) -> None:
    id, other = world.received(), world.received()
    tag_id = put(world, id, "Old")
    by = world.actor("coordinator")
    with unit_of_work():
        tags.retire(db.session.get_one(Tag, tag_id), by=by)
    with pytest.raises(Invalid, match="not used any more"):
        put(world, other, "old")
    assert on(id) == ["Old"]
    with unit_of_work():
        tags.bring_back(db.session.get_one(Tag, tag_id), by=by)
    put(world, other, "old", new=False)
    assert on(other) == ["Old"]


def test_what_is_closed_to_somebody_is_not_counted(world: World, department: Department) -> None:
    id = world.received()
    put(world, id, "Old")
    put(world, world.received(), "Old")
    head = world.actor("head")
    world.declare(id, head, yes=["institution"])
    coordinator = world.actor("coordinator")
    numbers = {
        one: tags.of_department(department, seen_by=who)[0].inquiries
        for one, who in (("head", head), ("coordinator", coordinator))
    }
    assert numbers == {"head": 1, "coordinator": 2}
    with pytest.raises(Forbidden):
        put(world, id, "Old", by=head)


@pytest.mark.both_databases
def test_a57_twenty_put_the_same_new_tag_on_at_once(app: Flask, world: World) -> None:
    id = world.received()
    people = [world.actor("coordinator", name=f"Coordinator {number}") for number in range(20)]
    db.session.rollback()
    results = at_once(
        app, [lambda who=who: tags.put(world.get(id), "Same", by=who, new=True).id for who in people]
    )
    assert len(set(results)) == 1, results
    assert on(id) == ["Same"]
    assert told(id) == [("tagged", "Same")]
    assert db.session.query(Tag).count() == 1


@pytest.mark.both_databases
def test_a57_merging_while_it_is_put_on_leaves_none_behind(app: Flask, world: World) -> None:
    ids = [world.received() for _number in range(6)]
    old, new = put(world, ids[0], "Old"), put(world, ids[1], "New")
    by = world.actor("coordinator")
    db.session.rollback()

    def merge() -> None:
        tags.merge(db.session.get_one(Tag, old), db.session.get_one(Tag, new), by=by)

    results = at_once(app, [merge, *[lambda id=id: tags.put(world.get(id), "Old", by=by).id for id in ids]])
    assert [one for one in results if isinstance(one, Exception)] == []
    assert {id: on(id) for id in ids} == {id: ["New"] for id in ids}


def test_departments_have_their_own(world: World, department: Department, tmp_path: Path) -> None:
    other = other_department(tmp_path / "other")
    head = world.actor("head")
    id = world.received()
    put(world, id, "Ours")
    stranger = world.actor("coordinator", name="Stranger", department_id=other.id)
    assert tags.of_department(other, seen_by=stranger) == []
    with pytest.raises(Forbidden):
        put(world, id, "Ours", by=stranger)
    with unit_of_work():
        theirs = tags.add(other, "Ours", by=stranger).id
    ours = db.session.scalar(sa.select(Tag.id).filter_by(department_id=department.id))
    with pytest.raises(Invalid), unit_of_work():
        tags.merge(db.session.get_one(Tag, ours), db.session.get_one(Tag, theirs), by=head)


def test_joined_inquiries_have_the_tags_of_both_until_they_are_taken_apart(world: World) -> None:
    one, two = (world.received(email="same@example.org") for _number in range(2))
    put(world, one, "Only here")
    put(world, one, "On both")
    put(world, two, "On both")
    by = world.actor("coordinator")
    with unit_of_work():
        joining.join(world.get(one), into=world.get(two), by=by)
    assert on(two) == ["On both", "Only here"]
    with unit_of_work():
        joining.part(world.get(one), by=by)
    assert on(two) == ["On both"]
    assert on(one) == ["On both", "Only here"]


def test_a61_an_erased_person_leaves_no_tag(world: World) -> None:
    id = world.at("declined")
    put(world, id, "The man from Gotham")
    head = world.actor("head")
    with unit_of_work():
        privacy.erase(world.get(id), by=head)
    assert on(id) == []
    assert told(id) == [("tagged", "")]
    with pytest.raises(Conflict, match="erased"):
        put(world, id, "Again")
