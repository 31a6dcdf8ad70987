"""The portal as it runs in production: granian in processes of its own, the worker beside it."""

import http.client
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from collab.settings import Settings
from tests.support.processes import Process, start

ROOT = Path(__file__).parents[2]


def environment(settings: Settings) -> dict[str, str]:
    """The environment that gives another process these settings."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("COLLAB_")}
    for name in settings.model_fields_set | {"instance"}:
        value = getattr(settings, name)
        if value is None:
            continue
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        given[f"COLLAB_{name.upper()}"] = text
    return given | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


class Server:
    """`collab serve` and, when asked for, `collab worker`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = settings.base_url
        self.log = settings.instance / "serve.log"
        self.worker_log = settings.instance / "worker.log"
        self.web: Process | None = None
        self.workers: list[Process] = []

    def start(self) -> None:
        """Start serving and wait until it answers."""
        self.web = start(
            [sys.executable, "-m", "collab", "serve"],
            log=self.log,
            env=environment(self.settings),
            cwd=self.settings.instance,
        )
        self.web.wait_until(self.answers, what="answering /healthz")

    def start_worker(self) -> Process:
        """Start a background worker."""
        worker = start(
            [sys.executable, "-m", "collab", "worker"],
            log=self.worker_log,
            env=environment(self.settings),
            cwd=self.settings.instance,
        )
        self.workers.append(worker)
        return worker

    def answers(self) -> bool:
        """Whether the server is alive."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """kill -9 of the web server with its processes, as in a crash."""
        assert self.web is not None
        self.web.kill()

    def restart(self) -> None:
        """Stop in order, start again."""
        assert self.web is not None
        self.web.stop()
        self.start()

    def close(self) -> None:
        """End everything that was started."""
        for process in [*self.workers, *([self.web] if self.web else [])]:
            process.kill()
