"""One digest a person and working day, of what is late, due, new and waits; nothing to say, no mail."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from collab.accounts import Actor, MailKind, Role, Wish, absences, mail_choices
from collab.core.db import db, unit_of_work
from collab.desk import digest
from collab.inquiries import triage
from collab.inquiries.models import DigestLine
from collab.jobs.desk import sweep, write_digests
from collab.jobs.inquiries import turn_clocks
from collab.mail import OutboxMail
from tests.support.world import World


def at(text: str) -> Any:
    """Stand at a moment of the department's place."""
    return time_machine.travel(datetime.fromisoformat(f"{text}+08:00"), tick=False)


def digests(world: World, who: Actor | None = None) -> list[OutboxMail]:
    query = sa.select(OutboxMail).where(OutboxMail.topic == digest.TOPIC).order_by(OutboxMail.id)
    if who is not None:
        query = query.where(OutboxMail.to_address == world.user(who).email)
    return list(db.session.scalars(query))


def test_it_comes_at_its_hour_on_working_days_once_and_only_with_something_to_say(world: World) -> None:
    with at("2026-11-02T09:00"):
        host, idle = world.actor("host"), world.actor("host", name="Idle")
        id = world.received()
        world.route(id, host, days=4)  # Friday the 6th
    said = []
    for day in range(3, 12):
        for hour in ("07:29", "07:30", "07:31", "12:00", "23:59"):
            with at(f"2026-11-{day:02}T{hour}"):
                before = len(digests(world, host))
                write_digests()
                write_digests()
                said += [f"{day} {hour}"] * (len(digests(world, host)) - before)
    # The 7th and 8th are a weekend.
    assert said == [f"{day} 07:30" for day in (3, 4, 5, 6, 9, 10, 11)]
    assert digests(world, idle) == []
    reference = world.get(id).reference
    first, *_between, friday, monday, _tuesday, _wednesday = digests(world, host)
    assert first.subject == "[Portal] 1 item waits for you"
    assert (
        f"Due in the next days\n\n- {reference}: The host's yes, no or when – due Fri 6 Nov 2026"
        in first.body_text
    )
    assert f"Due today\n\n- {reference}: " in friday.body_text
    assert f"Late\n\n- {reference}: The host's yes, no or when – was due Fri 6 Nov 2026" in monday.body_text
    assert "http://localhost" in first.body_text or "/staff/" in first.body_text
    assert "\n\n\n" not in first.body_text


def test_a_worker_that_slept_for_days_writes_the_one_of_today(world: World) -> None:
    with at("2026-11-02T09:00"):
        host = world.actor("host")
        world.route(world.received(), host, days=4)
    with at("2026-11-05T16:00"):
        write_digests()
        write_digests()
    assert len(digests(world, host)) == 1
    with at("2026-11-07T10:00"):  # Saturday
        assert digest.due_people() == []
    with at(
        "2026-10-10T08:00"
    ):  # a Saturday that is worked; the clock was set back, and nobody is written to twice
        write_digests()
    assert len(digests(world, host)) == 1


def test_two_workers_with_the_same_list_write_one(world: World) -> None:
    with at("2026-11-02T09:00"):
        host = world.actor("host")
        world.route(world.received(), host, days=4)
    with at("2026-11-03T07:30"):
        assert host.user_id in digest.due_people()
        written = []
        for _worker in range(2):
            with unit_of_work():
                written.append(digest.write(host.user_id or 0) is not None)
        assert written == [True, False]
        assert len(digests(world, host)) == 1


def test_holidays_are_quiet_and_made_up_days_are_not(world: World) -> None:
    with at("2026-09-28T09:00"):
        host = world.actor("host")
        world.route(world.received(), host, days=2)
    days = []
    for day in (date(2026, 9, 29) + timedelta(days=number) for number in range(14)):
        with at(f"{day}T08:00"):
            before = len(digests(world, host))
            write_digests()
            days += [day.isoformat()] * (len(digests(world, host)) - before)
    # 1 to 7 October are free; Saturday the 10th is worked.
    assert days == ["2026-09-29", "2026-09-30", "2026-10-08", "2026-10-09", "2026-10-10", "2026-10-12"]


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_what_was_kept_for_it_is_told_once_in_neutral_words(world: World, locale: str) -> None:
    with at("2026-11-02T09:00"):
        coordinator = world.actor("coordinator", locale=locale)
        id = world.received(title="The wicken proposal", full_name="Wicken Weatherwax")
        world.do(triage.own, id, world.user(coordinator), by=coordinator)
        world.ask(id, by=coordinator)
        world.answer(id, "Our wicken answer.")
        world.answer(id, "And one more.")
    reference = world.get(id).reference
    with at("2026-11-03T07:30"):
        write_digests()
    (one,) = digests(world, coordinator)
    assert one.locale == locale
    text = one.body_text + one.subject + (one.body_html or "")
    assert "icken" not in text
    assert "eatherwax" not in text
    assert (re.search("[\u4e00-\u9fff]", one.body_text) is not None) is (locale == "zh")
    news = {"en": f"- {reference}: the partner wrote", "zh": f"- {reference}：申请人来信"}[locale]
    assert one.body_text.count(news) == 1, one.body_text
    with at("2026-11-04T07:30"):
        write_digests()
    assert [news in each.body_text for each in digests(world, coordinator)[1:]] == [False]
    assert all(line.told_at for line in db.session.scalars(sa.select(DigestLine)))
    with at("2027-02-01T07:30"):
        sweep()
    assert db.session.scalar(sa.select(sa.func.count(DigestLine.id))) == 0


def test_decisions_and_what_the_absent_owe_stand_under_their_own_headings(world: World) -> None:
    with at("2026-11-02T09:00"):
        head, ann, ben = world.actor("head"), world.actor("host", name="Ann"), world.actor("host", name="Ben")
        ready = world.at("decision_ready")
        asked = world.received()
        world.route(asked, ann, days=10, declared=False)
        with unit_of_work():
            absences.enter(
                world.user(ann),
                department=world.department,
                first_day=date(2026, 11, 2),
                last_day=date(2026, 11, 20),
                deputy=world.user(ben),
                by=ann,
            )
    with at("2026-11-03T07:30"):
        write_digests()
    waits = f"Waiting for your decision\n\n- {world.get(ready).reference}: The head's decision – due Mon 9 Nov 2026"
    assert waits in digests(world, head)[0].body_text
    (his,) = digests(world, ben)
    assert (
        "For Ann, who is away until Fri 20 Nov 2026:\n\n"
        f"- {world.get(asked).reference}: The host's yes, no or when – due Thu 12 Nov 2026" in his.body_text
    )


def test_a05_a_conflict_closes_the_digest_too(world: World) -> None:
    with at("2026-11-02T09:00"):
        coordinator = world.actor("coordinator")
        id = world.received()
        world.do(triage.own, id, world.user(coordinator), by=coordinator)
        world.ask(id, by=coordinator)
        world.answer(id)
        assert db.session.scalar(sa.select(sa.func.count(DigestLine.id))) == 1
        world.do(triage.declare_conflict, id, by=coordinator)
    with at("2026-11-06T07:30"):
        write_digests()
    assert world.get(id).reference not in "".join(one.body_text for one in digests(world, coordinator))


def test_who_wants_everything_at_once_gets_no_digest(world: World) -> None:
    with at("2026-11-02T09:00"):
        host = world.actor("host")
        with unit_of_work():
            mail_choices.set_wishes(world.user(host), dict.fromkeys(MailKind, Wish.AT_ONCE), by=host)
        world.route(world.received(), host, days=4)
    with at("2026-11-03T08:00"):
        write_digests()
    assert digests(world, host) == []


def test_who_switches_to_at_once_hears_what_was_kept_until_then(world: World) -> None:
    with at("2026-11-02T09:00"):
        coordinator = world.actor("coordinator")
        id = world.received()
        world.do(triage.own, id, world.user(coordinator), by=coordinator)
        world.ask(id, by=coordinator)
        world.answer(id)
    with at("2026-11-02T18:00"), unit_of_work():
        mail_choices.set_wishes(
            world.user(coordinator), dict.fromkeys(MailKind, Wish.AT_ONCE), by=coordinator
        )
    for day in ("2026-11-03", "2026-11-04"):
        with at(f"{day}T07:30"):
            write_digests()
    (last,) = digests(world, coordinator)
    assert f"- {world.get(id).reference}: the partner wrote" in last.body_text
    assert all(line.told_at for line in db.session.scalars(sa.select(DigestLine)))


def test_who_stands_in_hears_of_the_dates_of_who_is_away(world: World) -> None:
    with at("2026-11-02T09:00"):
        ann, head = world.actor("host", name="Ann"), world.actor("head", name="Hedy")
        coordinator = world.actor("coordinator")
        asked, ready = world.received(), world.received()
        world.route(asked, ann, days=4)
        world.route(ready)
        world.host_says(ready)
        with unit_of_work():
            mail_choices.set_wishes(
                world.user(coordinator), dict.fromkeys(MailKind, Wish.DIGEST), by=coordinator
            )
            for who in (ann, head):
                absences.enter(
                    world.user(who),
                    department=world.department,
                    first_day=date(2026, 11, 2),
                    last_day=date(2026, 11, 20),
                    deputy=None,
                    by=who,
                )
    with at("2026-11-02T18:00"):
        world.ready(ready)
    with at("2026-11-06T00:01"):  # what Ann owes is due
        turn_clocks()
    with at("2026-11-06T07:30"):
        write_digests()
    (one,) = digests(world, coordinator)
    for id, news in ((asked, "for Ann: an answer is due or overdue"), (ready, "for Hedy: a decision waits")):
        assert one.body_text.count(f"- {world.get(id).reference}: {news}\n") == 1, one.body_text


def test_who_left_or_works_nowhere_gets_none(world: World) -> None:
    with at("2026-11-02T09:00"):
        gone, nowhere = world.actor("host", name="Gone"), world.actor("host", name="Nowhere")
        for who in (gone, nowhere):
            world.route(world.received(), who, days=4)
        with unit_of_work():
            world.user(gone).disabled_at = datetime.fromisoformat("2026-11-02T10:00+08:00")
            world.user(nowhere).memberships = []
    with at("2026-11-03T08:00"):
        assert {gone.user_id, nowhere.user_id} & set(digest.due_people()) == set()
        for who in (gone, nowhere):
            with unit_of_work():
                assert digest.write(who.user_id or 0) is None


def test_the_hour_is_the_departments_setting(world: World) -> None:
    with at("2026-11-02T09:00"):
        host = world.actor("host")
        world.route(world.received(), host, days=4)
        with unit_of_work():
            department = world.department
            levels = department.settings.service_levels.model_dump(mode="json") | {"digest_time": "18:00"}
            department.content = department.content | {"service_levels": levels}
            department.content_digest = "evening"
    with at("2026-11-03T17:59"):
        write_digests()
        assert digests(world, host) == []
    with at("2026-11-03T18:00"):
        write_digests()
        assert len(digests(world, host)) == 1


def test_reminders_of_the_day_stand_in_the_digest_of_the_day(world: World) -> None:
    """What the clockwork marks when a day begins waits for the digest of the same morning."""
    with at("2026-11-02T09:00"):
        coordinator = world.actor("coordinator")
        id = world.received()
    with at("2026-11-05T00:01"):  # triage is due on the 5th
        turn_clocks()
        assert "S2" not in world.topics(id, "staff")
        assert f"S2 {world.user(coordinator).email}" in world.told(id)
    with at("2026-11-05T07:30"):
        write_digests()
        (one,) = digests(world, coordinator)
        assert (
            f"Due today\n\n- {world.get(id).reference}: Read and route – due Thu 5 Nov 2026" in one.body_text
        )


def test_a_role_taken_away_takes_its_dates_along(world: World) -> None:
    with at("2026-11-02T09:00"):
        head = world.actor("head", "viewer")
        world.at("decision_ready")
        with unit_of_work():
            user = world.user(head)
            user.memberships = [one for one in user.memberships if one.role is not Role.HEAD]
    with at("2026-11-03T08:00"):
        write_digests()
        assert digests(world, head) == []
