"""The portal as a whole, from outside: caches, guessed addresses, injections, start with wrong settings.

A03, A28, A39, A55, A63, A64.
"""

import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from collab import __version__
from collab.accounts import Role
from collab.core.db import db
from collab.departments import Department
from collab.inquiries import Inquiry
from collab.settings import WrongSetting, load
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.server import Server
from tests.support.visitors import Visitor
from tests.web.partner.sample import FORMS, address, pdf, received

Make = Callable[..., Staff]
ROOT = Path(__file__).parents[2]

# -- A39: what a shared cache may keep --------------------------------------------------------------------------------

#: These show the same to everybody and may be kept by anybody.
SHARED = {"public", "static", "assets"}


def addresses(app: Flask, values: dict[str, str]) -> Iterator[tuple[Rule, str]]:
    """An address for each rule that can be opened by GET."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        choices = {name: re.search(rf"any\(([^),]+)[^)]*\):{name}>", rule.rule) for name in rule.arguments}
        filled = {
            name: (found.group(1) if found else values.get(name, "1")) for name, found in choices.items()
        }
        with app.test_request_context():
            path = app.url_map.bind("").build(rule.endpoint, filled, force_external=False)
        yield rule, path.partition("?")[0]


def test_a39_no_private_answer_may_be_kept(
    app: Flask, department: Department, client: Client, browser_like: Callable[[], Client], staff: Make
) -> None:
    """Every address of the portal, as a stranger, as a partner and as staff: what depends on who asks is not kept."""
    inquiry = received(client, _files={"attachment": ("cv.pdf", pdf())})
    values = {
        "dept": department.slug, "slug": department.slug, "reference": inquiry.reference, "token": "unknown",
        "ticket": "unknown", "page": "research", "filename": "css/theme.css",
    }  # fmt: skip
    who = {"stranger": browser_like(), "partner": client, "staff": staff("coordinator", "head", "admin")}
    seen = 0
    for rule, path in addresses(app, values):
        answers = {name: one.get(path) for name, one in who.items()}
        for name, answer in answers.items():
            told = f"{path} as {name}: {answer.status_code} {answer.headers.get('Cache-Control')}"
            control = answer.headers["Cache-Control"]
            seen += 1
            if "public" in control or "no-store" not in control:
                assert rule.endpoint.partition(".")[0] in SHARED, told
                assert "Set-Cookie" not in answer.headers, told
                assert answer.data == answers["stranger"].data, told
            else:
                assert "private" in control, told
            if answer.status_code >= 400:
                assert "no-store" in control, told
            if "Set-Cookie" in answer.headers:
                assert "Cookie" in answer.headers.get("Vary", ""), told
    assert seen > 200


# -- A03, A64: guessed addresses ---------------------------------------------------------------------------------------

GUESSED = (
    "/.git/HEAD", "/.git/config", "/.env", "/.htaccess", "/console", "/debug", "/debug/default/view", "/_debugbar",
    "/admin", "/server-status", "/actuator/env", "/phpinfo.php", "/wp-login.php", "/openapi.json", "/swagger", "/docs",
    "/instance/collab.toml", "/collab.toml", "/collab.db", "/instance/collab.db", "/backup.sql", "/secret_key",
    "/static/", "/static/../collab/settings.py", "/static/..%2fcollab%2fsettings.py", "/static/%2e%2e/pyproject.toml",
    "/static//etc/passwd", "/static/..\\..\\pyproject.toml", "/static/%00", "/static/css/", "/static/js",
    "/media/1", "/uploads/1", "/files/1", "/instance/files/", "/files/f/", "/attachments/1.pdf", "/download?id=1",
    "/en/nuclear-medicine/../../etc/passwd", "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/en/files/1",
    "/api/v0/users",
    "/%ff%fe", "/" + "a" * 4000, "/en/" + "%F0%9F%92%A9" * 50,
)  # fmt: skip
INSIDE = re.compile(
    r"Traceback|werkzeug|jinja2|sqlalchemy|granian|flask[ /]|site-packages|root:x:|\[core\]|CREATE TABLE|secret_key|"
    rf"Python/3|{re.escape(str(ROOT))}/|\.py\b",
    re.IGNORECASE,
)


def test_a03_a64_guessed_addresses_tell_nothing(
    app: Flask, department: Department, client: Client, server: Server
) -> None:
    inquiry = received(client, _files={"attachment": ("cv.pdf", pdf())})
    db.session.rollback()
    stored = [path for path in (server.settings.instance / "files").rglob("*") if path.is_file()]
    assert stored
    for path in stored:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in {path.parent for path in stored} | {server.settings.instance / "files"}:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    inside = [str(path.relative_to(server.settings.instance)) for path in stored]
    visitor = Visitor(server.url)
    for path in (
        *GUESSED,
        *(f"/{one}" for one in inside),
        *(f"/static/{one}" for one in inside),
        f"/en/my/{inquiry.reference}/files/1",
        f"/staff/inquiries/{inquiry.reference}/files/1",
    ):
        answer = visitor.get(path.replace("\\", "%5C"))
        assert answer.status in {302, 303, 308, 400, 404, 414}, f"{path[:80]}: {answer.status}"
        if answer.status == 308:  # the same address with a slash
            assert answer.location.startswith(server.url)
        if answer.status in {302, 303}:
            assert "/staff/sign-in" in answer.location, path
        assert not INSIDE.search(answer.text), f"{path[:80]}: {INSIDE.findall(answer.text)}"
        assert b"%PDF" not in answer.body


def test_a64_no_answer_names_what_it_is_made_with(department: Department, server: Server) -> None:
    visitor = Visitor(server.url)
    for method, path in (
        ("GET", "/en/nuclear-medicine/"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/nowhere"),
        ("POST", "/en/nuclear-medicine/"),
        ("DELETE", "/staff/"),
        ("TRACE", "/"),
        ("OPTIONS", "/staff/"),
    ):
        answer = visitor.ask(method, path)
        assert answer.status < 500 or path == "/readyz", (method, path, answer.status)
        headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        told = f"{method} {path}: {headers}"
        assert not re.search(r"\d+\.\d+", headers.get("server", "")), told
        assert not headers.keys() & {"x-powered-by", "via", "x-aspnet-version", "x-generator"}, told
        assert not INSIDE.search(answer.text), f"{told} {INSIDE.findall(answer.text)}"
        assert __version__ not in answer.text, told
    health = visitor.get("/healthz")
    assert health.body.strip() == b'{"status":"alive"}'
    ready = visitor.get("/readyz")
    assert set(json.loads(ready.text)) == {"status", "checks"}


@pytest.mark.settings(metrics_token="figures-0123456789-abcdefghij")
def test_a64_figures_are_for_the_machine_or_the_token(client: Client, department: Department) -> None:
    def ask(address: str, **headers: str) -> Any:
        return client.get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=headers)

    assert ask("127.0.0.1").status_code == 200
    assert ask("203.0.113.5").status_code == 404
    assert ask("127.0.0.1", **{"X-Forwarded-For": "203.0.113.5"}).status_code == 404
    for wrong in ("", "Bearer ", "Bearer figures", "Basic figures-0123456789-abcdefghij", "Bearer é"):
        assert ask("203.0.113.5", Authorization=wrong).status_code == 404
    shown = ask("203.0.113.5", Authorization="Bearer figures-0123456789-abcdefghij")
    assert shown.status_code == 200
    assert "@" not in shown.text


# -- A28: what a caller says of itself --------------------------------------------------------------------------------


def test_a28_a_forged_caller_is_neither_believed_nor_shown(
    department: Department, browser_like: Callable[[], Client], staff: Make
) -> None:
    markup = "<script>alert(1)</script>"
    caller = browser_like()
    forged = {
        "User-Agent": markup, "X-Forwarded-For": markup, "X-Real-IP": markup, "Forwarded": f"for={markup}",
        "Referer": f"http://127.0.0.1:8000/{markup}", "Accept-Language": markup, "X-Forwarded-Host": "evil.example",
    }  # fmt: skip
    caller.environ_base |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in forged.items()}
    inquiry = received(caller)
    reader = staff("coordinator", "admin")
    for path in (
        f"/staff/inquiries/{inquiry.reference}",
        "/staff/inquiries",
        "/staff/outbox",
        "/staff/account",
    ):
        page = reader.get(path)
        assert page.status_code == 200
        assert "alert(1)" not in page.text
        assert "evil.example" not in page.text


# -- A55: injections into everything that is read ----------------------------------------------------------------------

INJECTED = (
    "'", '"', "\\", "%", "_", "%%%%", "'; DROP TABLE inquiry;--", "1 OR 1=1", "1' OR '1'='1", "1) UNION SELECT 1--",
    "' AND SLEEP(5)--", "'||pg_sleep(5)--", "(SELECT 1 FROM pg_sleep(5))", "a' NEAR b", '"unclosed', "NOT", "AND OR",
    "NEAR(a b, 5)", "title:x", "*", "^a", "a*" * 50, "(" * 200, "((a)" * 60, "(a+)+$" + "a" * 100, "{{7*7}}", "${7*7}",
    "\x00", "\x1b[31m", "\r\nX: y", "\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "ignore"), "-1",
    "9" * 40, "1e999", "NaN", "null", "[]", "../../etc/passwd", "核" * 60, "é" * 300, "x" * 5000, "2026-99-99",
)  # fmt: skip
READ = {
    "/staff/inquiries": (
        "q", "status", "track", "area", "country", "assigned", "late", "unread", "erasure", "sort", "after", "pile",
        "department",
    ),
    "/staff/outbox": ("q", "state", "topic", "after"),
    "/staff/": ("q", "after"),
    "/en/nuclear-medicine/search": ("q", "page", "after", "lang"),
    "/en/nuclear-medicine/inquire/visit": ("area", "visitor_type", "training_model", "from"),
    "/en/nuclear-medicine/": ("lang", "q"),
    "/staff/sign-in": ("next",),
    "/en/link": ("reference",),
}  # fmt: skip


@pytest.mark.parametrize("path", READ)
def test_a55_nothing_read_from_an_address_is_run(
    path: str, department: Department, inquiry: Callable[..., Inquiry], staff: Make
) -> None:
    """Never a mishap (the client raises it), and never long."""
    for _ in range(3):
        inquiry()
    reader = staff("coordinator", "head", "admin")
    for name in READ[path]:
        for value in INJECTED:
            began = time.process_time()
            answer = reader.get(path, query_string={name: value})
            assert answer.status_code in {200, 303, 400, 404}, (
                f"{path}?{name}={value[:60]!r}: {answer.status}"
            )
            assert time.process_time() - began < 2, f"{path}?{name}={value[:60]!r}"
    assert db.session.query(Inquiry).count() == 3


@pytest.mark.settings(submissions_per_network=10_000)
def test_a55_a_number_no_row_can_have_is_not_found(
    app: Flask, department: Department, client: Client, staff: Make, inquiry: Callable[..., Inquiry]
) -> None:
    """A number greater than a column holds ends in no error of the database."""
    everything = staff(*Role)
    one = inquiry("cooperation")
    filled = {"lang": "en", "dept": department.slug, "slug": department.slug, "reference": one.reference}
    numbered = [rule for rule in app.url_map.iter_rules() if "<int:" in rule.rule]
    assert len(numbered) > 15
    for rule in numbered:
        for number in (2**31, 2**63 - 1, 2**63, 10**30):
            path = re.sub(r"<int:\w+>", str(number), rule.rule)
            path = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", path)
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: filled.get(found.group(1), "x"), path)
            send = everything.get if "GET" in (rule.methods or ()) else everything.post
            assert send(path).status_code in {302, 303, 400, 403, 404, 405}, f"{rule.rule} {number}"


@pytest.mark.parametrize("track", FORMS)
def test_a55_nothing_typed_is_run(track: str, client: Client, department: Department) -> None:
    """Each injection in all fields of a form at once: taken or refused at the fields, never a mishap."""
    for value in INJECTED[list(FORMS).index(track) :: len(FORMS)]:
        forged = {name: value for name in FORMS[track] if name not in {"privacy_ack", "adult_declaration"}}
        began = time.process_time()
        answer = client.fill(address(track), _form="inquiry", **FORMS[track], _forged=forged)
        assert answer.status_code in {303, 422}, f"{value[:60]!r}: {answer.status}"
        assert time.process_time() - began < 3, f"{value[:60]!r}"


# -- A63: wrong settings stop the start --------------------------------------------------------------------------------

WRONG = {
    "DATABASE_URL": ("mysql://x/y", "sqlite://relative.db", "collab.db"),
    "FILES_URL": ("/var/files", "http://files", "s3:bucket"),
    "SMTP_URL": ("mail.example.org", "http://mail.example.org", "smtp://host:port", "smtp://"),
    "SMTP_TIMEOUT": ("0", "-1", "301", "soon"),
    "BASE_URL": (
        "http://collab.example.org",
        "collab.example.org",
        "https://x.example/path",
        "ftp://x",
        "https://x:y",
    ),
    "BIND": ("8000", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:0", "127.0.0.1:70000"),
    "WORKERS": ("0", "65", "two"),
    "TRUSTED_PROXIES": ("-1", "6", "all"),
    "SECRET_KEY": ("changeme", "secret", "a" * 64, "short", "0123456789"),
    "ADMIN_EMAIL": ("nobody", "a@b@c", "a b@example.org"),
    "ADMIN_PASSWORD": ("short",),
    "SESSION_IDLE_MINUTES": ("4", "1441"),
    "SESSION_HOURS": ("0", "169"),
    "PARTNER_SESSION_MINUTES": ("9", "1441"),
    "UPLOAD_MEGABYTES": ("0", "101"),
    "SUBMISSIONS_PER_ADDRESS": ("0", "many"),
    "SUBMISSIONS_PER_NETWORK": ("0",),
    "PASSWORD_MEMORY_KIB": ("7",),
    "PASSWORD_PASSES": ("0",),
    "LOG_LEVEL": ("verbose", "trace"),
    "LOG_FORMAT": ("xml",),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a63_a_wrong_setting_is_named_and_not_repeated(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLAB_INSTANCE", str(tmp_path))
    monkeypatch.setenv(f"COLLAB_{name}", value)
    with pytest.raises(WrongSetting) as refused:
        load()
    said = str(refused.value)
    assert f"COLLAB_{name}: " in said
    assert refused.value.code == 78
    if name in {"SECRET_KEY", "ADMIN_PASSWORD", "SMTP_URL"}:  # secrets are not printed
        assert value not in re.sub(r"takes .*", "", said)


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        ("[::]:9000", "http://127.0.0.1:9000"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("localhost:9000", "http://localhost:9000"),
        ("192.0.2.7:9000", None),
    ],
)
def test_a63_the_address_follows_where_the_server_listens(
    bind: str, address: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLAB_INSTANCE", str(tmp_path))
    monkeypatch.setenv("COLLAB_BIND", bind)
    if address is None:
        # Others reach it there: it has to be said what they call it, and over TLS.
        with pytest.raises(WrongSetting, match="COLLAB_BASE_URL"):
            load()
    else:
        assert load().base_url == address
    monkeypatch.setenv("COLLAB_BASE_URL", "https://collab.example.org")
    assert load().base_url == "https://collab.example.org"


def test_a63_cheap_passwords_are_refused_where_others_can_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLAB_INSTANCE", str(tmp_path))
    monkeypatch.setenv("COLLAB_BASE_URL", "https://collab.example.org")
    monkeypatch.setenv("COLLAB_PASSWORD_MEMORY_KIB", "8")
    with pytest.raises(WrongSetting, match="COLLAB_PASSWORD_MEMORY_KIB"):
        load()


def test_a63_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = load(instance=tmp_path)
    key = settings.key()
    assert len(key) >= 32
    path = tmp_path / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(WrongSetting, match="chmod 600") as refused:
        settings.key()
    assert key not in str(refused.value)
    path.chmod(0o600)
    assert settings.key() == key
    path.write_text("short")
    with pytest.raises(WrongSetting, match="holds no key"):
        settings.key()


@pytest.mark.parametrize("command", ["serve", "worker", "init", "run"])
def test_a63_the_commands_stop_with_the_name(command: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COLLAB_")}
    environment |= {
        "COLLAB_INSTANCE": str(tmp_path / "instance"),
        "COLLAB_BASE_URL": "http://collab.example.org",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "collab", command],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 78, done.stderr
    assert "COLLAB_BASE_URL: must be https://" in done.stderr
    assert "Traceback" not in done.stderr
