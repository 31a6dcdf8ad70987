"""What `collab init` does, for the databases that tests are copied from."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from pydantic import SecretStr

from collab.settings import Settings

if TYPE_CHECKING:
    from collab.departments.models import Department

#: Made by the tests, never shipped as a default.
SECRET_KEY = "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"


@contextmanager
def _application(url: str) -> Iterator[Flask]:
    from collab import create_app

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            instance=Path(folder),
            database_url=url,
            secret_key=SecretStr(SECRET_KEY),
            log_level="warning",
            log_format="text",
        )
        app = create_app(settings)
        with app.app_context():
            yield app
            close(app)


def close(app: Flask) -> None:
    """Let go of every connection to the database, so that it can be copied or dropped. Needs the app's context."""
    from collab.extensions import db

    db.session.remove()
    db.engine.dispose()
    app.extensions["collab.page_cache"].versions.close()


class CompiledTemplates(BytecodeCache):
    """Templates compiled once for all applications of a test run."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


def mishaps(app: Flask) -> list[Exception]:
    """The mistakes of ours that the application answers with "500" from now on: a test shall see them."""
    found: list[Exception] = []
    handlers = app.error_handler_spec[None][None]
    answer = handlers[Exception]

    def note(error: Exception) -> Any:
        response = app.make_response(answer(error))  # type: ignore[arg-type]
        if response.status_code == 500:
            found.append(error)
        return response

    handlers[Exception] = note
    return found


def migrate(url: str) -> None:
    """Bring an empty database to the newest version by the migrations, as an installation is."""
    import flask_migrate

    from collab.jobs import schema

    with _application(url) as app:
        schema.prepare(app)
        flask_migrate.upgrade()


def with_department(url: str) -> None:
    """Migrate, and import the department that comes with the portal."""
    from collab import departments, profile
    from collab.accounts import COMMAND
    from collab.core.db import unit_of_work

    migrate(url)
    with _application(url), unit_of_work():
        (slug,) = departments.shipped()
        profile.import_profile(departments.import_department(slug, by=COMMAND), slug, by=COMMAND)


def department() -> "Department":
    """The one department of the test's database."""
    from collab import departments

    found = departments.only()
    assert found is not None
    return found
