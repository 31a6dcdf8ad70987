"""Choosing reviewers: what is known of each, who cannot be asked, and one from outside the host's group."""

from datetime import timedelta

import pytest
import time_machine

from collab import accounts, reviews
from collab.accounts import COMMAND
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid
from collab.inquiries import triage
from collab.reviews import assigning
from collab.reviews.assigning import Reviewer
from tests.support.reviewing import marks
from tests.support.statements import queries, statements
from tests.support.world import MONDAY, World, refusal


def areas(world: World, actor: accounts.Actor, *codes: str) -> None:
    with unit_of_work():
        accounts.set_areas(world.user(actor), codes, department_id=world.department_id, by=COMMAND)


def ask(world: World, id: int, *people: accounts.Actor, **more: object) -> None:
    world.do(
        assigning.ask_reviewers,
        id,
        [world.user(one) for one in people],
        due_on=world.today + timedelta(days=10),
        **{"by": world.actor("coordinator"), "judged": [one.user_id for one in people], **more},
    )


def listed(world: World, id: int) -> dict[str, Reviewer]:
    found = assigning.reviewers_for(world.get(id), seen_by=world.actor("coordinator"))
    return {one.user.name: one for one in found}


@pytest.fixture
def codes(world: World) -> tuple[str, str]:
    one, two, *_rest = (area.code for area in world.department.settings.areas)
    return one, two


def test_two_are_asked_at_once(world: World) -> None:
    id, one, two = world.received(), world.actor("reviewer", name="One"), world.actor("reviewer", name="Two")
    world.route(id)
    before = len(world.mails(id))
    ask(world, id, one, two)
    kinds = [(a.user.name, a.kind.value) for a in world.get(id).assignments if a.released_at is None]
    assert kinds[1:] == [("One", "reviewer"), ("Two", "reviewer")]
    assert {mail.to_address for mail in world.mails(id)[before:]} == {
        world.user(one).email,
        world.user(two).email,
    }
    assert world.kinds(id)[-2:] == ["assigned", "assigned"]


def test_all_or_none(world: World) -> None:
    id, one = world.received(), world.actor("reviewer", name="One")
    world.route(id)
    before = world.stored()
    problems = {
        "nobody": ((), "people"),
        "twice": ((one, one), "people"),
        "no reviewer": ((one, world.actor("host")), "people"),
    }
    for name, (people, field) in problems.items():
        with pytest.raises(Invalid) as refused:
            ask(world, id, *people)
        assert refused.value.field == field, name
    closed = world.actor("reviewer", name="Closed")
    with unit_of_work():
        from collab.inquiries.models import Conflict as Row

        db.session.add(Row(inquiry_id=id, user_id=closed.user_id, declared_at=clock.now()))
    with pytest.raises(Invalid, match="Closed: This person declared"):
        ask(world, id, one, closed)
    assert world.stored() == before
    with pytest.raises(Forbidden):
        ask(world, id, one, by=world.actor("head"))
    with pytest.raises(Conflict, match="while the inquiry is with the department"):
        ask(world, world.received(), one)


def test_one_comes_from_outside_the_hosts_group(world: World, codes: tuple[str, str]) -> None:
    inner, outer = codes
    host = world.actor("host")
    one, two, three, unset = (world.actor("reviewer", name=name) for name in ("One", "Two", "Three", "Unset"))
    for person, code in ((host, inner), (one, inner), (two, inner), (three, outer)):
        areas(world, person, code)
    id = world.received()
    world.route(id, host)
    found = listed(world, id)
    assert {name: person.inside for name, person in found.items()} == {
        "One": True, "Two": True, "Three": False, "Unset": None,
    }  # fmt: skip
    with pytest.raises(Invalid, match="Choose one from outside") as refused:
        ask(world, id, one, two)
    assert refused.value.field == "all_inside"
    ask(world, id, one)  # the first of two; the second can still come from outside
    with pytest.raises(Invalid, match="Choose one from outside"):
        ask(world, id, two)
    ask(world, id, three)
    other = world.received()
    world.route(other, host)
    ask(world, other, one, two, all_inside=True)
    last = world.received()
    world.route(last, host)
    ask(world, last, one, unset)


def test_what_is_known_of_each(world: World, codes: tuple[str, str]) -> None:
    with time_machine.travel(MONDAY, tick=False) as moment:
        busy, idle, host = (
            world.actor("reviewer", name="Busy"),
            world.actor("reviewer", name="Idle"),
            world.actor("host"),
        )
        areas(world, busy, *codes)
        for days in (2, 4, 9):
            id = world.received()
            world.route(id, host)
            world.route(id, busy, kind="reviewer")
            moment.shift(timedelta(days=days))
            world.do(
                reviews.give_opinion,
                id,
                reviews.Recommendation.ACCEPT,
                because="Good.",
                scores=marks(),
                by=busy,
            )
        waiting = world.received()
        world.route(waiting, host)
        world.route(waiting, busy, kind="reviewer")
        id = world.received(institution_name="Elsewhere", email="a@elsewhere.example")
        world.route(id, host)
        found = listed(world, id)
        one = found["Busy"]
        assert (one.waiting, one.done, one.median_days, set(one.areas)) == (1, 3, 4.0, set(codes))
        assert (found["Idle"].waiting, found["Idle"].done, found["Idle"].median_days) == (0, 0, None)
        assert list(found)[:2] == ["Idle", "Busy"]  # the least loaded first
        assert {person.closed for person in found.values()} == {""}
        moment.shift(timedelta(days=800))
        assert listed(world, id)["Busy"].done == 0
    assert idle.user_id is not None


def test_who_cannot_be_asked_and_who_has_to_be_judged(world: World) -> None:
    both, asked, closed, known = (
        world.actor("host", "reviewer", name="Host"),
        world.actor("reviewer", name="Asked"),
        world.actor("reviewer", name="Closed"),
        world.actor("reviewer", name="Known"),
    )
    id = world.received(email="x@uni.example")
    with unit_of_work():
        world.user(known).email = "y@uni.example"
    world.route(id, both)
    ask(world, id, asked)
    world.route(id, closed, kind="reviewer", declared=False)
    world.declare(id, closed, yes=["work"])
    found = listed(world, id)
    assert {name: one.closed for name, one in found.items() if one.closed} == {
        "Host": "host of this inquiry",
        "Asked": "is asked already",
        "Closed": "declared a conflict of interest",
    }
    assert [one.link.value for one in found["Known"].suspected] == ["domain"]
    with pytest.raises(Invalid) as refused:
        ask(world, id, known, judged=[])
    assert refused.value.field == "judged"
    ask(world, id, known)


def test_nothing_of_closed_inquiries_is_counted(world: World) -> None:
    reviewer, secret = world.actor("reviewer", name="R"), world.received()
    world.route(secret, world.actor("host"))
    world.route(secret, reviewer, kind="reviewer")
    coordinator = world.actor("coordinator", name="Closed out")
    id = world.received()
    world.route(id, world.actor("host"))
    before = next(iter(assigning.reviewers_for(world.get(id), seen_by=coordinator)))
    world.do(triage.declare_conflict, secret, by=coordinator)
    after = next(iter(assigning.reviewers_for(world.get(id), seen_by=coordinator)))
    assert (before.waiting, after.waiting) == (1, 0)


def test_the_page_costs_the_same_for_many(world: World) -> None:
    id = world.received()
    world.route(id)
    coordinator = world.actor("coordinator")
    counts = []
    for more in (1, 15):
        for number in range(more):
            world.actor("reviewer", name=f"R {more} {number}")
        inquiry = world.get(id)
        list(inquiry.assignments)
        with statements(db.engine) as found:
            assigning.reviewers_for(inquiry, seen_by=coordinator)
        counts.append(len(queries(found)))
    assert counts[0] == counts[1] <= 10, counts


def test_areas_are_the_departments(world: World, codes: tuple[str, str]) -> None:
    person, admin = world.actor("reviewer"), world.actor("admin")
    user = world.user(person)
    problem = refusal(accounts.set_areas, user, ["nonsense"], department_id=world.department_id, by=admin)
    assert isinstance(problem, Invalid)
    with unit_of_work():
        accounts.set_areas(world.user(person), codes, department_id=world.department_id, by=admin)
    with unit_of_work():
        accounts.set_areas(world.user(person), codes[:1], department_id=world.department_id, by=admin)
    assert world.user(person).areas_in(world.department_id) == {codes[0]}
    for by in (world.actor("coordinator"), world.actor("head"), person):
        assert refusal(accounts.set_areas, user, [], department_id=world.department_id, by=by) is not None
