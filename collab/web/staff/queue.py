"""The queue: every inquiry this person may see, filtered, searched and paged; the address holds the whole view."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from flask import abort, g, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from collab.accounts.permissions import Permission, may
from collab.core.errors import Invalid
from collab.core.text import HiddenCharacters, clean_line
from collab.inquiries import queries, query_language
from collab.inquiries.queries import QueueView
from collab.inquiries.query_language import KEYS, LONGEST, Key, Problem
from collab.inquiries.view import MOST_WORDS, values
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.drawn import drawn_once
from collab.web.staff import bp
from collab.web.staff.keys import BULK_KEYS
from collab.web.staff.lexicon import lexicon
from collab.web.staff.shown import shown
from collab.web.staff.words import list_words
from collab.web.staff_chrome import departments_here


@dataclass(frozen=True)
class Asked:
    """What an address asks for.

    :param line: what stands in the search box: what was typed, or the line that says the view.
    :param problems: what of it was not understood; the view is the rest.
    """

    view: QueueView
    line: str
    problems: tuple[Problem, ...] = ()


def asked_view() -> QueueView:
    """The view in this request's address; what no view has, or a line not understood, is answered with 400."""
    asked = asked_line()
    if asked.problems:
        abort(400)
    return asked.view


def asked_line() -> Asked:
    """The same for where a line that is not understood can be put right; values that no view has are still 400."""
    args = request.args.to_dict(flat=False)
    try:
        # The words are a line of the query language; the other parts stand beside it.
        line = clean_line(args.pop("q", [""])[-1])
        start = QueueView.parse(args)
    except (Invalid, HiddenCharacters):
        abort(400)
    if len(line) > LONGEST:
        abort(400)
    if not line:
        return Asked(start, query_language.write(start, _lexicon_of(start)))
    found = query_language.parse(line, lexicon(), start)
    if len(found.view.q) > MOST_WORDS or len(found.view.institution) > MOST_WORDS:
        abort(400)
    if found.problems:
        return Asked(found.view, line, found.problems)
    return Asked(found.view, query_language.write(found.view, _lexicon_of(found.view)))


def _lexicon_of(view: QueueView) -> query_language.Lexicon | None:
    # People are looked up only where one is named.
    return lexicon() if view.assigned.strip("-").isdigit() else None


@bp.get("/inquiries/complete")
@requires(Permission.SEE_INQUIRIES)
def complete() -> ResponseReturnValue:
    """How the line in the search box can go on, as JSON for its script."""
    line = request.args.get("q", "")
    try:
        clean_line(line)
    except HiddenCharacters:
        abort(400)
    if len(line) > LONGEST:
        abort(400)
    found = query_language.complete(
        line, lexicon(), institutions=lambda typed: queries.institutions(typed, seen_by=actor())
    )
    return jsonify(
        # Scripts count in units of UTF-16.
        items=[
            {
                "start": len(line[: one.start].encode("utf-16-le", "surrogatepass")) // 2,
                "text": one.text,
                "about": one.about,
            }
            for one in found
        ]
    )


@bp.get("/inquiries")
@requires(Permission.SEE_INQUIRIES)
def queue() -> ResponseReturnValue:
    """One page of the queue."""
    asked = asked_line()
    view = asked.view
    try:
        page = queries.queue(view, seen_by=actor(), after=request.args.get("after") or None)
    except Invalid:
        abort(400)
    g.view = view
    g.pile = pile_of(view)
    here: dict[str, Any] = {**view.to_args()}
    lang, areas = hooks.language(), _areas()
    return render_template(
        "staff/queue.html",
        view=view,
        title=title_of(view),
        line=asked.line,
        problems=[_shown(problem, asked.line) for problem in asked.problems],
        understood=query_language.write(view, _lexicon_of(view)) if asked.problems else "",
        how=_how(lang, areas),
        longest=LONGEST,
        filters=_filters(lang, view, areas),
        shares_in=[
            one for one in departments_here().values() if may(actor(), Permission.SHARE_VIEWS, one.id)
        ],
        rows=shown(list(page.rows), here),
        picks=may(actor(), Permission.TRIAGE),
        bulk_keys=_BULK_KEYS,
        here=urlencode(here),
        takes={ending: url_for(".queue_export", ending=ending, **here) for ending in ("csv", "xlsx")}
        if may(actor(), Permission.SEE_ALL_INQUIRIES)
        else None,
        newer=url_for(".queue", **here, after=page.newer) if page.newer else None,
        older=url_for(".queue", **here, after=page.older) if page.older else None,
        first=url_for(".queue", **here) if request.args.get("after") else None,
    )


def _shown(problem: Problem, line: str) -> dict[str, Any]:
    """A problem with its place, as people count, and lines without it."""
    return {
        "text": problem.text,
        "message": problem.message,
        "at": problem.start + 1,
        "instead": [
            (one, _called(problem.key, one), url_for(".queue", q=problem.mended(line, one)))
            for one in problem.instead[:3]
        ],
    }


def _called(key: str, code: str) -> str:
    """What a value is called, where its code does not say so."""
    named = {one.code: one.names for one in lexicon().values(key)} if key else {}
    return (named.get(code) or ("",))[0]


def title_of(view: QueueView) -> str:
    """What stands above a view."""
    named, but = values(view.pile)
    if not named and view.late:
        return _("Late inquiries")
    if not named and view.unread:
        return _("Unread inquiries")
    if len(named) == 1 and not but:
        several = {"open": _("Open inquiries"), "closed": _("Closed inquiries")}
        return several.get(named[0]) or next(
            label for status, label in list_words().statuses.items() if status == named[0]
        )
    return _("All inquiries") if not named else _("Inquiries at several statuses")


_BULK_KEYS = tuple(BULK_KEYS.items())

#: What the filter form offers for days; the language takes any.
_DAYS = {"due": ("overdue", "today", "<=7d", "<=30d"), "sent": ("today", "<=7d", "<=30d", ">20d")}


def _chosen(view: QueueView) -> dict[str, tuple[str, str]]:
    """What the form's fields hold that they do not offer by themselves, with what it is called there."""
    found = {}
    for name, value in view.to_args().items():
        named, but = values(value) if name in KEYS and KEYS[name].several else ((value,), False)
        if name == "assigned" and value not in {"me", "nobody"}:
            code = value.removeprefix("-")
            label = {"me": _("Me"), "nobody": _("Nobody yet")}.get(code) or lexicon().name(name, code)
            label = label or _("One person")
            found[name] = (value, _("All but %(names)s", names=label) if value.startswith("-") else label)
        elif name in _DAYS and value not in _DAYS[name]:
            found[name] = (value, value)
        elif but or len(named) > 1:
            names = ", ".join(lexicon().name(name, code) or code for code in named)
            found[name] = (value, _("All but %(names)s", names=names) if but else names)
    return found


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


@bp.app_template_global()
def days_offered(name: str) -> list[tuple[str, str]]:
    """What the filter form offers for days, in words."""
    words = {
        "due": (_("Overdue"), _("Today"), _("Within 7 days"), _("Within 30 days")),
        "sent": (_("Today"), _("In the last 7 days"), _("In the last 30 days"), _("More than 20 days ago")),
    }
    return list(zip(_DAYS[name], words[name], strict=True))


def _areas() -> tuple[tuple[str, str], ...]:
    lang = hooks.language()
    return tuple(
        (area.code, area.name.get(lang)) for one in departments_here().values() for area in one.settings.areas
    )


def _how(lang: str, areas: Sequence[tuple[str, str]]) -> Markup:
    """Every key with an example."""
    area = next((code for code, _name in areas), "")
    return drawn_once("staff/_how.html", "how", f"area:{area}", lang)


def _filters(lang: str, view: QueueView, areas: Sequence[tuple[str, str]]) -> Markup:
    """The filter form, filled in with a view."""
    return drawn_once("staff/_filters.html", "filters", view, tuple(_chosen(view).items()), areas, lang)


@bp.app_template_global()
@lru_cache(maxsize=4)
def countries_by_name(lang: str) -> list[tuple[str, str]]:
    """All countries, with their codes before them, in the order of their names."""
    names = Locale.parse("zh_Hans_CN" if lang == "zh" else "en_GB").territories
    pairs = [(code, str(names.get(code, code))) for code in queries.countries()]
    return sorted(pairs, key=lambda pair: pair[1])


@bp.app_template_global()
def query_keys() -> tuple[Key, ...]:
    """What can stand before a colon in the search box."""
    return tuple(KEYS.values())


bp.add_app_template_global(list_words)
