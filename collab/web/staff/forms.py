"""The forms of the staff's steps. Each carries the version of the inquiry that the page showed."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import DataRequired, InputRequired, Optional
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from collab.core import clock
from collab.core.errors import Invalid
from collab.inquiries.models import AssignmentKind, HostAnswer
from collab.reviews import ConditionOwner, Verdict
from collab.web.forms import Day, Line, PortalForm, Text, stripped

#: A letter may be long, but it stays a letter.
LETTER_LENGTH = 8000
NOTE_LENGTH = 4000


class Seen(IntegerField):
    """The version of the inquiry that the person had before the eyes."""

    widget = HiddenInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read a small number."""
        value = str(valuelist[0]) if valuelist else ""
        if not value.isascii() or not value.isdigit() or len(value) > 9:
            self.data = None
            raise ValueError(_("This page was not sent as it was shown. Open the inquiry again."))
        self.data = int(value)


class Numbers(Field):
    """Ids of boxes that were ticked; the page draws the boxes."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read small numbers; anything else is refused."""
        texts = [str(value) for value in valuelist]
        if len(texts) > 100 or any(
            not text.isascii() or not text.isdigit() or len(text) > 9 for text in texts
        ):
            self.data = []
            raise ValueError(_("This page was not sent as it was shown. Open the inquiry again."))
        self.data = [int(text) for text in texts]


def choices(pairs: Any) -> list[SelectChoice]:
    """Choices of a select or radio field: value and label."""
    return [SelectChoice(str(value), label) for value, label in pairs]


def options(enum: Any) -> list[SelectChoice]:
    """An enum's members with their labels."""
    return choices((member, member.label) for member in enum)


def words(
    label: Any, *, most: int = NOTE_LENGTH, needed: Any = None, rows: int = 6, **more: Any
) -> TextAreaField:
    """A text of several lines."""
    checks: list[Any] = [DataRequired(needed)] if needed else [Optional()]
    return TextAreaField(
        label, filters=[stripped], validators=[*checks, Text(most=most)], render_kw={"rows": rows}, **more
    )


def line(label: Any, *, most: int = 200, needed: Any = None, **more: Any) -> StringField:
    """A text of one line."""
    checks: list[Any] = [DataRequired(needed)] if needed else [Optional()]
    return StringField(label, filters=[stripped], validators=[*checks, Line(most=most)], **more)


class StepForm(PortalForm):
    """The base of all steps: nothing to fill in but a button."""

    #: After a conflict, what happened since then is shown beside what was typed.
    opened_at = HiddenField(default=lambda: clock.now().isoformat())
    version = Seen(
        validators=[InputRequired(_l("This page was not sent as it was shown. Open the inquiry again."))]
    )


def text_module() -> SelectField:
    """Which text module to begin with; what cannot be used is said by ``worded``."""
    return SelectField(_l("Text module"), validators=[Optional()], validate_choice=False)


class AskForm(StepForm):
    """A question to the partner.

    ``filled_for`` is the day that a text module named when it was put in.
    """

    wording = text_module()
    filled_for = HiddenField(validators=[Optional(), Line(most=10)])
    question = words(
        _l("Your question"),
        most=LETTER_LENGTH,
        needed=_l("Write the question."),
        rows=9,
        description=_l("The partner reads this as it stands. Say what you need and why."),
    )
    answer_by = Day(
        _l("Answer by"),
        validators=[InputRequired(_l("Choose a day."))],
        description=_l("Until then the department's clock stands still. Reminders go out by themselves."),
    )


HOST_ANSWERS = (
    (HostAnswer.YES, _l("Yes, my group can take this")),
    (HostAnswer.LATER, _l("Yes, but later")),
    (HostAnswer.NO, _l("No, my group cannot")),
)
ASSIGNMENT_KINDS = (
    (AssignmentKind.HOST, _l("As host: says whether and when the group can take it")),
    (AssignmentKind.REVIEWER, _l("As reviewer: gives an opinion")),
)


#: Made before the fields of ``ReplaceForm``, since it is asked first.
_FOR_WHAT = RadioField(
    _l("For what"), choices=choices(ASSIGNMENT_KINDS), validators=[InputRequired(_l("Choose one."))]
)


class ReplaceForm(StepForm):
    """Whom to ask, until when."""

    person = SelectField(
        _l("Person"),
        validators=[InputRequired(_l("Choose a person."))],
        description=_l("In brackets: how many answers this person still owes."),
    )
    despite = BooleanField(
        _l("I judged a possible conflict of interest of this person, and there is none"),
        description=_l("Needed only where the portal points one out."),
    )
    due_on = Day(_l("Answer by"), validators=[InputRequired(_l("Choose a day."))])
    note = words(_l("A word to this person"), most=1000, rows=3, description=_l("For staff only."))

    @property
    def judged(self) -> bool:
        """Whether a possible conflict of interest was judged to be none; the page may have had none to judge."""
        return "despite" in self and bool(self.despite.data)


class RouteForm(ReplaceForm):
    """Whom to give an inquiry to."""

    kind = _FOR_WHAT


class HostForm(StepForm):
    """The host's word."""

    answer = RadioField(
        _l("Can your group take this?"),
        choices=choices(HOST_ANSWERS),
        validators=[InputRequired(_l("Choose one."))],
    )
    period = line(
        _l("When"), most=80, description=_l("For instance “from March 2027” or “spring 2027, 8 weeks”.")
    )
    note = words(_l("Why, or what to mind"), most=1000, rows=4, description=_l("For staff only."))


class ReadyForm(StepForm):
    """To the head although something is missing."""

    note = words(
        _l("Why it goes to the head now, in one sentence"),
        most=1000,
        rows=3,
        needed=_l("Write one sentence."),
        description=_l("It stands in the history; the head reads it."),
    )


class SetAsideForm(StepForm):
    """Spam or a test."""

    reason = RadioField(_l("What is it?"), validators=[InputRequired(_l("Choose one."))])
    note = words(_l("Note"), most=1000, rows=3, description=_l("For staff only."))


class BecauseForm(StepForm):
    """Why something is done, for the record."""

    note = words(_l("Why"), most=1000, needed=_l("Write one sentence."), rows=4)


class NoteForm(StepForm):
    """A note between staff."""

    note = words(_l("Note"), needed=_l("Write the note."), rows=3)
    tell = SelectMultipleField(
        _l("Tell also"),
        coerce=int,
        validate_choice=False,  # the verb knows who may be told, and says why not
        validators=[Optional()],
        widget=ListWidget(),
        option_widget=CheckboxInput(),
        render_kw={"class": "two"},
    )

    def offer(self, people: Iterable[tuple[int, str]]) -> None:
        """The people who can be told; without any there is nothing to choose."""
        self.tell.choices = [SelectChoice(id, name) for id, name in people]
        if not self.tell.choices:
            del self.tell

    @property
    def told(self) -> list[int]:
        """Who was chosen."""
        return list(self.tell.data or []) if "tell" in self else []


class LetterForm(StepForm):
    """A free letter to the partner."""

    wording = text_module()
    letter = words(_l("Letter"), most=LETTER_LENGTH, needed=_l("Write the letter."), rows=6)


class OwnForm(StepForm):
    """Which coordinator has it."""

    person = SelectField(_l("Coordinator"), validators=[Optional()])


class LetterStepForm(StepForm):
    """A step that ends with a letter: its facts first, then the letter as it will go out.

    ``drafted_for`` says for which facts the letter was drafted, so that changed facts make a new draft.
    """

    letter = TextAreaField(
        _l("Letter"),
        filters=[stripped],
        validators=[Optional(), Text(most=LETTER_LENGTH)],
        render_kw={"rows": 18},
    )
    drafted_for = HiddenField(validators=[Optional(), Line(most=64)])
    wording = text_module()

    #: The fields of the first page.
    facts: tuple[str, ...] = ()


class ReferForm(LetterStepForm):
    """Another office is right."""

    facts = ("reason", "office", "contact", "note")
    reason = SelectField(_l("Reason"), validators=[InputRequired(_l("Choose a reason."))])
    office = line(
        _l("Office"), needed=_l("Name the office."), description=_l("As the partner should read it.")
    )
    contact = line(
        _l("How to reach it"),
        needed=_l("Say how the partner reaches this office: a link, an address or a telephone number."),
    )
    note = words(_l("Note"), most=1000, rows=3, description=_l("For staff only."))


class DeclineForm(LetterStepForm):
    """It cannot be offered."""

    facts = ("reason", "note")
    reason = SelectField(_l("Reason"), validators=[InputRequired(_l("Choose a reason."))])
    note = words(_l("Note"), most=1000, rows=3, description=_l("For staff only."))


class FulfilForm(LetterStepForm):
    """All conditions are met: only the letter."""


class ConditionForm(Form):
    """One condition."""

    text = line(_l("Condition"), most=300)
    due_on = Day(_l("Due on"), validators=[Optional()])
    owner = SelectField(_l("Who sees to it"), choices=options(ConditionOwner))

    @property
    def is_empty(self) -> bool:
        """Whether nobody has written anything into this row."""
        return not self.text.data and not any(str(value).strip() for value in self.due_on.raw_data or ())


#: Rows for conditions on the page at first, and at most: more is another kind of answer.
CONDITIONS, MOST_CONDITIONS = 3, 12


class DecideForm(LetterStepForm):
    """The head's decision."""

    facts = (
        "verdict",
        "because",
        "deviation",
        "conditions",
        "period",
        "referral_reason",
        "office",
        "contact",
        "decline_reason",
    )
    verdict = RadioField(
        _l("Decision"), choices=options(Verdict), validators=[InputRequired(_l("Choose one."))]
    )
    because = line(
        _l("Why, in one sentence"),
        most=500,
        needed=_l("Write one sentence why."),
        description=_l("For the record; the partner does not read it."),
    )
    deviation = words(
        _l("Why you decide otherwise than the guide line proposes"),
        most=1000,
        rows=3,
        description=_l("For the record; the partner does not read it."),
    )
    conditions = FieldList(
        FormField(ConditionForm), _l("Conditions"), min_entries=CONDITIONS, max_entries=MOST_CONDITIONS
    )
    period = line(_l("Period without a place"), most=80, description=_l("For instance “spring 2027”."))
    referral_reason = SelectField(_l("Reason for referring"), validators=[Optional()])
    office = line(_l("Office"))
    contact = line(_l("How to reach it"))
    decline_reason = SelectField(_l("Reason for declining"), validators=[Optional()])

    def refuse(self, refusal: Invalid) -> None:
        """Reasons have a field for each verdict; what is wrong with conditions as a whole stands above the form."""
        if refusal.field == "reason":
            name = "referral_reason" if self.verdict.data == Verdict.REFER else "decline_reason"
            refusal = Invalid(name, refusal.message)
        if refusal.field == "conditions":
            first: Field = self.conditions[0].form.text
            first.errors = [*first.errors, refusal.message]
            return
        super().refuse(refusal)


class SettleForm(StepForm):
    """What has become of a condition."""

    state = HiddenField(validators=[InputRequired()])
