"""kill -9 of web and mail workers at any moment of the journey: nothing lost, nothing half, no mail twice in a lease.

The oracle is that of all faults: every acknowledged submission exists exactly once with its file and its mails; every
row of the outbox reached the mail server at least once; what came twice has the same Message-ID, at most once for each
kill, and not before the lease was over; what was not acknowledged is there whole or not at all.
"""

import hashlib
import itertools
import json
import os
import random
import secrets
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import files, mail
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.files import FileState, StoredFile
from collab.inquiries import Inquiry, InquiryEvent, Status
from collab.inquiries.models import InquiryCount
from collab.jobs.post import ROUND_SECONDS
from collab.mail import MailState, OutboxMail
from tests.support.server import Server
from tests.support.smtp import Mail, Smtp
from tests.support.visitors import COOPERATION, FORM, Broken, Visitor, path_of, pdf

SUBMITTERS = 4
KILLS = 6
#: Long beside the tenth of a second the mail server takes: on a loaded machine that becomes seconds.
SMTP_TIMEOUT = 5.0
#: What the worker takes: twice the time of one mail and twenty seconds.
LEASE = 2 * SMTP_TIMEOUT + 20
#: A worker starts within this time on the slowest machine.
START = 60.0
#: When what was sent must have its mail, at the latest: each kill of a worker may cost the mail a lease and a start.
#: What the mail server put off is hurried along, see ``no_backoff``. Only a guard: nothing waits for it to pass.
PATIENCE = KILLS * (LEASE + START)


class Timed(list[Mail]):
    """The mails with the moment each came."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def append(self, one: Mail) -> None:
        self.moments.append(time.monotonic())
        super().append(one)


@dataclass
class Sent:
    """One submission as the submitter knows it."""

    email: str
    sha256: str
    acknowledged: bool = False
    confirmed: bool = False
    forgetful: bool = False
    #: How often it was sent: a person presses "Send" again when no answer came.
    tries: int = 0
    statuses: list[int] = field(default_factory=list)
    #: What the server said last that was not what the submitter wanted.
    refusal: str = ""


class Submitter(threading.Thread):
    """Sends the public form again and again, and follows the link in each mail."""

    def __init__(self, server: Server, smtp: Smtp, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.server, self.smtp, self.number, self.stop = server, smtp, number, stop
        self.chance = random.Random(number)  # no secret
        self.sent: list[Sent] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.submit()
                for one in self.to_confirm():
                    if self.smtp.to(one.email) and not self.stop.is_set():
                        self.confirm(one)
            for one in self.to_confirm():
                self.confirm(one)
        except BaseException as failure:  # noqa: BLE001  # told to the test, which fails
            self.failure = failure

    def acknowledged(self) -> int:
        """How many the server took."""
        return sum(one.acknowledged for one in self.sent)

    def to_confirm(self) -> list[Sent]:
        """All but every fifth, who never opens the mail."""
        return [one for one in self.sent if one.acknowledged and not one.confirmed and not one.forgetful]

    def submit(self) -> None:
        visitor = Visitor(self.server.url, self.number)
        try:
            form = visitor.open(FORM)
        except Broken:
            time.sleep(0.2)
            return
        content = pdf(20)
        one = Sent(f"p-{secrets.token_hex(5)}@example.org", hashlib.sha256(content).hexdigest())
        one.forgetful = len(self.sent) % 5 == 0
        self.sent.append(one)
        form.wait()
        patience = self.chance.choice((1, 30, 30))  # some give up after the first failure
        while one.tries < patience:
            one.tries += 1
            try:
                answer = visitor.send(form, {**COOPERATION, "email": one.email}, ("note.pdf", content))
            except Broken as broken:
                one.refusal = str(broken)
                time.sleep(0.3)
                continue
            one.statuses.append(answer.status)
            if answer.status == 303:
                assert "/sent/" in answer.location, answer.location
                one.acknowledged = True
                return
            one.refusal = f"{answer.status}: {answer.text[:2000]}"
            assert answer.status == 503, one.refusal
            time.sleep(0.3)

    def confirm(self, one: Sent) -> None:
        visitor = Visitor(self.server.url, self.number)
        ends = time.monotonic() + PATIENCE
        while not one.confirmed:
            assert time.monotonic() < ends, f"no way to confirm {one}"
            mails = self.smtp.to(one.email)
            if not mails:
                time.sleep(0.1)
                continue
            try:
                answer = visitor.press(path_of(mails[0].link("/en/confirm/")))
            except Broken as broken:
                one.refusal = str(broken)
                time.sleep(0.1)
                continue
            one.confirmed = answer.status == 303
            if not one.confirmed:
                one.refusal = f"{answer.status}: {answer.text[:2000]}"
                assert answer.status == 503, one.refusal
                time.sleep(0.1)


def children(pid: int) -> list[int]:
    """The processes a process started."""
    with suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@pytest.fixture
def timed(smtp: Smtp) -> Timed:
    smtp.mails = timed = Timed()
    smtp.faults.delay = 0.1  # so that kills often meet a mail between its text and the answer
    return timed


@pytest.mark.settings(workers=2, smtp_timeout=SMTP_TIMEOUT, submissions_per_network=1000, log_format="json")
def test_kills_lose_nothing(
    app: Flask,
    department: object,
    smtp: Smtp,
    timed: Timed,
    server: Server,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)  # no secret
    worker = server.start_worker()
    stop = threading.Event()
    submitters = [Submitter(server, smtp, number, stop) for number in range(1, SUBMITTERS + 1)]
    for one in submitters:
        one.start()
    kills: Counter[str] = Counter()
    while kills.total() < KILLS:
        # The next kill meets what comes after the next progress, or the silence after the last kill.
        before, patience = progress(submitters), time.monotonic() + chance.choice((2.0, 8.0))
        while progress(submitters) == before and time.monotonic() < patience:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 0.8))
        what = chance.choice(("web worker", "web worker", "mail worker", "mail worker", "web"))
        assert server.web is not None
        if what == "web worker":
            running = children(server.web.pid)
            if not running:
                continue
            with suppress(ProcessLookupError):
                os.kill(chance.choice(running), 9)
            up_again(server)
        elif what == "web":
            server.kill()
            server.start()
        else:
            worker.kill()
            worker = server.start_worker()
        kills[what] += 1
    ends = time.monotonic() + PATIENCE
    while any(
        one.failure is None and not one.acknowledged() for one in submitters
    ):  # everybody at least once
        assert time.monotonic() < ends, f"seed {seed}: {[one.sent for one in submitters]}"
        up_again(server)  # it may have answered once more before it ended
        no_backoff()
    stop.set()
    while any(one.is_alive() for one in submitters):  # each has a guard of its own
        up_again(server)
        no_backoff()
    for one in submitters:
        assert one.failure is None, f"seed {seed}: {one.failure!r}\n{the_post(server)}"
    sent = [one for submitter in submitters for one in submitter.sent]
    told = f"seed {seed}, {dict(kills)}, {len(sent)} sent"
    acknowledged = [one for one in sent if one.acknowledged]
    assert len(acknowledged) >= SUBMITTERS, told

    wait_for_the_post(server, told)
    worker.stop()
    for one in sent:
        exists_once(one, told)
    refused = refusals(server)
    came_once_or_after_a_kill(timed, kills["mail worker"], refused, told)
    everything_fits(told)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{told}, {len(acknowledged)} acknowledged, {sum(1 for one in sent if one.tries > 1)} sent again, "
            f"{len(timed)} mails for {len({one.message_id for one in timed})} rows, {len(refused)} put off\n"
        )


def progress(submitters: list[Submitter]) -> int:
    """How much was acknowledged so far."""
    return sum(one.acknowledged + one.confirmed for who in submitters for one in who.sent)


def up_again(server: Server) -> None:
    """granian replaces a killed worker; one killed twice within seconds ends the server, and it is started again."""
    assert server.web is not None
    ends = time.monotonic() + START
    while not server.answers():
        if server.web.process.poll() is not None:
            server.kill()
            server.start()
        assert time.monotonic() < ends, server.web.output
        time.sleep(0.05)


OPEN = (MailState.QUEUED, MailState.SENDING)


def wait_for_the_post(server: Server, told: str) -> None:
    """Until nothing waits any more; what a killed worker had in hand waits for its lease."""
    ends = time.monotonic() + PATIENCE
    while True:
        db.session.rollback()
        if not db.session.scalars(sa.select(OutboxMail.id).where(OutboxMail.state.in_(OPEN))).all():
            return
        assert time.monotonic() < ends, f"{told}\n{the_post(server)}"
        no_backoff()


def no_backoff() -> None:
    """A mail that was put off, as on a machine too slow for ``SMTP_TIMEOUT``, would wait for minutes: let it go now."""
    time.sleep(0.3)
    put_off = sa.and_(
        OutboxMail.state == MailState.QUEUED,
        OutboxMail.last_error.is_not(None),
        OutboxMail.due_at > clock.now(),
    )
    db.session.rollback()
    if db.session.scalar(sa.select(OutboxMail.id).where(put_off).limit(1)) is not None:
        with unit_of_work():
            db.session.execute(sa.update(OutboxMail).where(put_off).values(due_at=clock.now()))


def refusals(server: Server) -> list[dict[str, object]]:
    """What the workers noted of mails that did not leave: ``mail`` is the row, ``error`` why."""
    lines = [line for line in server.worker_log.read_text("utf-8").splitlines() if '"mail_failed"' in line]
    return [json.loads(line) for line in lines]


def the_post(server: Server) -> str:
    """The outbox as far as it waits, and what the workers were refused."""
    db.session.rollback()
    waiting = db.session.scalars(sa.select(OutboxMail).where(OutboxMail.state != MailState.SENT)).all()
    rows = [
        f"{row.topic} to {row.to_address}: {row.state}, attempt {row.attempts}, due {row.due_at}, "
        f"lease {row.lease_until}, {row.last_error}"
        for row in waiting
    ]
    return "\n".join(
        [f"{len(rows)} mails have not left at {clock.now()}:", *rows, *map(str, refusals(server))]
    )


def exists_once(one: Sent, told: str) -> None:
    """The oracle for one submission."""
    told = f"{told}: {one}"
    found = db.session.scalars(sa.select(Inquiry).where(Inquiry.email == one.email)).all()
    assert len(found) == 1 if one.acknowledged else len(found) <= 1, told
    for inquiry in found:  # whole, whether its answer arrived or not
        (file,) = files.of("inquiry", inquiry.id)
        assert file.sha256 == one.sha256, told
        assert file.state is FileState.ATTACHED, told
        content = b"".join(files.read(file))
        assert hashlib.sha256(content).hexdigest() == one.sha256, told
        topics = Counter(row.topic for row in mail.of(("inquiry", inquiry.id)) if row.reader == "partner")
        kinds = Counter(
            db.session.scalars(sa.select(InquiryEvent.kind).where(InquiryEvent.inquiry_id == inquiry.id))
        )
        assert max(kinds.values()) == 1, f"{told}: {kinds}"
        if one.confirmed:
            assert inquiry.status is Status.RECEIVED, told
            assert topics == {"M1": 1, "M2": 1}, f"{told}: {topics}"
        else:
            assert inquiry.status is Status.UNCONFIRMED, told
            assert topics == {"M1": 1}, f"{told}: {topics}"


def came_once_or_after_a_kill(timed: Timed, kills: int, refused: list[dict[str, object]], told: str) -> None:
    """Each row reached the server; what came twice came after a kill, under the same Message-ID, after the lease.

    A mail whose answer came too late for the worker may come twice without a kill: the worker has noted it.
    """
    rows = {row.message_id: row for row in db.session.scalars(sa.select(OutboxMail))}
    assert {row.state for row in rows.values()} <= {MailState.SENT}, told
    moments: dict[str, list[float]] = {}
    for one, moment in zip(timed, timed.moments, strict=True):
        moments.setdefault(one.message_id, []).append(moment)
    assert set(moments) == set(rows), told
    put_off = {one["mail"] for one in refused}
    twice = {id: came for id, came in moments.items() if len(came) > 1 and rows[id].id not in put_off}
    assert sum(len(came) - 1 for came in twice.values()) <= kills, f"{told}: {twice}"
    for came in twice.values():
        gaps = [later - earlier for earlier, later in itertools.pairwise(came)]
        # A lease begins when the worker takes the mail: at most one round and the time of one mail before it arrives.
        assert min(gaps) > LEASE - ROUND_SECONDS - 2 * SMTP_TIMEOUT - 5, f"{told}: {gaps}, {refused}"


def everything_fits(told: str) -> None:
    """Records and bytes fit, and the kept counts are the counted ones."""
    report = files.fsck(deep=True)
    assert not report.missing, f"{told}: {report}"
    assert not report.damaged, f"{told}: {report}"
    half = sa.select(StoredFile).where(
        StoredFile.state == FileState.ATTACHED,
        ~sa.exists().where(StoredFile.owner_id == Inquiry.id, StoredFile.owner_kind == "inquiry"),
    )
    assert not db.session.scalars(half).all(), told
    kept = {row.status: row.count for row in db.session.scalars(sa.select(InquiryCount)) if row.count}
    counted = db.session.execute(sa.select(Inquiry.status, sa.func.count()).group_by(Inquiry.status))
    assert kept == {row[0]: row[1] for row in counted}, told
