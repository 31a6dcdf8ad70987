"""Who may open a page. Every view declares it by one of the decorators here; a test walks the address table."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from collab import audit
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core.errors import Forbidden
from collab.web.network import client_network

View = TypeVar("View", bound=Callable[..., Any])


def actor() -> Actor:
    """Who makes this request: the member of staff signed in, or a visitor."""
    if "actor" not in g:
        user = current_user
        if user.is_authenticated:
            from collab import accounts

            g.actor = accounts.actor_of(user, network=client_network(), request_id=g.get("request_id"))
        else:
            g.actor = visitor()
    return cast(Actor, g.actor)


def visitor() -> Actor:
    """Anybody, known only by network."""
    return Actor(kind="visitor", network=client_network(), request_id=g.get("request_id"))


def public(view: View) -> View:
    """Anybody may open this page."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view


def partner_page(view: View) -> View:
    """Opened by a partner's private session; the view itself asks for the inquiry's session."""
    view.permission = "partner"  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Any member of staff who is signed in with the second factor."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if not current_user.is_authenticated:
            return _to_sign_in()
        return cast(ResponseReturnValue, current_app.ensure_sync(view)(*args, **kwargs))

    guarded.permission = "signed_in"  # type: ignore[attr-defined]
    return cast(View, guarded)


def requires(permission: Permission) -> Callable[[View], View]:
    """Members of staff who hold this permission in some department; the verb checks the very department."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            if not current_user.is_authenticated:
                return _to_sign_in()
            if not may(actor(), permission):
                audit.record_refusal(
                    "access.refused",
                    by=actor(),
                    detail={"permission": str(permission), "endpoint": request.endpoint},
                )
                raise Forbidden
            return cast(ResponseReturnValue, current_app.ensure_sync(view)(*args, **kwargs))

        guarded.permission = str(permission)  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def _to_sign_in() -> ResponseReturnValue:
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("account.sign_in", next=target), code=303)
