"""Flask, a form with CSRF, a file of 20 KB made durable, one row and its words in one durable transaction."""

import os
import sqlite3
import tempfile
import uuid
from pathlib import Path

from flask import Flask, g, render_template, request
from flask_wtf import FlaskForm
from jinja2 import DictLoader
from wtforms import FileField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

FOLDER = Path(os.environ.get("FLOOR_FOLDER") or tempfile.mkdtemp(prefix="collab-bench-"))
app = Flask(__name__)
app.jinja_loader = DictLoader(
    {"form.html": "<form method=post>{{ form.csrf_token }}</form>{{ form.errors }}"}
)
app.config["SECRET_KEY"] = "a floor, which holds nothing"


class Letter(FlaskForm):
    """Twelve fields, as the product's."""

    full_name = StringField(validators=[DataRequired(), Length(max=120)])
    email = StringField(validators=[DataRequired(), Length(max=254)])
    institution_name = StringField(validators=[DataRequired(), Length(max=200)])
    country = StringField(validators=[DataRequired(), Length(max=2)])
    title = StringField(validators=[DataRequired(), Length(max=150)])
    summary = TextAreaField(validators=[DataRequired(), Length(max=2000)])
    attachment = FileField()


def database() -> sqlite3.Connection:
    """This request's connection."""
    if "database" not in g:
        g.database = sqlite3.connect(FOLDER / "floor.db", isolation_level=None, timeout=15)
        for pragma in ("journal_mode = wal", "synchronous = full"):
            g.database.execute(f"PRAGMA {pragma}")
    found: sqlite3.Connection = g.database
    return found


@app.teardown_appcontext
def _close(_error: BaseException | None) -> None:
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()


with app.app_context():
    database().execute("BEGIN IMMEDIATE")
    database().execute(
        "CREATE TABLE IF NOT EXISTS letter "
        "(id INTEGER PRIMARY KEY, full_name TEXT, email TEXT, title TEXT, summary TEXT, file TEXT)"
    )
    database().execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS letter_words USING fts5(words, content='', columnsize=0)"
    )
    database().execute("COMMIT")


@app.route("/", methods=["GET", "POST"])
def letter() -> str | tuple[str, int]:
    """Show the form; take the letter."""
    form = Letter()
    if not form.validate_on_submit():
        return render_template("form.html", form=form), (400 if request.method == "POST" else 200)
    name = uuid.uuid4().hex
    with (FOLDER / name).open("wb") as file:
        file.write(form.attachment.data.read())
        file.flush()
        os.fsync(file.fileno())
    values = (form.full_name.data, form.email.data, form.title.data, form.summary.data, name)
    database().execute("BEGIN IMMEDIATE")
    row = database().execute(
        "INSERT INTO letter (full_name, email, title, summary, file) VALUES (?, ?, ?, ?, ?)", values
    )
    words = (row.lastrowid, " ".join(str(value) for value in values))
    database().execute("INSERT INTO letter_words (rowid, words) VALUES (?, ?)", words)
    database().execute("COMMIT")
    return "kept"
