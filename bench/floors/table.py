"""The inquiries from SQL to CSV and nothing else: ``python -m bench.floors.table DATABASE-URL``.

Prints the seconds it took, by how many MB the process grew, and how much it wrote.
"""

import csv
import resource
import sqlite3
import sys
import time
from collections.abc import Iterable
from typing import Any

COLUMNS = (
    "reference, status, track, area, title, full_name, email, institution_name, country, locale, confirmed_at, "
    "first_answer_due, first_answer_at, due_at, closed_at, reason, coordinator_id, file_count, source_page"
)
STATEMENT = f"SELECT {COLUMNS} FROM inquiry WHERE status <> 'unconfirmed' ORDER BY id"


class Counting:
    """Takes what is written and keeps nothing."""

    size = 0

    def write(self, text: str) -> int:
        self.size += len(text)
        return len(text)


def read(url: str) -> Iterable[tuple[Any, ...]]:
    """The rows, as the driver brings them."""
    if url.startswith("sqlite"):
        return sqlite3.connect(url.partition("///")[2]).execute(STATEMENT)
    import psycopg

    cursor = psycopg.connect(url.replace("+psycopg", "", 1)).cursor("rows")
    cursor.itersize = 2_000
    return cursor.execute(STATEMENT)


def main(url: str) -> None:
    """Write them all."""
    rows = read(url)
    began, before = time.perf_counter(), peak()
    sink: Any = Counting()
    writer = csv.writer(sink)
    writer.writerow(COLUMNS.split(", "))
    for row in rows:
        writer.writerow(row)
    print(time.perf_counter() - began, peak() - before, sink.size)


def peak() -> float:
    """The most memory this process had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1])
