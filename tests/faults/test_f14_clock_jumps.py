"""F14: the clock jumps by an hour, either way: nobody is locked out, nothing is skipped, nothing is sent twice."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from collab import inquiries, reviews
from collab.core.db import unit_of_work
from collab.core.errors import Conflict
from collab.inquiries import Status, links
from collab.inquiries.models import LinkKind
from collab.jobs.inquiries import turn_clocks
from tests.support.world import MONDAY, World

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_reminders_once_whatever_the_clock_does(world: World, jump: timedelta) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.at("needs_info")
    for day in (7, 14):
        for moment in (
            MONDAY + timedelta(days=day, minutes=1),
            MONDAY + timedelta(days=day, minutes=1) + jump,
        ):
            with time_machine.travel(moment, tick=False):
                turn_clocks()
    assert world.topics(id)[3:] == ["M3r1", "M3r2"]


def test_a_hold_ends_when_the_clock_was_set_back_in_between(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.at("decision_ready")
        world.decide(id, "accept")
    with time_machine.travel(MONDAY - HOUR, tick=False):  # still held, and can be taken back
        assert inquiries.rules.shown_status(world.get(id), now=datetime.now(UTC)) is Status.DECISION_READY
    with time_machine.travel(MONDAY + timedelta(minutes=15), tick=False), pytest.raises(Conflict):
        world.do(reviews.take_back, id, by=world.actor("head"))


def test_links_and_sessions_live_as_long_as_they_say(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
        reference, private = world.get(id).reference, world.secret(id, "M2")
        with unit_of_work():
            session = links.open_session(world.get(id), minutes=60)
    for jump, alive in ((-HOUR, True), (HOUR, False), (timedelta(minutes=59), True)):
        with time_machine.travel(MONDAY + jump, tick=False):
            assert (links.session_of(session, reference) is not None) == alive
            assert links.find(LinkKind.PRIVATE, private) is not None
    with time_machine.travel(MONDAY + timedelta(days=120), tick=False):
        assert links.find(LinkKind.PRIVATE, private) is None


@pytest.mark.parametrize(
    "moment", ["2028-02-29T23:59:59+08:00", "2038-01-19T03:14:08+00:00", "2027-12-31T23:59:59+08:00"]
)
def test_a_whole_way_at_an_odd_moment(world: World, moment: str) -> None:
    with time_machine.travel(datetime.fromisoformat(moment), tick=False):
        id = world.at("conditional")
        turn_clocks()
        inquiry = world.get(id)
        assert inquiry.status is Status.CONDITIONAL
        assert inquiry.due_at is not None
        assert timedelta(days=29) < inquiry.due_at - datetime.now(UTC) < timedelta(days=32)
