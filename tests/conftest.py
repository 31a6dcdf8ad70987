"""The fixtures of all tests; `tests/support` holds what they are made of.

A test that touches the database runs on SQLite and, with `--database both` (as in `make test`), on PostgreSQL again;
one that drives a live server or a browser runs on SQLite alone unless it is marked `both_databases`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextvars import Context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from collab.settings import Settings
from tests.support import browser as browsers
from tests.support import installation
from tests.support.client import Client
from tests.support.databases import Databases, PostgreSQL, Sqlite
from tests.support.installation import SECRET_KEY
from tests.support.postgres import Postgres, in_memory
from tests.support.processes import free_port
from tests.support.server import Server
from tests.support.smtp import Smtp

if TYPE_CHECKING:
    from collab.departments.models import Department
    from collab.inquiries import Inquiry
    from tests.support.people import Staff
    from tests.support.world import World

DATABASES = ("sqlite", "postgresql")

#: A loaded machine is slow, and nothing else: how long an example takes fails no test.
hypothesis.settings.register_profile(
    "collab", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("collab")


# -- which database --------------------------------------------------------------------------------------------


#: Folders whose tests come to the database through pages and commands, or by plain statements. What in them is raced
#: for, or asks in words of its own, is marked `both_databases`.
FRONT = {
    "accounts", "attacks", "cli", "departments", "desk", "files", "inquiries", "jobs", "mail", "privacy", "profile",
    "reviews", "web",
}  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=[*DATABASES, "both", "all"],
        default="sqlite",
        help="the database of the tests that touch one (default: sqlite; `make test` takes both: on each what is raced "
        "for and where the statements are our own, the rest on SQLite; all: every test on each)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--database")
    names = list(DATABASES) if chosen in {"both", "all"} else [chosen]
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    live = "server" in metafunc.fixturenames
    # A page asks the same queries on either database as the room's tests that run on both; it need not run twice.
    front = chosen == "both" and FRONT & set(Path(metafunc.module.__file__ or "").parts)
    once = "one_database" in marks or ((live or front) and "both_databases" not in marks)
    if len(names) > 1 and once:
        names = names[:1]
    metafunc.parametrize("database", names, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _nothing_from_outside() -> None:
    """The tests' settings come from the tests alone."""
    for name in [name for name in os.environ if name.startswith("COLLAB_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def _sqlite() -> Iterator[Sqlite]:
    folder = in_memory("collab-sqlite-")
    yield Sqlite(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _postgresql() -> Iterator[PostgreSQL]:
    server = Postgres()
    yield PostgreSQL(server)
    server.remove()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Databases:
    """Where this test's databases are made: `.name`, `.empty()`, `.fresh(kind, fill)`."""
    found: Databases = request.getfixturevalue(f"_{request.param}")
    return found


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database: Databases) -> Iterator[str]:
    """A migrated database of this test's own; with the department in it when the test asks for `department`."""
    kind, fill = "migrated", installation.migrate
    if "department" in request.fixturenames:
        kind, fill = "department", installation.with_department
    url = database.fresh(kind, fill)
    yield url
    database.forget(url)


# -- the application -------------------------------------------------------------------------------------------


@pytest.fixture
def settings(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Settings:
    """The settings of the application under test; `@pytest.mark.settings(name=value)` changes some."""
    port = free_port() if "server" in request.fixturenames else 8000
    values: dict[str, Any] = {
        "instance": tmp_path / "instance",
        "database_url": database_url,
        "secret_key": SECRET_KEY,
        "base_url": f"http://127.0.0.1:{port}",
        "bind": f"127.0.0.1:{port}",
        "workers": 1,
        "password_memory_kib": 8,
        "password_passes": 1,
        "log_format": "text",
        "log_level": "warning",
    }
    if "smtp" in request.fixturenames:
        values["smtp_url"] = request.getfixturevalue("smtp").url
    for mark in reversed(list(request.node.iter_markers("settings"))):
        values |= mark.kwargs
    values["instance"].mkdir(mode=0o700)
    return Settings(**values)


@pytest.fixture
def app(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Flask]:
    """The application on a database of its own; its context is open, so a test may use verbs and queries."""
    from collab import create_app

    app = create_app(settings)
    app.testing = True
    app.jinja_env.bytecode_cache = installation.COMPILED
    app.test_client_class = type(
        "Client",
        (Client,),
        {
            "base_url": settings.base_url,
            "checked": request.node.get_closest_marker("invalid_html") is None,
            "mishaps": None if request.node.get_closest_marker("mishap") else installation.mishaps(app),
        },
    )
    with app.app_context():
        yield app
        installation.close(app)


@pytest.fixture
def client(app: Flask) -> Client:
    """A browser without a screen: `client.fill(path, full_name=…)`, `client.page(path)`. A visitor."""
    client = app.test_client()
    assert isinstance(client, Client)
    return client


@pytest.fixture
def browser_like(app: Flask) -> Callable[[], Client]:
    """Makes further clients, each with cookies of its own."""

    def make() -> Client:
        client = app.test_client()
        assert isinstance(client, Client)
        return client

    return make


@pytest.fixture
def department(app: Flask) -> "Department":
    """The department that `collab init` imports."""
    return installation.department()


@pytest.fixture
def staff(app: Flask, department: "Department") -> Callable[..., "Staff"]:
    """`staff("head", "host", name=…)` makes a member of staff and returns their signed-in client."""
    from tests.support import people

    def make(*roles: str, **given: Any) -> "Staff":
        return people.staff(app, department, *roles, **given)

    return make


@pytest.fixture
def inquiry(app: Flask, department: "Department") -> Callable[..., "Inquiry"]:
    """`inquiry("visit", confirmed=True, locale="zh", title=…)` makes an inquiry by the verbs."""
    from tests.support import partners

    def make(track: str = "cooperation", **given: Any) -> "Inquiry":
        return partners.inquiry(department, track, **given)

    return make


@pytest.fixture
def world(department: "Department") -> "World":
    """Makes inquiries in any status and people to act on them, by the verbs: `world.at("in_review")`."""
    from tests.support.world import World

    return World(department)


@pytest.fixture
def partner(browser_like: Callable[[], Client]) -> Callable[..., Client]:
    """`partner(inquiry)` is the browser of the one who sent it, on the private page opened by a link."""
    from tests.support import partners

    def make(inquiry: "Inquiry", *, lang: str = "en") -> Client:
        client = browser_like()
        partners.open_page(client, inquiry, lang=lang)
        return client

    return make


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[Smtp]:
    """A mail server; the application sends through it. `smtp.mails`, `smtp.wait(2)`, `smtp.faults.data = "451 …"`."""
    server = Smtp(folder=tmp_path)
    yield server
    server.stop()


@pytest.fixture
def smtp_server(tmp_path: Path) -> Iterator[Callable[..., Smtp]]:
    """Makes mail servers with TLS or a login: `smtp_server(tls="starttls")`."""
    servers: list[Smtp] = []

    def make(**options: Any) -> Smtp:
        servers.append(Smtp(folder=tmp_path, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def worker(app: Flask) -> Callable[[], Any]:
    """`worker()` lets the background worker do once all that is due."""
    from collab.extensions import db
    from collab.jobs.worker import run_once

    def run() -> Any:
        done = Context().run(run_once, app)
        db.session.rollback()
        return done

    return run


# -- a live server and a browser -------------------------------------------------------------------------------


@pytest.fixture
def server(app: Flask, settings: Settings) -> Iterator[Server]:
    """The portal under granian on a port of its own, on the same database and files as `app`."""
    server = Server(settings)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": browsers.executable(), "args": browsers.ARGUMENTS}


@pytest.fixture
def open_context(
    request: pytest.FixtureRequest, server: Server, new_context: Callable[..., BrowserContext]
) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browsers, each with cookies of its own; what they do wrong fails the test at its end."""
    watch = browsers.Watch(server.url)

    def make(**options: Any) -> BrowserContext:
        phone = request.node.get_closest_marker("phone") is not None
        scripts = request.node.get_closest_marker("no_javascript") is None
        given = {
            "base_url": server.url,
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
            "viewport": browsers.PHONE if phone else browsers.DESKTOP,
            "java_script_enabled": scripts,
            "reduced_motion": "reduce",
        }
        context = new_context(**(given | options))
        context.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        context.on("page", watch.follow)
        return context

    yield make
    assert not watch.wrong, "\n".join(watch.wrong)


@pytest.fixture
def context(open_context: Callable[..., BrowserContext]) -> BrowserContext:
    return open_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of Chromium on the live server: `page.goto("/en/")`. Marks: `phone`, `no_javascript`."""
    return context.new_page()


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """`axe(page)` fails on any finding about accessibility."""
    return browsers.axe
