"""Clients: one that presses as hard as it can, one that asks and waits. Bounded in time, this machine only."""

import http.client
import selectors
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.processes import Running

#: No measurement sends more than this.
MOST_REQUESTS = 500_000


@dataclass(frozen=True)
class Pressed:
    """What came of pressing."""

    answers: int
    wrong: int
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds

    @property
    def cpu_ms(self) -> float:
        """The server's processor time for one answer."""
        return self.cpu / max(self.answers, 1) * 1000


@dataclass
class _Line:
    socket: socket.socket
    buffer: bytearray
    waiting: int = 0


def press(server: Running, path: str, *, seconds: float, connections: int = 16, together: int = 8) -> Pressed:
    """Ask for one page over and over, ``together`` requests at once on each connection: the server has no rest."""
    lines_of_it = (
        f"GET {path} HTTP/1.1",
        f"Host: {server.host}",
        "Accept-Encoding: gzip",
        "User-Agent: bench",
        "",
        "",
    )
    batch = "\r\n".join(lines_of_it).encode() * together
    lines = [
        _Line(socket.create_connection(("127.0.0.1", server.port), 10), bytearray())
        for _ in range(connections)
    ]
    answers = wrong = 0
    selector = selectors.DefaultSelector()
    for line in lines:
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(line.socket, selectors.EVENT_READ, line)
    cpu, began = server.cpu(), time.perf_counter()
    for line in lines:
        line.socket.sendall(batch)
        line.waiting = together
    end = began + seconds
    try:
        while time.perf_counter() < end and answers < MOST_REQUESTS:
            for key, _ in selector.select(1):
                line = key.data
                received = line.socket.recv(1 << 18)
                if not received:
                    raise ConnectionError("the server hung up")
                line.buffer += received
                done, bad = _take(line.buffer)
                answers += done
                wrong += bad
                line.waiting -= done
                if line.waiting == 0:
                    line.socket.sendall(batch)
                    line.waiting = together
        took = time.perf_counter() - began
        return Pressed(answers, wrong, took, server.cpu() - cpu)
    finally:
        selector.close()
        for line in lines:
            line.socket.close()


def _take(buffer: bytearray) -> tuple[int, int]:
    """Take all whole answers off the front: how many, and how many of them were not 200."""
    done = wrong = position = 0
    while (head := buffer.find(b"\r\n\r\n", position)) >= 0:
        header = bytes(buffer[position:head]).lower()
        at = header.find(b"content-length:")
        if at < 0:
            raise ValueError(f"an answer without its length: {header[:200]!r}")
        length = int(header[at + 15 :].split(b"\r\n", 1)[0])
        if head + 4 + length > len(buffer):
            break
        done += 1
        wrong += not header.startswith(b"http/1.1 200")
        position = head + 4 + length
    del buffer[:position]
    return done, wrong


def ask(server: Running, path: str, *, times: int, headers: dict[str, str] | None = None) -> list[float]:
    """Ask for one page again and again on one connection; the milliseconds each answer took.

    :raises AssertionError: an answer was not 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip", **(headers or {})})
        answer = connection.getresponse()
        answer.read()
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, f"{path}: {answer.status}"
    connection.close()
    return taken


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def rush(jobs: Sequence[Sequence[Callable[[], bool]]]) -> tuple[int, int, float]:
    """Several clients at once, each doing its jobs one after the other: done, failed, seconds."""

    def client(own: Sequence[Callable[[], bool]]) -> list[bool]:
        return [job() for job in own]

    began = time.perf_counter()
    with ThreadPoolExecutor(len(jobs)) as pool:
        results = [ok for part in pool.map(client, jobs) for ok in part]
    return sum(results), len(results) - sum(results), time.perf_counter() - began
