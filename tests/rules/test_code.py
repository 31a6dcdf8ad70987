"""Conventions of the code that no linter knows."""

import ast
from collections.abc import Iterator

import pytest
import yaml

from tests.rules.sources import PACKAGE, ROOT, TEMPLATES, files_of, modules

JUNK_DRAWERS = {
    "base",
    "common",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "service",
    "services",
    "util",
    "utils",
}
OF_REQUESTS = {
    "request",
    "session",
    "g",
    "flash",
    "abort",
    "redirect",
    "render_template",
    "url_for",
    "make_response",
}
NOT_BELOW = {"flask_login", "flask_wtf", "wtforms"}


def knows_requests(tree: ast.Module) -> Iterator[str]:
    """What a module takes from the world of requests."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "flask":
            yield from (alias.name for alias in node.names if alias.name in OF_REQUESTS)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in NOT_BELOW:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in NOT_BELOW)
        elif (
            isinstance(node, ast.Attribute)
            and ast.unparse(node.value) == "flask"
            and node.attr in OF_REQUESTS
        ):
            yield f"flask.{node.attr}"


def asks_the_time(tree: ast.Module) -> Iterator[str]:
    """Where a module asks the system for the time instead of the clock."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            text = ast.unparse(node.func)
            if text in {
                "datetime.now",
                "datetime.today",
                "datetime.utcnow",
                "date.today",
                "time.time",
            } or text.endswith((".datetime.now", ".datetime.utcnow", ".date.today")):
                yield f"line {node.lineno}: {text}()"


def commits(tree: ast.Module) -> Iterator[str]:
    """Where a module commits."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("session.commit", "connection.commit")
        ):
            yield f"line {node.lineno}: {ast.unparse(node.func)}()"


def test_below_the_front_rooms_nobody_knows_the_request() -> None:
    # The extensions are bare objects, made once for everybody.
    found = {
        name: bad
        for name, tree in modules(below_the_front=True)
        if name != "extensions.py" and (bad := sorted(knows_requests(tree)))
    }
    assert found == {}


@pytest.mark.parametrize(
    "code",
    [
        "from flask import g",
        "import flask_login",
        "from flask_wtf.csrf import x",
        "import flask\nflask.request.args",
        "import wtforms",
    ],
)
def test_who_knows_the_request_is_found(code: str) -> None:
    assert list(knows_requests(ast.parse(code)))


def test_flask_itself_may_be_known() -> None:
    assert not list(knows_requests(ast.parse("from flask import Flask, current_app, has_request_context")))


def test_the_time_comes_from_the_clock() -> None:
    found = {
        name: bad
        for name, tree in modules()
        if name != "core/clock.py" and (bad := list(asks_the_time(tree)))
    }
    assert found == {}


@pytest.mark.parametrize(
    "call", ["datetime.now(UTC)", "datetime.datetime.utcnow()", "date.today()", "time.time()"]
)
def test_who_asks_the_time_elsewhere_is_found(call: str) -> None:
    assert list(asks_the_time(ast.parse(f"x = {call}")))


def test_only_the_unit_of_work_commits() -> None:
    found = {name: bad for name, tree in modules() if name != "core/db.py" and (bad := list(commits(tree)))}
    assert found == {}
    assert list(commits(ast.parse((PACKAGE / "core/db.py").read_text())))


def test_nothing_is_called_like_a_junk_drawer() -> None:
    drawers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if "content" not in path.parts
        and path.stem in JUNK_DRAWERS
        and (path.is_dir() or path.suffix == ".py")
    ]
    assert drawers == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name, tree in modules() if not ast.get_docstring(tree)]
    assert silent == []


def test_every_room_has_a_door() -> None:
    without = [
        path.name
        for path in PACKAGE.iterdir()
        if path.is_dir()
        and path.name != "migrations"  # scripts, not a package
        and any(path.glob("*.py"))
        and not (path / "__init__.py").exists()
    ]
    assert without == []


def names_of_departments() -> set[str]:
    """What the departments of the content call themselves, in both languages."""
    found = set()
    for path in (PACKAGE / "content").glob("*/department.yaml"):
        found.add(path.parent.name)
        names = yaml.safe_load(path.read_text())["name"]
        found |= set(names.values()) if isinstance(names, dict) else {names}
    return found


def names_in(text: str, names: set[str]) -> list[str]:
    return sorted(name for name in names if name.casefold() in text.casefold())


def test_no_department_is_named_in_code_templates_or_catalogues() -> None:
    names = names_of_departments()
    assert len(names) >= 3
    sources = [
        *files_of(PACKAGE, ".py", ".po"),
        *files_of(TEMPLATES, ".html", ".txt", ".xml", ".atom"),
        *files_of(ROOT / "static", ".css", ".js"),
    ]
    assert {path: bad for path, text in sources if (bad := names_in(text, names))} == {}


def test_a_name_of_a_department_is_found() -> None:
    names = names_of_departments()
    assert names_in(f'title = "{min(names).upper()}"', names)
