"""Many at once on one file: nobody is refused, nothing is lost, and the public form answers while searches run."""

import hashlib
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask

from collab import files
from collab.core.db import db
from collab.inquiries import Inquiry, Status
from collab.mail import OutboxMail
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.visitors import COOPERATION, FORM, Answer, Visitor, pdf

#: What a refused form says.
ERROR = re.compile(r'<p class="err".*?</p>')
CLIENTS = 8
EACH = 10


def together(number: int, work: Callable[[int], None]) -> None:
    """Run ``work(1)`` to ``work(number)`` at the same time; the first failure fails the test."""
    failures: list[BaseException] = []

    def run(which: int) -> None:
        try:
            work(which)
        except BaseException as failure:  # noqa: BLE001  # raised again below
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(which,), daemon=True) for which in range(1, number + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


@pytest.mark.settings(workers=2)
def test_eight_submitters_on_sqlite(
    app: Flask, department: object, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """8 clients send 10 inquiries each, with a PDF of 20 KB, as fast as they can."""
    sent: dict[str, str] = {}
    answers: list[Answer] = []
    start = threading.Barrier(CLIENTS)

    def submit(number: int) -> None:
        visitor = Visitor(server.url, number)
        opened = [visitor.open(FORM) for _ in range(EACH)]
        contents = [pdf(20) for _ in range(EACH)]
        opened[-1].wait()
        start.wait(60)
        for which, (form, content) in enumerate(zip(opened, contents, strict=True)):
            email = f"client-{number}-{which}@example.org"
            sent[email] = hashlib.sha256(content).hexdigest()
            answers.append(visitor.send(form, {**COOPERATION, "email": email}, ("note.pdf", content)))

    began = time.monotonic()
    together(CLIENTS, submit)
    wrong = [(answer.status, ERROR.findall(answer.text)) for answer in answers if answer.status != 303]
    assert len(answers) == CLIENTS * EACH
    assert not wrong, wrong
    db.session.rollback()
    stored = {one.email: one for one in db.session.scalars(sa.select(Inquiry))}
    assert stored.keys() == sent.keys()
    for email, inquiry in stored.items():
        (file,) = files.of("inquiry", inquiry.id)
        assert file.sha256 == sent[email]
        assert inquiry.status is Status.UNCONFIRMED
    assert len({one.reference for one in stored.values()}) == len(sent)
    mails = db.session.scalars(sa.select(OutboxMail.to_address)).all()
    assert sorted(mails) == sorted(sent)
    seconds = sorted(answer.seconds for answer in answers)
    centiles = statistics.quantiles(seconds, n=100)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{CLIENTS} submitters, {len(answers)} inquiries with a file: p50 {centiles[49] * 1000:.0f} ms, "
            f"p99 {centiles[98] * 1000:.0f} ms, {time.monotonic() - began:.0f} s with opening and typing\n"
        )


@pytest.mark.settings(workers=2)
def test_the_public_form_answers_while_searches_run(
    app: Flask, staff: Callable[..., Staff], inquiry: Callable[..., Any], server: Server
) -> None:
    """F25: ten members of staff search for all that is expensive to find; a visitor still sends the form at once."""
    for _ in range(30):
        inquiry(summary="ligand receptor imaging therapy " * 50)
    session = staff("coordinator")
    cookies = {cookie.key: cookie.value for cookie in session._cookies.values()}
    searches = (
        "a",
        "e*",
        "the OR ligand",
        "(((",
        "li re im th",
        "%",
        "核",
        '"ligand receptor"',
        "-x",
        "á" * 100,
    )
    stop = threading.Event()
    found: list[int] = []

    def search(number: int) -> None:
        client = Visitor(server.url, 20)
        client.cookies = dict(cookies)
        while not stop.is_set():
            address = f"/staff/inquiries?q={quote(searches[number % len(searches)])}"
            found.append(client.get(address).status)

    threads = [threading.Thread(target=search, args=(number,), daemon=True) for number in range(10)]
    for thread in threads:
        thread.start()
    answers = []
    try:
        for number in range(4):
            visitor = Visitor(server.url, 30 + number)
            form = visitor.open(FORM)
            form.wait()
            fields = {**COOPERATION, "email": f"visitor-{number}@example.org"}
            answers.append(visitor.send(form, fields, ("note.pdf", pdf(20))))
    finally:
        stop.set()
        for thread in threads:
            thread.join(180)
    assert [answer.status for answer in answers] == [303] * 4
    assert max(answer.seconds for answer in answers) < 10
    assert len(found) >= 10
    assert set(found) <= {200, 400}, set(found)
    assert found.count(200) > len(found) / 2
