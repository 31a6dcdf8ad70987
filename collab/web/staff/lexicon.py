"""What the values of the query language are called, as far as whoever is signed in may know them."""

from collections.abc import Sequence
from functools import lru_cache

import sqlalchemy as sa
from babel import Locale
from flask import g
from flask_babel import force_locale
from flask_babel import gettext as _

from collab.accounts import Role, User
from collab.accounts.models import Membership
from collab.accounts.permissions import Permission, departments_where
from collab.core.db import db
from collab.departments.tracks import Track
from collab.inquiries import queries
from collab.inquiries.models import Tag
from collab.inquiries.query_language import Lexicon, Value
from collab.inquiries.statuses import Status
from collab.web import hooks
from collab.web.access import actor
from collab.web.staff.words import TRACKS
from collab.web.staff_chrome import departments_here

_LOCALES = ("en", "zh")
#: Who can have an inquiry.
_WORKS_ON_INQUIRIES = (Role.COORDINATOR, Role.HEAD, Role.HOST, Role.REVIEWER)


def lexicon() -> Lexicon:
    """The one of this request: nothing is read before it is asked for."""
    if "lexicon" not in g:
        g.lexicon = Lexicon(_load)
    found: Lexicon = g.lexicon
    return found


def _load(key: str) -> Sequence[Value]:
    lang = hooks.language()
    if key in {"status", "track", "country"}:
        return _everywhere(key, lang)
    if key == "area":
        return _areas(lang)
    if key == "assigned":
        return [Value("me", (_("Me"),)), Value("nobody", (_("Nobody yet"),)), *_people()]
    return _tags() if key == "tag" else ()


@lru_cache(maxsize=8)
def _everywhere(key: str, lang: str) -> tuple[Value, ...]:
    """What is called the same in every installation, in the reader's language first."""
    locales = sorted(_LOCALES, key=lambda one: one != lang)
    if key == "country":
        territories = [Locale.parse("zh_Hans_CN" if one == "zh" else "en_GB").territories for one in locales]
        return tuple(
            Value(code, tuple(str(names[code]) for names in territories if code in names))
            for code in sorted(queries.countries())
        )
    found: dict[str, tuple[str, ...]] = {}
    for locale in locales:
        with force_locale(locale):
            if key == "status":
                labels = {"open": _("All open ones"), "closed": _("All closed ones")}
                labels |= {str(one): str(one.label) for one in Status}
            else:
                labels = {str(one): str(TRACKS[one]) for one in Track}
        for code, label in labels.items():
            found[code] = (*found.get(code, ()), label)
    return tuple(Value(code, names) for code, names in found.items())


def _areas(lang: str) -> list[Value]:
    mine = departments_where(actor(), Permission.SEE_INQUIRIES)
    found: dict[str, tuple[str, ...]] = {}
    for one in departments_here().values():
        if one.id in mine:
            for area in one.settings.areas:
                names = (area.name.get(lang), area.name.en, area.name.zh)
                found[area.code] = tuple(dict.fromkeys((*found.get(area.code, ()), *names)))
    return [Value(code, names) for code, names in found.items()]


def _people() -> list[Value]:
    """Those who work on inquiries of departments of which this person sees all; hosts and reviewers learn of nobody."""
    mine = departments_where(actor(), Permission.SEE_ALL_INQUIRIES)
    if not mine:
        return []
    rows = db.session.execute(
        sa.select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.department_id.in_(sorted(mine)),
            Membership.role.in_(_WORKS_ON_INQUIRIES),
            User.disabled_at.is_(None),
        )
        .group_by(User.id, User.name)
        .order_by(User.name, User.id)
    )
    return [Value(str(id), (name.replace('"', " "),)) for id, name in rows]


def _tags() -> list[Value]:
    mine = departments_where(actor(), Permission.SEE_INQUIRIES)
    rows = db.session.execute(
        sa.select(Tag.slug, Tag.name)
        .where(Tag.department_id.in_(sorted(mine)))
        .order_by(Tag.merged_into_id.is_not(None), Tag.retired_at.is_not(None), Tag.name, Tag.id)
        .limit(500)
    )
    found: dict[str, str] = {}
    for slug, name in rows:
        found.setdefault(slug, name)
    return [Value(slug, (name.replace('"', " "),)) for slug, name in found.items()]
