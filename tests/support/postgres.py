"""A PostgreSQL server of Debian's package, for the tests alone, run by an unprivileged user."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.processes import end_with_parent, free_port

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "log_min_messages": "fatal",
    "listen_addresses": "127.0.0.1",
}


def binaries() -> Path:
    """The newest installed server's folder of programs.

    :raises RuntimeError: there is none.
    """
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if folders:
        return folders[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise RuntimeError("There is no PostgreSQL server. Install it: apt-get install postgresql")


def in_memory(prefix: str) -> Path:
    """A new folder for databases: in memory where there is room, since each test has a database of its own."""
    memory = Path("/dev/shm")  # mkdtemp makes a name nobody can guess
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2_000_000_000
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))


class Postgres:
    """One server with a folder of its own. `url(name)` is what an application connects to."""

    def __init__(self) -> None:
        self.folder = in_memory("collab-postgres-")
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root.
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = next(name for name in ("postgres", "nobody") if _exists(name))
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._run(
            "initdb",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        self.start()
        self._administer(sql.SQL("CREATE ROLE collab LOGIN NOSUPERUSER NOCREATEDB"))

    def url(self, name: str) -> str:
        return f"postgresql://collab@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, *, template: str = "template1") -> str:
        """A new database, empty or a copy of another; returns its address."""
        # From version 15 on a copy goes through the log unless told otherwise, which takes longer for small ones.
        quickly = " STRATEGY FILE_COPY" if self.version >= 150000 else ""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER collab" + quickly)
        self._administer(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database and whoever is connected to it."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        self._process = subprocess.Popen(
            [binaries() / "postgres", "-D", self._data, "-p", str(self.port), "-k", self.folder, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGQUIT),
        )
        deadline = time.monotonic() + 120
        while True:
            try:
                with psycopg.connect(self._administration, connect_timeout=10) as connection:
                    self.version = connection.info.server_version
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL does not start: {error}") from error
                time.sleep(0.05)

    def stop(self, *, immediately: bool = False) -> None:
        """As `pg_ctl stop -m fast` or `-m immediate`: both end the sessions, the latter without a checkpoint."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
            self._process.wait(120)
            self._process = None

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop(immediately=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _administration(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _administer(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self._administration, autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        result = subprocess.run(
            [binaries() / program, "-D", self._data, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"{program} failed:\n{result.stdout}{result.stderr}")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
