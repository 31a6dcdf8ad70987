"""A forgotten password: the link by mail, and the new password."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from collab import accounts
from collab.core.db import unit_of_work
from collab.core.errors import Invalid, TooMany
from collab.web.access import public, visitor
from collab.web.account import bp
from collab.web.account.forms import ForgottenForm, NewPasswordForm
from collab.web.account.links import found


@bp.route("/forgotten", methods=["GET", "POST"])
@public
def forgotten() -> ResponseReturnValue:
    """Asks for the link. The answer is the same whether there is such an account or not."""
    form = ForgottenForm()
    status = 200
    if form.validate_on_submit():
        try:
            with unit_of_work():
                accounts.request_password_reset(form.email.data or "", by=visitor())
            return redirect(url_for("account.forgotten_sent"), code=303)
        except TooMany as refusal:
            form.form_errors.append(
                _("There were too many requests from here. Please wait an hour and try again.")
            )
            return (
                render_template("account/forgotten.html", form=form),
                429,
                {"Retry-After": str(refusal.retry_after)},
            )
    elif request.method == "POST":
        status = 422
    return render_template("account/forgotten.html", form=form), status


@bp.get("/forgotten/sent")
@public
def forgotten_sent() -> ResponseReturnValue:
    """The answer to everybody."""
    return render_template("account/forgotten_sent.html")


@bp.route("/reset/<token>", methods=["GET", "POST"])
@public
def reset(token: str) -> ResponseReturnValue:
    """A new password by the link of the mail; opening the page changes nothing."""
    found(accounts.reset_by_token, token)
    form = NewPasswordForm()
    status = 200
    if form.validate_on_submit():
        try:
            accounts.reset_password(token, new=form.new_password.data or "", by=visitor())
        except Invalid as refusal:
            form.refuse(refusal)
            status = 422
        else:
            flash(
                _("Your new password is set. Please sign in with it and with your second factor."), "success"
            )
            return redirect(url_for("account.sign_in"), code=303)
    elif request.method == "POST":
        status = 422
    return render_template("account/reset.html", form=form), status
