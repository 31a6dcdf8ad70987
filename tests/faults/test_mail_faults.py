"""Faults of mail delivery: kills, many workers, servers that are away, slow, refusing or not what they claim.

The promise that is tested: nothing is lost, nothing is sent twice within a lease, and what is sent again after a
crash bears the same Message-ID.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from collab import mail
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.jobs import rounds
from collab.jobs.post import deliver_due
from collab.mail import MailState, OutboxMail
from tests.support.server import Server
from tests.support.smtp import Smtp

Worker = Callable[[], int]


def enqueue(count: int = 1, **changes: Any) -> list[int]:
    values: dict[str, Any] = {
        "locale": "en",
        "subject": "A subject",
        "text": "A text.\n",
        "reader": "partner",
    }
    with unit_of_work():
        return [
            mail.enqueue("T1", **({"to": f"p{n}@example.org"} | values | changes)).id for n in range(count)
        ]


def states() -> Counter[MailState]:
    db.session.rollback()
    return Counter(db.session.scalars(sa.select(OutboxMail.state)))


def rows() -> list[OutboxMail]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id)))


def wait(condition: Callable[[], bool], seconds: float = 180) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, states()
        time.sleep(0.05)


def later(minutes: float) -> Any:
    return time_machine.travel(clock.now() + timedelta(minutes=minutes))


# -- F01: killed between the commit and the mail ---------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.settings(smtp_timeout=10)  # long on a loaded machine, and a lease of 40 seconds
def test_f01_what_was_committed_leaves_after_a_restart_and_what_was_not_never_does(
    server: Server, smtp: Smtp
) -> None:
    def broken() -> None:
        with unit_of_work():
            mail.enqueue("T1", to="no@example.org", locale="en", subject="s", text="t", reader="staff")
            raise LookupError

    worker = server.start_worker()
    enqueue(5)
    with pytest.raises(LookupError):
        broken()
    server.kill()
    worker.kill()
    server.start_worker()
    smtp.wait(5)
    wait(lambda: states() == {MailState.SENT: 5})
    assert smtp.to("no@example.org") == []


# -- F02: killed while sending ---------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.settings(smtp_timeout=10)  # long on a loaded machine, and a lease of 40 seconds
def test_f02_a_worker_killed_at_any_moment_loses_nothing_and_repeats_only_what_it_had_in_hand(
    server: Server, smtp: Smtp
) -> None:
    smtp.faults.delay = 0.15
    enqueue(30)
    kills = 0
    for after in (2, 7, 15):  # kill -9 when so many have arrived: each time in the middle of a mail
        worker = server.start_worker()
        wait(lambda after=after: len(smtp.mails) >= after)  # type: ignore[misc]
        worker.kill()
        kills += 1
        in_hand = {row.id for row in rows() if row.state is MailState.SENDING}
        assert in_hand
        with unit_of_work():  # within the lease nobody else gets them
            others = {letter.id for letter in mail.claim(50, "other", lease=timedelta(minutes=1))}
            mail.release_leases("other")
        assert not in_hand & others
        db.session.execute(  # the lease ends
            sa.update(OutboxMail)
            .where(OutboxMail.state == MailState.SENDING)
            .values(lease_until=clock.now() - timedelta(seconds=1))
        )
        db.session.commit()
    smtp.faults.delay = 0
    server.start_worker()
    wait(lambda: states() == {MailState.SENT: 30})
    seen = Counter(got.message_id for got in smtp.mails)
    assert set(seen) == {row.message_id for row in rows()}
    assert len(smtp.mails) - len(seen) <= kills


def test_f02_dropped_after_data_is_sent_once_more_with_the_same_message_id(
    app: Flask, smtp: Smtp, worker: Worker
) -> None:
    (id,) = enqueue()
    smtp.faults.drop_after_data = True
    worker()
    assert states() == {MailState.QUEUED: 1}
    smtp.faults.drop_after_data = False
    with later(3):
        worker()
    first, second = smtp.wait(2)
    assert first.message_id == second.message_id == rows()[0].message_id
    assert (rows()[0].id, rows()[0].state, rows()[0].attempts) == (id, MailState.SENT, 2)


# -- F03: many workers, the same rows --------------------------------------------------------------------------


@pytest.mark.both_databases
def test_f03_many_workers_send_every_mail_once(server: Server, smtp: Smtp) -> None:
    enqueue(150)
    workers = [server.start_worker() for _ in range(3)]
    wait(lambda: states() == {MailState.SENT: 150})
    assert Counter(Counter(got.message_id for got in smtp.mails).values()) == {1: 150}
    for worker in workers:
        assert worker.stop() == 0


def test_f03_eight_claiming_at_once_share_the_rows_without_an_error(app: Flask) -> None:
    ids = enqueue(160)
    taken: list[int] = []
    errors: list[BaseException] = []

    def claim(name: str) -> None:
        with app.app_context():
            try:
                while letters := rounds.retrying(lambda: mail.claim(7, name)):
                    taken.extend(letter.id for letter in letters)
            except BaseException as error:  # noqa: BLE001  # shown by the assertion below
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=claim, args=(f"w{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(taken) == ids


# -- F04: the server is away for hours -------------------------------------------------------------------------


def test_f04_mails_wait_out_an_outage_in_order_and_all_arrive(app: Flask, smtp: Smtp, worker: Worker) -> None:
    smtp.stop()
    enqueue(4, to="p@example.org", about=("inquiry", 1))
    moment = clock.now()
    for _ in range(24):  # six hours
        with time_machine.travel(moment):
            worker()
        moment += timedelta(minutes=15)
    assert states() == {MailState.QUEUED: 4}
    assert "cannot be reached" in (rows()[0].last_error or "")
    assert rows()[0].attempts > 5
    smtp.start()
    with time_machine.travel(moment + timedelta(minutes=20)):
        worker()
    assert [got.message_id for got in smtp.mails] == [row.message_id for row in rows()]


# -- F05: temporary refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "faults",
    [
        {"greylist": 1},
        {"recipient": "451 4.7.1 later"},
        {"data": "452 4.3.1 no space"},
        {"sender": "451 4.3.0 later"},
        {"drop_at_data": True},
    ],
    ids=str,
)
def test_f05_a_temporary_refusal_is_tried_again(
    faults: dict[str, Any], app: Flask, smtp: Smtp, worker: Worker
) -> None:
    enqueue()
    for name, value in faults.items():
        setattr(smtp.faults, name, value)
    worker()
    (row,) = rows()
    assert (row.state, row.attempts) == (MailState.QUEUED, 1)
    assert 50 <= (row.due_at - clock.now()).total_seconds() <= 70
    assert row.last_error
    for name in faults:
        setattr(smtp.faults, name, False if name == "drop_at_data" else 0 if name == "greylist" else None)
    worker()
    assert smtp.mails == []  # not before its time
    with later(2):
        worker()
    assert len(smtp.mails) == 1
    assert states() == {MailState.SENT: 1}


# -- F06: permanent refusals -----------------------------------------------------------------------------------


def test_f06_a_permanent_refusal_fails_in_plain_sight_and_touches_nobody_else(
    app: Flask, smtp: Smtp, worker: Worker
) -> None:
    bad, good, third = enqueue(3, about=("inquiry", 1))
    smtp.faults.recipients["p0@example.org"] = "550 5.1.1 No such user"
    worker()
    by_id = {row.id: row for row in rows()}
    assert (by_id[bad].state, by_id[bad].attempts) == (MailState.FAILED, 1)
    assert by_id[bad].last_error == "550 5.1.1 No such user"
    assert {by_id[good].state, by_id[third].state} == {MailState.SENT}
    assert len(smtp.mails) == 2
    with later(60 * 24):
        worker()
    assert len(smtp.mails) == 2  # no retry by itself
    smtp.faults.recipients.clear()
    with unit_of_work():
        mail.retry(mail.by_id(bad, [], portal_mails=True))
    worker()
    assert states() == {MailState.SENT: 3}


def test_f06_a_refusal_of_the_content_is_permanent(app: Flask, smtp: Smtp, worker: Worker) -> None:
    enqueue(2)
    smtp.faults.data = "554 5.7.1 Rejected"
    worker()
    assert states() == {MailState.FAILED: 2}


# -- F07: slow and silent servers ------------------------------------------------------------------------------


@pytest.mark.settings(smtp_timeout=1)
def test_f07_a_silent_server_costs_one_timeout_and_no_more(app: Flask, smtp: Smtp) -> None:
    enqueue(20)  # a second each
    smtp.faults.delay = 30
    began = time.monotonic()
    deliver_due("w1")
    # A round ends some seconds after it began: then the other jobs have their turn.
    assert time.monotonic() - began < 15
    assert MailState.SENT not in states()
    assert "in time" in (rows()[0].last_error or "")
    assert states()[MailState.SENDING] == 0


@pytest.mark.settings(smtp_timeout=1)
def test_f07_a_server_that_never_greets_costs_one_timeout(app: Flask, settings: Any) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        app.extensions["collab.settings"] = settings.model_copy(
            update={"smtp_url": type(settings.smtp_url)(f"smtp+plain://127.0.0.1:{port}")}
        )
        enqueue(20)  # a second each
        began = time.monotonic()
        assert deliver_due("w1") == 20
        assert time.monotonic() - began < 15
    assert states() == {MailState.QUEUED: 20}


# -- F08: TLS that is not what it should be --------------------------------------------------------------------


def use(app: Flask, url: str, ca_file: Path | None = None) -> None:
    settings = app.extensions["collab.settings"]
    app.extensions["collab.settings"] = settings.model_copy(
        update={"smtp_url": type(settings.smtp_url)(url), "smtp_ca_file": ca_file}
    )


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_f08_a_certificate_nobody_vouches_for_is_refused(
    tls: Any, app: Flask, smtp_server: Callable[..., Smtp], worker: Worker
) -> None:
    server = smtp_server(tls=tls)
    enqueue(2)
    use(app, server.url)
    worker()
    assert states() == {MailState.QUEUED: 2}
    assert "not trusted" in (rows()[0].last_error or "")
    assert server.mails == []
    use(app, server.url, server.ca_file)
    with later(3):
        worker()
    assert [got.encrypted for got in server.mails] == [True, True]


def test_f08_without_starttls_nothing_is_sent_in_the_clear(app: Flask, smtp: Smtp, worker: Worker) -> None:
    enqueue()
    use(app, smtp.url.replace("smtp+plain://", "smtp://"))
    worker()
    assert smtp.mails == []
    assert states() == {MailState.QUEUED: 1}
    assert "STARTTLS" in (rows()[0].last_error or "")


# -- F20: a worker that is told to end -------------------------------------------------------------------------


def test_f20_a_worker_told_to_end_finishes_the_mail_in_hand_and_gives_the_rest_back(
    server: Server, smtp: Smtp
) -> None:
    smtp.faults.delay = 0.5
    enqueue(10)
    worker = server.start_worker()
    wait(lambda: len(smtp.mails) >= 2)
    assert worker.stop() == 0
    found = states()
    assert found[MailState.SENDING] == 0
    assert found[MailState.SENT] == len(smtp.mails)
    assert found[MailState.QUEUED] == 10 - len(smtp.mails)


# -- F22: one bad row ------------------------------------------------------------------------------------------


def test_f22_one_bad_row_is_parked_and_a_hundred_good_ones_leave(
    app: Flask, smtp: Smtp, worker: Worker
) -> None:
    ids = enqueue(101)
    with unit_of_work():
        db.session.execute(
            sa.update(OutboxMail)
            .where(OutboxMail.id == ids[40])
            .values(to_address="x\r\nBcc: evil@example.org")
        )
    worker()
    assert states() == {MailState.SENT: 100, MailState.FAILED: 1}
    assert len(smtp.mails) == 100
    assert all("evil" not in recipient for got in smtp.mails for recipient in got.recipients)


def test_f22_a_failing_job_stops_neither_the_others_nor_itself(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collab import jobs
    from collab.jobs import schedule
    from collab.jobs.worker import Worker as Process

    done: list[str] = []

    def fails() -> int:
        done.append("fails")
        raise ValueError("a secret that must not be kept")

    def works() -> int:
        done.append("works")
        return 1

    every = timedelta(minutes=1)
    monkeypatch.setattr(schedule, "JOBS", [jobs.Job("fails", every, fails), jobs.Job("works", every, works)])
    process = Process(app)
    process.turn()
    process.turn()
    assert done == ["fails", "works"]  # each once within its minute
    with later(1.1):
        process.turn()
    assert done == ["fails", "works"] * 2
    failed = db.session.get(jobs.JobRun, "fails")
    assert failed is not None
    assert (failed.failures, failed.last_error) == (2, "ValueError")


def test_f22_one_by_one_goes_on_after_a_row_that_fails(app: Flask) -> None:
    from collab import jobs

    ids = enqueue(5)

    def cancel(id: int) -> None:
        found = db.session.get(OutboxMail, id)
        assert found is not None
        mail.cancel(found)
        if id == ids[2]:
            raise ZeroDivisionError

    assert jobs.one_by_one("cancelling", ids, cancel) == 4
    assert [row.state for row in rows()].count(MailState.CANCELLED) == 4
    assert rows()[2].state is MailState.QUEUED
