"""The outbox: what is put in, who may take it, what becomes of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from collab import mail
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Invalid, NotFound
from collab.mail import MailState, OutboxMail

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases

Put = Callable[..., int]
LEASE = timedelta(seconds=60)


def stored(id: int) -> OutboxMail:
    db.session.rollback()
    found = db.session.get(OutboxMail, id)
    assert found is not None
    return found


def claim(worker: str = "w1", batch: int = 10) -> list[mail.Letter]:
    with unit_of_work():
        return mail.claim(batch, worker, lease=LEASE)


def ids(letters: list[mail.Letter]) -> list[int]:
    return [letter.id for letter in letters]


def test_a_mail_is_a_row_with_a_message_id_at_our_host(put: Put) -> None:
    row = stored(put(to=("李雷", "Li.Lei@Example.ORG"), about=("inquiry", 7), department_id=3))
    assert row.message_id.startswith("<")
    assert row.message_id.endswith("@localhost>")
    assert (row.to_name, row.to_address) == ("李雷", "Li.Lei@example.org")
    assert (row.state, row.attempts, row.sent_at) == (MailState.QUEUED, 0, None)
    assert (row.about_kind, row.about_id, row.department_id) == ("inquiry", 7, 3)


def test_nothing_is_left_of_a_mail_whose_transaction_is_rolled_back(app: Flask) -> None:
    def work() -> None:
        with unit_of_work():
            mail.enqueue("T1", to="a@example.org", locale="en", subject="s", text="t", reader="staff")
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert db.session.query(OutboxMail).count() == 0


def test_the_same_dedupe_key_makes_one_mail(put: Put) -> None:
    assert put(dedupe_key="reminder:7:1") == put(dedupe_key="reminder:7:1", subject="Another")
    assert put(dedupe_key="reminder:7:2") != put()


def test_a_claimed_mail_is_nobody_elses_until_its_lease_ends(put: Put) -> None:
    id = put()
    assert ids(claim("w1")) == [id]
    assert claim("w2") == []
    assert stored(id).state is MailState.SENDING
    with time_machine.travel(clock.now() + LEASE + timedelta(seconds=1)):
        (again,) = claim("w2")
    assert (again.id, again.attempts) == (id, 2)
    assert stored(id).leased_by == "w2"


def test_a_held_mail_waits_for_its_time_and_can_be_taken_back(put: Put) -> None:
    until = clock.now() + timedelta(minutes=15)
    kept, taken_back = put(hold_until=until), put(hold_until=until)
    assert claim() == []
    with unit_of_work():
        mail.cancel(stored_in_work(taken_back))
    with time_machine.travel(until + timedelta(seconds=1)):
        assert ids(claim()) == [kept]
    assert stored(taken_back).state is MailState.CANCELLED


def stored_in_work(id: int) -> OutboxMail:
    found = db.session.get(OutboxMail, id)
    assert found is not None
    return found


def test_a_held_mail_can_be_let_go_before_its_time(put: Put) -> None:
    id = put(hold_until=clock.now() + timedelta(hours=1))
    with unit_of_work():
        mail.release(stored_in_work(id))
    assert ids(claim()) == [id]


def test_mails_about_one_thing_to_one_address_keep_their_order(put: Put) -> None:
    first = put(about=("inquiry", 1))
    second = put(about=("inquiry", 1))
    to_staff = put(about=("inquiry", 1), to="head@example.org")
    elsewhere = put(about=("inquiry", 2))
    assert ids(claim()) == [first, to_staff, elsewhere]
    (letter,) = [one for one in [stored(first)] if one.state is MailState.SENDING]
    assert claim() == []  # the second waits while the first is on its way
    with unit_of_work():
        mail.mark_failed(_letter(letter), "w1", error="451 later", permanent=False)
    assert claim() == []  # … and while the first waits for its next try
    with time_machine.travel(clock.now() + timedelta(minutes=3)):
        assert first in ids(claim())
    with unit_of_work():
        mail.mark_sent(_letter(stored_in_work(first)), "w1")
    assert ids(claim()) == [second]


def _letter(row: OutboxMail) -> mail.Letter:
    from collab.mail.actions import _letter

    return _letter(row)


def test_a_failed_mail_does_not_hold_up_the_conversation(put: Put) -> None:
    first, second = put(about=("inquiry", 1)), put(about=("inquiry", 1))
    (letter,) = claim()
    with unit_of_work():
        assert mail.mark_failed(letter, "w1", error="550 no", permanent=True) is MailState.FAILED
    assert stored(first).last_error == "550 no"
    assert ids(claim()) == [second]


def test_secrets_are_struck_out_of_what_was_sent(put: Put) -> None:
    id = put(
        text="Open http://h/en/confirm/TOKEN-1 or TOKEN-2",
        html="<a href='TOKEN-1'>x</a>",
        secrets=["TOKEN-1", "TOKEN-2"],
    )
    (letter,) = claim()
    assert "TOKEN-1" in letter.body_text
    with unit_of_work():
        mail.mark_sent(letter, "w1")
    row = stored(id)
    assert row.body_text == "Open http://h/en/confirm/… or …"
    assert row.body_html == "<a href='…'>x</a>"
    assert row.secrets == []
    assert row.state is MailState.SENT


@pytest.mark.settings(smtp_url="smtp+plain://127.0.0.1:9")
def test_staff_read_no_link_where_partners_get_their_mail(put: Put) -> None:
    id = put(text="http://h/confirm/TOKEN", secrets=["TOKEN"])
    assert mail.readable(stored(id)) == ("http://h/confirm/…", None)


def test_staff_read_the_links_where_no_mail_leaves(put: Put) -> None:
    assert (
        mail.readable(stored(put(text="http://h/confirm/TOKEN", secrets=["TOKEN"])))[0]
        == "http://h/confirm/TOKEN"
    )


def test_temporary_failures_come_again_later_and_later_and_end_after_three_days(put: Put) -> None:
    id = put()
    began = moment = clock.now()
    waits = []
    for _ in range(100):
        with time_machine.travel(moment, tick=False):
            (letter,) = claim()
            with unit_of_work():
                state = mail.mark_failed(letter, "w1", error="451 later", permanent=False)
        if state is MailState.FAILED:
            break
        waits.append((stored(id).due_at - moment).total_seconds() / 60)
        moment = stored(id).due_at
    for wait, minutes in zip(waits, [1, 5, 15, 60, 120, 240, 240], strict=False):
        assert minutes * 0.89 <= wait <= minutes * 1.11
    assert timedelta(days=2.8) < moment - began <= timedelta(days=3, minutes=1)
    assert stored(id).last_error == "451 later"


def test_a_mail_given_up_on_starts_anew_when_staff_say_so(put: Put) -> None:
    id = put()
    (letter,) = claim()
    with unit_of_work():
        mail.mark_failed(letter, "w1", error="550 no", permanent=True)
    with unit_of_work():
        mail.retry(stored_in_work(id))
    (again,) = claim()
    assert (again.id, again.attempts, again.message_id) == (id, 1, letter.message_id)


def test_what_was_sent_can_neither_be_cancelled_nor_sent_again(put: Put) -> None:
    id = put()
    (letter,) = claim()
    for verb in (mail.cancel, mail.retry):  # it is being sent
        with pytest.raises(Conflict), unit_of_work():
            verb(stored_in_work(id))
    with unit_of_work():
        mail.mark_sent(letter, "w1")
    for verb in (mail.cancel, mail.retry, mail.release):
        with pytest.raises(Conflict), unit_of_work():
            verb(stored_in_work(id))
    assert stored(id).state is MailState.SENT


def test_a_worker_that_lost_its_lease_cannot_put_the_mail_back(put: Put) -> None:
    put()
    (letter,) = claim("w1")
    with time_machine.travel(clock.now() + LEASE + timedelta(seconds=1)):
        claim("w2")
        with unit_of_work():
            assert mail.mark_failed(letter, "w1", error="x", permanent=True) is None
            assert mail.renew(letter, "w1", lease=LEASE) is False
    assert stored(letter.id).leased_by == "w2"


def test_a_worker_that_ends_in_order_gives_everything_back(put: Put) -> None:
    both = [put(), put()]
    claim("w1")
    with unit_of_work():
        assert mail.release_leases("w1") == 2
    assert ids(claim("w2")) == both


@pytest.mark.parametrize(
    "name",
    [
        "A\nB",
        "A\rBcc: x@evil.example",
        "=?utf-8?q?x=0ABcc:_e=40evil.example?=",
        "a\u2028b",
        "a\x00b",
        "a\u202eb",
    ],
)
def test_a_name_that_would_make_headers_is_refused(put: Put, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        put(to=(name, "a@example.org"))
    assert refused.value.field == "full_name"
    assert db.session.query(OutboxMail).count() == 0


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@b@example.org",
        "a@example.org, b@evil.example",
        "A <a@example.org>",
        "a(comment)@example.org",
        '"a b"@example.org',
        "a@example.org\n",
        "a@example.org\x00",
        "=?utf-8?q?a=40evil.example?=@example.org",
    ],
)
def test_what_is_not_one_address_is_refused(put: Put, address: str) -> None:
    with pytest.raises(Invalid) as refused:
        put(to=address)
    assert refused.value.field == "email"


def test_the_staffs_page_shows_a_department_its_own_mails_newest_first(put: Put) -> None:
    mine = [put(department_id=1, subject=f"Mail {n}") for n in range(5)]
    foreign, nobodys = put(department_id=2), put(department_id=None)
    first = mail.outbox([1], size=2)
    assert [row.id for row in first.rows] == [mine[4], mine[3]]
    assert first.newer is None
    second = mail.outbox([1], size=2, after=first.older)
    assert [row.id for row in second.rows] == [mine[2], mine[1]]
    third = mail.outbox([1], size=2, after=second.older)
    assert ([row.id for row in third.rows], third.older) == ([mine[0]], None)
    back = mail.outbox([1], size=2, after=third.newer)
    assert [row.id for row in back.rows] == [mine[2], mine[1]]
    assert mail.outbox([1], size=2, after=back.newer).newer is None
    assert [row.id for row in mail.outbox([1], text="mail 3").rows] == [mine[3]]
    assert mail.outbox([1], text="%").rows == []
    assert [row.id for row in mail.outbox([1], portal_mails=True, size=1).rows] == [nobodys]
    with pytest.raises(NotFound):
        mail.by_id(foreign, [1])
    with pytest.raises(NotFound):
        mail.by_id(nobodys, [1])
    assert mail.piles([1])[0][MailState.QUEUED] == 5
    with pytest.raises(Invalid):
        mail.outbox([1], after="rubbish")
