"""``python -m bench``: measure, print the table, write JSON."""

import argparse
import contextlib
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import public, queue, reports, start, submission
from bench.installation import Installation
from bench.processes import ROOT
from bench.report import Row, table, write
from tests.support.postgres import Postgres

PARTS = ("start", "public", "submission", "queue", "reports")


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="smaller numbers: 1,000 and 10,000 inquiries, shorter rounds"
    )
    parser.add_argument(
        "--million", action="store_true", help="load 1,000,000 inquiries as well (takes long)"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be given again")
    parser.add_argument(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="where the portal and the queue's floor keep their data; PostgreSQL starts a server of its own",
    )
    parser.add_argument(
        "--json", type=Path, default=ROOT / "bench/results/latest.json", help="where to write the figures"
    )
    given = parser.parse_args()
    sizes = (1_000, 10_000) if given.quick else (1_000, 10_000, 100_000)
    if given.million:
        sizes = (*sizes, 1_000_000)
    seconds = 1.0 if given.quick else 3.0

    began = time.time()
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="collab-bench-") as name,
        _server(given.database) as server,
    ):
        folder = Path(name)
        installation = Installation(folder, server.create("collab_bench") if server else "")
        parts: dict[str, Callable[[], Iterator[Row]]] = {
            "start": lambda: start.rows(installation, folder),
            "public": lambda: public.rows(installation, folder, seconds=seconds),
            "submission": lambda: submission.rows(installation, folder, each=40 if given.quick else 120),
            "queue": lambda: queue.rows(installation, folder, sizes=sizes, server=server),
            "reports": lambda: reports.rows(installation, size=sizes[-1]),
        }
        for part in given.only or PARTS:
            for row in parts[part]():
                rows.append(row)
                print(table([row]).splitlines()[1], file=sys.stderr, flush=True)
    print(table(rows))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    write(given.json, rows, {**_about(), "database": given.database, "seconds": round(time.time() - began)})
    print(
        f"\nWritten to {given.json}. {sum(row.reached is False for row in rows)} of {len(rows)} targets missed."
    )
    return 0


@contextlib.contextmanager
def _server(database: str) -> Iterator[Postgres | None]:
    if database == "sqlite":
        yield None
        return
    server = Postgres()
    try:
        yield server
    finally:
        server.remove()


def _about() -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    sys.exit(main())
