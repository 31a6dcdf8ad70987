"""Public pages, kept as finished bytes in front of Flask: a visitor's page costs one look into a dictionary.

A view marked ``@cacheable`` gives the same answer to everybody: it never sees a cookie. Its answer is kept under the
content's version, which is read from the database at most every two seconds (and at once after this process wrote
something), so what is published shows within two seconds on every worker. Kept pages are served when the
database is away.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from time import monotonic
from typing import Any, TypeVar, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import sqlalchemy as sa
import structlog
from flask import Flask, current_app, make_response
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

from collab.settings import Settings
from collab.web.assets import ASK_AGAIN, Body, Headers

View = TypeVar("View", bound=Callable[..., Any])
Version = tuple[tuple[int, int], ...]

#: How old the known version may be, in seconds; longer after the database did not answer.
POLL = 2.0
POLL_AFTER_FAILURE = 10.0
#: A page is made anew after this time in any case: some of them name a date that depends on today.
KEPT = 300.0
#: How many pages and bytes one worker keeps.
MOST_PAGES = 1_000
MOST_BYTES = 32 * 1024 * 1024

_READS = frozenset({"GET", "HEAD"})
#: Set when a sent answer is what it says, whatever the request's own: not to be kept.
_OWN = frozenset({"Content-Length", "Content-Encoding", "Etag", "Vary", "X-Request-Id", "Date", "Server"})

log = structlog.get_logger("collab.web")


def cacheable(view: View) -> View:
    """This page is the same for everybody: no session, no form with a token, nothing from cookies."""

    @wraps(view)
    def shared(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        response = make_response(current_app.ensure_sync(view)(*args, **kwargs))
        if response.status_code == 200:
            response.headers.setdefault("Cache-Control", ASK_AGAIN)
        return response

    shared.is_cacheable = True  # type: ignore[attr-defined]
    return cast(View, shared)


def install(app: Flask, settings: Settings) -> None:
    """Put the cache in front of the application."""
    cache = PageCache(app, app.wsgi_app, host=settings.host, versions=Versions(settings.database))
    app.extensions["collab.page_cache"] = cache
    app.wsgi_app = cache  # type: ignore[method-assign]


class Versions:
    """The version of everything that public pages show."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._engine: sa.Engine | None = None
        self._polling = Lock()
        self._due = 0.0
        self._known: Version = ()

    def current(self, now: float) -> Version:
        """What is known; asks the database when that is due, and only one thread does."""
        if now >= self._due and self._polling.acquire(blocking=False):
            try:
                self._poll()
            finally:
                self._polling.release()
        return self._known

    def expire(self) -> None:
        """Something was written here: ask at the next request."""
        self._due = 0.0

    def close(self) -> None:
        """Let go of the connection; the next question makes another one."""
        if self._engine is not None:
            self._engine.dispose()

    def _poll(self) -> None:
        try:
            with self._connect() as connection:
                rows = connection.execute(sa.text("SELECT id, content_version FROM department ORDER BY id"))
                self._known = tuple((row[0], row[1]) for row in rows)
            self._due = monotonic() + POLL
        except SQLAlchemyError as error:
            log.warning("page_cache_version_unknown", error=type(error).__name__)
            self._due = monotonic() + POLL_AFTER_FAILURE

    def _connect(self) -> sa.Connection:
        # A connection of its own, made in the worker: it takes none of the pool's and never waits long.
        if self._engine is None:
            sqlite = self._database.startswith("sqlite")
            short = (
                {"timeout": 0.2} if sqlite else {"connect_timeout": 2, "options": "-c statement_timeout=1000"}
            )
            self._engine = sa.create_engine(
                self._database,
                pool_size=1,
                max_overflow=0,
                pool_pre_ping=not sqlite,
                pool_timeout=1,
                isolation_level="AUTOCOMMIT",
                connect_args=short,
            )
        return self._engine.connect()


@dataclass
class Kept:
    """One page, the version it shows and when it is made anew."""

    body: Body
    version: Version
    until: float

    @property
    def size(self) -> int:
        return self.body.size


class PageCache:
    """The WSGI application in front of Flask."""

    def __init__(self, app: Flask, application: WSGIApplication, *, host: str, versions: Versions) -> None:
        self._app = app
        self._application = application
        self._host = host.lower()
        self._pages: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._changing = Lock()
        self._adapter: MapAdapter | None = None
        self.versions = versions

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in _READS:
            try:
                return self._application(environ, start_response)
            finally:
                self.versions.expire()
        host = environ.get("HTTP_HOST", "")
        if host != self._host and host.lower() != self._host:
            return self._application(environ, start_response)  # which refuses it
        path = environ["PATH_INFO"]
        now = monotonic()
        version = self.versions.current(now)
        page = None
        if not environ.get("QUERY_STRING"):
            page = self._pages.get(path)
            if page is not None and page.until > now and page.version == version:
                return page.body.send(environ, start_response)
        if not self._is_cacheable(path):
            return self._application(environ, start_response)
        environ.pop("HTTP_COOKIE", None)
        if environ.get("QUERY_STRING"):
            return self._application(environ, _without_cookie(start_response))
        return self._make(path, page, version, environ, start_response)

    def forget(self) -> None:
        """Drop every page and ask for the version anew."""
        with self._changing:
            self._pages.clear()
            self._bytes = 0
        self.versions.expire()

    def _is_cacheable(self, path: str) -> bool:
        if self._adapter is None:
            self._adapter = self._app.url_map.bind(self._host)
        try:
            endpoint, _ = self._adapter.match(path.encode("latin-1").decode("utf-8", "replace"), method="GET")
        except (HTTPException, RequestRedirect):
            return False
        return getattr(self._app.view_functions.get(endpoint), "is_cacheable", False)

    def _make(
        self,
        path: str,
        old: Kept | None,
        version: Version,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        # Asked for as a whole, whatever the caller wants of it, so that it can be kept.
        asked = {name: value for name, value in environ.items() if name not in _CONDITIONS}
        asked["REQUEST_METHOD"] = "GET"
        status, headers, content = _run(self._application, asked)
        if status.startswith("5") and old is not None:
            old.until = monotonic() + POLL_AFTER_FAILURE
            old.version = version
            return old.body.send(environ, start_response)
        if not _may_be_kept(status, headers):
            start_response(status, headers)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]
        body = Body(content, [pair for pair in headers if pair[0].title() not in _OWN])
        self._keep(path, Kept(body, version, monotonic() + KEPT))
        return body.send(environ, start_response)

    def _keep(self, path: str, page: Kept) -> None:
        with self._changing:
            old = self._pages.pop(path, None)
            self._bytes += page.size - (old.size if old else 0)
            self._pages[path] = page
            while self._pages and (len(self._pages) > MOST_PAGES or self._bytes > MOST_BYTES):
                _, dropped = self._pages.popitem(last=False)
                self._bytes -= dropped.size


_CONDITIONS = frozenset(
    {"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_COOKIE"}
)


def _run(application: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, Headers, bytes]:
    answer: dict[str, Any] = {}
    written: list[bytes] = []

    def start_response(status: str, headers: Headers, _exc_info: Any = None) -> Callable[[bytes], object]:
        answer.update(status=status, headers=headers)
        return written.append

    result = application(environ, start_response)
    try:
        content = b"".join(result)
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    return answer["status"], answer["headers"], b"".join(written) + content


def _may_be_kept(status: str, headers: Headers) -> bool:
    named = {name.lower(): value.lower() for name, value in headers}
    caching = named.get("cache-control", "")
    return (
        status.startswith("200")
        and "set-cookie" not in named
        and "public" in caching
        and "no-store" not in caching
        and "private" not in caching
    )


def _without_cookie(start_response: StartResponse) -> StartResponse:
    """The same page with a query: it saw no cookie, so it does not differ by one."""

    def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        varies = [
            (name, value) for name, value in headers if (name.lower(), value.lower()) != ("vary", "cookie")
        ]
        return start_response(status, varies, exc_info)

    return cast(StartResponse, start)
