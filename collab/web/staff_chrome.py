"""What stands around every page of the staff: the menu, the piles with their counts, notices about the installation.

The piles are counted when the layout draws them, and only then: an error page draws none and needs no database.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from flask import Blueprint, current_app, g, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from collab import departments
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, may
from collab.core import site
from collab.departments import Department
from collab.inquiries import queries
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


def _menu(who: Actor) -> list[tuple[str, str, bool]]:
    entries = [
        (_("Inquiries"), "staff.home", Permission.SEE_INQUIRIES),
        (_("Outbox"), "staff.outbox", Permission.SEE_OUTBOX),
        (_("People"), "admin.people", Permission.MANAGE_PEOPLE),
    ]
    here = request.endpoint or ""
    return [
        (label, _url(endpoint), here == endpoint or here.startswith(f"{endpoint}_"))
        for label, endpoint, permission in entries
        if may(who, permission) and endpoint in current_app.view_functions
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


@dataclass(frozen=True, slots=True)
class Pile:
    """One entry at the left."""

    label: str
    url: str
    count: str | None
    current: bool
    hot: bool = False


@dataclass(frozen=True, slots=True)
class PileGroup:
    """Entries under one heading, which may be empty."""

    heading: str
    piles: list[Pile]


class PileList:
    """The piles, counted when they are looked at."""

    def __init__(self, who: Actor) -> None:
        self.who = who

    @cached_property
    def groups(self) -> list[PileGroup]:
        """What stands at the left, from the top down."""
        counts = piles_here()
        open_now = g.get("pile")
        queues, aside = _("Queue"), _("Set apart")

        def pile(key: str, label: str, number: int, *, hot: bool = False, **args: str) -> Pile:
            return Pile(label, _queue_url(**args), _count(number), open_now == key, hot and number > 0)

        def at(status: Status, label: str) -> Pile:
            return pile(str(status), label, counts.of(status), status=str(status))

        groups = [
            PileGroup(
                "",
                [
                    Pile(_("For me"), _url("staff.home"), _count(counts.mine), open_now == "home"),
                    pile("late", _("Late"), counts.late, hot=True, late="1", sort="due"),
                    pile("unread", _("Unread"), counts.unread, unread="1"),
                ],
            ),
            PileGroup(
                queues,
                [
                    at(Status.RECEIVED, _("To triage")),
                    at(Status.NEEDS_INFO, _("With the partner")),
                    at(Status.IN_REVIEW, _("With the department")),
                    at(Status.DECISION_READY, _("To decide")),
                    at(Status.CONDITIONAL, _("With conditions")),
                    at(Status.WAITLISTED, _("Waiting list")),
                    pile("closed", _("Closed"), counts.of(*CLOSED), status="closed"),
                    pile("all", _("All"), counts.of(*_ORDINARY)),
                ],
            ),
        ]
        if may(self.who, Permission.TRIAGE):
            apart = [
                at(Status.UNCONFIRMED, _("Not confirmed")),
                at(Status.VOID, _("Set aside")),
            ]
            if counts.erasure:
                apart.append(pile("erasure", _("To erase"), counts.erasure, hot=True, erasure="1"))
            groups.append(PileGroup(aside, apart))
        return groups

    @cached_property
    def open(self) -> Pile | None:
        """The one that this page shows."""
        return next((pile for group in self.groups for pile in group.piles if pile.current), None)


_ORDINARY = frozenset(Status) - set(queries.EXTRAORDINARY)


def _count(number: int) -> str:
    return f"{number:,}" if number < COUNTED else f"{number:,}+" if number == COUNTED else f"{number:,}"


def _url(endpoint: str) -> str:
    return _address(request.root_path, endpoint)


def _queue_url(**args: str) -> str:
    return _address(request.root_path, "staff.queue", **args)


@lru_cache(maxsize=256)
def _address(_root: str, endpoint: str, **args: Any) -> str:
    # The same few addresses on every page; they differ only by where the portal is mounted.
    return url_for(endpoint, **args)
