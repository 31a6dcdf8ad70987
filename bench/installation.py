"""An installation of the product for the benchmarks alone, in a folder of its own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from bench.processes import ROOT, Running, product
from tests.support.client import Client
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collab.departments import Department
    from tests.support.people import Staff


class Installation:
    """The portal with its department, and nothing else in it.

    :param database: the address of an empty database; a SQLite file in the folder unless given.
    """

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {
            "COLLAB_INSTANCE": str(folder / "instance"),
            "COLLAB_BIND": f"127.0.0.1:{self.port}",
            "COLLAB_BASE_URL": f"http://127.0.0.1:{self.port}",
            "COLLAB_WORKERS": "2",
            "COLLAB_LOG_LEVEL": "warning",
            "COLLAB_SUBMISSIONS_PER_NETWORK": "1000000",
            "COLLAB_ADMIN_EMAIL": "bench@bench.example",
            **({"COLLAB_DATABASE": database} if database else {}),
        }
        command = [sys.executable, "-m", "collab", "init"]
        done = subprocess.run(
            command,
            env={"PYTHONPATH": str(ROOT), **self.environment},
            cwd=folder,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode())

    @contextlib.contextmanager
    def serve(self, **environment: str) -> Iterator[Running]:
        """The portal serving."""
        with product(
            {**self.environment, **environment}, port=self.port, log=self.folder / "serve.log"
        ) as server:
            yield server

    @contextlib.contextmanager
    def application(self) -> Iterator[Flask]:
        """The same portal in this process, to load data and to count queries."""
        from collab import create_app
        from collab.extensions import db
        from collab.settings import Settings

        given = {name.removeprefix("COLLAB_").lower(): value for name, value in self.environment.items()}
        app = create_app(Settings(**given))  # type: ignore[arg-type]
        base_url = self.environment["COLLAB_BASE_URL"]
        app.test_client_class = type("Client", (Client,), {"base_url": base_url, "checked": False})
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


def department() -> "Department":
    """The one department."""
    from collab import departments

    found = departments.only()
    assert found is not None
    return found


def cookies(staff: "Staff") -> str:
    """The Cookie header of a signed-in member of staff."""
    return "; ".join(f"{one.key}={one.value}" for one in (staff._cookies or {}).values())
