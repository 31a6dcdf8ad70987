"""The process that looks into PDFs, and the child of it that waits for the next file."""

import json
import os
import time
from pathlib import Path

import pytest

from collab.files import inspection
from collab.files.looking import Died, Looker
from tests.files.conftest import pdf


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def _waiting(pid: int, *, after: int = 0) -> int:
    """The child that waits for its question, not the one that waited before it and is about to end."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if children := [one for one in _children(pid) if one != after]:
            return children[0]
        time.sleep(0.01)
    raise AssertionError("no child waits")


def test_one_file_after_the_other_and_one_that_ends_its_child(tmp_path: Path) -> None:
    looker, good, bad = Looker(), tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(pdf(3))
    bad.write_bytes(b"nothing")
    server = looker._running().pid
    first = _waiting(server)  # one at a time: the next one is there when the one before has ended
    assert looker.look(inspection.PDF, good, seconds=60) == {"pages": 3}
    second = _waiting(server, after=first)
    assert looker.look(inspection.PDF, bad, seconds=60) == {"refused": "broken"}
    os.kill(_waiting(server, after=second), 9)
    with pytest.raises(Died) as died:
        looker.look(inspection.PDF, good, seconds=60)
    assert died.value.code == -9
    assert looker.look(inspection.PDF, good, seconds=60) == {"pages": 3}
    assert looker._running().pid == server
    looker._end()


def test_an_answer_is_never_taken_for_that_of_another_file(tmp_path: Path) -> None:
    """Something is said of the file before once more, as of a child that is ended after it has answered."""
    looker, good, bad = Looker(), tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(pdf(3))
    bad.write_bytes(b"nothing")
    assert looker.look(inspection.PDF, bad, seconds=60) == {"refused": "broken"}
    assert looker._process is not None
    assert looker._process.stdin is not None
    before = {"number": 1, "media_type": inspection.PDF, "path": str(bad)}
    looker._process.stdin.write(json.dumps(before).encode() + b"\n")
    assert looker.look(inspection.PDF, good, seconds=60) == {"pages": 3}
    assert looker.look(inspection.PDF, good, seconds=60) == {"pages": 3}
    looker._end()


def test_nothing_stays_behind_when_the_portal_ends(tmp_path: Path) -> None:
    looker, good = Looker(), tmp_path / "good.pdf"
    good.write_bytes(pdf())
    server = looker._running()
    assert server.stdin is not None
    first = _waiting(server.pid)
    looker.look(inspection.PDF, good, seconds=60)
    child = _waiting(server.pid, after=first)
    server.stdin.close()  # what the end of the portal does
    assert server.wait(60) == 0
    assert not Path(f"/proc/{child}").exists()
