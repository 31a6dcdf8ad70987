"""The queue: every inquiry this person may see, filtered, searched and paged; the address holds the whole view."""

from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from flask import abort, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from collab.accounts.permissions import Permission, may
from collab.core.errors import Invalid
from collab.inquiries import queries
from collab.inquiries.queries import QueueView
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.staff import bp
from collab.web.staff.keys import BULK_KEYS
from collab.web.staff.shown import shown
from collab.web.staff.words import list_words
from collab.web.staff_chrome import departments_here


def asked_view() -> QueueView:
    """The view in this request's address; a value that no view has is answered with 400."""
    try:
        return QueueView.parse(request.args.to_dict(flat=False))
    except Invalid:
        abort(400)


@bp.get("/inquiries")
@requires(Permission.SEE_INQUIRIES)
def queue() -> ResponseReturnValue:
    """One page of the queue."""
    view = asked_view()
    try:
        page = queries.queue(view, seen_by=actor(), after=request.args.get("after") or None)
    except Invalid:
        abort(400)
    g.pile = pile_of(view)
    here: dict[str, Any] = {**view.to_args()}
    words = list_words()
    return render_template(
        "staff/queue.html",
        view=view,
        rows=shown(list(page.rows), here),
        picks=may(actor(), Permission.TRIAGE),
        bulk_keys=BULK_KEYS,
        here=urlencode(here),
        newer=url_for(".queue", **here, after=page.newer) if page.newer else None,
        older=url_for(".queue", **here, after=page.older) if page.older else None,
        first=url_for(".queue", **here) if request.args.get("after") else None,
        statuses=words.statuses,
        tracks=words.tracks,
        areas=_areas(),
        countries=_countries(hooks.language(), view.country),
    )


def pile_of(view: QueueView) -> str:
    """Which of the piles at the left a view is; empty for a view of its own."""
    kept = set(view.to_args()) - {"status"}
    if kept == {"late", "sort"} and not view.pile:
        return "late"
    if kept in ({"unread"}, {"erasure"}) and not view.pile:
        return kept.pop()
    if kept:
        return ""
    return view.pile or "all"


def _areas() -> list[tuple[str, str]]:
    lang = hooks.language()
    return [
        (area.code, area.name.get(lang)) for one in departments_here().values() for area in one.settings.areas
    ]


@lru_cache(maxsize=64)
def _countries(lang: str, chosen: str) -> Markup:
    """All countries as a field offers them, in the order of their names: a third of the page, and always the same."""
    names = Locale.parse("zh_Hans_CN" if lang == "zh" else "en_GB").territories
    pairs = sorted(
        ((code, str(names.get(code, code))) for code in queries.countries()), key=lambda pair: pair[1]
    )
    draw: Any = current_app.jinja_env.get_template("staff/_options.html").module
    return Markup(draw.options(pairs, chosen))  # noqa: S704  # drawn and escaped by the template
