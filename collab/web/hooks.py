"""What happens around every request: its id and log line, whose host it names, its language, its headers."""

import re
import secrets
import time
from typing import Any

import structlog
from flask import Flask, Response, abort, g, has_request_context, redirect, request
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from collab.settings import Settings
from collab.web.network import client_network

LANGUAGES = ("en", "zh")
_TOKEN_IN_PATH = re.compile(r"(/(?:confirm|i|draft|invitation|reset|feeds)/)[^/?]+")
log = structlog.get_logger("collab.web")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'"
)


def init_app(app: Flask, settings: Settings) -> None:
    """Hang the hooks onto the application."""
    always = security_headers(settings)

    @app.before_request
    def _begin() -> BaseResponse | None:
        g.request_id = secrets.token_hex(8)
        g.began = time.monotonic()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        # Links and redirects are built from the configured address; a request that names another host is not ours.
        if request.host.lower() != settings.host.lower() and not _internal(settings):
            if request.method not in {"GET", "HEAD"} or not settings.is_alias(request.host):
                abort(400)
            # "localhost" typed for 127.0.0.1: cookies and links hold for one name only.
            path = request.root_path + request.full_path.removesuffix("?")
            return redirect(settings.base_url + path, code=307)
        return None

    @app.url_value_preprocessor
    def _language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values and "lang" in values:
            g.lang = values.pop("lang")

    @app.url_defaults
    def _same_language(endpoint: str, values: dict[str, Any]) -> None:
        if "lang" not in values and app.url_map.is_endpoint_expecting(endpoint, "lang"):
            values["lang"] = language()

    @app.after_request
    def _finish(response: Response) -> Response:
        headers = response.headers
        for name, value in always.items():
            headers.setdefault(name, value)
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "private, no-store"
            headers.add("Vary", "Cookie")
        headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint not in {"static", "health.healthz"}:
            log.info(
                "request",
                method=request.method,
                path=masked(request.path),
                status=response.status_code,
                ms=round((time.monotonic() - g.get("began", time.monotonic())) * 1000, 1),
                network=client_network(),
                user=current_user.id if current_user and current_user.is_authenticated else None,
            )
        return response


def security_headers(settings: Settings) -> dict[str, str]:
    """The headers of every answer, whoever gives it."""
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    }
    if settings.is_public:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


def _internal(settings: Settings) -> bool:
    # Health and metrics are asked by address, by whatever watches the machine; they show nothing private.
    return request.path in {"/healthz", "/readyz", "/metrics"}


def masked(path: str) -> str:
    """A path without the secrets that links carry, and without line breaks."""
    return _TOKEN_IN_PATH.sub(r"\1***", path)[:400]


def language() -> str:
    """``en`` or ``zh``: the address's, the reader's own, or what the browser asks for."""
    if "lang" in g:
        return str(g.lang)
    if not has_request_context():  # the command line and the worker
        return "en"
    if "reader_language" in g:
        return str(g.reader_language)
    user = current_user
    if user and user.is_authenticated:
        g.reader_language = str(user.locale)
        return str(user.locale)
    return preferred_language()


def preferred_language() -> str:
    """What the browser's languages say; English when they name neither."""
    for tag, _quality in request.accept_languages:
        primary = tag.lower().split("-")[0]
        if primary in LANGUAGES:
            return primary
    return "en"


def babel_locale() -> str:
    """Flask-Babel's locale for this request."""
    return "zh" if language() == "zh" else "en"
