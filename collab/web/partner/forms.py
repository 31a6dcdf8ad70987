"""The three forms of first contact, as in domain.md A.1–A.4, and the small forms of the partner's page."""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, Field, FileField, HiddenField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, InputRequired, ValidationError

from collab.core import clock
from collab.departments import Department, Track, VisitorType, earliest_visit
from collab.inquiries import questions
from collab.inquiries.questions import LABELS
from collab.web.forms import Line, PortalForm, Text, stripped
from collab.web.partner import places
from collab.web.partner.fields import (
    ButtonsField,
    ChoiceField,
    DayField,
    DeclarationField,
    MonthField,
    OneAddress,
    WholeNumberField,
    check_ror,
)

# Controls but tab and line ends, lone surrogates, and the code points that are no characters.
_UNHOLDABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)

#: How far ahead a start may lie, in months (domain.md A.3, A.4), and a deadline, in years (A.2).
MONTHS_AHEAD = {Track.VISIT: 24, Track.TRAINING: 36}
YEARS_AHEAD = 3

_write = DataRequired(_l("Please fill this in."))
_choose = DataRequired(_l("Please choose one."))


class SealedForm(PortalForm):
    """A form that brings its own unique key, the secret of its uploads, and the moment it was opened."""

    submission_key = HiddenField()
    claim_token = HiddenField()
    began = HiddenField()


class InquiryForm(SealedForm):
    """What all three tracks ask."""

    track: Track
    department: Department

    source_page = HiddenField()
    website = StringField(_l("Leave this field empty"))
    institution_ror = HiddenField(validators=[check_ror])

    full_name = StringField(
        LABELS["full_name"],
        [_write, Line(1, 120)],
        filters=[stripped],
        description=_l("Write it as you use it professionally. Any script; single names are fine."),
        render_kw={"autocomplete": "name"},
    )
    email = EmailField(
        LABELS["email"],
        [_write, OneAddress()],
        filters=[stripped],
        description=_l("We answer only here."),
        render_kw={"autocomplete": "email", "spellcheck": "false"},
    )
    institution_name = StringField(
        LABELS["institution_name"],
        [_write, Line(2, 200)],
        filters=[stripped],
        description=_l("Write it in full. If you have none at present, write “none at present”."),
        render_kw={"autocomplete": "organization"},
    )
    country = ChoiceField(
        LABELS["country"],
        [_choose],
        description=_l("Where you work or study now, not your nationality."),
        render_kw={"autocomplete": "country"},
    )
    area = ChoiceField(LABELS["area"], [_choose], description=_l("Choose the nearest. “Not sure” is fine."))
    privacy_ack = DeclarationField(
        LABELS["privacy_ack"], [DataRequired(_l("Please read the privacy notice and tick this box."))]
    )
    attachment = FileField(_l("CV"))

    def __init__(self, department: Department, *, typed: MultiDict[str, str] | None = None) -> None:
        """
        :param typed: what was typed before, on a draft; the request's own form by default.
        """
        self.department = department
        given: dict[str, Any] = {} if typed is None else {"formdata": typed}
        super().__init__(**given)
        self._offer("country", places.names(department.settings, g.lang), empty=True)
        self._offer("area", questions.choices("area", department.settings, g.lang), empty=True)
        for name in questions.CHOICES:
            if name in self._fields:
                self._offer(name, questions.choices(name, department.settings, g.lang))
        # Errors are listed in the order in which the page asks.
        order = [name for part in questions.PARTS[self.track] for name in part]
        order.insert(order.index(self.parts()[2][0]), "attachment")
        self._fields = {
            name: self._fields[name] for name in [*(n for n in self._fields if n not in order), *order]
        }

    @classmethod
    def parts(cls) -> tuple[tuple[str, ...], ...]:
        """The names of the questions, part by part."""
        return questions.PARTS[cls.track]

    def part(self, number: int) -> Iterator[Field]:
        """The questions of one part, counted from 1."""
        return (self._fields[name] for name in self.parts()[number - 1])

    @property
    def count(self) -> int:
        """How many questions it asks."""
        return sum(len(part) for part in self.parts())

    def _offer(self, name: str, choices: dict[str, str], *, empty: bool = False) -> None:
        first = (("", _("Please choose")),) if empty else ()
        self._fields[name].choices = _offered((*first, *choices.items()))  # type: ignore[attr-defined]

    def answers(self) -> dict[str, Any]:
        """What passed the checks, under the HTML names; days and months as ISO text."""
        found: dict[str, Any] = {}
        for name in ("institution_ror", *(name for part in self.parts() for name in part)):
            value = self._fields[name].data
            found[name] = value.isoformat() if isinstance(value, date) else value
        return found

    def typed(self) -> dict[str, str]:
        """What was typed, right or wrong, to be shown again later."""
        found = {}
        for name in ("institution_ror", "source_page", *(name for part in self.parts() for name in part)):
            raw = self._fields[name].raw_data or [""]
            found[name] = harmless(str(raw[0]))
        return found

    def warnings(self) -> list[str]:
        """What the partner should know although it does not stand in the way."""
        return []


@lru_cache(64)
def _offered(choices: tuple[tuple[str, str], ...]) -> tuple[SelectChoice, ...]:
    """The same for every form: there are 250 countries and regions to choose from."""
    return tuple(SelectChoice(code, words) for code, words in choices)


class CooperationForm(InquiryForm):
    """Track cooperation (domain.md A.2)."""

    track = Track.COOPERATION

    attachment = FileField(_l("Concept note"))
    organisation_type = ButtonsField(LABELS["organisation_type"], [_choose], render_kw={"class": "two"})
    cooperation_type = ButtonsField(
        LABELS["cooperation_type"],
        [_choose],
        description=_l("University-wide agreements go to the university's office; we will point you there."),
        render_kw={"class": "two"},
    )
    title = StringField(
        LABELS["title"], [_write, Line(5, 150)], filters=[stripped], description=_l("One line.")
    )
    summary = TextAreaField(
        LABELS["summary"],
        [_write, Text(50, 2000, least_cjk=20)],
        filters=[stripped],
        description=_l("One question; what you bring; what you ask of us; when."),
        render_kw={"rows": 8},
    )
    needed_by = DayField(LABELS["needed_by"], description=_l("For example the end of a funding call."))
    non_confidential_declaration = DeclarationField(
        LABELS["non_confidential_declaration"],
        [DataRequired(_l("Please take out what is confidential and tick this box."))],
        description=_l("We can sign a confidentiality agreement later."),
    )

    def validate_needed_by(self, field: Field) -> None:
        if field.data is None:
            return
        today = clock.today(self.department.timezone)
        if field.data <= today:
            raise ValidationError(_("Choose a day in the future, or leave it out."))
        if field.data > _years_after(today, YEARS_AHEAD):
            raise ValidationError(_("Choose a day within the next %(years)s years.", years=YEARS_AHEAD))


class _StayForm(InquiryForm):
    preferred_start = MonthField(LABELS["preferred_start"], [_write])
    funding_source = ButtonsField(
        LABELS["funding_source"],
        [_choose],
        description=_l("The department normally cannot pay."),
        render_kw={"class": "two"},
    )
    adult_declaration = DeclarationField(
        LABELS["adult_declaration"],
        [DataRequired(_l("You must be 18 or older at the start. Tick this box if you will be."))],
        description=_l("Radiation areas are for adults."),
    )

    def validate_preferred_start(self, field: Field) -> None:
        if field.errors:
            return
        ahead = _months_ahead(field.data, clock.today(self.department.timezone))
        if ahead < 0:
            raise ValidationError(_("Choose this month or a later one."))
        if ahead > MONTHS_AHEAD[self.track]:
            raise ValidationError(
                _("Choose a month within the next %(months)s months.", months=MONTHS_AHEAD[self.track])
            )


class VisitForm(_StayForm):
    """Track visit (domain.md A.3)."""

    track = Track.VISIT

    visitor_type = ButtonsField(LABELS["visitor_type"], [_choose])
    duration_weeks = WholeNumberField(
        LABELS["duration_weeks"],
        [InputRequired(_l("Please fill this in."))],
        description=_l("From 1 to 52. Stays up to 180 days and longer ones follow different visa rules."),
        render_kw={"inputmode": "numeric", "min": "1", "max": "52"},
    )
    purpose = TextAreaField(
        LABELS["purpose"],
        [_write, Text(50, 2000, least_cjk=20)],
        filters=[stripped],
        description=_l("Two or three concrete outcomes, and what you will use at home."),
        render_kw={"rows": 8},
    )

    def __init__(self, department: Department, *, typed: MultiDict[str, str] | None = None) -> None:
        super().__init__(department, typed=typed)
        kinds = department.settings.tracks.visit.visitor_types
        self._offer("visitor_type", {kind.code: _with_help(kind) for kind in kinds})

    def validate_duration_weeks(self, field: Field) -> None:
        if field.data is None:
            return
        if not 1 <= field.data <= 52:
            raise ValidationError(_("Enter a number of weeks from 1 to 52."))
        kind = self.department.settings.tracks.visit.visitor_type(self.visitor_type.data or "")
        if kind and field.data > kind.max_weeks:
            raise ValidationError(
                _(
                    "The longest stay as “%(kind)s” is %(weeks)s weeks.",
                    kind=kind.name.get(g.lang),
                    weeks=kind.max_weeks,
                )
            )

    def warnings(self) -> list[str]:
        found = start_is_soon(self.department, self.preferred_start.data, self.visitor_type.data)
        return [found] if found else []


def _with_help(kind: VisitorType) -> str:
    name = kind.name.get(g.lang)
    if kind.help is None:
        return name
    return (
        f"{name}（{kind.help.get(g.lang).rstrip('。')}）"
        if g.lang == "zh"
        else f"{name}: {kind.help.get(g.lang)}"
    )


class TrainingForm(_StayForm):
    """Track training (domain.md A.4)."""

    track = Track.TRAINING

    degree_status = ButtonsField(LABELS["degree_status"], [_choose], render_kw={"class": "two"})
    training_model = ButtonsField(
        LABELS["training_model"],
        [_choose],
        description=_l(
            "Full degrees are decided by the university; we can tell you whether a supervisor is interested."
        ),
    )
    interest_statement = TextAreaField(
        LABELS["interest_statement"],
        [_write, Text(80, 2000, least_cjk=32)],
        filters=[stripped],
        description=_l("What you work on; the method you lack; which of our focuses fits."),
        render_kw={"rows": 8},
    )


FORMS: dict[Track, type[InquiryForm]] = {
    Track.COOPERATION: CooperationForm,
    Track.VISIT: VisitForm,
    Track.TRAINING: TrainingForm,
}


class AnswerForm(SealedForm):
    """The partner writes, with files."""

    body = TextAreaField(
        _l("Your message"), [_write, Text(2, 5000)], filters=[stripped], render_kw={"rows": 6}
    )
    attachment = FileField(_l("Files"), render_kw={"multiple": True})


class ButtonForm(PortalForm):
    """A page with nothing but a button."""


class CorrectionForm(PortalForm):
    """The address was mistyped."""

    email = EmailField(
        _l("The right e-mail"),
        [_write, OneAddress()],
        filters=[stripped],
        render_kw={"autocomplete": "email"},
    )


class LinkForm(PortalForm):
    """A new private link."""

    reference = StringField(
        _l("Reference number"),
        [_write, Line(1, 32)],
        filters=[stripped],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    email = EmailField(
        LABELS["email"], [_write, OneAddress()], filters=[stripped], render_kw={"autocomplete": "email"}
    )


def start_is_soon(department: Department, month: str | None, visitor_type: str | None) -> str | None:
    """A friendly word when the month lies before what preparing a visit usually takes. It never refuses."""
    if not month or len(month) != 7:
        return None
    kind = department.settings.tracks.visit.visitor_type(visitor_type or "")
    if kind is None:
        return None
    earliest = earliest_visit(
        department.settings, today=clock.today(department.timezone), visitor_type=kind.code
    ).day
    if month >= f"{earliest:%Y-%m}":
        return None
    return _(
        "The start you named is soon: when a visa is needed, preparing a stay as “%(kind)s” usually takes "
        "%(weeks)s weeks. We will tell you what is possible.",
        kind=kind.name.get(g.lang),
        weeks=kind.lead_time_weeks,
    )


def harmless(value: str) -> str:
    """Typed text without what neither a database nor a page can hold, cut to what a form can ask."""
    return _UNHOLDABLE.sub("", value[:20_000])


def _months_ahead(month: str, today: date) -> int:
    return (int(month[:4]) - today.year) * 12 + int(month[5:7]) - today.month


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
