"""What stands around every page of the staff: the menu, the piles with their counts, notices about the installation.

The piles are counted when the layout draws them, and only then: an error page draws none and needs no database.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, g, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from collab import departments
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core import site
from collab.departments import Department
from collab.desk import views
from collab.desk.views import Kept
from collab.inquiries import queries, query_language
from collab.inquiries.queries import COUNTED, Piles
from collab.inquiries.statuses import CLOSED, Status
from collab.web.access import actor


def install(blueprint: Blueprint) -> None:
    """Draw a blueprint's pages with the staff's menu and piles."""
    blueprint.context_processor(_chrome)


def departments_here() -> dict[int, Department]:
    """All departments, read once in a request."""
    if "departments" not in g:
        g.departments = {one.id: one for one in departments.all_departments()}
    found: dict[int, Department] = g.departments
    return found


def piles_here() -> Piles:
    """The counts for whoever is signed in, read once in a request."""
    if "piles" not in g:
        g.piles = queries.piles(actor())
    found: Piles = g.piles
    return found


def views_here() -> list[Kept]:
    """The saved views of whoever is signed in, read once in a request."""
    if "views" not in g:
        g.views = views.kept(actor())
    found: list[Kept] = g.views
    return found


def _chrome() -> dict[str, Any]:
    if not current_user.is_authenticated:
        return {}
    who = actor()
    sees = may(who, Permission.SEE_INQUIRIES)
    return {
        "nav": _menu(who),
        "piles": PileList(who) if sees else None,
        "banners": _banners(who),
        "account_url": _url("account.mine"),
    }


def _menu(who: Actor) -> tuple[tuple[str, str, bool], ...]:
    here = request.endpoint or ""
    return tuple(
        (entry.label, entry.url, here == entry.endpoint or here.startswith(f"{entry.endpoint}_"))
        for entry in _menu_entries(request.root_path, str(get_locale()))
        if may(who, entry.permission)
    )


class _MenuEntry(NamedTuple):
    label: str
    url: str
    endpoint: str
    permission: Permission


@lru_cache(maxsize=16)
def _menu_entries(_root: str, _locale: str) -> list[_MenuEntry]:
    """The whole menu in one language."""
    return [
        _MenuEntry(label, url_for(endpoint), endpoint, permission)
        for label, endpoint, permission in (
            (_("Inquiries"), "staff.home", Permission.SEE_INQUIRIES),
            (_("Due dates"), "staff.calendar", Permission.SEE_INQUIRIES),
            (_("Gates"), "staff.gates", Permission.WORK_IN_OFFICE),
            (_("Reports"), "staff.reports", Permission.SEE_REPORTS),
            (_("Outbox"), "staff.outbox", Permission.SEE_OUTBOX),
            (_("People"), "admin.people", Permission.MANAGE_PEOPLE),
            (_("Settings"), "staff.settings", Permission.SEE_SETTINGS),
        )
    ]


def _banners(who: Actor) -> list[dict[str, str]]:
    if site.settings().sends_mail:
        return []
    return [
        {
            "text": _("No mail server is set: mails stay in the outbox and can be read there."),
            **(
                {"url": _url("staff.outbox"), "label": _("Open the outbox")}
                if may(who, Permission.SEE_OUTBOX)
                else {}
            ),
        }
    ]


class Pile(NamedTuple):
    """One entry at the left."""

    label: str
    url: str
    number: str | None
    current: bool
    hot: bool = False


class PileGroup(NamedTuple):
    """Entries under one heading, which may be empty."""

    heading: str
    piles: tuple[Pile, ...]


class PileList:
    """The piles, counted when they are looked at."""

    def __init__(self, who: Actor) -> None:
        self.who = who

    @cached_property
    def groups(self) -> tuple[PileGroup, ...]:
        """What stands at the left, from the top down."""
        counts, here = piles_here(), g.get("pile")
        bounded = {
            "home": counts.mine,
            "late": counts.late,
            "unread": counts.unread,
            "erasure": counts.erasure,
        }

        def counted(entry: _Entry) -> Pile:
            number = bounded[entry.key] if entry.key in bounded else counts.of(*entry.statuses)
            return Pile(entry.label, entry.url, _count(number), entry.key == here, entry.hot and number > 0)

        entries = _entries(request.root_path, str(get_locale()), may(self.who, Permission.TRIAGE))
        groups = [
            PileGroup(heading, tuple(counted(one) for one in group if one.key != "erasure" or counts.erasure))
            for heading, group in entries
        ]
        return (*groups, *_views_at_the_left())

    @cached_property
    def open(self) -> Pile | None:
        """The one that this page shows."""
        return next((pile for group in self.groups for pile in group.piles if pile.current), None)


#: So many saved views stand at the left; the rest is one page further.
VIEWS_AT_THE_LEFT = 8


def _views_at_the_left() -> list[PileGroup]:
    kept = views_here()
    if not kept:
        return []
    lang, before = str(get_locale())[:2], _address(request.root_path, "staff.queue")
    view = g.get("view")
    line = query_language.write(view) if view is not None else None
    found = [
        Pile(one.name(lang), f"{before}?{urlencode({'q': one.query})}", None, one.query == line)
        for one in kept[:VIEWS_AT_THE_LEFT]
    ]
    found.append(
        Pile(_("All views"), _address(request.root_path, "staff.views"), None, g.get("pile") == "views")
    )
    return [PileGroup(_("Views"), tuple(found))]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A pile without its count.

    :param statuses: what is counted, unless it is one of the bounded counts.
    :param hot: marked while there is something in it.
    """

    key: str
    label: str
    url: str
    statuses: tuple[Status, ...] = ()
    hot: bool = False


@lru_cache(maxsize=32)
def _entries(_root: str, _locale: str, triages: bool) -> list[tuple[str, list[_Entry]]]:
    """The piles of everybody who triages, or does not, in one language: words and addresses are found once."""

    def at(status: Status, label: str) -> _Entry:
        return _Entry(str(status), label, url_for("staff.queue", status=str(status)), (status,))

    groups = [
        (
            "",
            [
                _Entry("home", _("For me"), url_for("staff.home")),
                _Entry("late", _("Late"), url_for("staff.queue", late="1", sort="due"), hot=True),
                _Entry("unread", _("Unread"), url_for("staff.queue", unread="1")),
            ],
        ),
        (
            _("Queue"),
            [
                at(Status.RECEIVED, _("To triage")),
                at(Status.NEEDS_INFO, _("With the partner")),
                at(Status.IN_REVIEW, _("With the department")),
                at(Status.DECISION_READY, _("To decide")),
                at(Status.CONDITIONAL, _("With conditions")),
                at(Status.WAITLISTED, _("Waiting list")),
                _Entry("closed", _("Closed"), url_for("staff.queue", status="closed"), tuple(CLOSED)),
                _Entry("all", _("All"), url_for("staff.queue"), _ORDINARY),
            ],
        ),
    ]
    if triages:
        erasure = url_for("staff.queue", erasure="1")
        apart = [
            at(Status.UNCONFIRMED, _("Not confirmed")),
            at(Status.VOID, _("Set aside")),
            _Entry("erasure", _("To erase"), erasure, hot=True),
        ]
        groups.append((_("Set apart"), apart))
    return groups


_ORDINARY = tuple(status for status in Status if status not in queries.EXTRAORDINARY)


def _count(number: int) -> str:
    return f"{number:,}" if number < COUNTED else f"{number:,}+" if number == COUNTED else f"{number:,}"


def _url(endpoint: str) -> str:
    return _address(request.root_path, endpoint)


@lru_cache(maxsize=32)
def _address(_root: str, endpoint: str) -> str:
    # The same few on every page; they differ only by where the portal is mounted.
    return url_for(endpoint)
