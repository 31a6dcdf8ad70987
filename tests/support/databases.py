"""A fresh database for each test, copied from one that was migrated (and filled) once."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.support.postgres import Postgres

#: Fills the database at an address.
Fill = Callable[[str], None]


class Sqlite:
    """Databases are files; a copy of one is a copy of the file."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[str, Path] = {}
        self._count = 0

    def fresh(self, kind: str, fill: Fill) -> str:
        """The address of a new database, filled by `fill` the first time a `kind` is asked for, copied from then on."""
        if kind not in self._templates:
            template = self._folder / f"{kind}.db"
            fill(f"sqlite:///{template}")
            with sqlite3.connect(template) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            self._templates[kind] = template
        self._count += 1
        copy = self._folder / f"test-{self._count}.db"
        shutil.copyfile(self._templates[kind], copy)
        return f"sqlite:///{copy}"

    def empty(self) -> str:
        """The address of a database that does not exist yet."""
        self._count += 1
        return f"sqlite:///{self._folder / f'test-{self._count}.db'}"

    def forget(self, url: str) -> None:
        """Delete a database after its test."""
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(url.removeprefix("sqlite:///") + suffix).unlink(missing_ok=True)


class PostgreSQL:
    """Databases of one server; a copy is `CREATE DATABASE … TEMPLATE`."""

    name = "postgresql"

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._templates: set[str] = set()
        self._count = 0

    def fresh(self, kind: str, fill: Fill) -> str:
        """As for SQLite."""
        if kind not in self._templates:
            fill(self.server.create(kind))
            self._templates.add(kind)
        self._count += 1
        return self.server.create(f"test_{self._count}", template=kind)

    def empty(self) -> str:
        """The address of a database without a table."""
        self._count += 1
        return self.server.create(f"test_{self._count}")

    def forget(self, url: str) -> None:
        """Drop a database after its test."""
        self.server.drop(url.rpartition("/")[2])


Databases = Sqlite | PostgreSQL
