"""Signing in, step by step, and out again."""

from collections.abc import Callable

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug import Response

from collab import accounts
from collab.accounts import Actor, StaffSession, Step, User
from collab.core import site
from collab.core.db import unit_of_work
from collab.core.errors import Invalid, NotFound, TooMany
from collab.desk import views
from collab.web import staff_session
from collab.web.access import actor, public, visitor
from collab.web.account import bp
from collab.web.account.forms import CodeForm, EnrolForm, NewPasswordForm, SignInForm
from collab.web.account.next_page import next_page
from collab.web.forms import PortalForm


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """The first step: address and password."""
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(next_page() or _first_page(actor()), code=303)
    form = SignInForm()

    def act() -> ResponseReturnValue:
        token = accounts.sign_in_password(
            form.email.data or "", form.password.data or "", by=visitor(), agent=_agent()
        )
        return staff_session.begin(_to("account.code"), token)

    return _step(form, act, "account/sign_in.html")


@bp.route("/sign-in/code", methods=["GET", "POST"])
@public
def code() -> ResponseReturnValue:
    """The second step: a code of the app, or a recovery code."""
    found = staff_session.waiting()
    if found is None or accounts.step_of(*found) is not Step.CODE:
        return _onward(found)
    form = CodeForm()
    session = found[1]

    def act() -> ResponseReturnValue:
        typed = form.code.data or ""
        use = accounts.use_recovery_code if any(c.isalpha() for c in typed) else accounts.verify_totp
        token = use(session, typed, by=visitor(), agent=_agent())
        return staff_session.begin(_to("account.onward"), token)

    return _step(form, act, "account/code.html")


@bp.route("/sign-in/password", methods=["GET", "POST"])
@public
def first_password() -> ResponseReturnValue:
    """A password of one's own in place of the one-time password."""
    found = staff_session.waiting()
    if found is None or accounts.step_of(*found) is not Step.PASSWORD:
        return _onward(found)
    form = NewPasswordForm()
    session = found[1]

    def act() -> ResponseReturnValue:
        token = accounts.replace_one_time_password(
            session, new=form.new_password.data or "", by=visitor(), agent=_agent()
        )
        return staff_session.begin(_to("account.onward"), token)

    return _step(form, act, "account/first_password.html")


@bp.route("/sign-in/second-factor", methods=["GET", "POST"])
@public
def enrol() -> ResponseReturnValue:
    """Setting up the authenticator app for the first time."""
    found = staff_session.waiting()
    if found is None or accounts.step_of(*found) is not Step.ENROL:
        return _onward(found)
    return second_factor_page(*found, template="account/enrol.html")


@bp.get("/sign-in/next")
@public
def onward() -> ResponseReturnValue:
    """On to the next step of the sign-in, or to the page asked for."""
    return _onward(staff_session.present())


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End the session, here and in the database; harmless when there is none."""
    found = staff_session.present()
    if found is not None:
        user, session = found
        with unit_of_work():
            accounts.end_session(session.id, of=user, by=actor())
    return staff_session.leave(redirect(url_for("account.signed_out"), code=303))


@bp.get("/signed-out")
@public
def signed_out() -> ResponseReturnValue:
    """Says that one is signed out."""
    return render_template("account/signed_out.html")


def second_factor_page(user: User, session: StaffSession, *, template: str) -> ResponseReturnValue:
    """Shows the offered secret as a picture and as text, and takes its first code."""
    import segno  # slow to load, and few ask

    secret = accounts.offered_secret(session)
    if secret is None:
        flash(_("This took too long. Please begin again."), "warning")
        return redirect(url_for("account.sign_in"), code=303)
    form = EnrolForm()
    uri = accounts.provisioning_uri(secret, email=user.email, issuer=_issuer())
    picture = segno.make(uri, error="m").svg_data_uri(scale=4, border=4, light="white", omitsize=False)
    shown = {"secret": _in_groups(secret), "picture": picture, "uri": uri, "email": user.email}

    def act() -> ResponseReturnValue:
        token, codes = accounts.confirm_second_factor(
            session, form.code.data or "", by=visitor(), agent=_agent()
        )
        page = make_response(
            render_template("account/recovery_codes.html", codes=codes, onward=_to("account.onward").location)
        )
        return staff_session.begin(page, token)

    return _step(form, act, template, **shown)


def _step(
    form: PortalForm, act: Callable[[], ResponseReturnValue], template: str, **shown: object
) -> ResponseReturnValue:
    status = 200
    headers = {}
    if form.validate_on_submit():
        try:
            return act()
        except Invalid as refusal:
            form.refuse(refusal)
            status = 422
        except TooMany as refusal:
            form.form_errors.append(refusal.message)
            status = 429
            headers["Retry-After"] = str(refusal.retry_after)
        except NotFound:
            return redirect(url_for("account.sign_in", next=next_page()), code=303)
    elif request.method == "POST":
        status = 422
    return render_template(template, form=form, onward=next_page(), **shown), status, headers


def _onward(found: tuple[User, StaffSession] | None) -> ResponseReturnValue:
    if found is None:
        return _to("account.sign_in")
    match accounts.step_of(*found):
        case Step.CODE:
            return _to("account.code")
        case Step.PASSWORD:
            return _to("account.first_password")
        case Step.ENROL:
            return _to("account.enrol")
        case Step.DONE:
            return redirect(next_page() or _first_page(accounts.actor_of(found[0])), code=303)


def _first_page(who: Actor) -> str:
    """Where somebody's work begins: the view he chose for that, or what waits."""
    start = views.start_of(who)
    return url_for("staff.queue", q=start.query) if start else url_for("staff.home")


def _to(endpoint: str) -> Response:
    return redirect(url_for(endpoint, next=next_page()), code=303)


def _agent() -> str:
    return request.headers.get("User-Agent", "")


def _issuer() -> str:
    department = g.get("department")
    settings = site.settings()
    return department.settings.short_name.get("en") if department else settings.host


def _in_groups(secret: str) -> str:
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
