"""The link of an invitation: make an account, or take it up with the one there is."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from collab import accounts, departments
from collab.accounts import Invitation, Role
from collab.core.db import unit_of_work
from collab.core.errors import Invalid
from collab.web import staff_session
from collab.web.access import actor, public, visitor
from collab.web.account import bp
from collab.web.account.forms import InvitationForm
from collab.web.account.links import found
from collab.web.forms import PortalForm


@bp.route("/invitation/<token>", methods=["GET", "POST"])
@public
def invitation(token: str) -> ResponseReturnValue:
    """Opening the page changes nothing; its button does."""
    invited = found(accounts.invitation_by_token, token)
    there = accounts.by_email(invited.email)
    if there is not None:
        return _join(token, invited)
    form = InvitationForm(data={"locale": invited.locale})
    status = 200
    if form.validate_on_submit():
        try:
            session = accounts.accept_invitation(
                token,
                name=form.name.data or "",
                password=form.password.data or "",
                locale=form.locale.data,
                by=visitor(),
                agent=request.headers.get("User-Agent", ""),
            )
        except Invalid as refusal:
            form.refuse(refusal)
            status = 422
        else:
            return staff_session.begin(redirect(url_for("account.onward"), code=303), session)
    elif request.method == "POST":
        status = 422
    return render_template("account/invitation.html", form=form, **_shown(invited)), status


def _join(token: str, invited: Invitation) -> ResponseReturnValue:
    mine = (
        current_user.is_authenticated and accounts.user_by_id(current_user.id).email_key == invited.email_key
    )
    form = PortalForm()
    if mine and form.validate_on_submit():
        with unit_of_work():
            accounts.join_by_invitation(token, user=accounts.user_by_id(current_user.id), by=actor())
        flash(_("You now work for this department, too."), "success")
        return redirect(url_for("staff.home"), code=303)
    return render_template(
        "account/invitation_join.html",
        form=form,
        mine=mine,
        sign_in_url=url_for("account.sign_in", next=request.path),
        **_shown(invited),
    )


def _shown(invited: Invitation) -> dict[str, object]:
    return {
        "invited": invited,
        "inviting": departments.by_id(invited.department_id),
        "roles": [Role(role).label for role in invited.roles],
    }
