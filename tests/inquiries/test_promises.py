"""The partner hears of a delay while the promise still holds: once for each promise, with a date that can be kept."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from collab.core import clock
from collab.departments import working_calendar
from collab.inquiries import clocks, triage
from collab.jobs.inquiries import turn_clocks
from tests.support.world import World

ZONE = "Asia/Shanghai"


def at(text: str) -> Any:
    """Stand at a moment of the department's place."""
    return time_machine.travel(datetime.fromisoformat(f"{text}+08:00"), tick=False)


def told(world: World, id: int) -> list[str]:
    """When the partner was told of a delay, at the department's place."""
    return [
        one.created_at.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M")
        for one in world.mails(id, "partner")
        if one.topic == "M4d"
    ]


def every_quarter(world: World, id: int, first: str, days: int) -> list[str]:
    """The worker runs four times an hour from the morning of a day on."""
    start = datetime.fromisoformat(f"{first}T00:00+08:00")
    for number in range(days * 96):
        with time_machine.travel(start + timedelta(minutes=15 * number), tick=False):
            turn_clocks()
    return told(world, id)


def test_on_the_last_working_day_of_the_promise_before_it_is_broken(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
        promised = clocks.promise(world.get(id), first=True)
        assert promised is not None
        assert clock.local_day(promised, ZONE) == date(2026, 11, 9)
    assert every_quarter(world, id, "2026-11-09", 2) == ["2026-11-09 15:00"]
    with at("2026-11-10T09:00"):
        inquiry = world.get(id)
        anew = inquiry.promised_anew
        assert anew is not None
        assert clock.local_day(anew, ZONE) == date(2026, 11, 16), "five working days from the day we said so"
        (mail,) = [one for one in world.mails(id, "partner") if one.topic == "M4d"]
        assert "Mon 16 Nov 2026" in mail.subject + mail.body_text
        assert clocks.is_late(inquiry, clock.now()), "what was owed is owed"
    # The new promise is one as well.
    assert every_quarter(world, id, "2026-11-16", 1) == ["2026-11-09 15:00", "2026-11-16 15:00"]


@pytest.mark.parametrize("answered", ["2026-11-09T14:59", "2026-11-06T10:00"])
def test_who_is_answered_in_time_hears_of_no_delay(world: World, answered: str) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
    with at(answered):
        world.route(id)
    assert every_quarter(world, id, "2026-11-09", 1) == []


def test_a_last_day_that_is_not_worked_is_looked_after_before(world: World) -> None:
    """Thirty calendar days from Thursday the 5th are Saturday 5 December."""
    with at("2026-11-05T09:00"):
        id = world.received()
        world.route(id, days=60)
        promised = clocks.promise(world.get(id), first=False)
        assert promised is not None
        assert clock.local_day(promised, ZONE) == date(2026, 12, 5)
    assert every_quarter(world, id, "2026-12-04", 3) == ["2026-12-04 15:00"]
    with at("2026-12-07T09:00"):
        anew = world.get(id).promised_anew
        assert anew is not None
        day = clock.local_day(anew, ZONE)
        assert day > date(2026, 12, 5)
        assert working_calendar(world.department).is_working(day)


def test_a_worker_that_slept_tells_once_and_names_a_day_to_come(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
    with at("2026-11-20T11:00"):
        for _ in range(3):
            turn_clocks()
        assert told(world, id) == ["2026-11-20 11:00"]
        anew = world.get(id).promised_anew
        assert anew is not None
        assert clock.local_day(anew, ZONE) == date(2026, 11, 27)


def test_what_is_urgent_is_told_on_its_one_day_and_not_in_the_same_breath(world: World) -> None:
    with at("2026-11-06T17:30"):  # Friday: a working day is Monday
        id = world.received()
        world.do(triage.expedite, id, by=world.actor("coordinator"))
    assert every_quarter(world, id, "2026-11-07", 3) == ["2026-11-09 15:00"]


def test_an_answer_of_the_partners_on_the_last_day_is_not_met_with_a_delay_at_once(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
        world.route(id, days=60)  # the decision is promised for 2 December
    with at("2026-11-30T09:00"):
        world.ask(id)
    with at("2026-12-01T16:00"):
        world.answer(id)
        promised = clocks.promise(world.get(id), first=False)
        assert promised is not None
    last = clock.local_day(promised, ZONE)
    with at(f"{last}T15:30"):
        world.ask(id)
        turn_clocks()
        assert told(world, id) == []
    with at(f"{last}T16:00"):
        world.answer(id)
        turn_clocks()
        assert told(world, id) == []
        assert clocks.promise(world.get(id), first=False) == promised
    with at(f"{last}T19:59"):
        turn_clocks()
        assert told(world, id) == []
    with at(f"{last}T20:00"):
        turn_clocks()
        turn_clocks()
        assert told(world, id) == [f"{last} 20:00"]


def test_while_a_letter_is_held_nobody_is_told_of_a_delay(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
    with at("2026-11-09T14:50"):
        world.decline(id)
    with at("2026-11-09T15:00"):
        turn_clocks()
    with at("2026-11-09T23:00"):
        turn_clocks()
        assert told(world, id) == []
