"""Who is away, who stands in, how mails are wanted, and the address of a calendar feed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import accounts, audit
from collab.accounts import Absence, Actor, MailKind, Role, Wish, absences, feeds, mail_choices
from collab.accounts.kinds_of_mail import KINDS
from collab.core import clock
from collab.core.db import TryAgain, db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.departments import Department
from collab.mail import OutboxMail
from tests.support.world import World

MONDAY = date(2026, 11, 2)


@pytest.fixture(autouse=True)
def a_monday() -> Any:
    with time_machine.travel(datetime.fromisoformat("2026-11-02T09:00+08:00"), tick=False):
        yield


def away(
    world: World,
    who: Actor,
    first: int = 0,
    last: int = 4,
    deputy: Actor | None = None,
    by: Actor | None = None,
) -> int:
    """Days counted from Monday the 2nd."""
    with unit_of_work():
        return absences.enter(
            world.user(who),
            department=world.department,
            first_day=MONDAY + timedelta(days=first),
            last_day=MONDAY + timedelta(days=last),
            deputy=world.user(deputy) if deputy else None,
            by=by or who,
        ).id


def stand_in(world: World, who: Actor, role: Role, day: int = 0) -> int | None:
    found = absences.roster(world.department, MONDAY + timedelta(days=day)).stand_in(who.user_id or 0, role)
    return found.id if found else None


def topics() -> list[tuple[str, str]]:
    rows = db.session.execute(sa.select(OutboxMail.to_address, OutboxMail.subject).order_by(OutboxMail.id))
    return [(address, subject) for address, subject in rows]


def test_a_deputy_stands_in_from_the_first_day_to_the_last_in_the_roles_both_hold(world: World) -> None:
    ann, ben = world.actor("host", "reviewer"), world.actor("host")
    id = away(world, ann, 1, 3, ben)
    assert [stand_in(world, ann, Role.HOST, day) for day in range(5)] == [
        None,
        ben.user_id,
        ben.user_id,
        ben.user_id,
        None,
    ]
    assert stand_in(world, ann, Role.REVIEWER, 2) is None, "nobody gains a role by deputising"
    assert absences.roster(world.department, MONDAY + timedelta(days=2)).stood_in_by(ben.user_id or 0) == {
        ann.user_id: {Role.HOST}
    }
    assert topics() == [
        (world.user(ben).email, "[Portal] You deputise from Tue 3 Nov 2026 to Thu 5 Nov 2026")
    ]
    event = db.session.scalars(sa.select(audit.AuditEvent).order_by(audit.AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.detail) == (
        "absence.entered",
        {"absence": id, "first_day": "2026-11-03", "last_day": "2026-11-05", "deputy": ben.user_id},
    )


def test_a_deputy_who_goes_away_hands_on_and_a_circle_ends_with_nobody(world: World) -> None:
    ann, ben, cid = (world.actor("host", name=name) for name in ("Ann", "Ben", "Cid"))
    away(world, ann, 0, 4, ben)
    away(world, ben, 2, 8, cid)
    assert [stand_in(world, ann, Role.HOST, day) for day in (1, 2)] == [ben.user_id, cid.user_id]
    away(world, cid, 4, 9)  # nobody deputises for Cid
    assert stand_in(world, ann, Role.HOST, 4) is None
    # A circle cannot be entered, but what two enter for different days may meet in one; it ends.
    with unit_of_work():
        row = db.session.scalars(sa.select(Absence).filter_by(user_id=cid.user_id)).one()
        row.deputy_id = ann.user_id
    assert stand_in(world, ann, Role.HOST, 4) is None


@pytest.mark.parametrize(
    ("first", "last", "deputy", "field"),
    [
        (3, 6, "ben", "first_day"),  # overlaps the own one of days 0 to 4
        (0, 0, "ben", "first_day"),
        (9, 8, "ben", "last_day"),
        (-40, 8, "ben", "first_day"),
        (-8, -6, "ben", "last_day"),
        (400, 401, "ben", "first_day"),
        (9, 9 + 400, "ben", "last_day"),
        (9, 10, "ann", "deputy"),
        (9, 10, "gone", "deputy"),
        (9, 10, "viewer", "deputy"),
        (9, 10, "away", "deputy"),
    ],
)
def test_what_cannot_be_entered_says_why_at_its_field(
    world: World, first: int, last: int, deputy: str, field: str
) -> None:
    people = {
        "ann": world.actor("host", name="Ann"),
        "ben": world.actor("host", name="Ben"),
        "gone": world.actor("host", name="Gone"),
        "away": world.actor("host", name="Away"),
        "viewer": world.actor("viewer"),
    }
    away(world, people["ann"], 0, 4, people["ben"])
    away(world, people["away"], 8, 9)
    with unit_of_work():
        world.user(people["gone"]).disabled_at = clock.now()
    before = world.stored(), db.session.scalar(sa.select(sa.func.count(Absence.id)))
    with pytest.raises(Invalid) as refusal:
        away(world, people["ann"], first, last, people[deputy])
    assert refusal.value.field == field
    assert refusal.value.message
    assert (world.stored(), db.session.scalar(sa.select(sa.func.count(Absence.id)))) == before


def test_others_enter_it_only_as_coordinator_or_administrator_of_the_department(world: World) -> None:
    ill, ben = world.actor("host", name="Ill"), world.actor("host", name="Ben")
    for role in ("host", "reviewer", "head", "viewer", "compliance"):
        with pytest.raises(Forbidden):
            away(world, ill, deputy=ben, by=world.actor(role, name="other"))
    coordinator = world.actor("coordinator")
    id = away(world, ill, deputy=ben, by=coordinator)
    assert [address for address, _subject in topics()] == [world.user(ben).email, world.user(ill).email]
    with pytest.raises(NotFound):
        absences.by_id(id, by=ben)
    with unit_of_work():
        absences.end(absences.by_id(id, by=coordinator), by=coordinator)
    assert stand_in(world, ill, Role.HOST) is None
    assert topics()[-1] == (world.user(ill).email, "[Portal] Your absence is ended")
    with pytest.raises(Conflict), unit_of_work():
        absences.end(absences.by_id(id, by=coordinator), by=coordinator)


def test_back_early_keeps_the_days_that_were(world: World) -> None:
    ann = world.actor("host")
    id = away(world, ann, 0, 4)
    with time_machine.travel(datetime.fromisoformat("2026-11-04T08:00+08:00"), tick=False):
        with unit_of_work():
            absences.end(absences.by_id(id, by=ann), by=ann)
        kept = db.session.get_one(Absence, id)
        assert (kept.first_day, kept.last_day, kept.taken_back) == (MONDAY, date(2026, 11, 3), False)
        assert absences.coming(ann.user_id or 0) == []
        away(world, ann, 2, 4)  # and may go again


def test_the_day_is_the_departments(world: World) -> None:
    ann, ben = world.actor("host"), world.actor("host", name="Ben")
    away(world, ann, 0, 0, ben)
    with time_machine.travel(datetime.fromisoformat("2026-11-02T23:59+08:00"), tick=False):
        assert ann.user_id in absences.roster(world.department).away
    with time_machine.travel(datetime.fromisoformat("2026-11-03T00:01+08:00"), tick=False):
        assert absences.roster(world.department).away == {}


def test_a57_twenty_who_enter_the_same_days_at_once_leave_one_absence(app: Flask, world: World) -> None:
    ann, ben = world.actor("host"), world.actor("host", name="Ben")

    def enter(_number: int) -> str:
        with app.app_context():
            while True:
                try:
                    away(world, ann, 0, 4, ben)
                except Invalid as refusal:
                    return refusal.field
                except TryAgain:
                    db.session.remove()
                    continue
                return "entered"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(enter, range(20)))
    assert sorted(answers) == ["entered", *["first_day"] * 19]
    db.session.rollback()  # what is read next is what is stored
    assert db.session.scalar(sa.select(sa.func.count(Absence.id))) == 1


# -- mails as wanted -------------------------------------------------------------------------------------------------


def test_nobody_switches_off_what_must_be_acted_on(world: World) -> None:
    host = world.actor("host")
    for kind, of_kind in KINDS.items():
        if of_kind.must_act:
            with pytest.raises(Invalid) as refusal, unit_of_work():
                mail_choices.set_wishes(world.user(host), {kind: Wish.NEVER}, by=host)
            assert refusal.value.field == kind.value
        else:
            with unit_of_work():
                mail_choices.set_wishes(world.user(host), {kind: Wish.NEVER}, by=host)
    wishes = mail_choices.wishes_of(host.user_id or 0)
    assert {kind for kind, wish in wishes.items() if wish is Wish.NEVER} == {
        MailKind.MENTION,
        MailKind.RELEASED,
    }
    assert wishes[MailKind.GIVEN] is Wish.AT_ONCE
    assert wishes[MailKind.DUE_SOON] is Wish.DIGEST


def test_a_wish_is_ones_own_and_is_kept_once(world: World) -> None:
    host, other = world.actor("host"), world.actor("coordinator", "admin")
    with pytest.raises(Forbidden), unit_of_work():
        mail_choices.set_wishes(world.user(host), {MailKind.LATE: Wish.DIGEST}, by=other)
    for wish in (Wish.DIGEST, Wish.DIGEST, Wish.AT_ONCE):
        with unit_of_work():
            mail_choices.set_wishes(world.user(host), {MailKind.LATE: wish}, by=host)
        assert mail_choices.wish([host.user_id or 0, other.user_id or 0], MailKind.LATE) == {
            host.user_id: wish,
            other.user_id: Wish.AT_ONCE,
        }
    chosen = db.session.scalars(
        sa.select(audit.AuditEvent.detail).filter_by(action="account.mails_chosen")
    ).all()
    assert chosen == [{"late": "digest"}, {"late": "at_once"}]


# -- feeds -----------------------------------------------------------------------------------------------------------


def test_a_feed_has_one_living_address_that_is_kept_as_a_digest(world: World, department: Department) -> None:
    host, other = world.actor("host"), world.actor("host", name="Other")
    made = []
    for _time in range(2):
        with unit_of_work():
            made.append(feeds.make_feed(world.user(host), by=host))
    old, new = made
    assert len({len(token) for token in made}) == 1
    assert len(old) == 43, "256 bits"
    stored = db.session.scalars(sa.select(accounts.CalendarFeed.token)).all()
    assert not set(stored) & set(made)
    assert feeds.feed_by_token(new).id == host.user_id
    for bad in (old, "", " ", "null", new[:-1], new + "x", new.swapcase(), "x" * 5000, stored[1]):
        with pytest.raises(NotFound):
            feeds.feed_by_token(bad)
    with pytest.raises(Forbidden), unit_of_work():
        feeds.revoke_feed(world.user(host), by=other)
    with unit_of_work():
        world.user(host).disabled_at = clock.now()
    with pytest.raises(NotFound):
        feeds.feed_by_token(new)
    with unit_of_work():
        world.user(host).disabled_at = None
        feeds.revoke_feed(world.user(host), by=host)
    with pytest.raises(NotFound):
        feeds.feed_by_token(new)
    assert feeds.feed_of(host.user_id or 0) is None
