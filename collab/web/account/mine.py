"""One's own account: name and language, password, second factor, sessions."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from collab import accounts
from collab.accounts import StaffSession, User
from collab.core.db import unit_of_work
from collab.core.errors import Invalid, TooMany
from collab.web import staff_session
from collab.web.access import actor, signed_in
from collab.web.account import bp, browsers
from collab.web.account.forms import ChangePasswordForm, MyselfForm, ProofForm
from collab.web.account.sign_in import second_factor_page
from collab.web.forms import DONE, PortalForm


@bp.route("/account", methods=["GET", "POST"])
@signed_in
def mine() -> ResponseReturnValue:
    """Everything about one's own account on one page; name and language can be changed here."""
    user, session = _present()
    form = MyselfForm(data={"name": user.name, "locale": user.locale})
    status = form.perform(
        lambda: accounts.update_user(
            accounts.user_by_id(user.id), name=form.name.data or "", locale=form.locale.data, by=actor()
        )
    )
    if status == DONE:
        flash(_("Saved."), "success")
        return redirect(url_for("account.mine"), code=DONE)
    page = render_template(
        "account/mine.html",
        form=form,
        me=user,
        present=session.id,
        sessions=accounts.open_sessions(user.id),
        browser=browsers.in_words,
        codes_left=accounts.recovery_codes_left(user.id),
    )
    return page, status


@bp.route("/account/password", methods=["GET", "POST"])
@signed_in
def password() -> ResponseReturnValue:
    """Another password; every other browser is signed out."""
    form = ChangePasswordForm()
    status, headers = _status(form)
    if form.validate_on_submit():
        _user, session = _present()
        try:
            accounts.change_password(
                session, old=form.old_password.data or "", new=form.new_password.data or "", by=actor()
            )
        except (Invalid, TooMany) as refusal:
            status, headers = _refused(form, refusal)
        else:
            flash(_("Your password is changed. All your other sessions have ended."), "success")
            return redirect(url_for("account.mine"), code=303)
    return render_template("account/password.html", form=form), status, headers


@bp.route("/account/second-factor", methods=["GET", "POST"])
@signed_in
def replace_second_factor() -> ResponseReturnValue:
    """The way to another phone begins with a proof of who sits here."""
    form = ProofForm()
    session_id, status, headers = _proved(form)
    if session_id is not None:
        with unit_of_work():
            accounts.offer_second_factor(session_id)
        return redirect(url_for("account.new_second_factor"), code=303)
    page = render_template(
        "account/prove.html", form=form, heading=_("Move to another phone or app"), button=_("Go on")
    )
    return page, status, headers


@bp.route("/account/second-factor/new", methods=["GET", "POST"])
@signed_in
def new_second_factor() -> ResponseReturnValue:
    """Shows the new secret to who has just proved who it is."""
    user, session = _present()
    if accounts.offered_secret(session) is None:
        return redirect(url_for("account.replace_second_factor"), code=303)
    return second_factor_page(user, session, template="account/new_second_factor.html")


@bp.route("/account/recovery-codes", methods=["GET", "POST"])
@signed_in
def recovery_codes() -> ResponseReturnValue:
    """Ten new recovery codes in place of the old ones."""
    form = ProofForm()
    session_id, status, headers = _proved(form)
    if session_id is not None:
        codes = accounts.renew_recovery_codes(current_user.id, by=actor())
        return render_template(
            "account/recovery_codes.html", codes=codes, onward=url_for("account.mine"), renewed=True
        )
    heading = _("Make new recovery codes")
    return render_template("account/prove.html", form=form, heading=heading, button=heading), status, headers


@bp.post("/account/sessions/<int:session_id>/end")
@signed_in
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions; the present one is signed out."""
    with unit_of_work():
        accounts.end_session(session_id, of=accounts.user_by_id(current_user.id), by=actor())
    if session_id == current_user.session_id:
        return staff_session.leave(redirect(url_for("account.signed_out"), code=303))
    flash(_("The session has ended."), "success")
    return redirect(url_for("account.mine"), code=303)


@bp.post("/account/sessions/end-others")
@signed_in
def end_other_sessions() -> ResponseReturnValue:
    """End all of one's own sessions but this one."""
    with unit_of_work():
        accounts.end_all_sessions(
            accounts.user_by_id(current_user.id), by=actor(), but=current_user.session_id
        )
    flash(_("All your other sessions have ended."), "success")
    return redirect(url_for("account.mine"), code=303)


def _present() -> tuple[User, StaffSession]:
    found = staff_session.present()
    assert found is not None
    return found


def _proved(form: ProofForm) -> tuple[int | None, int, dict[str, str]]:
    """The session whose owner has just shown who sits here; else none, with what to answer."""
    status, headers = _status(form)
    if form.validate_on_submit():
        _user, session = _present()
        session_id = session.id
        try:
            accounts.prove(session, password=form.password.data or "", code=form.code.data or "", by=actor())
        except (Invalid, TooMany) as refusal:
            status, headers = _refused(form, refusal)
        else:
            return session_id, status, headers
    return None, status, headers


def _status(form: PortalForm) -> tuple[int, dict[str, str]]:
    return 422 if form.is_submitted() else 200, {}


def _refused(form: PortalForm, refusal: Invalid | TooMany) -> tuple[int, dict[str, str]]:
    if isinstance(refusal, TooMany):
        form.form_errors.append(refusal.message)
        return 429, {"Retry-After": str(refusal.retry_after)}
    form.refuse(refusal)
    return 422, {}
