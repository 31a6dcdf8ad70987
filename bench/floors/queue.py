"""A page of 25 rows, 7 KB, found by key along an index in a table of as many rows, filtered or searched when asked."""

import os
import sqlite3
import threading
from typing import Any

import psycopg
from flask import Flask, g, render_template, request
from jinja2 import DictLoader
from psycopg.rows import dict_row

app = Flask(__name__)
#: A file, or the address of a PostgreSQL database.
DATABASE = os.environ.get("FLOOR_DATABASE", "/nonexistent/floor.db")
_here = threading.local()
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Queue</title></head><body><table><tbody>
{% for row in rows %}<tr><td><a href="/inquiry/{{ row.reference }}">{{ row.reference }}</a></td><td>{{ row.title }}</td>
<td>{{ row.full_name }}</td><td>{{ row.institution_name }}</td><td>{{ row.country }}</td><td>{{ row.status }}</td></tr>
{% endfor %}</tbody></table><a href="?before={{ rows[-1].id if rows }}">Older</a></body></html>"""
app.jinja_loader = DictLoader({"page.html": PAGE})


def prepare(place: str, rows: Any) -> None:
    """Make the table: rows of (id, status, reference, title, full name, institution, country, words)."""
    (_prepare_postgresql if place.startswith("postgresql") else _prepare_sqlite)(place, rows)


def _prepare_sqlite(place: str, rows: Any) -> None:
    connection = sqlite3.connect(place, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = off")
    connection.execute(
        "CREATE TABLE inquiry (id INTEGER PRIMARY KEY, status TEXT, reference TEXT, title TEXT, full_name TEXT, "
        "institution_name TEXT, country TEXT)"
    )
    connection.execute(
        "CREATE VIRTUAL TABLE found USING fts5(words, content='', columnsize=0, tokenize='ascii')"
    )
    connection.execute("BEGIN")
    for row in rows:
        connection.execute("INSERT INTO inquiry VALUES (?, ?, ?, ?, ?, ?, ?)", row[:7])
        connection.execute("INSERT INTO found (rowid, words) VALUES (?, ?)", (row[0], row[7]))
    connection.execute("CREATE INDEX pile ON inquiry (status, id)")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _prepare_postgresql(place: str, rows: Any) -> None:
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE inquiry (id bigint PRIMARY KEY, status text, reference text, title text, full_name text, "
            "institution_name text, country text, words tsvector)"
        )
        with connection.cursor().copy("COPY inquiry FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row[:7], " ".join(f"'{word}'" for word in set(row[7].split()))))
        connection.execute("CREATE INDEX pile ON inquiry (status, id)")
        connection.execute("CREATE INDEX found ON inquiry USING gin (words) WITH (fastupdate = off)")
        connection.execute("ANALYZE inquiry")


def ask(sqlite: str, postgresql: str, *values: Any) -> list[Any]:
    """The rows of one statement, as each database says it."""
    if DATABASE.startswith("postgresql"):
        if not hasattr(_here, "connection"):
            _here.connection = psycopg.connect(DATABASE, autocommit=True, row_factory=dict_row)
        return _here.connection.execute(postgresql, values).fetchall()  # type: ignore[no-any-return]
    if "database" not in g:
        g.database = sqlite3.connect(DATABASE)
        g.database.row_factory = sqlite3.Row
    return g.database.execute(sqlite, values).fetchall()  # type: ignore[no-any-return]


@app.teardown_appcontext
def _close(_error: BaseException | None) -> None:
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()


@app.get("/")
def queue() -> str:
    """One page."""
    before = int(request.args.get("before") or 2**62)
    status, q = request.args.get("status"), request.args.get("q")
    page = "AND id < %s ORDER BY id DESC LIMIT 25"
    if q:
        rows = ask(
            "SELECT inquiry.* FROM found JOIN inquiry ON inquiry.id = found.rowid "
            "WHERE found MATCH ? AND found.rowid < ? ORDER BY found.rowid DESC LIMIT 25",
            f"SELECT * FROM inquiry WHERE words @@ %s::text::tsquery {page}",
            f'"{q}"' if not DATABASE.startswith("postgresql") else f"'{q}'",
            before,
        )
    elif status:
        rows = ask(
            "SELECT * FROM inquiry WHERE status = ? AND id < ? ORDER BY id DESC LIMIT 25",
            f"SELECT * FROM inquiry WHERE status = %s {page}",
            status,
            before,
        )
    else:
        rows = ask(
            "SELECT * FROM inquiry WHERE id < ? ORDER BY id DESC LIMIT 25",
            f"SELECT * FROM inquiry WHERE true {page}",
            before,
        )
    return render_template("page.html", rows=rows)
