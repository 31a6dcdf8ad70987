"""Views of the queue with a name: one's own, and those a department shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import sqlalchemy as sa
import yaml
from flask_babel import gettext as _

from collab import audit
from collab.accounts import User
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, check, departments_where, may
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.core.text import HiddenCharacters, clean_line
from collab.desk.models import SavedView, StartView
from collab.inquiries.query_language import LONGEST, write
from collab.inquiries.view import QueueView

#: So many a person keeps, and so many a department.
MOST = 40
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved view as one person sees it.

    :param query: the line that says it.
    :param mine: nobody else sees it.
    :param may_change: rename, move, delete it.
    :param is_start: this person's work begins with it.
    """

    id: int
    version: int
    names: tuple[str, str | None]
    query: str
    department_id: int | None
    mine: bool
    may_change: bool
    is_start: bool

    def name(self, lang: str) -> str:
        """What this reader calls it."""
        own, chinese = self.names
        return chinese if lang == "zh" and chinese else own


_ME = sa.bindparam("me", type_=sa.Integer)
_KEPT = (
    sa.select(
        SavedView.id,
        SavedView.version,
        SavedView.name,
        SavedView.name_zh,
        SavedView.query,
        SavedView.department_id,
        StartView.user_id.is_not(None).label("is_start"),
    )
    .outerjoin(StartView, sa.and_(StartView.view_id == SavedView.id, StartView.user_id == _ME))
    .where(
        sa.or_(
            sa.and_(SavedView.owner_id == _ME, SavedView.department_id.is_(None)),
            SavedView.department_id.in_(sa.bindparam("departments", expanding=True)),
        )
    )
    .order_by(SavedView.department_id.is_not(None), SavedView.department_id, SavedView.position, SavedView.id)
)


def kept(by: Actor) -> list[Kept]:
    """What a person sees: the own views first, then those of the departments; one query."""
    departments = departments_where(by, Permission.SEE_INQUIRIES)
    if by.user_id is None or not departments:
        return []
    sharing = departments_where(by, Permission.SHARE_VIEWS)
    given = {"me": by.user_id, "departments": sorted(departments)}
    return [
        Kept(
            id=row.id,
            version=row.version,
            names=(row.name, row.name_zh),
            query=row.query,
            department_id=row.department_id,
            mine=row.department_id is None,
            may_change=row.department_id is None or row.department_id in sharing,
            is_start=bool(row.is_start),
        )
        for row in db.session.connection().execute(_KEPT, given)
    ]


def one(view_id: int, *, by: Actor) -> Kept:
    """One of them.

    :raises NotFound: there is none, or it is somebody else's.
    """
    found = next((view for view in kept(by) if view.id == view_id), None)
    if found is None:
        raise NotFound
    return found


def start_of(by: Actor) -> Kept | None:
    """The view a person's work begins with, if there is one that this person still sees."""
    return next((view for view in kept(by) if view.is_start), None)


def save(
    name: str, view: QueueView, *, by: Actor, department_id: int | None = None, name_zh: str = ""
) -> SavedView:
    """Keep a view under a name.

    :param department_id: share it there.
    :raises Forbidden: sharing is the coordinators' and heads'.
    :raises Conflict: there are very many already.
    """
    if by.user_id is None or not departments_where(by, Permission.SEE_INQUIRIES):
        raise Forbidden
    if department_id is not None:
        check(by, Permission.SHARE_VIEWS, department_id)
    saved = SavedView(
        owner_id=by.user_id,
        department_id=department_id,
        name=_name("name", name),
        name_zh=_name("name_zh", name_zh, optional=True) or None,
        query=_line(view),
        position=_room(by.user_id, department_id),
        created_at=clock.now(),
    )
    db.session.add(saved)
    db.session.flush()
    _tell("view.shared", saved, by)
    return saved


def change(
    view_id: int, *, name: str, name_zh: str = "", view: QueueView | None = None, version: int, by: Actor
) -> None:
    """Rename a view, or let it show something else."""
    saved = _mine(view_id, by, version)
    saved.name = _name("name", name)
    saved.name_zh = _name("name_zh", name_zh, optional=True) or None
    if view is not None:
        saved.query = _line(view)
    _tell("view.changed", saved, by)


def share(view_id: int, *, department_id: int, version: int, by: Actor) -> None:
    """Show one's own view to everybody of a department who sees inquiries there."""
    saved = _mine(view_id, by, version)
    check(by, Permission.SHARE_VIEWS, department_id)
    if saved.department_id is not None:
        raise Conflict(_("This view is shared already."))
    saved.position = _room(by.user_id, department_id)
    saved.department_id = department_id
    _tell("view.shared", saved, by)


def unshare(view_id: int, *, version: int, by: Actor) -> None:
    """Make a shared view the own one of whoever saved it, or of who takes it back if nobody did."""
    saved = _mine(view_id, by, version)
    if saved.department_id is None:
        raise Conflict(_("This view is not shared any more."))
    _tell("view.unshared", saved, by)
    saved.owner_id = saved.owner_id or by.user_id
    saved.department_id, saved.position = None, _room(saved.owner_id, None, full=False)
    # Whoever began with it does not see it any more.
    db.session.execute(
        sa.delete(StartView).where(StartView.view_id == saved.id, StartView.user_id != saved.owner_id)
    )


def move(view_id: int, *, up: bool, by: Actor) -> None:
    """Let a view change places with the one before or behind it."""
    saved = _mine(view_id, by)
    order = list(db.session.scalars(_beside(saved.owner_id, saved.department_id)))
    at = order.index(saved)
    to = at - 1 if up else at + 1
    if 0 <= to < len(order):
        order[at], order[to] = order[to], order[at]
    for position, view in enumerate(order):
        view.position = position


def delete(view_id: int, *, version: int, by: Actor) -> None:
    """Forget a view."""
    saved = _mine(view_id, by, version)
    _tell("view.deleted", saved, by)
    # Nothing else hangs on it; asked for here, since SQLite may be told not to look.
    db.session.execute(sa.delete(StartView).where(StartView.view_id == saved.id))
    db.session.delete(saved)


def begin_with(view_id: int | None, *, by: Actor) -> None:
    """Begin with a view after signing in; with ``None`` with what waits."""
    if view_id is not None:
        one(view_id, by=by)
    if by.user_id is None:
        raise Forbidden
    # A row that is not there yet cannot be locked: the person's own can.
    db.session.execute(sa.select(User.id).where(User.id == by.user_id).with_for_update())
    start = db.session.get(StartView, by.user_id, with_for_update=True, populate_existing=True)
    if view_id is None:
        if start is not None:
            db.session.delete(start)
    elif start is None:
        db.session.add(StartView(user_id=by.user_id, view_id=view_id))
    else:
        start.view_id = view_id
    db.session.flush()


# -- what a department begins with -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shipped:
    """A view that comes with the portal."""

    name: str
    name_zh: str
    query: str


@cache
def shipped() -> tuple[Shipped, ...]:
    """The views every department begins with."""
    content = yaml.safe_load((files("collab.desk") / "shipped_views.yaml").read_text("utf-8"))
    return tuple(Shipped(one["name"]["en"], one["name"]["zh"], one["query"]) for one in content)


def supply(department_id: int, *, by: Actor) -> bool:
    """Give a department the views it begins with, once: what was deleted stays deleted.

    :returns: whether it had not been given them before.
    """
    given = sa.select(audit.AuditEvent.id).where(
        audit.AuditEvent.action == "view.supplied", audit.AuditEvent.department_id == department_id
    )
    if db.session.scalar(given.limit(1)) is not None:
        return False
    for position, view in enumerate(shipped()):
        db.session.add(
            SavedView(
                department_id=department_id,
                name=view.name,
                name_zh=view.name_zh,
                query=view.query,
                position=position,
                created_at=clock.now(),
            )
        )
    db.session.flush()
    audit.record("view.supplied", by=by, department_id=department_id)
    return True


# -- what they share -------------------------------------------------------------------------------------------------


def _mine(view_id: int, by: Actor, version: int | None = None) -> SavedView:
    """A view to be changed.

    :raises NotFound: it is somebody else's.
    :raises Forbidden: it is shared, and others may change it.
    :raises Conflict: it was changed meanwhile.
    """
    saved = db.session.get(SavedView, view_id, with_for_update=True)
    if saved is None or by.user_id is None:
        raise NotFound
    if saved.department_id is None:
        if saved.owner_id != by.user_id or not departments_where(by, Permission.SEE_INQUIRIES):
            raise NotFound
    elif not may(by, Permission.SHARE_VIEWS, saved.department_id):
        if may(by, Permission.SEE_INQUIRIES, saved.department_id):
            raise Forbidden(_("This view is shared: coordinators and heads change it."))
        raise NotFound
    if version is not None and saved.version != version:
        raise Conflict(_("Somebody changed this view meanwhile. Look at it as it is now."))
    return saved


def _beside(owner_id: int | None, department_id: int | None) -> sa.Select[SavedView]:
    """The views among which one stands."""
    statement = sa.select(SavedView).order_by(SavedView.position, SavedView.id)
    if department_id is not None:
        return statement.where(SavedView.department_id == department_id)
    return statement.where(SavedView.owner_id == owner_id, SavedView.department_id.is_(None))


def _room(owner_id: int | None, department_id: int | None, *, full: bool = True) -> int:
    """The place behind the last one.

    :param full: refuse when there are very many.
    """
    there: Sequence[SavedView] = db.session.scalars(_beside(owner_id, department_id)).all()
    if full and len(there) >= MOST:
        raise Conflict(_("There are %(count)s views already. Delete one first.", count=len(there)))
    return there[-1].position + 1 if there else 0


def _name(field: str, name: str, *, optional: bool = False) -> str:
    try:
        name = clean_line(name)
    except HiddenCharacters:
        raise Invalid(
            field, _("This text holds invisible control characters. Please type it again.")
        ) from None
    if not name and not optional:
        raise Invalid(field, _("Give it a name."))
    if len(name) > LONGEST_NAME:
        raise Invalid(field, _("Please write at most %(count)s characters.", count=LONGEST_NAME))
    return name


def _line(view: QueueView) -> str:
    line = write(view)
    if len(line) > LONGEST:
        raise Invalid("query", _("This view asks for too much to be kept."))
    return line


def _tell(action: str, saved: SavedView, by: Actor) -> None:
    """What is shared concerns others: who changed it is kept, what it looks for is not."""
    if saved.department_id is not None:
        audit.record(action, by=by, department_id=saved.department_id, on=("view", saved.id))
