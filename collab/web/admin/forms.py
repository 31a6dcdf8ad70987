"""The forms of administration."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField, SelectChoice, SelectMultipleField  # type: ignore[attr-defined]
from wtforms.form import BaseForm
from wtforms.validators import DataRequired, InputRequired, ValidationError
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


class TicksField(SelectMultipleField):
    """Boxes to tick. What was sent besides is refused without being repeated on the page."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: BaseForm) -> None:
        if set(self.data or []) - {str(value) for value, *_label in self.iter_choices()}:
            raise ValidationError(_("Choose areas of the list."))


class RolesField(TicksField):
    """The roles of a person."""

    def pre_validate(self, form: BaseForm) -> None:
        if set(self.data or []) - {role.value for role in Role}:
            raise ValidationError(_("Choose roles of the list."))


class RolesForm(PortalForm):
    """A person's roles in one department."""

    roles = RolesField(_l("Roles"), choices=[])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles.choices = role_choices()

    @property
    def chosen(self) -> list[Role]:
        return [Role(value) for value in self.roles.data or []]


class AreasForm(PortalForm):
    """The areas of a department in which a person works."""

    areas = TicksField(_l("Areas"), choices=[])


class InviteForm(RolesForm):
    """Asks somebody to join a department's staff."""

    email = EmailField(
        _l("E-mail"),
        description=_l("The link goes to this address and works once, for seven days."),
        validators=[DataRequired(_l("Enter the e-mail address."))],
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    locale = RadioField(_l("Language of the invitation"), choices=LANGUAGES, validators=[InputRequired()])
