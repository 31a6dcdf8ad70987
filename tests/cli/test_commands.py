"""The commands as a person types them: processes of their own, real exit codes."""

import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from collab.cli import COMMANDS, main
from tests.support.databases import Databases
from tests.support.processes import Process, free_port, start

ROOT = Path(__file__).parents[2]


class Installation:
    """One installation's folder and settings, and its commands."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        port = free_port()
        self.folder = folder / "instance"
        self.url = f"http://127.0.0.1:{port}"
        self.settings = {
            "COLLAB_INSTANCE": str(self.folder),
            "COLLAB_BIND": f"127.0.0.1:{port}",
            "COLLAB_WORKERS": "1",
            "COLLAB_PASSWORD_MEMORY_KIB": "8",
            "COLLAB_PASSWORD_PASSES": "1",
            "COLLAB_LOG_FORMAT": "text",
        }
        if database_url:
            self.settings["COLLAB_DATABASE_URL"] = database_url
        self.log = folder / "log"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self.settings}

    def collab(self, *arguments: str, typed: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "collab", *arguments],
            env=self.environment | settings,
            cwd=self.folder.parent,
            input=typed,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def start(self, *arguments: str) -> Process:
        return start(
            [sys.executable, "-m", "collab", *arguments],
            log=self.log,
            env=self.environment,
            cwd=self.folder.parent,
        )

    def answers(self) -> bool:
        host, _, port = self.settings["COLLAB_BIND"].rpartition(":")
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((host, int(port))) == 0


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_every_command_has_help_with_an_example() -> None:
    runner = CliRunner()

    def walk(command: object, path: list[str]) -> Iterator[list[str]]:
        import click

        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                yield from walk(command.get_command(click.Context(command), name), [*path, name])
        else:
            yield path

    paths = list(walk(main, []))
    assert {path[0] for path in paths} == {
        name for name in COMMANDS if (ROOT / f"collab/cli/{name}.py").exists()
    }
    for path in paths:
        answer = runner.invoke(main, [*path, "--help"])
        assert answer.exit_code == 0, path
        assert "Example" in answer.output, path
        assert f"collab {' '.join(path)}" in answer.output, path


def test_init_prepares_once_and_shows_the_password_once(tmp_path: Path, database: Databases) -> None:
    installation = Installation(tmp_path, database.empty())
    first = installation.collab("init")
    assert first.returncode == 0, first.stderr
    assert "admin@localhost" in first.stdout
    (password,) = re.findall(r"password {3}(\S+)", first.stdout)
    assert len(password) >= 16
    second = installation.collab("init")
    assert (second.returncode, second.stdout) == (0, "Everything is prepared already.\n")
    assert stat.S_IMODE(installation.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((installation.folder / "secret_key").stat().st_mode) == 0o600
    doctor = installation.collab("doctor", "--deep")
    assert doctor.returncode == 0, doctor.stdout
    assert "problem" not in doctor.stdout


def test_init_takes_the_administrator_from_the_settings_and_shows_no_password(
    installation: Installation,
) -> None:
    made = installation.collab(
        "init", COLLAB_ADMIN_EMAIL="head@example.org", COLLAB_ADMIN_PASSWORD="a long enough passphrase"
    )
    assert made.returncode == 0, made.stderr
    assert "head@example.org" in made.stdout
    assert "passphrase" not in made.stdout


def test_two_inits_at_once_make_one_administrator(installation: Installation) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "collab", "init"],
            env=installation.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=180) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sum("password   " in out for out, _err in told) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COLLAB_BIND", "everywhere"),
        ("COLLAB_BASE_URL", "http://portal.example.org"),
        ("COLLAB_SMTP_URL", "mail.example.org"),
        ("COLLAB_DATABASE_URL", "mysql://x"),
        ("COLLAB_WORKERS", "many"),
    ],
)
def test_a_wrong_setting_stops_every_command_with_its_name(
    name: str, value: str, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for known, setting in (installation.settings | {name: value}).items():
        monkeypatch.setenv(known, setting)
    for command in ("init", "serve", "worker", "run", "doctor"):
        answer = CliRunner().invoke(main, [command])
        assert answer.exit_code == 78, command
        assert name in answer.stderr
        assert value not in answer.output


def test_serve_and_worker_refuse_a_database_that_is_not_theirs(installation: Installation) -> None:
    for command in ("serve", "worker"):
        refused = installation.collab(command)
        assert refused.returncode == 1
        assert "collab init" in refused.stderr
    assert installation.collab("init").returncode == 0
    with sqlite3.connect(installation.folder / "collab.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    for command in ("serve", "worker", "init", "doctor"):
        refused = installation.collab(command)
        assert refused.returncode == 1, command
        assert "another version" in refused.stderr + refused.stdout
        assert "Traceback" not in refused.stderr


def test_serve_says_when_the_address_is_taken(installation: Installation) -> None:
    installation.collab("init")
    with socket.create_server(("127.0.0.1", int(installation.url.rpartition(":")[2]))):
        for command in ("serve", "run"):
            refused = installation.collab(command)
            assert refused.returncode == 1
            assert "COLLAB_BIND" in refused.stderr


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def wait(condition: Callable[[], bool], seconds: float = 120) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_run_starts_all_restarts_what_crashes_and_ends_cleanly(
    ending: signal.Signals, installation: Installation
) -> None:
    process = installation.start("run")
    try:
        process.wait_until(lambda: "Collab runs at" in process.output)
        assert installation.url in process.output
        assert "password" in process.output
        wait(lambda: "worker_started" in process.output)
        web, worker = children(process.pid)
        everything = [*children(web), web, worker]
        for pid in (web, worker):  # kill -9: the supervisor starts both again, the port is free again
            os.kill(pid, signal.SIGKILL)
        wait(lambda: len(children(process.pid)) == 2 and not {web, worker} & set(children(process.pid)))
        wait(installation.answers)
        wait(lambda: process.output.count("worker_started") == 2)
        everything += [pid for child in children(process.pid) for pid in (child, *children(child))]
        began = time.monotonic()
        process.signal(ending)
        assert process.process.wait(120) == 0
        assert time.monotonic() - began < 10
        assert not any(is_alive(pid) for pid in everything)
        assert not installation.answers()
    finally:
        process.kill()
    again = installation.start("run")
    try:
        again.wait_until(lambda: again.output.count("Collab runs at") == 2)
        assert again.output.count("password   ") == 1  # of the first run
    finally:
        again.stop()


def test_nothing_survives_a_killed_supervisor(installation: Installation) -> None:
    process = installation.start("run")
    process.wait_until(lambda: "Collab runs at" in process.output)
    everything = [pid for child in children(process.pid) for pid in (child, *children(child))]
    os.kill(process.pid, signal.SIGKILL)
    wait(lambda: not any(is_alive(pid) for pid in everything))
    process.kill()


def test_worker_once_does_its_work_and_ends(installation: Installation) -> None:
    installation.collab("init")
    answer = installation.collab("worker", "--once")
    assert answer.returncode == 0, answer.stderr
    assert "Done:" in answer.stdout


def test_doctor_lists_every_setting() -> None:
    from collab.settings import Settings

    answer = CliRunner().invoke(main, ["doctor", "--settings"])
    assert answer.exit_code == 0
    for name in Settings.model_fields:
        assert f"COLLAB_{name.upper()}" in answer.output


def test_doctor_finds_a_missing_file_a_changed_log_and_an_open_key(installation: Installation) -> None:
    installation.collab("init")
    with sqlite3.connect(installation.folder / "collab.db") as database:
        database.execute(
            "INSERT INTO stored_file (department_id, owner_kind, owner_id, purpose, filename, media_type, size, sha256,"
            " key, state, scan, created_at) VALUES (1, 'inquiry', 1, 'p', 'a.pdf', 'application/pdf', 5, 'x', 'f/aa/b',"
            " 'attached', 'not_checked', '2026-01-01 00:00:00')"
        )
        database.execute("UPDATE audit_event SET action = 'nothing.happened' WHERE id = 2")
    (installation.folder / "secret_key").chmod(0o644)
    found = installation.collab("doctor", COLLAB_SECRET_KEY="a-key-of-the-test-0123456789-abcdef")
    assert found.returncode == 1
    assert "File 1: the record is there, the bytes are not." in found.stdout
    assert "the first wrong entry is 2" in found.stdout
    assert installation.collab("doctor").returncode == 78  # the key in the folder is no key any more


def test_a_profile_goes_out_and_in_again(installation: Installation, tmp_path: Path) -> None:
    installation.collab("init")
    target = tmp_path / "profile.yaml"
    (slug,) = set(re.findall(r"(\S+): the working calendar of", installation.collab("doctor").stdout))
    exported = installation.collab("profile", "export", slug, "--to", str(target))
    assert exported.returncode == 0, exported.stderr
    checked = installation.collab("profile", "check", str(target))
    assert checked.returncode == 0, checked.stdout
    asked = installation.collab("profile", "export", slug, "--to", str(target), typed="n\n")
    assert asked.returncode == 1
    refused = installation.collab("profile", "import", slug, typed="n\n")
    assert refused.returncode == 1
    same = installation.collab("profile", "import", slug, "--yes")
    assert (same.returncode, same.stdout) == (0, f"“{slug}” is published as revision 1.\n")
    target.write_text("facts: 3\n")
    assert installation.collab("profile", "check", str(target)).returncode == 1
    assert installation.collab("profile", "export", "no-such-department").returncode == 1
