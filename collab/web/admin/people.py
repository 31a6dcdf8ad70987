"""The people of a department: who works here, with which roles, and how to take part or leave."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from wtforms import SelectChoice  # type: ignore[attr-defined]

from collab import accounts, audit, departments
from collab.accounts import INVITATION_PATH, ROLE_LABELS, Permission, Role, User
from collab.core import clock, site
from collab.core.db import unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.departments import AreaKind, Department
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.admin import bp
from collab.web.admin.forms import AreasForm, InviteForm, RolesForm


@bp.get("/people")
@requires(Permission.MANAGE_PEOPLE)
def people() -> ResponseReturnValue:
    """Everybody in the departments one administers, and who was invited."""
    sections = [
        {
            "of": department,
            "people": accounts.people(department.id, seen_by=actor()),
            "invitations": accounts.open_invitations(department.id, seen_by=actor()),
        }
        for department in accounts.managed_departments(actor())
    ]
    return render_template("admin/people.html", sections=sections, role_labels=ROLE_LABELS, now=clock.now())


@bp.route("/people/<slug>/invite", methods=["GET", "POST"])
@requires(Permission.MANAGE_PEOPLE)
def invite(slug: str) -> ResponseReturnValue:
    """Invite somebody by mail; with no mail server the link is shown, to be handed over."""
    department = _department(slug)
    form = InviteForm(data={"locale": current_user.locale, "roles": []})
    status = 200
    if form.validate_on_submit():
        try:
            with _deed("account.invite", department):
                invitation, token = accounts.invite(
                    form.email.data or "",
                    roles=form.chosen,
                    department=departments.by_slug(slug),
                    locale=form.locale.data,
                    by=actor(),
                )
                email = invitation.email
        except Invalid as refusal:
            form.refuse(refusal)
            status = 422
        else:
            if site.settings().sends_mail:
                flash(_("The invitation is on its way to %(email)s.", email=email), "success")
                return redirect(url_for("admin.people"), code=303)
            link = site.address(INVITATION_PATH + token)
            return render_template("admin/invited.html", of=department, email=email, link=link)
    elif request.method == "POST":
        status = 422
    return render_template("admin/invite.html", form=form, of=department), status


@bp.post("/people/<slug>/invitations/<int:invitation_id>/withdraw")
@requires(Permission.MANAGE_PEOPLE)
def withdraw(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Make an invitation's link dead."""
    department = _department(slug)
    with _deed("account.withdraw_invitation", department):
        accounts.withdraw_invitation(invitation_id, department_id=department.id, by=actor())
    flash(_("The invitation is withdrawn; its link is dead."), "success")
    return redirect(url_for("admin.people"), code=303)


@bp.route("/people/<slug>/<int:user_id>", methods=["GET", "POST"])
@requires(Permission.MANAGE_PEOPLE)
def person(slug: str, user_id: int) -> ResponseReturnValue:
    """One person: roles here, and what can be done with the account."""
    department = _department(slug)
    user = accounts.person(user_id, department.id, seen_by=actor())
    held = user.roles_in(department.id)
    form = RolesForm(data={"roles": [role.value for role in held]})
    status = 200
    if form.validate_on_submit():
        try:
            with _deed("account.change_roles", department, user_id):
                _change_roles(accounts.user_by_id(user_id), set(form.chosen), department)
        except Conflict as refusal:
            form.roles.errors = [*form.roles.errors, refusal.message]
            status = 409
        else:
            flash(_("Saved."), "success")
            return _back(slug, user_id)
    elif request.method == "POST":
        status = 422
    areas = _areas_form(department, user)
    elsewhere = any(m.department_id != department.id for m in user.memberships)
    page = render_template(
        "admin/person.html",
        form=form,
        areas_form=areas,
        of=department,
        person=user,
        elsewhere=elsewhere,
        itself=user_id == current_user.id,
        sessions=accounts.open_sessions(user_id),
    )
    return page, status


@bp.post("/people/<slug>/<int:user_id>/areas")
@requires(Permission.MANAGE_PEOPLE)
def areas(slug: str, user_id: int) -> ResponseReturnValue:
    """In which areas a person works: the group, when reviewers are chosen."""
    department = _department(slug)
    form = _areas_form(department, accounts.person(user_id, department.id, seen_by=actor()))
    if not form.validate_on_submit():
        flash(_("Choose areas of the list."), "warning")
        return _back(slug, user_id)
    with _deed("account.set_areas", department, user_id):
        accounts.set_areas(
            accounts.user_by_id(user_id), form.areas.data or [], department_id=department.id, by=actor()
        )
    flash(_("Saved."), "success")
    return _back(slug, user_id)


def _areas_form(department: Department, user: User) -> AreasForm:
    form = AreasForm(data={"areas": sorted(user.areas_in(department.id))})
    form.areas.choices = [
        SelectChoice(area.code, area.name.get(hooks.language()))
        for area in department.settings.areas
        if area.kind is not AreaKind.OPEN
    ]
    return form


@bp.post("/people/<slug>/<int:user_id>/disable")
@requires(Permission.MANAGE_PEOPLE)
def disable(slug: str, user_id: int) -> ResponseReturnValue:
    """Switch the account off; sessions end at once."""
    done = _("The account is switched off, and its sessions have ended.")
    return _done_to(slug, user_id, accounts.disable_user, action="account.disable", done=done)


@bp.post("/people/<slug>/<int:user_id>/enable")
@requires(Permission.MANAGE_PEOPLE)
def enable(slug: str, user_id: int) -> ResponseReturnValue:
    """Switch the account on again."""
    done = _("The account is switched on.")
    return _done_to(slug, user_id, accounts.enable_user, action="account.enable", done=done)


@bp.post("/people/<slug>/<int:user_id>/reset-second-factor")
@requires(Permission.MANAGE_PEOPLE)
def reset_second_factor(slug: str, user_id: int) -> ResponseReturnValue:
    """Take a lost second factor away, for somebody whose identity was made sure of."""
    done = _("The second factor is reset. It must be set up anew within 24 hours.")
    return _done_to(
        slug, user_id, accounts.reset_second_factor, action="account.reset_second_factor", done=done
    )


@bp.post("/people/<slug>/<int:user_id>/end-sessions")
@requires(Permission.MANAGE_PEOPLE)
def end_sessions(slug: str, user_id: int) -> ResponseReturnValue:
    """Sign the person out everywhere."""
    done = _("All sessions of this person have ended.")
    return _done_to(slug, user_id, accounts.sign_out_everywhere, action="account.end_sessions", done=done)


def _done_to(
    slug: str, user_id: int, verb: Callable[..., object], *, action: str, done: str
) -> ResponseReturnValue:
    """Do something to a person's account, and show the person again."""
    with _deed_on(action, slug, user_id) as user:
        verb(user, by=actor())
    flash(done, "success")
    return _back(slug, user_id)


def _change_roles(user: User, wanted: set[Role], department: Department) -> None:
    if user.id == current_user.id:
        raise Forbidden(_("Your own roles are changed by another administrator."))
    held = user.roles_in(department.id)
    # New ones first: who is without any role for a moment is signed out.
    for role in sorted(wanted - held):
        accounts.grant_role(user, role, department_id=department.id, by=actor())
    for role in sorted(held - wanted):
        accounts.revoke_role(user, role, department_id=department.id, by=actor())


def _department(slug: str) -> Department:
    department = departments.by_slug(slug)
    if department.id not in accounts.departments_where(actor(), Permission.MANAGE_PEOPLE):
        _refused("account.other_department", department)
        raise NotFound
    return department


@contextmanager
def _deed(action: str, department: Department, user_id: int | None = None) -> Iterator[None]:
    """A unit of work whose refusal is kept in the audit log, although nothing else of it is."""
    try:
        with unit_of_work():
            yield
    except (Forbidden, NotFound):
        _refused(action, department, user_id)
        raise


@contextmanager
def _deed_on(action: str, slug: str, user_id: int) -> Iterator[User]:
    department = _department(slug)
    with _deed(action, department, user_id):
        yield accounts.person(user_id, department.id, seen_by=actor())


def _refused(action: str, department: Department, user_id: int | None = None) -> None:
    audit.record_refusal(
        f"{action}_refused",
        by=actor(),
        department_id=department.id,
        on=("user", user_id) if user_id else None,
    )


def _back(slug: str, user_id: int) -> ResponseReturnValue:
    # Whoever has no role left here is on no page of this department any more.
    department = departments.by_slug(slug)
    if not accounts.user_by_id(user_id).roles_in(department.id):
        return redirect(url_for("admin.people"), code=303)
    return redirect(url_for("admin.person", slug=slug, user_id=user_id), code=303)
