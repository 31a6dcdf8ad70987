"""What is due when, what time does by itself, and that it does it once."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from collab import inquiries, reviews
from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Conflict
from collab.inquiries import AssignmentKind, Status, clocks, clockwork, triage
from collab.jobs.inquiries import turn_clocks
from tests.support.world import MONDAY, World, undone

ZONE = "Asia/Shanghai"


def at(text: str) -> Any:
    """Stand at a moment of the department's place."""
    return time_machine.travel(datetime.fromisoformat(f"{text}+08:00"), tick=False)


def local(moment: datetime | None) -> str:
    assert moment is not None
    return clock.local_day(moment, ZONE).isoformat()


@pytest.mark.parametrize(
    ("confirmed", "promised"),
    [
        ("2026-11-02T09:00", "2026-11-09"),  # an ordinary week
        ("2026-11-06T23:59", "2026-11-13"),  # Friday, a minute before midnight
        ("2026-11-07T00:01", "2026-11-13"),  # Saturday: Monday is the first day
        ("2026-09-29T10:00", "2026-10-12"),  # over the national holiday; Saturday 10 October is worked
        ("2026-10-01T10:00", "2026-10-13"),  # sent on the holiday itself: 8, 9, 10, 12, 13 October
        ("2026-02-11T10:00", "2026-02-25"),  # 12, 13, Saturday 14 worked, Spring Festival, 24, 25
        ("2026-02-26T10:00", "2026-03-04"),  # Friday 27, Saturday 28 worked, 2, 3, 4 March
        ("2025-12-31T10:00", "2026-01-08"),  # New Year; Sunday 4 January is worked
        ("2028-02-28T10:00", "2028-03-06"),  # a leap day counts
    ],
)
def test_the_first_answer_is_due_in_five_working_days(world: World, confirmed: str, promised: str) -> None:
    with at(confirmed):
        inquiry = world.get(world.received())
        assert local(inquiry.first_answer_due) == local(inquiry.due_at) == promised
        assert inquiry.due_at is not None
        assert (
            inquiry.due_at.astimezone(UTC).strftime("%H:%M:%S") == "15:59:59"
        )  # all of that day, in Chengdu
        assert clocks.promised_answer(inquiry) == date.fromisoformat(promised)
        assert not clocks.is_late(inquiry, inquiry.due_at)
        assert clocks.is_late(inquiry, inquiry.due_at + timedelta(seconds=1))


@pytest.mark.parametrize(("track", "days"), [("cooperation", 30), ("visit", 30), ("training", 42)])
def test_a_decision_is_promised_in_calendar_days(world: World, track: str, days: int) -> None:
    with at("2026-11-02T09:00"):
        inquiry = world.get(world.received(track))
        assert local(inquiry.decision_due) == (date(2026, 11, 2) + timedelta(days=days)).isoformat()


@pytest.mark.one_database
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "Europe/Berlin"])
def test_the_machines_own_zone_changes_nothing(world: World, monkeypatch: Any, zone: str) -> None:
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with at("2026-11-06T23:59"):
            inquiry = world.get(world.received())
            assert local(inquiry.first_answer_due) == "2026-11-13"
            assert local(inquiry.submitted_at) == "2026-11-06"
            assert inquiry.reference.startswith(f"{world.department.code}-2026-")
        with at("2027-01-01T00:30"):  # still 2026 in UTC
            assert world.get(world.received()).reference.startswith(f"{world.department.code}-2027-0001")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_clock_stands_still_while_the_partner_is_asked(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
        world.route(id, days=14)
    with at("2026-11-04T09:00"):
        world.ask(id, days=30)
        inquiry = world.get(id)
        assert local(inquiry.due_at) == "2026-12-04"
        assert local(inquiry.decision_due) == "2026-12-02"
    with at("2026-12-03T09:00"):  # the promised day has passed, but it is the partner's turn
        inquiry = world.get(id)
        assert not clocks.is_late(inquiry, clock.now())
        assert clockwork.promises_broken() == clockwork.overdue() == []
    with at("2026-11-14T09:00"):
        world.answer(id)
        inquiry = world.get(id)
        assert (inquiry.status, inquiry.paused_at) == (Status.IN_REVIEW, None)
        assert local(inquiry.decision_due) == "2026-12-12"  # ten days were the partner's
        assert inquiry.assignments[0].due_on == date(2026, 11, 26)  # the host's ten days, too
        assert local(inquiry.due_at) == "2026-11-26"


def test_asking_is_the_first_answer_and_acknowledging_is_not(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
        assert world.get(id).first_answer_at is None
    with at("2026-11-03T09:00"):
        world.do(inquiries.note, id, "Looks good.", by=world.actor("coordinator"))
        assert world.get(id).first_answer_at is None
    with at("2026-11-04T09:00"):
        world.ask(id)
    with at("2026-11-05T09:00"):
        world.answer(id)
        world.ask(id)
        first = world.get(id).first_answer_at
        assert first is not None
        assert local(first) == "2026-11-04"


def turned(days: range, start: datetime = MONDAY, again: int = 2) -> None:
    """The worker's rounds once a day, each of them twice."""
    for day in days:
        with time_machine.travel(start + timedelta(days=day, minutes=1 + day), tick=False):
            for _ in range(again):
                turn_clocks()


def test_reminders_on_days_7_14_21_and_closing_after_30(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
        world.ask(id, days=30)
    seen = {}
    for day in range(1, 33):
        turned(range(day, day + 1))
        seen[day] = world.topics(id)[3:]
    expected = [(7, "M3r1"), (14, "M3r2"), (21, "M3r3"), (31, "M11")]
    assert {day: topics for day, topics in seen.items() if topics != seen.get(day - 1, [])} == {
        day: [topic for at_day, topic in expected if at_day <= day] for day, _topic in expected
    }
    inquiry = world.get(id)
    assert (inquiry.status, inquiry.due_at, inquiry.paused_at) == (Status.LAPSED, None, None)
    assert world.kinds(id).count("reminded") == 3


def test_a_worker_that_slept_reminds_once(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
        world.ask(id, days=30)
    turned(range(23, 24))
    assert world.topics(id)[3:] == ["M3r3"]


@pytest.mark.parametrize(("days", "opens"), [(89, True), (91, False)])
def test_a_late_answer_opens_a_closed_one_for_90_days(world: World, days: int, opens: bool) -> None:
    """Also when the question was asked in review."""
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
        world.route(id)
        world.ask(id, days=10)
    turned(range(11, 12))
    assert world.get(id).status is Status.LAPSED
    with time_machine.travel(MONDAY + timedelta(days=11 + days), tick=False):
        if opens:
            world.answer(id)
            assert world.get(id).status is Status.RECEIVED
            assert world.get(id).due_at is not None
            assert world.topics(id)[-1] == "M2b"
        else:
            with pytest.raises(Conflict, match="too long ago"):
                world.answer(id)


def test_the_waiting_list_is_asked_every_60_days_and_closed_without_an_answer(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
        world.ask(id, days=60)
    turned(range(8, 9))  # a reminder of long ago must not count against the partner
    with time_machine.travel(MONDAY + timedelta(days=9), tick=False):
        world.answer(id)
        world.route(id)
        world.host_says(id)
        world.ready(id)
        world.decide(id, "waitlist")
    listed = MONDAY + timedelta(days=9)
    turned(range(1, 61), listed, again=1)
    assert world.topics(id)[-1] == "M7"
    turned(range(61, 63), listed)
    assert world.topics(id)[-2:] == ["M7", "M12"]
    with time_machine.travel(listed + timedelta(days=63), tick=False):
        with unit_of_work():
            inquiries.conversation.still_interested(world.get(id), by=world.visitor)
        assert local(world.get(id).due_at) == local(listed + timedelta(days=123))
    turned(range(122, 126), listed)
    assert world.topics(id)[-3:] == ["M7", "M12", "M12"]
    turned(range(136, 141), listed)
    assert world.topics(id)[-3:] == ["M12", "M12", "M11"]
    assert world.get(id).status is Status.LAPSED


def test_a_free_place_after_months_is_no_broken_promise(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.at("waitlisted")
    later = MONDAY + timedelta(days=50)
    with time_machine.travel(later, tick=False):
        world.do(reviews.place_free, id, by=world.actor("coordinator"))
        turn_clocks()
        inquiry = world.get(id)
        assert world.topics(id)[-1] == "M12"
        assert inquiry.decision_due == inquiry.due_at
        assert inquiry.due_at is not None
        assert inquiry.due_at > later


def test_missed_conditions_close_it_after_the_time_for_an_offer(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.at("conditional")  # due in 30 days
        kept = world.at("conditional")
        (condition,) = reviews.conditions_of(world.get(kept))
        with unit_of_work():
            reviews.settle(
                condition, world.get(kept), reviews.ConditionState.MET, by=world.actor("coordinator")
            )
    turned(range(31, 45))
    assert world.get(id).status is Status.CONDITIONAL
    turned(range(45, 47))
    assert world.get(id).status is Status.LAPSED
    assert world.topics(id).count("M11") == 1
    assert world.get(kept).status is Status.CONDITIONAL


def test_late_rises_at_once_and_the_head_is_told_on_the_next_working_day(world: World) -> None:
    with at("2026-11-06T09:00"):  # Friday: due on Friday the 13th
        id = world.received()
        coordinator, head = world.actor("coordinator"), world.actor("head")
    with at("2026-11-13T23:59:59"):
        turn_clocks()
        assert world.get(id).urgency == clocks.NORMAL
    for moment in ("2026-11-14T00:01", "2026-11-15T12:00"):  # the weekend
        with at(moment):
            turn_clocks()
            assert world.get(id).urgency == clocks.LATE
            assert "S3" not in world.topics(id, "staff")
    with at("2026-11-16T00:01"):
        turn_clocks()
        turn_clocks()
        told = [one.to_address for one in world.mails(id, "staff") if one.topic == "S3"]
        assert sorted(told) == sorted([world.user(coordinator).email, world.user(head).email])
        assert world.kinds(id).count("escalated") == 1
        world.route(id)
        assert world.get(id).urgency == clocks.NORMAL
    with at("2026-12-14T00:01"):  # late a second time, at another step: told a second time
        turn_clocks()
        assert world.kinds(id).count("escalated") == 2


def test_the_partner_is_told_of_a_delay_before_asking(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
    with at("2026-11-10T00:01"):
        turn_clocks()
        turn_clocks()
        late = [one for one in world.mails(id) if one.topic == "M4d"]
        assert [one.subject for one in late] == [
            f"{world.get(id).reference}: we are late - new date Tue 17 Nov 2026"
        ]
        inquiry = world.get(id)
        assert local(inquiry.first_answer_due) == "2026-11-17"  # five more working days
        assert clocks.is_late(inquiry, clock.now()), "telling of a delay does not end it"
    with at("2026-11-18T00:01"):  # the new date passes, too
        turn_clocks()
        assert world.topics(id).count("M4d") == 2


def test_a_patients_request_goes_first(world: World) -> None:
    with at("2026-11-06T17:00"):
        id = world.received()
        world.do(triage.expedite, id, by=world.actor("coordinator"))
        inquiry = world.get(id)
        assert (inquiry.urgency, local(inquiry.due_at)) == (clocks.URGENT, "2026-11-09")
    with at("2026-11-10T00:01"):
        turn_clocks()
        assert world.get(id).urgency == clocks.URGENT


def test_hosts_are_reminded_before_on_and_after_the_day_once_each(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
        world.route(id, days=10)
        soon = world.received()
        world.route(soon, world.actor("host", name="Soon"), days=1)
        turn_clocks()
        assert "S2" not in world.topics(soon, "staff"), "not in the minute of the assignment"
    days = []
    for day in range(1, 14):
        before = world.topics(id, "staff").count("S2")
        turned(range(day, day + 1))
        days += [day] * (world.topics(id, "staff").count("S2") - before)
    assert days == [7, 10, 13]
    world.host_says(id)
    turned(range(16, 18))
    assert world.topics(id, "staff").count("S2") == 3


@pytest.mark.parametrize(
    ("name", "prepare"),
    [
        ("questions", lambda world: world.at("needs_info")),
        ("waiting_list", lambda world: world.at("waitlisted")),
        ("promises", lambda world: world.at("received")),
        ("overdue", lambda world: world.at("received")),
        ("assignments", lambda world: routed(world)),
        ("conditions", lambda world: world.at("conditional")),
    ],
)
def test_each_round_run_twice_does_it_once(world: World, name: str, prepare: Callable[[World], int]) -> None:
    """Two workers, or one that was killed after the commit."""
    rounds = {entry[0]: entry[1:] for entry in clockwork.ROUNDS}
    rounds["conditions"] = (reviews.conditions_overdue, reviews.lapse_conditional)
    due, verb = rounds[name]
    with time_machine.travel(MONDAY, tick=False):
        prepare(world)
        world.actor("head"), world.actor("coordinator")
    with time_machine.travel(MONDAY + timedelta(days=65), tick=False):
        (row,) = due()
        before = world.stored()
        with unit_of_work():
            verb(row)
        once = world.stored()
        assert once != before
        with unit_of_work():
            verb(row)
        # The row itself may be touched; nothing is told and nothing sent a second time.
        assert world.stored() == once


def routed(world: World) -> int:
    id = world.received()
    world.route(id, days=20)
    return id


def test_a_round_that_comes_too_early_or_too_late_does_nothing(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        ids = [
            world.at(status) for status in ("needs_info", "waitlisted", "received", "conditional", "accepted")
        ]
        before = world.stored()
        for verb in (
            clockwork.remind_or_lapse,
            clockwork.refresh_or_lapse,
            clockwork.mark_late_and_escalate,
            clockwork.tell_late,
            reviews.lapse_conditional,
        ):
            for id in ids:
                with unit_of_work():
                    verb(id)
        assert world.stored() == before


def test_suggested_dates(world: World) -> None:
    with at("2026-09-29T10:00"):
        inquiry = world.get(world.received())
        now = clock.now()
        # 30 September, 8, 9, 10 (a worked Saturday), 12, 13, 14, 15, 16, 19 October.
        assert clocks.suggested_due(inquiry, AssignmentKind.HOST, now) == date(2026, 10, 19)
        assert clocks.suggested_answer_date(inquiry, now) == date(2026, 10, 29)


def test_nothing_open_is_without_a_date(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        for status in ("received", "needs_info", "in_review", "decision_ready", "waitlisted", "conditional"):
            assert world.get(world.at(status)).due_at is not None, status
        for status in ("accepted", "referred", "declined", "withdrawn", "lapsed", "void"):
            assert world.get(world.at(status)).due_at is None, status


def test_every_mail_of_the_clockwork_is_in_the_same_transaction(world: World) -> None:
    """What is rolled back sends nothing."""
    with time_machine.travel(MONDAY, tick=False):
        id = world.at("needs_info")
    with time_machine.travel(MONDAY + timedelta(days=40), tick=False):
        before = world.stored()
        with undone():
            clockwork.remind_or_lapse(id)
            assert world.topics(id)[-1] == "M11"
        assert world.get(id).status is Status.NEEDS_INFO
        assert world.stored() == before
