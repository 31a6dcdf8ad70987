"""The forms of administration."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField, SelectChoice, SelectMultipleField  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from collab.accounts import ROLE_LABELS, Role
from collab.web.forms import PortalForm

LANGUAGES = [SelectChoice("en", "English"), SelectChoice("zh", "中文")]

#: What each role may do, in the words of the page.
ROLE_HELP = {
    Role.COORDINATOR: _l("reads, routes and answers all inquiries"),
    Role.HOST: _l("says whether and when the group can take somebody"),
    Role.REVIEWER: _l("gives an opinion on what is assigned"),
    Role.HEAD: _l("reads all inquiries and decides"),
    Role.COMPLIANCE: _l("clears or blocks: export, ethics, data"),
    Role.RADIATION_SAFETY_OFFICER: _l("clears or blocks radiation safety; reads no dossier"),
    Role.ADMIN: _l("people, settings, outbox"),
    Role.VIEWER: _l("figures without names"),
}


def role_choices() -> list[Any]:
    """Every role, with what it may do."""
    return [SelectChoice(role.value, f"{ROLE_LABELS[role]} – {ROLE_HELP[role]}") for role in Role]


class RolesForm(PortalForm):
    """A person's roles in one department."""

    roles = SelectMultipleField(
        _l("Roles"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), choices=[]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles.choices = role_choices()

    @property
    def chosen(self) -> list[Role]:
        return [Role(value) for value in self.roles.data or []]


class InviteForm(RolesForm):
    """Asks somebody to join a department's staff."""

    email = EmailField(
        _l("E-mail"),
        description=_l("The link goes to this address and works once, for seven days."),
        validators=[DataRequired(_l("Enter the e-mail address."))],
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    locale = RadioField(_l("Language of the invitation"), choices=LANGUAGES, validators=[InputRequired()])
