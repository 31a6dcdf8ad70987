"""The application class and its Flask configuration."""

from typing import Any

from flask import Flask, g, request
from flask import Request as FlaskRequest
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableDict
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from collab.core.db import TryAgain, db
from collab.settings import Settings

#: How often a request is run when the database broke off its transaction (deadlock, serialisation failure).
ATTEMPTS = 3


class Request(FlaskRequest):
    """A request whose form has a name for every part: Werkzeug hands over nameless ones, and nobody expects them."""

    def _load_form_data(self) -> None:
        super()._load_form_data()
        if None in self.form or None in self.files:
            raise BadRequest


class Id(IntegerConverter):
    """The number of a row: one that no database can hold names nothing, and is not asked for."""

    def __init__(self, addresses: Map, *args: Any, **options: Any) -> None:
        super().__init__(addresses, *args, **{"max": 2**31 - 1, **options})


class Addresses(Map):
    """All addresses; their numbers are those of rows."""

    default_converters = ImmutableDict({**Map.default_converters, "int": Id})


class Application(Flask):
    """Flask, which runs a request again when the database asks for it."""

    request_class = Request
    url_map_class = Addresses

    def dispatch_request(self) -> ResponseReturnValue:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return super().dispatch_request()
            except TryAgain:
                if attempt == ATTEMPTS:
                    raise
                db.session.remove()
                g.pop("actor", None)
                for upload in request.files.values():
                    upload.stream.seek(0)
        raise AssertionError("unreachable")


def config_of(settings: Settings) -> dict[str, Any]:
    """Flask's and the extensions' configuration, from ours."""
    megabyte = 1024 * 1024
    return {
        "SECRET_KEY": settings.key(),
        "SQLALCHEMY_DATABASE_URI": settings.database,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(settings),
        "MAX_CONTENT_LENGTH": settings.upload_megabytes * megabyte * 3 + megabyte,
        "MAX_FORM_MEMORY_SIZE": megabyte,
        "MAX_FORM_PARTS": 200,
        "SESSION_COOKIE_NAME": "__Host-collab-form" if settings.is_public else "collab-form",
        "SESSION_COOKIE_SECURE": settings.is_public,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "WTF_CSRF_TIME_LIMIT": 12 * 3600,
        "WTF_CSRF_SSL_STRICT": False,  # the token is enough, and we send no referrer
        "BABEL_DEFAULT_LOCALE": "en",
        "PREFERRED_URL_SCHEME": "https" if settings.is_public else "http",
        "TRAP_HTTP_EXCEPTIONS": False,
        "PROPAGATE_EXCEPTIONS": False,
        "MAIL_SUPPRESS_SEND": False,
    }


def _engine_options(settings: Settings) -> dict[str, Any]:
    if settings.database.startswith("sqlite"):
        return {}
    return {
        "pool_pre_ping": True,
        "pool_size": 5,
        "max_overflow": 10,
        "pool_timeout": 10,
        "connect_args": {"connect_timeout": 5, "options": "-c statement_timeout=30000 -c lock_timeout=10000"},
    }


def trust_proxies(app: Flask, settings: Settings) -> None:
    """Believe X-Forwarded-* from as many proxies as are configured, and from nobody else."""
    if settings.trusted_proxies:
        number = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number, x_host=number)  # type: ignore[method-assign]
