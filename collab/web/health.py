"""For whatever watches the machine: alive, able to serve, figures. Nothing private, no version."""

import hmac
import ipaddress

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from collab.core.db import db
from collab.settings import Settings
from collab.web.access import public

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="alive")


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Database, migrations, store and worker's heartbeat, each yes or no."""
    from collab import files, jobs

    checks: dict[str, bool] = {}
    try:
        db.session.execute(sa.text("SELECT 1"))
        checks["database"] = True
        checks["migrations"] = jobs.migrations_are_current()
        checks["worker"] = jobs.worker_is_alive()
    except sa.exc.SQLAlchemyError:
        db.session.rollback()
        checks.setdefault("database", False)
    checks["store"] = files.store_is_writable()
    able = all(checks.get(name, False) for name in ("database", "migrations", "worker", "store"))
    return jsonify(status="ready" if able else "not ready", checks=checks), 200 if able else 503


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Prometheus figures, for loopback or the holder of the token only."""
    import prometheus_client  # slow to load, and few ask

    settings: Settings = current_app.extensions["collab.settings"]
    token = settings.metrics_token.get_secret_value()
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not (_from_loopback() or (token and hmac.compare_digest(token.encode(), given.encode()))):
        abort(404)
    return Response(prometheus_client.generate_latest(), content_type=prometheus_client.CONTENT_TYPE_LATEST)


def _from_loopback() -> bool:
    try:
        return (
            ipaddress.ip_address(request.remote_addr or "").is_loopback
            and "X-Forwarded-For" not in request.headers
        )
    except ValueError:
        return False
