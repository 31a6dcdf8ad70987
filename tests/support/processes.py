"""Processes that tests start: they end with the tests, even when pytest is killed."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_with_parent(with_signal: int = signal.SIGKILL) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends this signal when the parent dies."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, with_signal)

    return prepare


def start(
    command: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> "Process":
    """Start a command in a process group of its own; what it says goes to `log`."""
    file = log.open("ab")
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=file,
        stderr=subprocess.STDOUT,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=end_with_parent(),
    )
    return Process(process, log, file)


class Process:
    """A command with all its children."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, file: IO[bytes]) -> None:
        self.process = process
        self.log = log
        self._file = file

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 120, what: str = "ready") -> None:
        """Wait for a condition; fail with the process's output when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if (code := self.process.poll()) is not None:
                raise AssertionError(f"It ended with {code} before it was {what}:\n{self.output}")
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"It was not {what} after {seconds} s:\n{self.output}")
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """To the process alone, as `kill` does."""
        self.process.send_signal(number)

    def stop(self, *, seconds: float = 90) -> int:
        """SIGTERM; SIGKILL for the group when it does not end in time, and then the test fails."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(
                    f"It did not end within {seconds} s of SIGTERM:\n{self.output}"
                ) from None
        self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """SIGKILL to the process and all its children, now."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)
        self._file.close()
