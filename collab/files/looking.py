"""Looking into PDFs in a process of its own, without waiting each time for Python and its PDF library to start.

Each process of the portal keeps one looking process, started at its first file. That one forks for every file: the
child has bounded memory and time, and what a crafted PDF does to a parser ends with it (``inspection.serve``).
"""

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from collab.files import inspection


class TooBusy(Exception):
    """The file's turn did not come in time, or looking took too long."""


class Died(Exception):
    """The child was ended by its limits, or crashed. ``code`` is its exit code, negative for a signal."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Looker:
    """The looking process of this process; made again when it ended or when this process was forked."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._of = 0
        self._number = 0

    def look(self, media_type: str, path: Path, *, seconds: float) -> dict[str, Any]:
        """What ``inspection.look_into`` says of a file, or ``{"refused": code}``.

        :param seconds: to wait for our turn and for the answer.
        :raises TooBusy: it took longer.
        :raises Died: the file ended the child.
        """
        ends = time.monotonic() + seconds
        if not self._turn.acquire(timeout=seconds):
            raise TooBusy
        try:
            answer = self._asked(media_type, path, ends)
        finally:
            self._turn.release()
        if "ended" in answer:
            raise Died(int(answer["ended"]))
        return answer

    def _asked(self, media_type: str, path: Path, ends: float) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            self._number += 1
            question = {"number": self._number, "media_type": media_type, "path": str(path)}
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            text = b""
            while True:
                if not select.select([process.stdout], [], [], max(ends - time.monotonic(), 0))[0]:
                    raise TooBusy
                piece = os.read(process.stdout.fileno(), 4096)
                if not piece:
                    raise BrokenPipeError
                *lines, text = (text + piece).split(b"\n")
                for line in lines:
                    answer: dict[str, Any] = json.loads(line)
                    # A child that was ended after it had answered is told of as well: that is of the file before.
                    if answer.pop("number") == self._number:
                        return answer
        except TooBusy:
            self._end()
            raise
        except OSError:
            self._end()
            raise TooBusy from None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._of != os.getpid() or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-I", str(Path(inspection.__file__)), "--serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PYTHONDONTWRITEBYTECODE": "1"},
            )
            self._of = os.getpid()
            atexit.unregister(self._end)
            atexit.register(self._end)
        return self._process

    def _end(self) -> None:
        if self._process is not None and self._of == os.getpid():
            with contextlib.suppress(OSError):
                self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        self._process = None
