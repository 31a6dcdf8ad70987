"""Faults of attachments: records and bytes out of step, a full disk, a kill in the middle (F09, F13, F19, F21)."""

import http.client
import io
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask

from collab import files
from collab.core import clock, site
from collab.core.db import db, unit_of_work
from collab.core.errors import Unavailable
from collab.files import FileUnavailable, ScanState, StoredFile
from collab.files.upkeep import GRACE
from collab.jobs import upkeep
from tests.files.conftest import pdf
from tests.support.server import Server

OWNER = ("inquiry", 1)


def attach(content: bytes | None = None, name: str = "a.pdf") -> StoredFile:
    with unit_of_work():
        file = files.receive(
            io.BytesIO(content or pdf()),
            name,
            department_id=1,
            purpose="p",
            claim_token=name,
            max_bytes=30_000_000,
        )
        files.attach(file, owner=OWNER)
        return file


def path_of(file: StoredFile) -> Path:
    return site.settings().instance / "files" / file.key


def everything() -> list[Path]:
    return [path for path in (site.settings().instance / "files").rglob("*") if path.is_file()]


def test_f13_a_missing_file_says_so_and_the_others_still_open(app: Flask) -> None:
    lost, there = attach(name="lost.pdf"), attach(name="there.pdf")
    path_of(lost).unlink()
    with pytest.raises(FileUnavailable) as refused:
        files.read(lost)
    assert refused.value.status == 503
    assert refused.value.message
    assert b"".join(files.read(there)) == pdf()
    report = files.fsck()
    assert (report.checked, report.missing, report.damaged, report.is_clean) == (2, [lost.id], [], False)


def test_f13_a_flipped_byte_is_never_given_out(app: Flask) -> None:
    file = attach()
    content = bytearray(path_of(file).read_bytes())
    content[50] ^= 1
    path_of(file).write_bytes(content)
    with pytest.raises(FileUnavailable):
        files.read(file)
    assert files.fsck().damaged == []  # same size: only reading shows it
    assert files.fsck(deep=True).damaged == [file.id]


def test_f13_an_added_file_is_found_and_removed_after_its_grace(app: Flask) -> None:
    file = attach()
    stray = path_of(file).with_name("0" * 32)
    stray.write_bytes(b"x")
    with time_machine.travel(clock.now() + GRACE * 1.1):
        assert files.fsck().orphans == [f"f/{file.key[2:4]}/{'0' * 32}"]
        upkeep.sweep_files()
    assert not stray.exists()
    assert b"".join(files.read(file)) == pdf()


def test_f13_a_discarded_file_is_gone_at_once_and_its_bytes_with_the_sweep(app: Flask) -> None:
    file = attach()
    path, id = path_of(file), file.id
    with unit_of_work():
        assert files.discard_of(OWNER) == 1
    assert files.of(*OWNER) == []
    assert path.exists()
    upkeep.sweep_files()
    assert not path.exists()
    assert db.session.get(StoredFile, id) is None


def test_a51_uploads_nobody_sent_are_forgotten(app: Flask) -> None:
    with unit_of_work():
        files.receive(
            io.BytesIO(pdf()), "a.pdf", department_id=1, purpose="p", claim_token="t", max_bytes=10**6
        )
    kept = attach()
    upkeep.sweep_files()
    assert db.session.query(StoredFile).count() == 2
    with time_machine.travel(clock.now() + upkeep.PENDING_LASTS + timedelta(minutes=1)):
        upkeep.sweep_files()
    assert [file.id for file in db.session.query(StoredFile)] == [kept.id]
    assert everything() == [path_of(kept)]


@pytest.fixture
def small_disk(app: Flask) -> Iterator[Path]:
    """The store on a disk of its own with eight megabytes."""
    folder = site.settings().instance / "files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if done.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_f09_a_full_disk_refuses_clearly_keeps_no_half_file_and_recovers(small_disk: Path) -> None:
    large = pdf(inside=os.urandom(3_000_000).replace(b"PK", b"xx"))
    first = attach(large, "first.pdf")
    attach(large, "second.pdf")
    with pytest.raises(Unavailable) as refused:
        attach(large, "third.pdf")
    assert refused.value.status == 503
    assert "no room" in refused.value.message
    assert len(everything()) == 2
    assert db.session.query(StoredFile).count() == 2
    assert b"".join(files.read(first)) == large  # reading still works
    with unit_of_work():
        files.discard(db.session.get(StoredFile, first.id))  # type: ignore[arg-type]
    upkeep.sweep_files()
    attach(large, "third.pdf")  # without a restart


def test_f21_with_a_scanner_files_are_held_until_it_says_clean(app: Flask, tmp_path: Path) -> None:
    script = tmp_path / "scanner"
    script.write_text('#!/bin/sh\nif grep -q EICAR-STANDARD "$1"; then exit 1; fi\nexit 0\n')
    script.chmod(0o700)
    use(app, scan_command=str(script))
    good = attach(name="good.pdf")
    bad = attach(pdf(inside=b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"), "bad.pdf")
    for file in (good, bad):
        with pytest.raises(FileUnavailable):
            files.read(file)
    script.rename(tmp_path / "away")  # the scanner is down: held, not released, and not "clean"
    upkeep.scan_files()
    assert {scan_of(good), scan_of(bad)} == {ScanState.FAILED}
    with pytest.raises(FileUnavailable):
        files.read(stored(good))
    (tmp_path / "away").rename(script)
    upkeep.scan_files()
    assert (scan_of(good), scan_of(bad)) == (ScanState.CLEAN, ScanState.INFECTED)
    assert b"".join(files.read(stored(good))) == pdf()
    with pytest.raises(FileUnavailable):
        files.read(stored(bad))
    use(app, scan_command="")  # even without a scanner an infected file stays locked
    with pytest.raises(FileUnavailable):
        files.read(stored(bad))


def use(app: Flask, **changes: Any) -> None:
    app.extensions["collab.settings"] = app.extensions["collab.settings"].model_copy(update=changes)


def stored(file: StoredFile) -> StoredFile:
    db.session.rollback()
    found = db.session.get(StoredFile, file.id)
    assert found is not None
    return found


def scan_of(file: StoredFile) -> ScanState:
    return stored(file).scan


@pytest.mark.usefixtures("department")
@pytest.mark.settings(upload_megabytes=20)
def test_f19_a_server_killed_in_the_middle_of_an_upload_leaves_nothing_visible(server: Server) -> None:
    slug = db.session.execute(db.text("SELECT slug FROM department")).scalar_one()
    address = urlsplit(server.url)
    boundary = b"b0undary"
    head = (
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="attachment"; filename="a.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n"
    )
    body = head + pdf() + b"x" * 18_000_000
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(
            f"POST /en/{slug}/inquire/cooperation HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={boundary.decode()}\r\n\r\n".encode()
            + body[: len(body) // 2]
        )
        time.sleep(0.3)
        server.kill()
    server.start()
    assert db.session.query(StoredFile).count() == 0
    assert [path for path in everything() if path.parent.name != ".incoming"] == []
    again = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    again.request("GET", f"/en/{slug}/")
    assert again.getresponse().status == 200
    again.close()
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        upkeep.sweep_files()
    assert everything() == []
