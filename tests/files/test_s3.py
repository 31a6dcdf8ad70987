"""The same store in a bucket: a real server that speaks S3 over HTTP, in a process of its own."""

import http.client
import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import obstore
import pytest
import time_machine
from flask import Flask
from obstore.store import S3Store

from collab import files
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Unavailable
from collab.files import FileUnavailable, StoredFile
from collab.files.store import PREFIX, Gone, Store, store
from collab.files.upkeep import GRACE
from tests.files.conftest import pdf
from tests.support.processes import Process, free_port, start

Receive = Callable[..., StoredFile]
OWNER = ("inquiry", 1)
BUCKET = "attachments"
AT_ONCE = 5

pytestmark = pytest.mark.settings(files_url=f"s3://{BUCKET}/portal")


class S3:
    """The server."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port

    def ask(self, method: str, path: str) -> int:
        """The status of the answer; 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    @property
    def bucket(self) -> S3Store:
        """All of the bucket, past our own code."""
        return S3Store(BUCKET, client_options={"allow_http": True})

    def names(self) -> set[str]:
        """Everything in the bucket."""
        return {str(item["path"]) for page in obstore.list(self.bucket) for item in page}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    few = {"MOTO_S3_DEFAULT_MAX_KEYS": str(AT_ONCE)}  # a listing in pages, without a thousand objects
    process = start(command, log=tmp_path_factory.mktemp("s3") / "log", env=os.environ | few)
    server = S3(process, port)
    process.wait_until(lambda: server.ask("GET", "/moto-api/") == 200)
    yield server
    process.kill()


@pytest.fixture(autouse=True)
def s3(running: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """An empty bucket, and what the environment says of it."""
    assert running.ask("POST", "/moto-api/reset") == 200
    assert running.ask("PUT", f"/{BUCKET}") == 200
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{running.port}",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "no secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return running


def kept(receive: Receive, content: bytes) -> StoredFile:
    receive(content, "plan.pdf")
    with unit_of_work():
        (file,) = files.claim("the form's secret", owner=OWNER)
    return file


def keys() -> list[str]:
    return [entry.key for entry in store().entries()]


@pytest.mark.parametrize("pages", [1, 20_000], ids=["small", "in several parts"])
def test_what_is_put_is_read_and_deleted(app: Flask, receive: Receive, s3: S3, pages: int) -> None:
    content = pdf(inside=b"%" * (pages * 200))
    file = kept(receive, content)
    assert b"".join(files.read(file)) == content
    assert keys() == [file.key]
    assert store().has(file.key) == len(content)
    assert s3.names() == {f"portal/{file.key}"}  # it lies where the setting says
    with unit_of_work():
        files.discard(file)
    assert files.discarded() == [file.id]
    with unit_of_work():
        files.remove_for_good(file.id)
    assert s3.names() == set()
    store().remove(file.key)  # nothing there: nothing to do


def test_what_is_missing_says_so(app: Flask, receive: Receive) -> None:
    file = kept(receive, pdf())
    store().remove(file.key)
    assert store().has(file.key) is None
    with pytest.raises(Gone):
        list(store().read(file.key))
    with pytest.raises(FileUnavailable):
        files.read(file)


def test_what_was_changed_is_not_given_out(app: Flask, receive: Receive, s3: S3) -> None:
    content = pdf()
    file = kept(receive, content)
    obstore.put(s3.bucket, f"portal/{file.key}", content[:-1] + b"!")
    with pytest.raises(FileUnavailable):
        files.read(file)
    assert files.fsck().is_clean  # the sizes agree
    assert files.fsck(deep=True).damaged == [file.id]


def test_fsck_and_sweep(app: Flask, receive: Receive, s3: S3) -> None:
    file = kept(receive, pdf())
    assert files.fsck(deep=True) == files.Report(checked=1)
    orphan = f"{PREFIX}/00/{'0' * 32}"
    obstore.put(s3.bucket, f"portal/{orphan}", b"nobody knows me")
    obstore.put(s3.bucket, f"another/{orphan}", b"somebody else's")
    store().remove(file.key)
    report = files.fsck()
    assert (report.missing, report.damaged, report.orphans) == ([file.id], [], [])
    with time_machine.travel(clock.now() + GRACE + timedelta(minutes=1), tick=True):
        assert files.fsck().orphans == [orphan]
        with unit_of_work():
            assert files.remove_orphans() == 1
    assert s3.names() == {f"another/{orphan}"}


def test_more_than_one_page_of_a_listing(app: Flask, s3: S3) -> None:
    names = sorted(f"{PREFIX}/{number % 7:02}/{number:032}" for number in range(3 * AT_ONCE + 1))
    for name in names:
        obstore.put(s3.bucket, f"portal/{name}", b"x")
    assert sorted(keys()) == names


def test_a_bucket_that_is_not_there_is_a_refusal_and_no_mishap(app: Flask, receive: Receive, s3: S3) -> None:
    assert files.store_is_writable()
    assert s3.ask("POST", "/moto-api/reset") == 200
    assert not files.store_is_writable()
    with pytest.raises(Unavailable):
        receive(pdf(), "plan.pdf")
    assert db.session.query(StoredFile).count() == 0


def test_a_store_that_does_not_answer_is_a_refusal(
    app: Flask, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = kept(receive, pdf())
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    app.extensions["collab.store"] = (
        app.extensions["collab.store"][0],
        Store(app.extensions["collab.settings"]),
    )
    with pytest.raises(Unavailable):
        files.read(file)
    assert not files.store_is_writable()
