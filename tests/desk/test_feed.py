"""A person's calendar: whole days, neutral words, steady names; read with the library that others read it with."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from icalendar import Calendar

from collab.accounts import Actor
from collab.core.db import db, unit_of_work
from collab.desk import feed
from collab.inquiries import triage
from tests.support.world import World


def at(text: str) -> Any:
    """Stand at a moment of the department's place."""
    return time_machine.travel(datetime.fromisoformat(f"{text}+08:00"), tick=False)


def events(world: World, who: Actor) -> list[dict[str, Any]]:
    calendar = Calendar.from_ical(feed.calendar_of(world.user(who)))
    assert (calendar["version"], calendar["method"]) == ("2.0", "PUBLISH")
    assert [one.name for one in calendar.subcomponents] == ["VEVENT"] * len(calendar.subcomponents), (
        "no alarms"
    )
    return [
        {
            "uid": str(one["uid"]),
            "summary": str(one["summary"]),
            "days": (one.decoded("dtstart"), one.decoded("dtend")),
            "sequence": one.decoded("sequence"),
            "changed": one.decoded("last-modified"),
        }
        for one in calendar.subcomponents
    ]


def test_it_says_reference_what_and_the_day_at_the_departments_place(world: World) -> None:
    with at("2026-11-02T09:00"):
        host = world.actor("host")
        id = world.received(title="The wicken proposal", full_name="Wicken Weatherwax")
        world.route(id, host, days=14)
        (one,) = events(world, host)
        reference = world.get(id).reference
        assert one["summary"] == f"{reference} host's answer due"
        assert one["days"] == (date(2026, 11, 16), date(2026, 11, 17))
        text = feed.calendar_of(world.user(host)).decode()
        assert "icken" not in text
        assert "eatherwax" not in text
        assert world.user(host).name not in text
        assert "VALARM" not in text
        assert "DTSTART;VALUE=DATE:20261116" in text
        assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_a_moved_date_keeps_its_name_and_says_that_it_changed(world: World) -> None:
    with at("2026-11-02T09:00"):
        host = world.actor("host")
        id = world.received()
        world.route(id, host, days=14)
        (before,) = events(world, host)
        same = feed.calendar_of(world.user(host))
    with at("2026-11-02T23:00"):
        db.session.rollback()
        assert feed.calendar_of(world.user(host)) == same, "nothing changed, nothing is different"
    with at("2026-11-04T09:00"):
        world.ask(id)
        assert events(world, host) == []  # the clock stands still: it is the partner's turn
    with at("2026-11-11T09:00"):
        world.answer(id)
        (after,) = events(world, host)
        assert after["uid"] == before["uid"]
        assert after["days"][0] > before["days"][0]
        assert after["sequence"] > before["sequence"]
        assert after["changed"] > before["changed"]


def test_what_is_done_released_or_closed_vanishes(world: World) -> None:
    with at("2026-11-02T09:00"):
        host, coordinator = world.actor("host"), world.actor("coordinator")
        done, released, closed, stays = (world.received() for _ in range(4))
        for id in (done, released, closed, stays):
            world.route(id, host)
        assert len({one["uid"] for one in events(world, host)}) == 4
        world.host_says(done, host=host)
        (assignment,) = world.get(released).assignments
        world.do(triage.release, released, assignment, by=coordinator)
        world.do(triage.declare_conflict, closed, by=host)
        assert [one["summary"].split()[0] for one in events(world, host)] == [world.get(stays).reference]


def test_what_is_asked_stands_in_it_before_the_interests_are_declared_under_the_same_name(
    world: World,
) -> None:
    with at("2026-11-02T09:00"):
        reviewer = world.actor("reviewer")
        id = world.received()
        world.route(id)
        world.route(id, reviewer, kind="reviewer", declared=False)
        (before,) = events(world, reviewer)
        assert before["summary"] == f"{world.get(id).reference} review due"
        world.declare(id, reviewer)
        (after,) = events(world, reviewer)
        assert (after["uid"], after["days"]) == (before["uid"], before["days"])


@pytest.mark.parametrize(("locale", "words"), [("en", "decision due"), ("zh", "审核结果到期")])
def test_each_reads_it_in_the_own_language(world: World, locale: str, words: str) -> None:
    with at("2026-11-02T09:00"):
        head = world.actor("head", locale=locale)
        id = world.at("decision_ready")
        assert [one["summary"] for one in events(world, head)] == [f"{world.get(id).reference} {words}"]


def test_what_others_owe_is_not_in_it(world: World) -> None:
    with at("2026-11-02T09:00"):
        coordinator, other = world.actor("coordinator"), world.actor("coordinator", name="Other")
        id = world.received()
        world.do(triage.own, id, world.user(other), by=other)
        assert events(world, coordinator) == []
        assert {one["summary"].split(maxsplit=1)[1] for one in events(world, other)} == {
            "to read and route",
            "first answer due",
            "answer in all due",
        }


def test_who_lost_the_role_or_the_department_has_an_empty_calendar(world: World) -> None:
    with at("2026-11-02T09:00"):
        host = world.actor("host")
        world.route(world.received(), host)
        with unit_of_work():
            world.user(host).memberships = []
        assert events(world, host) == []


def test_the_day_is_the_same_wherever_the_machine_stands(world: World, monkeypatch: Any) -> None:
    import time

    with at("2026-11-02T09:00"):
        host = world.actor("host")
        world.route(world.received(), host, days=14)
        days = set()
        for zone in ("America/Los_Angeles", "Pacific/Kiritimati"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            days.add(events(world, host)[0]["days"])
        monkeypatch.undo()
        time.tzset()
        assert days == {(date(2026, 11, 16), date(2026, 11, 16) + timedelta(days=1))}
