"""The forms of signing in and of one's own account. Passwords are taken exactly as typed: no filter touches them."""

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, RadioField, SelectChoice, StringField  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, InputRequired

from collab.web.forms import Line, PortalForm

LANGUAGES = [SelectChoice("en", "English"), SelectChoice("zh", "中文")]
NEW_PASSWORD_HELP = _l(
    "At least 12 characters. A few words that have nothing to do with each other are easy to keep."
)


class SignInForm(PortalForm):
    """The first step."""

    email = EmailField(
        _l("E-mail"),
        validators=[DataRequired(_l("Enter your e-mail address."))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        _l("Password"),
        validators=[InputRequired(_l("Enter your password."))],
        render_kw={"autocomplete": "current-password"},
    )


class CodeForm(PortalForm):
    """The second step; takes a code of the app or a recovery code."""

    code = StringField(
        _l("Code"),
        description=_l("The six digits your authenticator app shows now, or one of your recovery codes."),
        validators=[DataRequired(_l("Enter the code."))],
        render_kw={
            "autocomplete": "one-time-code",
            "autocapitalize": "none",
            "spellcheck": "false",
            "maxlength": 40,
            "class": "short",
        },
    )


class EnrolForm(PortalForm):
    """Confirms a new second factor by its first code."""

    code = StringField(
        _l("Code from the app"),
        description=_l("The six digits the app shows for this portal now."),
        validators=[DataRequired(_l("Enter the code."))],
        render_kw={
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "maxlength": 40,
            "class": "short",
        },
    )


class NewPasswordForm(PortalForm):
    """A password of one's own, in place of a one-time password or of a forgotten one."""

    new_password = PasswordField(
        _l("New password"),
        description=NEW_PASSWORD_HELP,
        validators=[InputRequired(_l("Enter a new password."))],
        render_kw={"autocomplete": "new-password"},
    )


class ChangePasswordForm(NewPasswordForm):
    """Another password, knowing the present one."""

    old_password = PasswordField(
        _l("Present password"),
        validators=[InputRequired(_l("Enter your present password."))],
        render_kw={"autocomplete": "current-password"},
    )


class ProofForm(PortalForm):
    """Who sits here proves again who it is."""

    password = PasswordField(
        _l("Password"),
        validators=[InputRequired(_l("Enter your password."))],
        render_kw={"autocomplete": "current-password"},
    )
    code = StringField(
        _l("Code"),
        description=_l("The six digits your authenticator app shows now, or one of your recovery codes."),
        validators=[DataRequired(_l("Enter the code."))],
        render_kw={"autocomplete": "one-time-code", "maxlength": 40, "class": "short"},
    )


class ForgottenForm(PortalForm):
    """Asks for the link to a new password."""

    email = EmailField(
        _l("E-mail"),
        validators=[DataRequired(_l("Enter your e-mail address."))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )


class InvitationForm(PortalForm):
    """Makes the account an invitation speaks of."""

    name = StringField(
        _l("Your name"),
        description=_l("As colleagues and partners are to read it."),
        validators=[DataRequired(_l("Enter your name.")), Line(most=120)],
        render_kw={"autocomplete": "name"},
    )
    locale = RadioField(_l("Language of the pages"), choices=LANGUAGES, validators=[InputRequired()])
    password = PasswordField(
        _l("Password"),
        description=NEW_PASSWORD_HELP,
        validators=[InputRequired(_l("Enter a new password."))],
        render_kw={"autocomplete": "new-password"},
    )


class MyselfForm(PortalForm):
    """One's own name and language."""

    name = StringField(
        _l("Name"),
        validators=[DataRequired(_l("Enter your name.")), Line(most=120)],
        render_kw={"autocomplete": "name"},
    )
    locale = RadioField(_l("Language of the pages"), choices=LANGUAGES, validators=[InputRequired()])
