"""Keeping several commands running as one: what crashes is started again, what is told to end ends all."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.1
#: A child that lived so long had a good start: the next crash begins the waiting anew.
GOOD_START = 30.0
#: So many bad starts in a row, and it is no accident any more.
BAD_STARTS = 5
#: Exit codes that say "do not try again": usage, configuration.
HOPELESS = {2, 78}


@dataclass
class Child:
    """One command and its running process. The process leads a group of its own, so that none of it is left behind."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    bad_starts: int = 0
    again_at: float | None = field(default=0.0)

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603  # our own commands
            self.command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_parent
        )
        self.started = time.monotonic()
        self.again_at = None

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def sweep(self) -> None:
        """End whatever the process left running (a server's own processes keep its port)."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """Runs the commands until told to end or until one cannot be kept running."""

    def __init__(
        self,
        commands: Mapping[str, list[str]],
        *,
        grace: float,
        tell: Callable[[str], None],
        ready: Callable[[], bool],
    ) -> None:
        """:param grace: seconds all have to end by themselves.
        :param tell: gets a line for people.
        :param ready: asked again and again, from the first start on, until it says yes.
        """
        self.children = [Child(name, command) for name, command in commands.items()]
        self.grace = grace
        self.tell = tell
        self.ready = ready
        self.code: int | None = None

    def run(self) -> int:
        """Returns the exit code: 0 when it was told to end, else the code of what could not be kept running."""
        before = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            announced = False
            while self.code is None:
                for child in self.children:
                    self._watch(child)
                announced = announced or self.ready()
                time.sleep(POLL_SECONDS)
        finally:
            self._finish()
            for number, handler in before.items():
                signal.signal(number, handler)
        return self.code or 0

    def _watch(self, child: Child) -> None:
        now = time.monotonic()
        if child.again_at is not None:
            if now >= child.again_at:
                child.start()
            return
        assert child.process is not None
        code = child.process.poll()
        if code is None or self.code is not None:
            return
        child.sweep()
        child.bad_starts = 1 if now - child.started > GOOD_START else child.bad_starts + 1
        if code in HOPELESS or child.bad_starts >= BAD_STARTS:
            self.tell(f"{child.name} cannot be kept running (exit code {code}); ending.")
            self.code = code if code > 0 else 1
            return
        wait = min(2.0 ** (child.bad_starts - 1), 30.0) - 0.5
        child.again_at = now + wait
        self.tell(f"{child.name} ended unexpectedly (exit code {code}); starting it again in {wait:.1f} s.")

    def _finish(self) -> None:
        for child in self.children:
            child.signal(signal.SIGTERM)
        ends = time.monotonic() + self.grace
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.0, ends - time.monotonic()))
        for child in self.children:
            child.sweep()
            if child.process is not None:
                child.process.wait()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.code = self.code or 0


def _die_with_parent() -> None:
    # When the supervisor itself is killed nobody would end the children: the kernel does. Linux only.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
