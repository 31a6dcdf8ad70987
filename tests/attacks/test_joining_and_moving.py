"""A01, A08, A10, A29, A57, A62 on what joins, moves and points out: second objects, hostile texts, twenty at once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from collab.core.db import db, unit_of_work
from collab.core.errors import Refused
from collab.departments import Department, Track
from collab.inquiries import Inquiry, Status, joining, likeness, moving, signals
from collab.inquiries.models import Joining, Transfer
from collab.inquiries.signals import Signal
from tests.support.client import Client
from tests.support.crowd import at_once
from tests.support.people import Staff
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import World, other_department

HOSTILE = (
    '"><script>alert(1)</script><img src=x onerror=alert(2)> my mother has cancer, please help {{ 7*7 }} ' * 2
)


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def address(world: World, id: int) -> str:
    return f"/staff/inquiries/{world.get(id).reference}"


def test_a57_twenty_join_the_same_two(app: Flask, world: World) -> None:
    first, second = world.received(email="same@example.org"), world.received(email="same@example.org")
    by = world.actor("coordinator")
    db.session.rollback()
    results = at_once(app, [lambda: joining.join(world.get(second), into=world.get(first), by=by)] * 20)
    assert all(one is None or isinstance(one, Refused) for one in results), results
    assert db.session.query(Joining).count() == 1
    assert world.kinds(first).count("merged_here") == 1
    assert world.topics(second).count("M10") == 1
    results = at_once(app, [lambda: joining.part(world.get(second), by=by)] * 20)
    assert sum(not isinstance(one, Exception) for one in results) == 1, results
    assert world.kinds(first).count("parted_here") == 1
    assert world.get(second).status is Status.RECEIVED
    assert world.counts() == world.real_counts()


def test_a57_twenty_agree_and_twenty_move(app: Flask, world: World, tmp_path: Path) -> None:
    there = World(other_department(tmp_path / "another"))
    id, by = world.received(), world.actor("coordinator")
    with unit_of_work():
        moving.record_consent(
            world.get(id), to=there.department, track=Track.COOPERATION, area="unsure", with_file=False,
            on=world.today, how="In a letter.", by=by,
        )  # fmt: skip
    db.session.rollback()
    results = at_once(app, [lambda: moving.carry_out(world.get(id), by=by)] * 20)
    assert sum(not isinstance(one, Exception) for one in results) == 1, results
    assert there.real_counts() == there.counts() == {"received": 1}
    assert world.counts() == world.real_counts() == {"referred": 1}
    assert db.session.query(Transfer).count() == 1


def test_a57_joined_and_moved_at_once_only_one_happens(app: Flask, world: World) -> None:
    first, second = world.received(email="same@example.org"), world.received(email="same@example.org")
    by = world.actor("coordinator")
    db.session.rollback()

    def record() -> None:
        moving.record_consent(
            world.get(second), to=world.department, track=Track.VISIT, area="unsure", with_file=False,
            on=world.today, how="Said.", by=by,
        )  # fmt: skip

    results = at_once(app, [lambda: joining.join(world.get(second), into=world.get(first), by=by), record])
    assert sum(isinstance(one, Refused) for one in results) == 1, results
    joined = world.get(second).merged_into_id == first
    assert (moving.standing_of(world.get(second)) is None) is joined


def test_a08_joined_by_address_only_what_this_person_may_see(
    world: World, staff: Callable[..., Staff], tmp_path: Path
) -> None:
    there = World(other_department(tmp_path / "another"))
    mine, theirs = world.received(email="same@example.org"), there.received(email="same@example.org")
    coordinator = staff("coordinator")
    unseen = coordinator.get(f"{address(world, mine)}/join?with={there.get(theirs).reference}")
    none = coordinator.get(f"{address(world, mine)}/join?with=OTHER-2026-9999")
    assert unseen.status_code == none.status_code == 422
    assert there.get(theirs).reference not in unseen.text.replace(
        f'value="{there.get(theirs).reference}"', ""
    ).replace(f"with={there.get(theirs).reference}", "")
    assert there.get(theirs).title not in coordinator.get(address(world, mine)).text or (
        there.get(theirs).title == world.get(mine).title
    )
    assert there.get(theirs).reference not in coordinator.get(address(world, mine)).text


def test_a10_only_coordinators_join_part_judge_and_move(world: World, staff: Callable[..., Staff]) -> None:
    first = world.received(email="same@example.org")
    second = world.received(email="same@example.org", summary=HOSTILE)
    for role in ("head", "host", "reviewer", "admin"):
        person = staff(role)
        for page in (
            f"join?with={world.get(first).reference}",
            "unjoin",
            "move",
            "move?to=nuclear-medicine.visit",
        ):
            assert person.get(f"{address(world, second)}/{page}").status_code in {403, 404}, (role, page)
        refused = person.post(f"{address(world, second)}/signals/patient_request", data={})
        assert refused.status_code in {400, 403, 404}, role
    assert signals.standing(world.get(second).signals) == [Signal.PATIENT_REQUEST]
    assert world.get(second).status is Status.RECEIVED


def test_a01_the_partner_of_another_inquiry_agrees_to_nothing(
    world: World, partner: Callable[..., Client]
) -> None:
    id, stranger = world.received(), world.received()
    by = world.actor("coordinator")
    world.do(
        moving.ask_consent, id, to=world.department, track=Track.VISIT, area="unsure", with_file=False,
        letter="May we?", answer_by=world.today + timedelta(days=9), by=by,
    )  # fmt: skip
    theirs = partner(world.get(stranger))
    assert theirs.get(f"/en/my/{world.get(id).reference}/moving").status_code == 404
    assert theirs.get(f"/en/my/{world.get(stranger).reference}/moving").status_code == 303
    assert moving.standing_of(world.get(id)).state == "asked"  # type: ignore[union-attr]
    mine = partner(world.get(id))
    mine.get(f"/en/my/{world.get(id).reference}/moving")  # looking agrees to nothing
    assert moving.standing_of(world.get(id)).state == "asked"  # type: ignore[union-attr]


def test_a29_hostile_words_are_shown_as_words(world: World, staff: Callable[..., Staff]) -> None:
    first = world.received(
        email="same@example.org", title=HOSTILE[:100], summary=HOSTILE, full_name="<b>X</b> Y"
    )
    second = world.received(
        email="same@example.org", title=HOSTILE[:100], summary=HOSTILE, full_name="<b>X</b> Y"
    )
    coordinator = staff("coordinator")
    pages = [
        "",
        f"/join?with={world.get(first).reference}",
        "/join",
        "/move",
        "/move?to=nuclear-medicine.visit",
        "/route",
    ]
    for page in pages:
        text = coordinator.get(
            address(world, second) + page
        ).text  # strict parse, nothing inline: checked by the client
        assert "<script>alert" not in text
        assert "onerror=alert(2)>" not in text.replace("&gt;", "")
        assert "49" not in text.partition("<main")[2].partition("Letters, notes")[0] or "7*7" in text


def test_a62_hints_name_nobody_to_those_who_may_not_see(world: World) -> None:
    mine = world.received(email="same@example.org")
    world.received(email="same@example.org", full_name="Secret Person")
    host = world.actor("host")
    world.route(mine, host)
    assert likeness.hits(world.get(mine), seen_by=host) == []
    assert likeness.hits(world.get(mine), seen_by=world.actor("viewer")) == []


def test_the_page_costs_the_same_with_three_and_with_thirty_alike(
    world: World, staff: Callable[..., Staff]
) -> None:
    coordinator = staff("coordinator")
    id = world.received(full_name="Erika Mustermann")
    here = address(world, id)

    def cost() -> int:
        coordinator.get(here)
        with statements(db.engine) as found:
            assert coordinator.get(here).status_code == 200
        return len(asked(found))

    few = cost()
    for _number in range(12):
        world.received(full_name="Erika Mustermann")
    assert cost() == few
    assert few <= 15, few
    assert db.session.query(Inquiry).count() == 13
