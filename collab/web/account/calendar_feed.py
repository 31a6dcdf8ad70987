"""The secret address of one's own due dates for a calendar program, and what it gives."""

import hashlib
from datetime import timedelta
from typing import Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from collab import accounts
from collab.accounts import feeds
from collab.core import limits, site
from collab.core.db import unit_of_work
from collab.core.errors import NotFound, TooMany
from collab.desk import feed as desk_feed
from collab.web.access import actor, public, signed_in
from collab.web.account import bp
from collab.web.forms import PortalForm
from collab.web.network import client_network

#: Calendar programs ask without a cookie, hence outside of the staff's pages.
feeds_bp = Blueprint("feeds", __name__)
MISSES: Final = 60
WINDOW: Final = timedelta(minutes=15)


@bp.get("/account/calendar")
@signed_in
def feed() -> ResponseReturnValue:
    """Whether there is a feed; its address was shown once and is kept nowhere."""
    return render_template(
        "account/feed.html", feed=feeds.feed_of(current_user.id), form=PortalForm(), address=None
    )


@bp.post("/account/calendar/new")
@signed_in
def new_feed() -> ResponseReturnValue:
    """A new address, shown this once; an older one is dead."""
    with unit_of_work():
        token = feeds.make_feed(accounts.user_by_id(current_user.id), by=actor())
    page = render_template(
        "account/feed.html",
        feed=feeds.feed_of(current_user.id),
        form=PortalForm(),
        address=site.address(f"/feeds/{token}.ics"),
    )
    return make_response(page, 200)


@bp.post("/account/calendar/end")
@signed_in
def end_feed() -> ResponseReturnValue:
    """The address is dead from now on."""
    with unit_of_work():
        feeds.revoke_feed(accounts.user_by_id(current_user.id), by=actor())
    flash(_("The address is dead. Calendar programs that still ask for it get nothing."), "success")
    return redirect(url_for("account.feed"), code=303)


@feeds_bp.get("/feeds/<token>.ics")
@public
def calendar(token: str) -> ResponseReturnValue:
    """A person's due dates. The same refusal for whatever is wrong with the address.

    :raises TooMany: too much was asked from this network, or with addresses that are no good.
    """
    network = client_network()
    misses = f"feed-miss:{network}"
    if limits.count(misses, per=WINDOW) >= MISSES:
        raise TooMany(retry_after=int(WINDOW.total_seconds()))
    try:
        user = feeds.feed_by_token(token)
    except NotFound:
        with unit_of_work():
            limits.hit(misses, limit=MISSES * 100, per=WINDOW)
        raise NotFound from None
    body = desk_feed.calendar_of(user)
    answer = make_response(body)
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Content-Disposition"] = 'inline; filename="due-dates.ics"'
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.set_etag(hashlib.sha256(body).hexdigest()[:32])
    return answer.make_conditional(request)
