"""What an installation meets: a full disk, a database that restarts, an order to end (F09, F10, F20)."""

import hashlib
import http.client
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask, Response
from psycopg import sql

from collab import create_app, files
from collab.core.db import db
from collab.inquiries import Inquiry
from collab.mail import MailState, OutboxMail
from collab.settings import Settings
from tests.support import installation
from tests.support.installation import SECRET_KEY
from tests.support.postgres import Postgres
from tests.support.processes import free_port, start
from tests.support.server import Server, environment
from tests.support.smtp import Smtp
from tests.support.visitors import COOPERATION, FORM, Broken, OpenForm, Visitor, multipart, pdf

START = "/en/nuclear-medicine/"


def settings_in(folder: Path, **given: Any) -> Settings:
    """Settings of an installation of its own."""
    port = free_port()
    values: dict[str, Any] = {
        "instance": folder,
        "secret_key": SECRET_KEY,
        "base_url": f"http://127.0.0.1:{port}",
        "bind": f"127.0.0.1:{port}",
        "workers": 1,
        "password_memory_kib": 8,
        "password_passes": 1,
        "log_format": "text",
        "log_level": "warning",
        "submissions_per_network": 10_000,
    }
    return Settings(**(values | given))


# -- F09 --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"mounting is not possible here: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill_up(folder: Path) -> Path:
    """Leave no byte free."""
    junk = folder / "junk"
    with junk.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return junk


def test_f09_a_full_disk_refuses_clearly_and_recovers(small_disk: Path, tmp_path: Path) -> None:
    """Database and files on one full disk: refused with 503, nothing half, reading goes on, and later all is well."""
    settings = settings_in(small_disk)
    installation.with_department(settings.database)
    server = Server(settings)
    server.log = small_disk / "serve.log"  # on the very same disk
    try:
        server.start()
        visitor = Visitor(server.url)
        form = visitor.open(FORM)
        before = sorted(path.name for path in (small_disk / "files").rglob("*") if path.is_file())
        form.wait()
        junk = fill_up(small_disk)
        content = pdf(200)
        fields = {**COOPERATION, "email": "disk@example.org"}
        for file in (("note.pdf", content), None):
            refused = visitor.send(form, fields, file)
            assert refused.status == 503, refused.text[:3000]
            assert int(refused.headers["retry-after"]) > 0
            assert "<h1" in refused.text
            assert "Traceback" not in refused.text
        for path in (START, f"{START}clinical", FORM, "/staff/sign-in", "/healthz"):
            assert visitor.get(path).status == 200, path
        assert visitor.get("/readyz").status == 503
        after = sorted(path.name for path in (small_disk / "files").rglob("*") if path.is_file())
        assert after == before
        junk.unlink()
        again = visitor.send(form, fields, ("note.pdf", content))
        assert again.status == 303, again.text[:3000]
    finally:
        server.close()
    engine = sa.create_engine(settings.database)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT email FROM inquiry")).scalars().all() == [
            "disk@example.org"
        ]
        stored = connection.execute(sa.text("SELECT key, sha256, state FROM stored_file")).all()
        assert connection.execute(sa.text("SELECT count(*) FROM outbox_mail")).scalar() == 1
        assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
    engine.dispose()
    ((key, sha256, state),) = stored
    assert (state, sha256) == ("attached", hashlib.sha256(content).hexdigest())
    assert hashlib.sha256((small_disk / "files" / key).read_bytes()).hexdigest() == sha256


# -- F10 --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server of this test's own, which it may restart."""
    server = Postgres()
    yield server
    server.remove()


def test_f10_the_database_restarts_while_requests_run(postgres: Postgres, smtp: Smtp, tmp_path: Path) -> None:
    url = postgres.create("restarted")
    # As shipped: what was acknowledged is on the disk.
    postgres._administer(sql.SQL("ALTER DATABASE restarted SET synchronous_commit = on"))
    installation.with_department(url)
    (tmp_path / "instance").mkdir(mode=0o700)
    settings = settings_in(tmp_path / "instance", database_url=url, smtp_url=smtp.url, workers=2)
    server = Server(settings)
    stop = threading.Event()
    asked: list[tuple[float, float, int]] = []
    acknowledged: list[str] = []
    failures: list[str] = []

    def submit(number: int) -> None:
        visitor = Visitor(server.url, number)
        while not stop.is_set():
            email = f"p-{secrets.token_hex(5)}@example.org"
            with suppress(Broken):
                form = visitor.open(FORM)
                form.wait()
                for _again in range(20):
                    began = time.monotonic()
                    answer = visitor.send(form, {**COOPERATION, "email": email})
                    asked.append((began, time.monotonic(), answer.status))
                    if answer.status == 303:
                        acknowledged.append(email)
                        break
                    if answer.status != 503 or "retry-after" not in answer.headers:
                        failures.append(f"{answer.status}: {answer.text[:1500]}")
                        break
                    time.sleep(0.3)

    def read(number: int) -> None:
        visitor = Visitor(server.url, number)
        while not stop.is_set():
            for path in ("/en/my/NM-2020-0001", FORM, f"{START}search?q=thyroid"):
                began = time.monotonic()
                with suppress(Broken):
                    answer = visitor.get(path)
                    asked.append((began, time.monotonic(), answer.status))
                    if answer.status not in {200, 404, 503}:
                        failures.append(f"{path} {answer.status}: {answer.text[:1500]}")
                time.sleep(0.1)

    threads = [threading.Thread(target=submit, args=(number,), daemon=True) for number in range(1, 5)]
    threads.append(threading.Thread(target=read, args=(9,), daemon=True))
    try:
        server.start()
        server.start_worker()
        for thread in threads:
            thread.start()
        time.sleep(5)
        down = time.monotonic()
        postgres.stop(immediately=True)
        time.sleep(2)
        postgres.start()
        up = time.monotonic()
        time.sleep(8)
        stop.set()
        for thread in threads:
            thread.join(180)
            assert not thread.is_alive()
        assert not failures, f"{failures[:3]}\n{server.web.output if server.web else ''}"
        # Connections that were waiting are noticed at their next use: a moment after, all is as before.
        outside = [status for began, ended, status in asked if ended < down or began > up + 2]
        assert outside
        assert 503 not in outside, sorted(outside)
        assert any(status == 503 for began, _ended, status in asked if down < began < up)
        assert [status for began, _ended, status in asked if began > up + 2 and status == 303]
        with psycopg.connect(url) as connection:
            stored = [row[0] for row in connection.execute("SELECT email FROM inquiry")]
        assert len(stored) == len(set(stored))
        assert set(acknowledged) <= set(stored)
        ends = time.monotonic() + 180
        while not set(stored) <= {recipient for one in smtp.mails for recipient in one.recipients}:
            assert time.monotonic() < ends, "the worker did not come back"
            time.sleep(0.1)
        assert len({one.message_id for one in smtp.mails}) == len(stored)
    finally:
        stop.set()
        server.close()


def test_f10_a_connection_that_breaks_after_the_answer_costs_nothing(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.create("broken")
    installation.with_department(url)
    (tmp_path / "instance").mkdir(mode=0o700)
    app = create_app(settings_in(tmp_path / "instance", database_url=url))

    @app.after_request
    def _break(response: Response) -> Response:
        pid = db.session.scalar(sa.text("SELECT pg_backend_pid()"))
        with psycopg.connect(postgres._administration, autocommit=True) as connection:
            assert connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
        return response

    client = app.test_client()
    for _ in range(3):
        assert client.get(FORM, base_url=app.extensions["collab.settings"].base_url).status_code == 200
    with app.app_context():
        installation.close(app)


# -- F20 --------------------------------------------------------------------------------------------------------------


class HalfSent:
    """An upload whose second half comes later."""

    def __init__(self, visitor: Visitor, form: OpenForm, email: str, content: bytes) -> None:
        address = urlsplit(visitor.origin)
        self.connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        mark = secrets.token_hex(16)
        body = multipart(mark, {**form.hidden, **COOPERATION, "email": email}, ("note.pdf", content))
        self.connection.putrequest("POST", form.path)
        self.connection.putheader("Content-Type", f"multipart/form-data; boundary={mark}")
        self.connection.putheader("Content-Length", str(len(body)))
        self.connection.putheader("Origin", visitor.origin)
        self.connection.putheader(
            "Cookie", "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        )
        self.connection.endheaders(body[: len(body) // 2])
        self.rest = body[len(body) // 2 :]

    def finish(self) -> int:
        self.connection.send(self.rest)
        response = self.connection.getresponse()
        response.read()
        self.connection.close()
        return response.status


def test_f20_requests_under_way_are_finished(app: Flask, department: object, server: Server) -> None:
    """SIGTERM in the middle of five uploads: each gets its answer, and the server ends by itself."""
    contents = {f"half-{number}@example.org": pdf(200) for number in range(5)}
    opened = []
    for number, email in enumerate(contents):
        visitor = Visitor(server.url, number)
        opened.append((visitor, visitor.open(FORM), email))
    opened[-1][1].wait()
    under_way = [HalfSent(visitor, form, email, contents[email]) for visitor, form, email in opened]
    time.sleep(0.5)
    assert server.web is not None
    server.web.signal(signal.SIGTERM)
    time.sleep(0.7)
    assert [one.finish() for one in under_way] == [303] * 5
    assert server.web.process.wait(120) == 0, server.web.output
    assert not server.answers()
    db.session.rollback()
    stored = {one.email: one for one in db.session.scalars(sa.select(Inquiry))}
    assert stored.keys() == contents.keys()
    for email, inquiry in stored.items():
        (file,) = files.of("inquiry", inquiry.id)
        assert file.sha256 == hashlib.sha256(contents[email]).hexdigest()


def test_f20_collab_run_ends_both_within_ten_seconds(
    app: Flask, settings: Settings, inquiry: Callable[..., Any], smtp: Smtp, tmp_path: Path
) -> None:
    """SIGTERM while a mail is with the mail server: it is finished and noted, and nothing is left running."""
    inquiry(confirmed=False)
    smtp.faults.delay = 2.0
    port = free_port()
    here = settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}", "bind": f"127.0.0.1:{port}"})
    run = start(
        [sys.executable, "-m", "collab", "run"],
        log=tmp_path / "run.log",
        env=environment(here) | {"COLLAB_BASE_URL": here.base_url, "COLLAB_BIND": here.bind},
        cwd=settings.instance,
    )
    try:
        run.wait_until(lambda: "Collab runs at" in run.output, what="running")
        smtp.wait(1)
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        assert len(children) == 2, children
        began = time.monotonic()
        run.signal(signal.SIGTERM)
        assert run.process.wait(120) == 0, run.output
        assert time.monotonic() - began < 10
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    finally:
        run.kill()
    db.session.rollback()
    (mail,) = db.session.scalars(sa.select(OutboxMail).where(OutboxMail.topic == "M1"))
    assert (mail.state, len(smtp.mails)) == (MailState.SENT, 1)
