"""What the commands share: the application with its context open, logging to people instead of machines."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from collab.settings import Settings, load


@contextmanager
def portal(settings: Settings | None = None, *, quiet: bool = True) -> Iterator[Flask]:
    """The application, its context open; database connections are closed at the end.

    :param quiet: log warnings only, as text; for commands a person reads.
    :raises WrongSetting: a setting cannot be used.
    """
    from collab import create_app
    from collab.core.db import db

    settings = settings or load()
    if quiet:
        settings = settings.model_copy(update={"log_level": "warning", "log_format": "text"})
    app = create_app(settings)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
