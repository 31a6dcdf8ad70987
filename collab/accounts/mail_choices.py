"""How each member of staff wants the mails of each kind."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from flask_babel import gettext as _

from collab import audit
from collab.accounts.actor import Actor
from collab.accounts.kinds_of_mail import KINDS, MailKind, Wish
from collab.accounts.models import MailPreference, User
from collab.core.db import db
from collab.core.errors import Forbidden, Invalid


def wishes_of(user_id: int) -> dict[MailKind, Wish]:
    """How a person wants each kind."""
    return _filled(_kept([user_id]).get(user_id, {}))


def wish(user_ids: Collection[int], kind: MailKind) -> dict[int, Wish]:
    """How each of some people wants one kind."""
    kept = _kept(user_ids, kind)
    return {id: kept.get(id, {}).get(kind, KINDS[kind].wish) for id in user_ids}


def set_wishes(user: User, wishes: Mapping[MailKind, Wish], *, by: Actor) -> None:
    """Say how one wants one's own mails; kinds that are not named stay as they are.

    :raises Forbidden: somebody else's.
    :raises Invalid: at the kind: what must be acted on cannot be switched off.
    """
    if by.user_id != user.id:
        raise Forbidden
    for kind, chosen in wishes.items():
        if chosen not in KINDS[kind].wishes:
            raise Invalid(kind.value, _("Somebody has to act on these; choose at once or the daily digest."))
    # Two browsers that save at the same time wait for each other here.
    db.session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    rows = {row.kind: row for row in db.session.scalars(sa.select(MailPreference).filter_by(user_id=user.id))}
    changed = {}
    for kind, chosen in wishes.items():
        before = rows[kind].wish if kind in rows else KINDS[kind].wish
        if before is chosen:
            continue
        changed[kind.value] = chosen.value
        if kind in rows:
            rows[kind].wish = chosen
        else:
            db.session.add(MailPreference(user_id=user.id, kind=kind, wish=chosen))
    db.session.flush()
    if changed:
        audit.record("account.mails_chosen", by=by, on=("user", user.id), detail=changed)


def _kept(user_ids: Collection[int], kind: MailKind | None = None) -> dict[int, dict[MailKind, Wish]]:
    if not user_ids:
        return {}
    query = sa.select(MailPreference.user_id, MailPreference.kind, MailPreference.wish).where(
        MailPreference.user_id.in_(sorted(user_ids))
    )
    if kind is not None:
        query = query.where(MailPreference.kind == kind)
    found: dict[int, dict[MailKind, Wish]] = {}
    for user_id, one, chosen in db.session.execute(query):
        found.setdefault(user_id, {})[one] = chosen
    return found


def _filled(kept: Mapping[MailKind, Wish]) -> dict[MailKind, Wish]:
    return {kind: kept.get(kind, of_kind.wish) for kind, of_kind in KINDS.items()}
