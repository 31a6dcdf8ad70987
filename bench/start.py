"""Starting: the time to the first answer, and what a worker keeps in memory after some work."""

from collections.abc import Iterator
from pathlib import Path

from bench.installation import Installation
from bench.load import ask
from bench.processes import granian
from bench.public import start_page
from bench.report import Row

ROUNDS = 3


def rows(installation: Installation, folder: Path) -> Iterator[Row]:
    """Cold start and memory, with one worker."""
    ours, theirs, memory, floor_memory = [], [], 0.0, 0.0
    for _ in range(ROUNDS):
        with installation.serve(COLLAB_WORKERS="1") as server:
            ours.append(server.ready_after)
            start = start_page(server)
            ask(server, start, times=20)
            ask(server, f"{start}?bench=1", times=50)
            memory = server.memory_per_worker()
        with granian("bench.floors.bare:app", log=folder / "bare.log", workers=1) as floor:
            theirs.append(floor.ready_after)
            ask(floor, "/", times=70)
            floor_memory = floor.memory_per_worker()
    yield Row("cold start to the first answer", min(ours), "s", "<= 1.0", min(theirs))
    yield Row("memory of a worker", memory, "MB", "<= 110", floor_memory)
