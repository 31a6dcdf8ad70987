"""The page cache: the same page for everybody, new within two seconds, there when the database is not."""

import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Blueprint, Flask, Response, flash, request, session
from flask.typing import ResponseReturnValue
from werkzeug.test import Client, TestResponse

from collab.settings import Settings
from collab.web import page_cache
from collab.web.page_cache import cacheable
from tests.support.databases import Databases

HOST = "collab.example.org"


class House:
    """A small site before a real database, and how often its pages were drawn."""

    def __init__(self, url: str, instance: Path) -> None:
        self.engine = sa.create_engine(url)
        with self.engine.begin() as connection:
            connection.execute(
                sa.text("CREATE TABLE department (id integer PRIMARY KEY, content_version integer)")
            )
            connection.execute(sa.text("INSERT INTO department VALUES (1, 1)"))
        self.drawn = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        app = Flask("house")
        app.secret_key = "of-a-test"
        app.register_blueprint(self.views())
        page_cache.install(app, Settings(instance=instance, database_url=url, base_url=f"https://{HOST}"))
        self.cache: page_cache.PageCache = app.extensions["collab.page_cache"]
        self.browser = Client(app.wsgi_app)

    def views(self) -> Blueprint:
        bp = Blueprint("pages", __name__)

        @bp.get("/<name>/")
        @cacheable
        def shown(name: str) -> ResponseReturnValue:
            self.drawn += 1
            if name == "missing":
                return Response("nothing", 404)
            body = f"{name} {self.drawn} {session.get('who', 'anybody')} {request.cookies}".ljust(2000)
            return Response(body, self.status, self.headers)

        @bp.get("/own")
        def own() -> ResponseReturnValue:
            self.drawn += 1
            flash("yours")
            return Response(f"own {self.drawn}", headers={"Cache-Control": "public"})

        @bp.post("/write")
        def write() -> ResponseReturnValue:
            self.publish()
            return Response("written")

        @bp.get("/signed")
        @cacheable
        def signed() -> ResponseReturnValue:
            self.drawn += 1
            session["who"] = "somebody"
            return Response(f"signed {self.drawn}")

        return bp

    def publish(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text("UPDATE department SET content_version = content_version + 1"))

    def get(self, path: str = "/start/", **given: Any) -> TestResponse:
        headers = {"Host": HOST, **given.pop("headers", {})}
        return self.browser.open(path, headers=headers, **given)


@pytest.fixture
def house(database: Databases, tmp_path: Path) -> Iterator[House]:
    url = database.empty().replace("postgresql:", "postgresql+psycopg:")
    (tmp_path / "instance").mkdir(mode=0o700)
    house = House(url, tmp_path / "instance")
    yield house
    house.engine.dispose()
    if house.cache.versions._engine is not None:
        house.cache.versions._engine.dispose()
    database.forget(url.replace("+psycopg", ""))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False) as traveller:
        monkeypatch.setattr(page_cache, "monotonic", time.time)
        yield traveller


def test_a_page_is_drawn_once_for_all(house: House) -> None:
    first = house.get(headers={"Cookie": "session=mine; a=b"})
    assert (first.status_code, first.text.split()) == (
        200,
        ["start", "1", "anybody", "ImmutableMultiDict([])"],
    )
    for _ in range(5):
        assert house.get(headers={"Cookie": "session=yours"}).data == first.data
    assert house.get("/other/").text.split()[:2] == ["other", "2"]
    assert house.drawn == 2


def test_it_comes_compressed_or_plain_and_only_when_it_is_new(house: House) -> None:
    plain = house.get()
    packed = house.get(headers={"Accept-Encoding": "gzip"})
    assert dict(packed.headers) == {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "public, max-age=0, must-revalidate",
        "Vary": "Accept-Encoding",
        "Content-Encoding": "gzip",
        "Content-Length": str(len(packed.data)),
        "ETag": packed.headers["ETag"],
    }
    assert gzip.decompress(packed.data) == plain.data
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for answer in (plain, packed):
        headers = {
            "Accept-Encoding": answer.headers.get("Content-Encoding", ""),
            "If-None-Match": answer.headers["ETag"],
        }
        again = house.get(headers=headers)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    house.cache.forget()
    headers = {"If-None-Match": plain.headers["ETag"], "Range": "bytes=0-3"}
    fresh = house.get(headers=headers)
    assert (fresh.status_code, len(fresh.data), house.drawn) == (200, 2000, 2)


def test_head_has_the_headers_alone_and_is_kept_too(house: House) -> None:
    head = house.get(method="HEAD")
    got = house.get()
    assert (head.status_code, head.data, house.drawn) == (200, b"", 1)
    assert dict(head.headers) == dict(got.headers)


def test_security_headers_are_kept_and_the_request_id_is_not(house: House) -> None:
    house.headers = {
        "Content-Security-Policy": "default-src 'none'",
        "X-Request-Id": "1",
        "X-Frame-Options": "DENY",
    }
    for _ in range(2):
        headers = house.get().headers
        assert headers["Content-Security-Policy"] == "default-src 'none'"
        assert headers["X-Frame-Options"] == "DENY"
        assert "X-Request-Id" not in headers


def test_what_is_published_shows_within_two_seconds(house: House, clock: time_machine.Traveller) -> None:
    house.get()
    house.publish()
    clock.shift(1.9)
    assert house.get().text.split()[1] == "1"
    clock.shift(0.2)
    assert house.get().text.split()[1] == "2"
    assert house.get().text.split()[1] == "2"


def test_the_worker_that_wrote_shows_it_at_once(house: House) -> None:
    house.get()
    house.get("/write", method="POST")
    assert house.get().text.split()[1] == "2"


def test_a_page_is_made_anew_after_its_time(house: House, clock: time_machine.Traveller) -> None:
    house.get()
    clock.shift(page_cache.KEPT - 1)
    assert house.get().text.split()[1] == "1"
    clock.shift(2)
    assert house.get().text.split()[1] == "2"


def test_queries_are_answered_and_never_kept(house: House) -> None:
    for number in range(1, 4):
        answer = house.get("/start/", query_string={"q": "x"}, headers={"Cookie": "session=mine"})
        assert answer.text.split()[1:3] == [str(number), "anybody"]
        assert answer.text.rstrip().endswith("ImmutableMultiDict([])")
    assert len(house.cache._pages) == 0


def test_what_is_somebodys_own_is_never_kept(house: House) -> None:
    for number in range(1, 3):
        assert house.get("/own").text == f"own {number}"
        assert house.get("/own").headers["Set-Cookie"]
        house.drawn = number
    assert len(house.cache._pages) == 0


@pytest.mark.parametrize(
    "headers",
    [{"Cache-Control": "private, no-store"}, {"Cache-Control": "public, no-store"}, {"Set-Cookie": "a=b"}],
)
def test_an_answer_that_is_not_for_everybody_is_not_kept(house: House, headers: dict[str, str]) -> None:
    house.headers = headers
    assert [house.get().text.split()[1] for _ in range(2)] == ["1", "2"]
    assert len(house.cache._pages) == 0


def test_a_view_that_sets_a_cookie_after_all_is_not_kept(house: House) -> None:
    assert [house.get("/signed").text for _ in range(2)] == ["signed 1", "signed 2"]


def test_what_is_not_there_is_not_kept(house: House) -> None:
    for path in ("/missing/", "/missing", "/nowhere/at/all", "/%ff%fe/x/"):
        for _ in range(2):
            house.get(path)
    assert len(house.cache._pages) == 0


def test_another_host_is_left_to_the_application(house: House) -> None:
    house.get()
    for host in ("evil.example", f"{HOST}:8000", ""):
        house.get(headers={"Host": host})
    assert house.drawn == 4
    assert house.get(headers={"Host": HOST.upper()}).text.split()[1] == "1"


def test_it_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "MOST_PAGES", 10)
    for number in range(30):
        house.get(f"/page{number}/")
    assert list(house.cache._pages) == [f"/page{number}/" for number in range(20, 30)]
    monkeypatch.setattr(page_cache, "MOST_BYTES", 5 * 2100)
    house.get("/last/")
    assert len(house.cache._pages) <= 5
    assert house.cache._bytes == sum(page.size for page in house.cache._pages.values()) <= 5 * 2100


def test_pages_stay_when_the_database_is_away(house: House, clock: time_machine.Traveller) -> None:
    before = house.get().data
    with house.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE department RENAME TO gone"))
    for _ in range(3):
        clock.shift(60)
        assert house.get().data == before
    house.status = 503
    clock.shift(page_cache.KEPT)
    assert house.get().data == before
    drawn = house.drawn
    assert house.get().data == before
    assert house.drawn == drawn, "a failing page is not tried again at every request"
    assert house.get("/never-seen/").status_code == 503
    house.status = 200
    with house.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE gone RENAME TO department"))
        connection.execute(sa.text("UPDATE department SET content_version = 9"))
    clock.shift(page_cache.POLL_AFTER_FAILURE + 1)
    assert house.get().data != before
