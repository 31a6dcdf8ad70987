"""What every form of the portal does alike: texts are cleaned before they are checked, errors stand at their field."""

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any, Final

from babel import Locale
from babel.support import Translations
from flask import request
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, Field, Form
from wtforms.form import BaseForm
from wtforms.i18n import DefaultTranslations, messages_path
from wtforms.validators import ValidationError

from collab.core.db import unit_of_work
from collab.core.errors import Conflict, Invalid
from collab.core.text import HiddenCharacters, clean_line, clean_text

#: What :meth:`PortalForm.perform` answers when it is done: the page goes on with this status.
DONE: Final = 303


@cache
def _wtforms_words(locale: Locale) -> DefaultTranslations:
    """WTForms' own sentences; Flask-WTF would read their file anew for each request."""
    return DefaultTranslations(Translations.load(messages_path(), [locale], domain="wtforms"))


class PortalForm(FlaskForm):
    """A form with CSRF protection whose refusals by a verb can be put at the field they name."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # has no types
        def get_translations(self, _form: BaseForm) -> DefaultTranslations:
            return _wtforms_words(get_locale())

    #: What the verb returned that :meth:`perform` ran.
    outcome: Any = None

    def perform(self, verb: Callable[[], object], *, changed: str = "") -> int:
        """Run a verb in one unit of work, if the form was sent and is right.

        :param changed: what is said of a conflict that says nothing itself.
        :returns: the status to answer with: 200 when nothing was sent, :data:`DONE`, 422 when it was refused (the
            reason stands at its field), 409 when it was refused for what happened meanwhile.
        """
        if request.method != "POST":
            return 200
        if not self.validate_on_submit():
            return 422
        try:
            with unit_of_work():
                self.outcome = verb()
        except Invalid as refusal:
            self.refuse(refusal)
            return 422
        except Conflict as refusal:
            self.form_errors.append(
                refusal.message or changed or _("Somebody changed it in the meantime. Look again.")
            )
            return 409
        return DONE

    def refuse(self, refusal: Invalid) -> None:
        """Show a verb's refusal at its field, or above the form when the form has no such field."""
        field = self._fields.get(refusal.field)
        if field is None:
            self.form_errors.append(refusal.message)
        else:
            field.errors = [*field.errors, refusal.message]


class Day(DateField):
    """A day, with a refusal in our words."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read ``2026-12-31``; anything else is refused."""
        if not valuelist or not str(valuelist[0]).strip():
            self.data = None
            return
        try:
            self.data = date.fromisoformat(str(valuelist[0]).strip())
        except ValueError:
            self.data = None
            raise ValueError(_("Enter a day such as 2026-12-31.")) from None


class Line:
    """Filter and check for one line of text: trimmed, NFC, no hidden characters, a length in characters."""

    def __init__(self, least: int = 0, most: int = 200) -> None:
        self.least, self.most = least, most
        self.field_flags = {"maxlength": most}
        self.clean = clean_line

    def __call__(self, _form: Form, field: Field) -> None:
        value = field.data
        if not value:
            return
        try:
            value = self.clean(str(value))
        except HiddenCharacters:
            raise ValidationError(
                _(
                    "This text holds invisible control characters. Please type it again or paste it as plain text."
                )
            ) from None
        field.data = value
        if len(value) < self.least_for(value):
            raise ValidationError(
                _(
                    "Please write at least %(count)s characters; there are %(now)s.",
                    count=self.least_for(value),
                    now=len(value),
                )
            )
        if len(value) > self.most:
            raise ValidationError(
                _(
                    "Please write at most %(count)s characters; there are %(now)s.",
                    count=self.most,
                    now=len(value),
                )
            )

    def least_for(self, _value: str) -> int:
        """The least number of characters for this text."""
        return self.least


class Text(Line):
    """The same for several lines; a text in Chinese, Japanese or Korean may be shorter, it says more in less."""

    def __init__(self, least: int = 0, most: int = 2000, least_cjk: int | None = None) -> None:
        super().__init__(least, most)
        self.least_cjk = least if least_cjk is None else least_cjk
        self.clean = clean_text

    def least_for(self, value: str) -> int:
        from collab.core.text import is_cjk

        return self.least_cjk if is_cjk(value) else self.least


def stripped(value: Any) -> Any:
    """WTForms filter: text without white space around it, and nothing else changed."""
    return value.strip() if isinstance(value, str) else value
