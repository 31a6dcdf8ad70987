"""F04: while no mail can leave, links grow old; what is sent in the end must open something, and in its order."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import accounts, inquiries, mail
from collab.accounts import Role
from collab.core import tokens
from collab.core.db import db, unit_of_work
from collab.core.errors import NotFound
from collab.departments.tracks import Track
from collab.inquiries import LinkKind, Status, links, submission
from collab.inquiries.models import Draft, Link
from collab.jobs.post import deliver_due
from collab.mail import MailState, OutboxMail
from tests.support.smtp import Smtp
from tests.support.world import MONDAY, World

Worker = Callable[[], int]


def at(moment: datetime) -> Any:
    return time_machine.travel(moment, tick=True)


def try_for(hours: float, start: datetime, every: float = 0.5) -> None:
    """The worker goes on trying, simulated."""
    for number in range(int(hours / every)):
        with at(start + timedelta(hours=every * number, seconds=30)):
            deliver_due("worker")


def deliver_all(moment: datetime) -> None:
    """The server is back, and the worker empties the outbox as its backoff allows."""
    for minutes in range(0, 60, 5):
        with at(moment + timedelta(minutes=minutes)):
            while deliver_due("worker"):
                pass


def waiting() -> dict[str, int]:
    db.session.rollback()
    found = db.session.execute(sa.select(OutboxMail.state, sa.func.count()).group_by(OutboxMail.state)).all()
    return {state.value: count for state, count in found}


@pytest.mark.both_databases
def test_f04_after_six_hours_without_a_server_every_link_opens_and_the_order_is_kept(
    app: Flask, world: World, smtp: Smtp
) -> None:
    smtp.stop()
    with at(MONDAY):
        id = world.received()
        world.ask(id)
        coordinator = world.actor("coordinator")
        with unit_of_work():
            inquiries.conversation.write(world.get(id), "One more thing.", by=coordinator)
        user = world.user(coordinator)
        with unit_of_work():
            user.password_hash = "set"
            accounts.request_password_reset(user.email, by=world.visitor)
        (reset,) = [one for one in mails() if one.topic == "password_reset"]
        old_reset = reset.secrets[0]
        old_private = world.secret(id, "letter")
    try_for(6, MONDAY)
    assert set(waiting()) == {"queued"}
    back = MONDAY + timedelta(hours=6, minutes=1)
    with at(back), pytest.raises(NotFound):
        accounts.reset_by_token(old_reset)  # its half hour was over long ago
    smtp.start()
    deliver_all(back)
    assert set(waiting()) == {"sent"}

    (letter,) = [one for one in smtp.mails if "/staff/reset/" in one.text]
    fresh = letter.link("/staff/reset/").rpartition("/")[2]
    assert old_reset not in letter.raw.decode()
    assert letter.html is not None
    assert fresh in letter.html
    with at(back + timedelta(minutes=2)):
        _reset, who = accounts.reset_by_token(fresh)
        assert who.id == user.id
        with pytest.raises(NotFound):
            accounts.reset_by_token(old_reset)
    assert "15:3" in letter.text or "15:2" in letter.text, "the mail names when the new link ends"

    to_partner = smtp.to(world.get(id).email)
    order = [one.message_id for one in to_partner]
    assert order == [one.message_id for one in world.mails(id, "partner")]
    with at(back + timedelta(hours=1)):  # what had 120 days needed nothing new
        assert links.find(LinkKind.PRIVATE, old_private) is not None
        assert to_partner[-1].link("/i/").endswith(old_private)


@pytest.mark.both_databases
def test_f04_a_confirmation_that_left_after_days_is_fresh_and_the_inquiry_is_still_there(
    app: Flask, world: World, smtp: Smtp
) -> None:
    """No worker for five days: the link of the mail would end two days after it arrives."""
    with at(MONDAY):
        id = world.submit()
        old = world.secret(id, "M1")
    sent = MONDAY + timedelta(days=5)
    deliver_all(sent)
    (arrived,) = smtp.mails
    fresh = arrived.link("/confirm/").rpartition("/")[2]
    assert fresh != old
    assert old not in arrived.raw.decode()
    with at(sent + timedelta(minutes=1)):
        assert links.find(LinkKind.CONFIRM, old) is None, "the old one is dead"
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Link).filter_by(inquiry_id=id)) == 2
    for days in (7, 8, 11):  # seven days from the mail, not from the form
        with at(MONDAY + timedelta(days=days, hours=1)), unit_of_work():
            assert submission.sweep() == 0
    with at(sent + timedelta(days=6, hours=23)):
        with unit_of_work():
            inquiries.confirm(fresh, by=world.visitor)
        assert world.get(id).status is Status.RECEIVED


def test_f04_an_unconfirmed_one_still_vanishes_seven_days_after_its_mail(world: World, smtp: Smtp) -> None:
    with at(MONDAY):
        world.submit()
    deliver_all(MONDAY + timedelta(days=5))
    with at(MONDAY + timedelta(days=12, hours=2)), unit_of_work():
        assert submission.sweep() == 1


def test_f04_a_draft_is_kept_as_long_as_its_late_mail_says(world: World, smtp: Smtp) -> None:
    with at(MONDAY), unit_of_work():
        inquiries.save_draft(
            world.department,
            Track.VISIT,
            locale="zh",
            email="later@example.org",
            data={},
            submission_key=tokens.new_token(),
            claim_token=None,
            by=world.visitor,
        )
    (row,) = mails()
    old = row.secrets[0]
    assert "2026年11月9日" in row.body_text
    deliver_all(MONDAY + timedelta(days=4))
    (arrived,) = smtp.mails
    fresh = arrived.link("/draft/").rpartition("/")[2]
    assert "2026年11月13日" in arrived.text
    assert "Fri 13 Nov 2026" in arrived.text
    assert "11月9日" not in arrived.text
    with at(MONDAY + timedelta(days=10)):
        assert isinstance(inquiries.find_draft(fresh), Draft)
        with pytest.raises(NotFound):
            inquiries.find_draft(old)


def test_f04_an_invitation_that_waited_is_good_for_a_week_from_its_mail(world: World, smtp: Smtp) -> None:
    admin = world.actor("admin")
    with at(MONDAY), unit_of_work():
        _invitation, old = accounts.invite(
            "new@staff.example", roles=[Role.HOST], department=world.department, by=admin
        )
    deliver_all(MONDAY + timedelta(days=6))
    (arrived,) = smtp.mails
    fresh = arrived.link("/staff/invitation/").rpartition("/")[2]
    assert "Sun 15 Nov 2026" in arrived.text
    with at(MONDAY + timedelta(days=12)):
        assert accounts.invitation_by_token(fresh) is not None
        with pytest.raises(NotFound):
            accounts.invitation_by_token(old)


def test_f04_what_was_made_dead_on_purpose_stays_dead(world: World, smtp: Smtp) -> None:
    """Asking for a new link kills the earlier ones, also those in mails that still wait."""
    with at(MONDAY):
        id = world.received()
        dead = world.secret(id, "M2")
    with at(MONDAY + timedelta(days=70)), unit_of_work():
        inquiries.request_link(world.get(id).reference, world.get(id).email, by=world.visitor)
    deliver_all(MONDAY + timedelta(days=70, minutes=1))
    received, _new, renewed = (one for one in smtp.to(world.get(id).email))
    assert received is not None
    with at(MONDAY + timedelta(days=70, hours=1)):
        assert links.find(LinkKind.PRIVATE, dead) is None
        assert links.find(LinkKind.PRIVATE, renewed.link("/i/").rpartition("/")[2]) is not None


@pytest.mark.both_databases
def test_f04_a_worker_that_lost_its_lease_renews_nothing(world: World, smtp: Smtp) -> None:
    with at(MONDAY):
        id = world.submit()
        old = world.secret(id, "M1")
    with at(MONDAY + timedelta(days=5)), unit_of_work():
        (letter,) = mail.claim(5, "slow", lease=timedelta(seconds=1))
    with at(MONDAY + timedelta(days=5, minutes=1)):
        with unit_of_work():
            (taken,) = mail.claim(5, "quick", lease=timedelta(minutes=5))
        from collab.jobs import post

        assert post._with_live_links(letter, "slow") is None
        assert links.find(LinkKind.CONFIRM, old) is not None, "the quick one's link is not killed under it"
        ready = post._with_live_links(taken, "quick")
        assert ready is not None
        assert old not in ready.body_text
        assert ready.secrets != taken.secrets
        # Killed after renewing and before sending: the next worker sends what stands in the row.
        assert mails()[0].secrets == list(ready.secrets)
        assert mails()[0].state is MailState.SENDING


def mails() -> list[OutboxMail]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id)))
