"""Fields and checks of the public form: each refuses in words of its own."""

import re
from datetime import date
from typing import Any

from flask_babel import gettext as _
from wtforms import BooleanField, DateField, Field, Form, IntegerField, RadioField, SelectField, StringField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError
from wtforms.widgets import MonthInput

from collab.core.errors import Invalid
from collab.core.text import HiddenCharacters, clean_line

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ROR = re.compile(r"0[0-9a-hjkmnp-tv-z]{6}[0-9]{2}", re.ASCII)
_ROR_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


class MonthField(StringField):
    """A month as ``YYYY-MM``; browsers without a month picker show a line of text."""

    widget = MonthInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = str(valuelist[0]).strip() if valuelist else ""

    def pre_validate(self, form: BaseForm) -> None:
        if self.data and not _MONTH.fullmatch(self.data):
            raise ValidationError(_("Enter the month as year and month, for example 2027-03."))


class DayField(DateField):
    """A day as ``YYYY-MM-DD``."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = None
        text = str(valuelist[0]).strip() if valuelist else ""
        if not text:
            return
        try:
            if not _DAY.fullmatch(text):
                raise ValueError(text)
            self.data = date.fromisoformat(text)
        except ValueError:
            raise ValueError(_("Enter the day as year, month and day, for example 2027-03-31.")) from None


class WholeNumberField(IntegerField):
    """A whole number."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = None
        text = str(valuelist[0]).strip() if valuelist else ""
        if not text:
            return
        if len(text) > 9 or not text.isdecimal():
            raise ValueError(_("Enter a whole number."))
        self.data = int(text)


class DeclarationField(BooleanField):
    """A box to tick; what scripts send for "no" counts as no."""

    false_values = (False, "false", "False", "", "0", "no", "off", "n")

    def _value(self) -> str:
        return "y"  # what ticking it sends, whatever was sent before


class ChoiceField(SelectField):
    """A list; what is not on it is refused in our words."""

    def pre_validate(self, form: BaseForm) -> None:
        _on_the_list(self)


class ButtonsField(RadioField):
    """Radio buttons; what is not among them is refused in our words."""

    def pre_validate(self, form: BaseForm) -> None:
        _on_the_list(self)


def _on_the_list(field: SelectField) -> None:
    offered: Any = field.choices  # always such as forms offer them: with a value
    if field.data and all(choice.value != field.data for choice in offered):
        raise ValidationError(_("Choose one of the entries of the list."))


class OneAddress:
    """Exactly one plain e-mail address; the network is not asked."""

    field_flags = {"maxlength": 254}  # noqa: RUF012

    def __call__(self, _form: Form, field: Field) -> None:
        if not field.data:
            return
        try:
            field.data = clean_address(str(field.data))
        except Invalid as refusal:
            raise ValidationError(refusal.message) from None


def clean_address(value: str) -> str:
    """The address as typed, when it is exactly one.

    :raises Invalid: it is not; display names, comments, quoted parts and second addresses are not taken.
    """
    from email_validator import EmailNotValidError, validate_email  # loaded when an address is checked

    wrong = Invalid("email", _("Enter one e-mail address, for example name@example.org."))
    try:
        typed = clean_line(value)
        if "=?" in typed:
            raise wrong
        checked = validate_email(
            typed, check_deliverability=False, test_environment=True, strict=True
        ).normalized
    except (EmailNotValidError, HiddenCharacters, UnicodeError):
        raise wrong from None
    # Kept as typed, unless that is another spelling of the characters really used.
    return typed if typed.casefold() == checked.casefold() else checked


def check_ror(_form: Form, field: Field) -> None:
    """A ROR id (domain.md A.1): ISO 7064 MOD 97-10 over the digits of Crockford's alphabet."""
    value = str(field.data or "").strip().lower().removeprefix("https://ror.org/")
    field.data = value
    if not value:
        return
    if _ROR.fullmatch(value):
        number = 0
        for letter in value[1:7]:
            number = number * 32 + _ROR_DIGITS.index(letter)
        if 98 - (number * 100) % 97 == int(value[7:]):
            return
    raise ValidationError(_("The identifier of the institution is not right. Leave it out or check it."))
