"""What is taken, what is refused, and whose it is."""

import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from collab import files
from collab.core import clock, site
from collab.core.db import db, unit_of_work
from collab.core.errors import Invalid, NotFound
from collab.files import FileState, ScanState, StoredFile
from collab.files.upkeep import GRACE
from tests.files.conftest import docx, jpeg, pdf, png

Receive = Callable[..., StoredFile]


def everything_in_the_store() -> list[Path]:
    return [path for path in (site.settings().instance / "files").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "name", "media_type", "pages"),
    [
        (pdf(3), "Research plan v1.2.PDF", files.PDF, 3),
        (docx(), "简历.docx", files.DOCX, None),
        (png(), "photo.png", files.PNG, None),
        (jpeg(), "photo.JPEG", files.JPEG, None),
    ],
    ids=["pdf", "docx", "png", "jpeg"],
)
def test_good_files_are_kept_as_they_are(
    content: bytes, name: str, media_type: str, pages: int | None, receive: Receive
) -> None:
    file = receive(content, name, declared=media_type)
    assert (file.media_type, file.pages, file.size) == (media_type, pages, len(content))
    assert (file.filename, file.state, file.scan) == (name, FileState.PENDING, ScanState.NOT_CHECKED)
    with unit_of_work():
        (claimed,) = files.claim("the form's secret", owner=("inquiry", 1))
    assert b"".join(files.read(claimed)) == content


def test_declared_types_that_say_nothing_do_not_matter(receive: Receive) -> None:
    for declared in (
        None,
        "",
        "application/octet-stream",
        "application/pdf; charset=binary",
        "application/x-pdf",
    ):
        assert receive(pdf(), "a.pdf", declared=declared).media_type == files.PDF


def test_only_the_form_that_uploaded_a_file_can_attach_it(receive: Receive) -> None:
    mine = receive(pdf(), "mine.pdf", claim_token="mine").id
    theirs = receive(pdf(), "theirs.pdf", claim_token="theirs").id
    with pytest.raises(NotFound), unit_of_work():
        files.claim("mine", owner=("inquiry", 1), ids=[mine, theirs])
    with unit_of_work():
        assert files.claim("", owner=("inquiry", 1)) == []
        assert files.claim("unknown", owner=("inquiry", 1)) == []
        assert [file.id for file in files.claim("mine", owner=("inquiry", 1))] == [mine]
    assert [file.id for file in files.of("inquiry", 1)] == [mine]
    assert [file.id for file in files.pending("theirs")] == [theirs]
    with unit_of_work():  # what is attached cannot be claimed again, not even by its own form
        assert files.claim("mine", owner=("inquiry", 2)) == []


def test_a_file_is_found_through_its_owner_or_department_only(receive: Receive) -> None:
    id = receive(pdf(), "a.pdf").id
    with pytest.raises(NotFound):  # not attached yet
        files.by_id(id, department_ids=[1])
    with unit_of_work():
        files.claim("the form's secret", owner=("inquiry", 1))
    assert files.by_id(id, owners=[("inquiry", 1)]).id == id
    assert files.by_id(id, department_ids=[1]).id == id
    for refused in (
        {"owners": [("inquiry", 2)]},
        {"owners": [("message", 1)]},
        {"owners": []},
        {"department_ids": [2]},
    ):
        with pytest.raises(NotFound):
            files.by_id(id, **refused)  # type: ignore[arg-type]
    for number in (0, -1, 2**40, id + 1):
        with pytest.raises(NotFound):
            files.by_id(number, department_ids=[1])
    with pytest.raises(TypeError):
        files.by_id(id)


def test_a_drafts_files_become_the_inquirys(receive: Receive) -> None:
    receive(pdf(), "a.pdf")
    with unit_of_work():
        files.claim("the form's secret", owner=("draft", 5))
    with unit_of_work():
        files.hand_over(("draft", 5), ("inquiry", 9))
    assert files.of("draft", 5) == []
    assert [file.filename for file in files.of("inquiry", 9)] == ["a.pdf"]
    assert files.total_size(("inquiry", 9)) == files.of("inquiry", 9)[0].size
    assert files.of_many("inquiry", [9, 10])[10] == []


def test_folders_and_files_are_closed_to_others_whatever_the_umask(app: Flask, receive: Receive) -> None:
    before = os.umask(0)
    try:
        receive(pdf(), "a.pdf")
    finally:
        os.umask(before)
    store = site.settings().instance / "files"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [store, *store.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert app.static_folder is None


class Endless:
    """A stream that would never end; counts what is taken from it."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return b"%PDF-" + b"x" * (size - 5)


def test_reading_stops_at_the_limit_and_leaves_nothing(app: Flask) -> None:
    stream = Endless()
    with pytest.raises(Invalid) as refused, unit_of_work():
        files.receive(
            stream, "a.pdf", department_id=1, purpose="p", claim_token="t", max_bytes=1024 * 1024  # type: ignore[arg-type]
        )  # fmt: skip
    assert refused.value.field == "attachment"
    assert "1 MB" in refused.value.message
    assert stream.taken <= 2 * 1024 * 1024
    assert everything_in_the_store() == []


def test_a_transaction_that_fails_leaves_bytes_only_for_the_sweep(app: Flask, receive: Receive) -> None:
    def work() -> None:
        with unit_of_work():
            files.receive(
                io.BytesIO(pdf()), "a.pdf", department_id=1, purpose="p", claim_token="t", max_bytes=10**6
            )
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert db.session.query(StoredFile).count() == 0
    assert len(everything_in_the_store()) == 1
    assert files.remove_orphans() == 0  # its transaction might still be running
    assert files.fsck().is_clean
    with time_machine.travel(clock.now() + GRACE * 1.1):
        assert len(files.fsck().orphans) == 1
        assert files.remove_orphans() == 1
    assert everything_in_the_store() == []
