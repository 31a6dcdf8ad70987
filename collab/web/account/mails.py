"""Which mails come at once, which in the daily digest, which not at all."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from wtforms import RadioField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired

from collab import accounts
from collab.accounts import MailKind, Wish, mail_choices
from collab.accounts.kinds_of_mail import KINDS
from collab.web.access import actor, signed_in
from collab.web.account import bp
from collab.web.forms import DONE, PortalForm


class MailsForm(PortalForm):
    """One choice for each kind of mail."""


for _kind, _of_kind in KINDS.items():
    setattr(
        MailsForm,
        _kind.value,
        RadioField(
            _of_kind.label,
            choices=[SelectChoice(wish.value, wish.label) for wish in _of_kind.wishes],
            validators=[InputRequired()],
        ),
    )


@bp.route("/account/mails", methods=["GET", "POST"])
@signed_in
def mails() -> ResponseReturnValue:
    """How each kind of mail is wanted."""
    held = mail_choices.wishes_of(current_user.id)
    form = MailsForm(data={kind.value: wish.value for kind, wish in held.items()})
    status = form.perform(
        lambda: mail_choices.set_wishes(
            accounts.user_by_id(current_user.id),
            {kind: Wish(form[kind.value].data) for kind in MailKind},
            by=actor(),
        )
    )
    if status == DONE:
        flash(_("Saved."), "success")
        return redirect(url_for("account.mails"), code=DONE)
    return render_template("account/mails.html", form=form, kinds=list(MailKind)), status
