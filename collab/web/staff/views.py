"""Saved views: those at the left and on the first page, kept, renamed, shared and put in order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Optional, ValidationError
from wtforms.widgets import HiddenInput

from collab.accounts.permissions import Permission, may
from collab.core.db import unit_of_work
from collab.desk import views
from collab.desk.views import LONGEST_NAME, Kept
from collab.inquiries import queries, query_language
from collab.inquiries.queries import Counted, QueueView
from collab.inquiries.query_language import LONGEST, Understood
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.forms import DONE, Line, PortalForm, stripped
from collab.web.staff import bp
from collab.web.staff.lexicon import lexicon
from collab.web.staff_chrome import departments_here, views_here

_BOTH = ["GET", "POST"]
#: So many of them are counted on the first page.
COUNTED_VIEWS = 8


@dataclass(frozen=True)
class Shown:
    """A saved view as the pages show it.

    :param understood: what its line says now; with problems when something of it is gone.
    :param count: how many inquiries it shows, where that was counted.
    """

    kept: Kept
    name: str
    url: str
    understood: Understood
    where: str
    count: str | None = None


def shown(kept: Kept) -> Shown:
    """A saved view in the reader's language."""
    department = departments_here().get(kept.department_id or 0)
    return Shown(
        kept,
        kept.name(hooks.language()),
        url_for("staff.queue", q=kept.query),
        query_language.parse(kept.query, lexicon()),
        department.name(hooks.language()) if department else "",
    )


def counted_views() -> list[Shown]:
    """Those of whoever is signed in, the first of them counted."""
    found = [shown(kept) for kept in views_here()[:COUNTED_VIEWS]]
    known = [one.understood.view for one in found if not one.understood.problems]
    numbers = iter(queries.count(known, seen_by=actor()))
    return [one if one.understood.problems else replace(one, count=_written(next(numbers))) for one in found]


def _written(counted: Counted) -> str | None:
    # None among so many that were looked at says nothing.
    if counted.more and not counted.number:
        return None
    return f"{counted.number:,}+" if counted.more else f"{counted.number:,}"


class SaveForm(PortalForm):
    """A view to be kept."""

    name = StringField(
        _l("Name of the view"),
        filters=[stripped],
        validators=[InputRequired(_l("Give it a name.")), Line(most=LONGEST_NAME)],
    )
    query = HiddenField(validators=[InputRequired(), Line(most=LONGEST)])
    department_id = SelectField(_l("Who sees it"), validators=[Optional()], coerce=str)

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.department_id.choices = [
            ("", _("Only me")),
            *(
                (str(one.id), _("Everybody of %(name)s", name=one.name(hooks.language())))
                for one in _sharing()
            ),
        ]


class ChangeForm(PortalForm):
    """What a view is called, and what it shows."""

    name = StringField(
        _l("Name of the view"),
        filters=[stripped],
        validators=[InputRequired(_l("Give it a name.")), Line(most=LONGEST_NAME)],
    )
    name_zh = StringField(
        _l("Name in Chinese, where it differs"),
        filters=[stripped],
        validators=[Optional(), Line(most=LONGEST_NAME)],
    )
    query = StringField(
        _l("What it shows"),
        filters=[stripped],
        validators=[InputRequired(_l("Write what it shows, as in the search box.")), Line(most=LONGEST)],
    )
    version = IntegerField(validators=[InputRequired()], widget=HiddenInput())

    def validate_query(self, field: StringField) -> None:
        """What is wrong with its line stands at the field."""
        problems = query_language.parse(str(field.data), lexicon()).problems
        if problems:
            raise ValidationError(" ".join(str(problem.message) for problem in problems))

    @property
    def view(self) -> QueueView:
        """What its line says."""
        return query_language.parse(str(self.query.data), lexicon()).view


def _sharing() -> list[Any]:
    return [one for one in departments_here().values() if may(actor(), Permission.SHARE_VIEWS, one.id)]


@bp.get("/views", endpoint="views")
@requires(Permission.SEE_INQUIRIES)
def every_view() -> ResponseReturnValue:
    """All of them, to be opened and put in order."""
    g.pile = "views"
    return render_template(
        "staff/views/index.html", views=[shown(kept) for kept in views_here()], sharing=_sharing()
    )


@bp.post("/views/save")
@requires(Permission.SEE_INQUIRIES)
def save_view() -> ResponseReturnValue:
    """Keep what the queue shows, under a name."""
    form = SaveForm()

    def save() -> str:
        found = query_language.parse(str(form.query.data), lexicon())
        if found.problems:
            abort(400)
        where = form.department_id.data
        views.save(str(form.name.data), found.view, by=actor(), department_id=int(where) if where else None)
        return query_language.write(found.view)

    status = form.perform(save)
    if status == DONE:
        flash(_("The view “%(name)s” is kept. It stands at the left.", name=form.name.data), "success")
        return redirect(url_for(".queue", q=form.outcome), code=DONE)
    return render_template("staff/views/save.html", form=form), status


@bp.route("/views/<int:view_id>/change", methods=_BOTH)
@requires(Permission.SEE_INQUIRIES)
def change_view(view_id: int) -> ResponseReturnValue:
    """Rename one, or let it show something else."""
    kept = _changeable(view_id)
    own, chinese = kept.names
    form = ChangeForm(name=own, name_zh=chinese or "", query=kept.query, version=kept.version)
    status = form.perform(
        lambda: views.change(
            view_id,
            name=str(form.name.data),
            name_zh=str(form.name_zh.data or ""),
            view=form.view,
            version=form.version.data or 0,
            by=actor(),
        )
    )
    if status == DONE:
        flash(_("The view was changed."), "success")
        return redirect(url_for(".views"), code=DONE)
    one = shown(kept)
    page = render_template("staff/views/change.html", form=form, one=one, problems=one.understood.problems)
    return page, status


@bp.route("/views/<int:view_id>/delete", methods=_BOTH)
@requires(Permission.SEE_INQUIRIES)
def delete_view(view_id: int) -> ResponseReturnValue:
    """Forget one, once that is confirmed."""
    kept = _changeable(view_id)
    if request.method == "POST":
        with unit_of_work():
            views.delete(view_id, version=_version(), by=actor())
        flash(_("The view was deleted."), "success")
        return redirect(url_for(".views"), code=303)
    return render_template("staff/views/delete.html", one=shown(kept))


def _act(verb: Callable[[], object], said: str) -> ResponseReturnValue:
    with unit_of_work():
        verb()
    if said:
        flash(said, "success")
    return redirect(url_for(".views"), code=303)


@bp.post("/views/<int:view_id>/share")
@requires(Permission.SHARE_VIEWS)
def share_view(view_id: int) -> ResponseReturnValue:
    """Show one's own to the department."""
    department_id, version = _number("department_id"), _version()
    return _act(
        lambda: views.share(view_id, department_id=department_id, version=version, by=actor()),
        _("Everybody of the department sees this view now."),
    )


@bp.post("/views/<int:view_id>/unshare")
@requires(Permission.SHARE_VIEWS)
def unshare_view(view_id: int) -> ResponseReturnValue:
    """Take a shared one out of everybody's menu."""
    version = _version()
    return _act(
        lambda: views.unshare(view_id, version=version, by=actor()),
        _("Only the person who saved this view sees it now."),
    )


@bp.post("/views/<int:view_id>/<any(up,down):way>")
@requires(Permission.SEE_INQUIRIES)
def move_view(view_id: int, way: str) -> ResponseReturnValue:
    """Put one before or behind its neighbour."""
    return _act(lambda: views.move(view_id, up=way == "up", by=actor()), "")


@bp.post("/views/<int:view_id>/start")
@requires(Permission.SEE_INQUIRIES)
def start_with_view(view_id: int) -> ResponseReturnValue:
    """Begin with one after signing in."""
    return _act(
        lambda: views.begin_with(view_id, by=actor()),
        _("After signing in you begin with this view from now on."),
    )


@bp.post("/views/start")
@requires(Permission.SEE_INQUIRIES)
def start_with_home() -> ResponseReturnValue:
    """Begin with what waits, as everybody does at first."""
    return _act(
        lambda: views.begin_with(None, by=actor()), _("After signing in you begin with what waits for you.")
    )


def _changeable(view_id: int) -> Kept:
    kept = views.one(view_id, by=actor())
    if not kept.may_change:
        abort(403)
    return kept


def _number(name: str) -> int:
    text = request.form.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        abort(400)
    return int(text)


def _version() -> int:
    return _number("version")
