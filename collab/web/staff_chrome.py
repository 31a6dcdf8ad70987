"""What stands around every page of the staff: the menu, the piles with their counts, notices about the installation.

The piles are counted when the layout draws them, and only then: an error page draws none and needs no database.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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
        "account_url": url_for("account.mine"),
    }


def _menu(who: Actor) -> list[tuple[str, str, bool]]:
    entries = [
        (_("Inquiries"), "staff.home", Permission.SEE_INQUIRIES),
        (_("Outbox"), "staff.outbox", Permission.SEE_OUTBOX),
        (_("People"), "admin.people", Permission.MANAGE_PEOPLE),
    ]
    here = request.endpoint or ""
    return [
        (label, url_for(endpoint), here == endpoint or here.startswith(f"{endpoint}_"))
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
                {"url": url_for("staff.outbox"), "label": _("Open the outbox")}
                if may(who, Permission.SEE_OUTBOX)
                else {}
            ),
        }
    ]


@dataclass(frozen=True)
class Pile:
    """One entry at the left."""

    label: str
    url: str
    count: str | None
    current: bool
    hot: bool = False
    group: str = ""


class PileList:
    """The piles, counted when they are looked at."""

    def __init__(self, who: Actor) -> None:
        self.who = who

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._piles)

    def __iter__(self) -> Iterator[Pile]:
        return iter(self._piles)

    @cached_property
    def _piles(self) -> list[Pile]:
        counts = piles_here()
        open_now = g.get("pile")

        def pile(
            key: str, label: str, number: int, *, hot: bool = False, group: str = "", **args: Any
        ) -> Pile:
            return Pile(
                label,
                url_for("staff.queue", **args),
                _count(number),
                open_now == key,
                hot and number > 0,
                group,
            )

        found = [
            Pile(_("For me"), url_for("staff.home"), _count(counts.mine), open_now == "home"),
            pile("late", _("Late"), counts.late, hot=True, late="1", sort="due"),
            pile("unread", _("Unread"), counts.unread, unread="1"),
        ]
        queues = _("Queue")
        found += [
            pile(str(status), label, counts.of(status), group=queues, status=str(status))
            for status, label in (
                (Status.RECEIVED, _("To triage")),
                (Status.NEEDS_INFO, _("With the partner")),
                (Status.IN_REVIEW, _("With the department")),
                (Status.DECISION_READY, _("To decide")),
                (Status.CONDITIONAL, _("With conditions")),
                (Status.WAITLISTED, _("Waiting list")),
            )
        ]
        found.append(pile("closed", _("Closed"), counts.of(*CLOSED), group=queues, status="closed"))
        ordinary = counts.of(*(set(Status) - set(queries.EXTRAORDINARY)))
        found.append(pile("all", _("All"), ordinary, group=queues))
        if may(self.who, Permission.TRIAGE):
            aside = _("Set apart")
            found += [
                pile(
                    "unconfirmed",
                    _("Not confirmed"),
                    counts.of(Status.UNCONFIRMED),
                    group=aside,
                    status="unconfirmed",
                ),
                pile("void", _("Set aside"), counts.of(Status.VOID), group=aside, status="void"),
            ]
            if counts.erasure:
                found.append(
                    pile("erasure", _("To erase"), counts.erasure, hot=True, group=aside, erasure="1")
                )
        return found


def _count(number: int) -> str:
    return f"{number:,}" if number < COUNTED else f"{number:,}+" if number == COUNTED else f"{number:,}"
