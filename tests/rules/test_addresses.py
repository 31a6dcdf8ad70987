"""The address table: every page says who may open it, and reading writes nothing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

from collab.accounts import Permission, Role
from collab.extensions import db
from collab.web import access
from tests.support.client import Client
from tests.support.people import Staff
from tests.support.statements import changes, queries, statements

STATIC = {"static", "assets.static"}
WORDS = {"public", "partner", "signed_in", *map(str, Permission)}
#: What a permission's decorator leaves on a view.
DECORATED: list[Callable[..., Any]] = [
    access.public(lambda: ""),
    access.partner_page(lambda: ""),
    access.signed_in(lambda: ""),
    access.requires(Permission.TRIAGE)(lambda: ""),
]


def undeclared(app: Flask) -> list[str]:
    """The endpoints whose view does not say who may open it."""
    return sorted(
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint not in STATIC and getattr(view, "permission", None) not in WORDS
    )


@pytest.mark.one_database
def test_every_page_says_who_may_open_it(app: Flask) -> None:
    assert undeclared(app) == []
    assert len(app.view_functions) > 40


def test_a_page_that_does_not_say_is_found() -> None:
    app = Flask("toy", static_folder=None)
    app.add_url_rule("/a", endpoint="open", view_func=lambda: "")
    for number, view in enumerate(DECORATED):
        app.add_url_rule(f"/{number}", endpoint=f"declared{number}", view_func=view)
    assert undeclared(app) == ["open"]


def addresses(app: Flask, values: dict[str, list[Any]]) -> Iterator[str]:
    """Addresses of all pages that can be read, one or several for each rule."""
    adapter = app.url_map.bind("127.0.0.1:8000")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in STATIC:
            continue
        for arguments in _combinations(rule, values):
            yield adapter.build(rule.endpoint, arguments)


def _combinations(rule: Rule, values: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    longest = max((len(values.get(name, [])) for name in rule.arguments), default=1)
    for index in range(longest):
        yield {
            name: values[name][index % len(values[name])] if name in values else _stranger(rule, name)
            for name in rule.arguments
        }


def _stranger(rule: Rule, name: str) -> Any:
    """A value nobody has, of the kind the address takes."""
    converter = rule._converters[name]
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 999_999 if isinstance(converter, IntegerConverter) else "no-such-thing"


VALUES: dict[str, list[Any]] = {
    "lang": ["en", "zh"],
    "track": ["cooperation", "visit", "training"],
    "kind": ["cooperation", "visit", "training"],
}


def read_all(app: Flask, client: Client, values: dict[str, list[Any]]) -> dict[str, list[str]]:
    """Open every page once; returns what was written, by address."""
    wrong = {}
    for address in addresses(app, values):
        with statements(db.engine) as found:
            response = client.get(address)
        # Not ready is what a portal without a worker has to say of itself.
        assert response.status_code < 500 or address == "/readyz", (
            f"{address}: {response.status}\n{response.text[:2000]}"
        )
        # A refused attempt is recorded: that is what the audit log is for.
        refused = response.status_code in (403, 404)
        changed = [
            one for one in changes(found) if not (refused and ("audit" in one or one == "BEGIN IMMEDIATE"))
        ]
        if changed:
            wrong[address] = changed
    return wrong


def test_a_visitor_who_reads_changes_nothing(app: Flask, client: Client, department: Any) -> None:
    assert read_all(app, client, VALUES | {"dept": [department.slug]}) == {}


def test_a_partner_who_reads_changes_nothing(
    app: Flask, partner: Callable[..., Client], department: Any, inquiry: Callable[..., Any]
) -> None:
    own = inquiry("visit")
    values = {"dept": [department.slug], "reference": [own.reference, own.reference]}
    assert read_all(app, partner(own), VALUES | values) == {}


def test_staff_who_read_change_nothing(
    app: Flask, staff: Callable[..., Staff], department: Any, inquiry: Callable[..., Any]
) -> None:
    everything = staff(*Role)
    some = [inquiry(track).reference for track in ("cooperation", "visit", "training")]
    values = {
        "dept": [department.slug],
        "slug": [department.slug],
        "reference": some,
        "user_id": [everything.user_id],
    }
    assert read_all(app, everything, VALUES | values) == {}


@pytest.mark.one_database
def test_what_is_written_is_seen(app: Flask) -> None:
    with statements(db.engine) as found, db.engine.connect() as connection:
        connection.execute(sa.text("CREATE TABLE noted (x int)"))
        connection.execute(sa.text("INSERT INTO noted VALUES (1)"))
        connection.execute(sa.text("SELECT * FROM noted"))
    assert [statement.split()[0] for statement in changes(found)] == ["CREATE", "INSERT"]
    assert [statement.split()[0] for statement in queries(found)] == ["CREATE", "INSERT", "SELECT"]
