"""Servers under measurement: started, watched through /proc, ended."""

import contextlib
import http.client
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.processes import Process, free_port, start

ROOT = Path(__file__).parents[1]
WORKERS = 2
_TICK = os.sysconf("SC_CLK_TCK")


class Running:
    """A server that answers on a port of this machine."""

    def __init__(self, process: Process, port: int, *, ready_after: float) -> None:
        self.process = process
        self.port = port
        #: Seconds from its start to its first answer.
        self.ready_after = ready_after

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Processor seconds spent by all its processes so far."""
        return sum(_cpu(pid) for pid in self.pids())

    def pids(self) -> list[int]:
        """The process and all below it."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    children.setdefault(parent, []).append(int(entry.name))
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo.extend(children.get(pid, []))
        return found

    def memory_per_worker(self) -> float:
        """Proportional memory of the largest of its processes, in MB: shared pages are counted in parts."""
        return max(_memory(pid) for pid in self.pids())


@contextlib.contextmanager
def granian(target: str, *, log: Path, workers: int = WORKERS, **environment: str) -> Iterator[Running]:
    """A floor under granian, set as the product's."""
    port = free_port()
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    options += ["--blocking-threads", "48", "--backpressure", "256"]
    command = [sys.executable, "-m", "granian", *options, "--no-ws", "--log-level", "warning", target]
    with running(command, port=port, path="/", log=log, environment=environment) as server:
        yield server


@contextlib.contextmanager
def product(settings: Mapping[str, str], *, port: int, log: Path) -> Iterator[Running]:
    """``collab serve`` with these settings."""
    command = [sys.executable, "-m", "collab", "serve"]
    with running(command, port=port, path="/healthz", log=log, environment=settings) as server:
        yield server


@contextlib.contextmanager
def running(
    command: list[str], *, port: int, path: str, log: Path, environment: Mapping[str, str]
) -> Iterator[Running]:
    """A command that serves until the block ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COLLAB_", "FLOOR_"))}
    began = time.perf_counter()
    process = start(command, log=log, env={**clean, "PYTHONPATH": str(ROOT), **environment}, cwd=log.parent)
    try:
        process.wait_until(lambda: _answers(port, path), what="answering")
        yield Running(process, port, ready_after=time.perf_counter() - began)
    finally:
        process.kill()


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def _memory(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
