"""A page of 25 rows, 7 KB, found by key along an index in a table of as many rows, filtered or searched when asked."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from flask import Flask, g, render_template, request
from jinja2 import DictLoader

app = Flask(__name__)
DATABASE = Path(os.environ.get("FLOOR_DATABASE", "/nonexistent/floor.db"))
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Queue</title></head><body><table><tbody>
{% for row in rows %}<tr><td><a href="/inquiry/{{ row.reference }}">{{ row.reference }}</a></td><td>{{ row.title }}</td>
<td>{{ row.full_name }}</td><td>{{ row.institution_name }}</td><td>{{ row.country }}</td><td>{{ row.status }}</td></tr>
{% endfor %}</tbody></table><a href="?before={{ rows[-1].id if rows }}">Older</a></body></html>"""
app.jinja_loader = DictLoader({"page.html": PAGE})


def prepare(path: Path, rows: Any) -> None:
    """Make the table: rows of (id, status, reference, title, full name, institution, country, words)."""
    connection = sqlite3.connect(path, isolation_level=None)
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


def database() -> sqlite3.Connection:
    """This process's connection."""
    if "database" not in g:
        g.database = sqlite3.connect(DATABASE)
        g.database.row_factory = sqlite3.Row
    found: sqlite3.Connection = g.database
    return found


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
    if q:
        rows = database().execute(
            "SELECT inquiry.* FROM found JOIN inquiry ON inquiry.id = found.rowid "
            "WHERE found MATCH ? AND found.rowid < ? ORDER BY found.rowid DESC LIMIT 25",
            (f'"{q}"', before),
        )
    elif status:
        rows = database().execute(
            "SELECT * FROM inquiry WHERE status = ? AND id < ? ORDER BY id DESC LIMIT 25", (status, before)
        )
    else:
        rows = database().execute("SELECT * FROM inquiry WHERE id < ? ORDER BY id DESC LIMIT 25", (before,))
    return render_template("page.html", rows=rows.fetchall())
