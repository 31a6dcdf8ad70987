"""What is due when, what time does by itself, and that it does it once."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from collab import inquiries, reviews
from collab.accounts import Role
from collab.core import clock
from collab.core.db import unit_of_work
from collab.core.errors import Conflict, Refused
from collab.inquiries import AssignmentKind, Status, clocks, clockwork, deadlines, partner, queries, triage
from collab.inquiries.deadlines import What
from collab.inquiries.view import QueueView
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
    ("confirmed", "read", "promised"),
    [
        ("2026-11-02T09:00", "2026-11-05", "2026-11-09"),  # an ordinary week
        ("2026-11-06T23:59", "2026-11-11", "2026-11-13"),  # Friday, a minute before midnight
        ("2026-11-07T00:01", "2026-11-11", "2026-11-13"),  # Saturday: Monday is the first day
        (
            "2026-09-29T10:00",
            "2026-10-09",
            "2026-10-12",
        ),  # the national holiday; Saturday 10 October is worked
        (
            "2026-10-01T10:00",
            "2026-10-10",
            "2026-10-13",
        ),  # sent on the holiday itself: 8, 9, 10, 12, 13 October
        (
            "2026-02-11T10:00",
            "2026-02-14",
            "2026-02-25",
        ),  # 12, 13, Saturday 14 worked, Spring Festival, 24, 25
        ("2026-02-26T10:00", "2026-03-02", "2026-03-04"),  # Friday 27, Saturday 28 worked, 2, 3, 4 March
        ("2025-12-31T10:00", "2026-01-06", "2026-01-08"),  # New Year; Sunday 4 January is worked
        ("2028-02-28T10:00", "2028-03-02", "2028-03-06"),  # a leap day counts
    ],
)
def test_triage_takes_three_and_the_first_answer_five_working_days(
    world: World, confirmed: str, read: str, promised: str
) -> None:
    with at(confirmed):
        inquiry = world.get(world.received())
        assert local(inquiry.first_answer_due) == promised
        assert local(inquiry.due_at) == read  # the earliest of what is due
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
        assert [one.what for one in deadlines.due_dates(inquiry)] == [What.PARTNER_ANSWER]
        turn_clocks()
        assert "M4d" not in world.topics(id)
    with at("2026-11-14T09:00"):
        world.answer(id)
        inquiry = world.get(id)
        assert (inquiry.status, inquiry.paused_at) == (Status.IN_REVIEW, None)
        assert local(inquiry.decision_due) == "2026-12-12"  # ten days were the partner's
        # The host had 5, 6, 9, 10, 11, 12, 13, 16 November; asked again from Saturday on: 16 to 20, 23, 24, 25.
        assert inquiry.assignments[0].due_on == date(2026, 11, 25)
        assert local(inquiry.due_at) == "2026-11-25"


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
    turned(range(126, 141), listed)
    assert world.topics(id)[-5:] == ["M12", "M12", "M12r1", "M12r2", "M11"]
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


def test_late_rises_at_once_and_the_head_is_told_on_the_days_of_the_table(world: World) -> None:
    with at("2026-11-06T09:00"):  # Friday: to be read by Wednesday the 11th, answered by Friday the 13th
        id = world.received()
        coordinator, head = world.actor("coordinator"), world.actor("head")
    both = sorted([world.user(coordinator).email, world.user(head).email])
    told: dict[str, list[str]] = {}
    for moment in (
        "2026-11-10T23:59:59",
        "2026-11-11T00:01",  # the third day begins: triage is due soon
        "2026-11-11T23:59:59",
        "2026-11-12T00:01",  # late; the fourth day begins, the first answer is due soon
        "2026-11-13T00:01",  # the fifth day: triage is escalated
        "2026-11-14T00:01",  # the weekend
        "2026-11-15T12:00",
        "2026-11-16T00:01",  # the sixth day: the first answer is escalated
    ):
        before = len(world.told(id))
        with at(moment):
            turn_clocks()
            turn_clocks()
            late = moment > "2026-11-12"
            assert world.get(id).urgency == (clocks.LATE if late else clocks.NORMAL), moment
        told[moment] = sorted(one for one in world.told(id)[before:] if one.startswith("S"))
    assert {moment: mails for moment, mails in told.items() if mails} == {
        "2026-11-11T00:01": [f"S2 {world.user(coordinator).email}"],
        "2026-11-12T00:01": [f"S2 {world.user(coordinator).email}"],
        "2026-11-13T00:01": [f"S3 {one}" for one in both],
        "2026-11-16T00:01": [f"S3 {one}" for one in both],
    }
    assert world.kinds(id).count("escalated") == 2
    with at("2026-11-16T10:00"):
        world.route(id)
        assert world.get(id).urgency == clocks.NORMAL


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
        assert local(inquiry.promised_anew) == "2026-11-17"  # five more working days
        assert local(inquiry.first_answer_due) == "2026-11-09"  # what was owed stays what was owed
        assert "17 Nov 2026" in partner.standing(inquiry, "en", now=clock.now()).sentence
        assert clocks.is_late(inquiry, clock.now()), "telling of a delay does not end it"
    with at("2026-11-18T00:01"):  # the new date passes, too
        turn_clocks()
        assert world.topics(id).count("M4d") == 2


@pytest.mark.parametrize(
    ("track", "warned", "late"),
    [("cooperation", "2026-11-27", "2026-12-03"), ("training", "2026-12-07", "2026-12-15")],
)
def test_the_promise_in_all_warns_and_tells_the_partner(
    world: World, track: str, warned: str, late: str
) -> None:
    """25 and 30 calendar days after 2 November, 35 and 42 in training."""
    with at("2026-11-02T09:00"):
        id = world.received(track)
        world.route(id, days=100)
    seen = days_of(world, id, "2026-11-03", "2026-12-16")
    assert [day for day, topics in seen.items() if "S2" in topics] == [warned]
    assert [day for day, topics in seen.items() if "M4d" in topics] == [late]


def days_of(world: World, id: int, first: str, last: str) -> dict[str, list[str]]:
    """The topics of all mails that each day brings, when the worker runs at its first minute, twice."""
    seen = {}
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        before = len(world.told(id))
        with at(f"{day}T00:01"):
            turn_clocks()
            turn_clocks()
        topics = [one.split()[0] for one in world.told(id)[before:]]
        if topics:
            seen[day.isoformat()] = topics
        day += timedelta(days=1)
    return seen


def test_a_patients_request_goes_first(world: World) -> None:
    with at("2026-11-06T17:00"):
        id = world.received()
        world.do(triage.expedite, id, by=world.actor("coordinator"))
        inquiry = world.get(id)
        assert (inquiry.urgency, local(inquiry.due_at)) == (clocks.URGENT, "2026-11-09")
    with at("2026-11-10T00:01"):
        turn_clocks()
        assert world.get(id).urgency == clocks.URGENT


def test_a_host_is_warned_on_the_seventh_and_replaced_after_the_tenth_working_day(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
        world.route(id, days=14)  # Monday the 16th is the tenth working day
        soon = world.received()
        world.route(soon, world.actor("host", name="Soon"), days=1)
        turn_clocks()
        assert "S2" not in world.topics(soon, "staff"), "not in the minute of the assignment"
    mails = len(world.mails(id))
    # Wednesday the 11th is the seventh; the tenth has passed when Tuesday the 17th begins.
    assert days_of(world, id, "2026-11-03", "2026-11-24") == {"2026-11-11": ["S2"], "2026-11-17": ["S3"]}
    warned, asked = (one for one in world.mails(id)[mails:] if "/staff/gates" not in one.body_text)
    assert warned.to_address == world.user(world.actor("host")).email
    assert asked.to_address == world.user(world.actor("coordinator")).email
    assert "find another host" in asked.body_text
    (assignment,) = world.get(id).assignments
    assert assignment.late_at is not None
    assert world.kinds(id).count("no_answer") == 1
    with at("2026-11-24T09:00"):
        world.host_says(id)  # late, and welcome
    assert days_of(world, id, "2026-11-25", "2026-11-26") == {}


def test_a_reviewer_is_reminded_three_times_and_replaced_at_the_thirteenth_working_day(world: World) -> None:
    with at(
        "2026-09-21T09:00"
    ):  # Monday; 25 September and 1 to 7 October are free, 20 September, 10 October worked
        id = world.received()
        world.route(id, world.actor("reviewer"), kind="reviewer", days=23)  # 14 October
        (assignment,) = world.get(id).assignments
        assert assignment.due_on == date(2026, 10, 14)
    seen = days_of(world, id, "2026-09-22", "2026-10-19")
    # Three working days before Wednesday 14: 13, 12, Saturday 10; after: 15, 16, Monday 19.
    assert {day: topics for day, topics in seen.items() if "S" in topics[0]} == {
        "2026-10-10": ["S2"],
        "2026-10-14": ["S2"],
        "2026-10-16": ["S2"],  # the coordinator: 25 days of the promise in all
        "2026-10-19": ["S2", "S3"],
    }
    assert "find another reviewer" in world.mails(id, "staff")[-1].body_text


def test_a_late_decision_is_asked_for_every_week(world: World) -> None:
    with at("2026-11-02T09:00"):  # Monday: due on Monday the 9th, warned on Thursday the 5th
        head = world.user(world.actor("head")).email
        id = world.at("decision_ready")
    seen = days_of(world, id, "2026-11-03", "2026-12-01")
    assert seen == {
        "2026-11-05": ["S4"],
        "2026-11-10": ["S3"],
        "2026-11-17": ["S3"],
        "2026-11-24": ["S3"],
        "2026-11-27": ["S2"],  # the promise in all: 25 days
        "2026-12-01": ["S3"],
    }
    assert {one.to_address for one in world.mails(id, "staff") if one.topic == "S3"} == {head}
    with at("2027-01-05T00:01"):  # a worker that slept for weeks writes once
        turn_clocks()
        turn_clocks()
    assert world.topics(id, "staff").count("S3") == 5


def test_when_all_have_answered_it_is_the_coordinators_turn(world: World) -> None:
    with at("2026-11-02T09:00"):
        world.actor("head")
        id = world.received()
        world.route(id)
    with at("2026-11-05T09:00"):  # Thursday: 6, 9, 10
        world.host_says(id)
        assert local(world.get(id).due_at) == "2026-11-10"
    assert days_of(world, id, "2026-11-06", "2026-11-20") == {
        "2026-11-10": ["S2"],
        "2026-11-12": ["S3", "S3"],
    }


def test_an_offer_is_answered_in_14_days_made_longer_once_and_then_closed(world: World) -> None:
    with at("2026-11-02T09:00"):
        answered, silent = world.at("waitlisted"), world.at("waitlisted")
    with at("2026-11-16T09:00"):
        for id in (answered, silent):
            world.do(reviews.place_free, id, by=world.actor("coordinator"))
        inquiry = world.get(silent)
        assert [(one.what, local(one.due)) for one in deadlines.due_dates(inquiry)] == [
            (What.INTEREST, "2026-11-30"),
            (What.TOTAL, "2026-12-07"),  # five working days after the partner's last day
        ]
        assert "30 Nov 2026" in partner.standing(inquiry, "en", now=clock.now()).sentence
        assert partner.possible(inquiry, now=clock.now()).more_time
    assert days_of(world, silent, "2026-11-17", "2026-11-29") == {
        "2026-11-23": ["M12r1"],
        "2026-11-28": ["M12r2"],
    }
    with at("2026-11-30T23:00"):
        world.do(inquiries.conversation.more_time, silent, by=world.visitor)
        assert local(world.get(silent).interest_due) == "2026-12-14"
        with pytest.raises(Conflict, match="once already"):
            world.do(inquiries.conversation.more_time, silent, by=world.actor("coordinator"))
        assert not partner.possible(world.get(silent), now=clock.now()).more_time
        world.do(inquiries.conversation.still_interested, answered, by=world.visitor)
        inquiry = world.get(answered)
        assert [(one.what, local(one.due)) for one in deadlines.due_dates(inquiry)] == [
            (What.DECISION, "2026-12-07"),
            (What.TOTAL, "2026-12-07"),
        ]
    seen = days_of(world, silent, "2026-12-01", "2026-12-15")
    assert {day: topics for day, topics in seen.items() if "M" in topics[0]} == {
        "2026-12-07": ["M12r1"],
        "2026-12-12": ["M12r2"],
        "2026-12-15": ["M11"],
    }
    assert world.get(silent).status is Status.LAPSED
    assert world.get(answered).status is Status.DECISION_READY
    with at("2026-12-20T09:00"):  # a reply opens it again
        world.answer(silent)
        assert world.get(silent).status is Status.RECEIVED


def test_late_people_are_replaced_and_both_are_told(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.received()
        old, new = world.actor("host", name="Old"), world.actor("host", name="New")
        world.route(id, old, days=14)
    with at("2026-11-18T09:00"):
        turn_clocks()

        def replace(person: Any, by: Any) -> None:
            with unit_of_work():
                triage.replace(
                    world.get(id),
                    world.get(id).assignments[0],
                    world.user(person),
                    due_on=date(2026, 12, 2),
                    by=by,
                )

        for person, by, problem in (
            (new, old, "Only this role"),
            (old, world.actor("coordinator"), "another person"),
            (world.actor("reviewer"), world.actor("coordinator"), "does not hold the role"),
        ):
            before = world.stored()
            with pytest.raises(Refused, match=problem):
                replace(person, by)
            assert world.stored() == before
        mails = len(world.mails(id))
        replace(new, world.actor("coordinator"))
        told = {one.to_address: one for one in world.mails(id)[mails:]}
        assert set(told) == {world.user(old).email, world.user(new).email}
        assert "not needed any more" in told[world.user(old).email].body_text
        gone, successor = world.get(id).assignments
        assert (gone.released_at, gone.late_at is not None) == (clock.now(), True)
        assert (successor.user_id, successor.due_on, successor.late_at) == (
            new.user_id,
            date(2026, 12, 2),
            None,
        )
        assert local(world.get(id).due_at) == "2026-12-02"
        assert world.kinds(id)[-2:] == ["released", "assigned"]
        with pytest.raises(Conflict, match="taken off already"):
            replace(old, world.actor("coordinator"))
        world.host_says(id, host=new)
        with unit_of_work(), pytest.raises(Conflict, match="has answered already"):
            triage.replace(
                world.get(id),
                successor,
                world.user(old),
                due_on=date(2026, 12, 2),
                by=world.actor("coordinator"),
            )


@pytest.mark.parametrize(
    ("prepare", "days"),
    [
        (lambda world: world.at("needs_info"), 8),
        (lambda world: world.at("needs_info"), 31),
        (lambda world: world.at("waitlisted"), 61),
        (lambda world: world.at("received"), 3),
        (lambda world: world.at("received"), 65),
        (lambda world: routed(world), 65),
        (lambda world: world.at("decision_ready"), 65),
        (lambda world: offered(world), 8),
        (lambda world: offered(world), 15),
    ],
)
def test_looking_twice_does_it_once(world: World, prepare: Callable[[World], int], days: int) -> None:
    """Two workers, or one that was killed after the commit."""
    with time_machine.travel(MONDAY, tick=False):
        id = prepare(world)
        world.actor("head"), world.actor("coordinator")
    with time_machine.travel(MONDAY + timedelta(days=days), tick=False):
        assert id in clockwork.waking()
        before = world.stored()
        with unit_of_work():
            clockwork.look(id)
        once = world.stored()
        assert once != before
        for _again in range(2):
            with unit_of_work():
                clockwork.look(id)
        assert world.stored() == once
        assert id not in clockwork.waking()


def test_missed_conditions_are_handled_once(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        world.at("conditional")
    with time_machine.travel(MONDAY + timedelta(days=65), tick=False):
        (row,) = reviews.conditions_overdue()
        with unit_of_work():
            reviews.lapse_conditional(row)
        once = world.stored()
        with unit_of_work():
            reviews.lapse_conditional(row)
        assert world.stored() == once


def test_looking_is_no_change_that_a_person_would_have_to_see(world: World) -> None:
    """Who has the page open while the worker looks can act all the same."""
    with time_machine.travel(MONDAY, tick=False):
        id = world.received()
        version = world.get(id).version
        assert clockwork.waking() == [id]
        turn_clocks()
        assert clockwork.waking() == []
        assert world.get(id).version == version
        world.do(triage.expedite, id, by=world.actor("coordinator"), version=version)
        assert clockwork.waking() == [id], "what changes is looked at again"


def offered(world: World) -> int:
    id = world.at("waitlisted")
    world.do(reviews.place_free, id, by=world.actor("coordinator"))
    return id


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
        for verb in (clockwork.look, reviews.lapse_conditional):
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
            clockwork.look(id)
            assert world.topics(id)[-1] == "M11"
        assert world.get(id).status is Status.NEEDS_INFO
        assert world.stored() == before


def test_whoever_was_asked_before_it_was_closed_is_asked_anew_or_not_at_all(world: World) -> None:
    ann, ben = world.actor("host", name="Ann"), world.actor("host", name="Ben")
    coordinator = world.actor("coordinator")

    def waiting() -> dict[str, int]:
        new = world.get(new_one)
        return {one.user.name: one.waiting for one in queries.people_for(new, Role.HOST)}

    with at("2026-11-02T09:00"):
        new_one, again, other = world.received(), world.received(), world.received()
        for id in (again, other):
            world.route(id, ann, days=7, declared=False)
            world.do(inquiries.withdraw, id, by=world.visitor)
        assert waiting() == {"Ann": 0, "Ben": 0}
        closed = queries.queue(QueueView(pile="closed"), seen_by=coordinator).rows
        assert [row.with_people for row in closed] == [(), ()]
        world.do(inquiries.conversation.resume, again, by=world.visitor)
        world.route(again, ann, days=7, declared=False)
        (told,) = [one for one in world.mails(again, "staff") if one.to_address == world.user(ann).email][-1:]
        assert told.subject == "[Portal] 1 item waits for you"
        assert waiting() == {"Ann": 1, "Ben": 0}
    with at("2026-11-16T09:00"):  # after the day until which Ann had been asked
        world.do(inquiries.conversation.resume, other, by=world.visitor)
        world.route(other, ben)
        inquiry = world.get(other)
        assert {one.user_id: one.released_at is None for one in inquiry.assignments} == {
            ann.user_id: False,
            ben.user_id: True,
        }
        assert inquiry.due_at is not None
        assert inquiry.due_at > clock.now()
        turn_clocks()
        assert world.get(other).urgency == clocks.NORMAL
        assert "S3" not in world.topics(other, "staff")


def test_a_reviewers_load_is_what_still_waits(world: World) -> None:
    reader = world.actor("reviewer", name="Reader")
    id, here = world.received(), world.received()
    for one in (id, here):
        world.route(one)
    world.route(id, reader, kind="reviewer", declared=False)

    def load() -> int:
        (found,) = reviews.assigning.reviewers_for(world.get(here), seen_by=world.actor("coordinator"))
        return found.waiting

    assert load() == 1
    world.do(inquiries.withdraw, id, by=world.visitor)
    assert load() == 0


def test_nothing_else_is_told_of_what_has_just_lapsed(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.at("waitlisted")
    with at("2026-11-16T09:00"):
        world.do(reviews.place_free, id, by=world.actor("coordinator"))
        turn_clocks()
    before = len(world.told(id))
    with at("2026-12-09T09:00"):  # the worker slept: the partner's time is over, and all of it soon
        clockwork.look(id)
        assert world.get(id).status is Status.LAPSED
        assert [one.split()[0] for one in world.told(id)[before:] if one.startswith("S")] == []


def test_conditions_that_cannot_close_it_keep_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews.actions, "BATCH", 1)
    coordinator = world.actor("coordinator")
    with at("2026-11-09T09:00"):
        met = world.at("conditional")
        (condition,) = reviews.conditions_of(world.get(met))
        with unit_of_work():
            reviews.settle(condition, world.get(met), reviews.ConditionState.MET, by=coordinator)
        in_grace = world.at("conditional")
    with at("2026-11-02T09:00"):
        missed = world.at("conditional")
    with at("2026-12-20T09:00"):
        assert reviews.conditions_overdue() == [missed]
        turn_clocks()
        assert [world.get(id).status for id in (missed, in_grace, met)] == [
            Status.LAPSED,
            Status.CONDITIONAL,
            Status.CONDITIONAL,
        ]


def test_the_wish_can_be_said_as_long_as_the_page_asks_for_it(world: World) -> None:
    with at("2026-11-02T09:00"):
        id = world.at("waitlisted")
        world.decide(id, "accept")
        inquiry = world.get(id)
        assert partner.possible(inquiry, now=clock.now()).interested
        world.do(inquiries.conversation.still_interested, id, by=world.visitor)
        assert world.kinds(id)[-1] == "interest"
    with at("2026-11-02T09:05"):
        world.do(reviews.take_back, id, by=world.actor("head"))
        inquiry = world.get(id)
        assert inquiry.status is Status.WAITLISTED
        assert local(inquiry.due_at) == "2027-01-01"  # sixty days after the word
        assert inquiry.interest_given_at == clock.parse("2026-11-02T01:00:00+00:00")


def test_what_is_not_told_yet_cannot_be_answered(world: World) -> None:
    id = world.at("decision_ready")
    world.decide(id, "waitlist")  # its letter is held
    assert not partner.possible(world.get(id), now=clock.now()).interested
    with pytest.raises(Conflict, match="not on the waiting list"):
        world.do(inquiries.conversation.still_interested, id, by=world.visitor)
