"""The reviewer's page: what the partner asks on the left, the criteria on the right, kept while it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, TextAreaField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired, Optional

from collab import reviews
from collab.accounts.permissions import Permission
from collab.core.errors import Forbidden, Invalid
from collab.departments import Criterion
from collab.inquiries import Inquiry, Status, queries
from collab.inquiries.models import LightPath
from collab.reviews import Content, Opinion, OpinionDraft, Recommendation
from collab.reviews.scores import BECAUSE_LENGTH, CANNOT_JUDGE, COMMENT_LENGTH, REVIEWED
from collab.web import hooks
from collab.web.access import actor, requires
from collab.web.forms import DONE
from collab.web.staff import bp
from collab.web.staff.acting import act, beside, inquiry_for, not_possible, perform
from collab.web.staff.forms import Seen, StepForm, choices, options, words

_BOTH = ["GET", "POST"]
#: The scale of all tracks (domain.md C), from the best to the worst.
SCALE = (
    ("5", _l("outstanding: would displace other plans for it")),
    ("4", _l("good: clear benefit, small questions")),
    ("3", _l("adequate: acceptable if a place is free")),
    ("2", _l("weak: important gaps, ask or decline")),
    ("1", _l("poor: wrong fit or no substance")),
)
_NOT_AS_SHOWN = _l("This page was not sent as it was shown. Open the inquiry again.")


class ReviewForm(StepForm):
    """A review without scores: what the light path asks, and the end of every other review."""

    revision = Seen(validators=[InputRequired(_NOT_AS_SHOWN)])
    rubric = Seen(validators=[InputRequired(_NOT_AS_SHOWN)])
    recommendation: RadioField
    because: TextAreaField

    #: Of the rubric this form was made for.
    criteria: Sequence[Criterion] = ()

    def mark(self, code: str) -> RadioField:
        """The number given for a criterion."""
        return cast(RadioField, self[f"mark_{code}"])

    def comment(self, code: str) -> TextAreaField:
        """The comment on a criterion."""
        return cast(TextAreaField, self[f"comment_{code}"])

    def content(self) -> Content:
        """What stands in the form, complete or not."""
        return Content(
            recommendation=self.recommendation.data or "",
            because=self.because.data or "",
            marks={one.code: self.mark(one.code).data or "" for one in self.criteria},
            comments={one.code: self.comment(one.code).data or "" for one in self.criteria},
        )

    def complete(self) -> bool:
        """Whether it can be handed in; what is missing stands at its field, all of it at once."""
        if not self.validate_on_submit():
            return False
        for criterion in self.criteria:
            if not self.mark(criterion.code).data:
                self.refuse(Invalid(f"mark_{criterion.code}", _("Choose a number, or “Cannot judge”.")))
        if not self.recommendation.data:
            self.refuse(Invalid("recommendation", _("Choose one.")))
        if not self.because.data:
            self.refuse(Invalid("because", _("Say why in a sentence or two.")))
        return not self.errors


@dataclass(frozen=True)
class Desk:
    """A reviewer's page as it stands: what is judged by, what was kept, what was handed in."""

    inquiry: Inquiry
    criteria: Sequence[Criterion]
    rubric: int
    draft: OpinionDraft | None
    opinion: Opinion | None

    @property
    def is_open(self) -> bool:
        """Whether something is kept that was not handed in."""
        return self.draft is not None and self.draft.is_open

    @property
    def content(self) -> Content:
        """What the reviewer goes on with."""
        if self.draft is not None and self.draft.is_open:
            return Content.read(self.draft.content)
        return Content.of(self.opinion) if self.opinion else Content()

    @property
    def revision(self) -> int:
        return self.draft.revision if self.draft else 0

    def form(self) -> ReviewForm:
        """The form for these criteria, with what the reviewer goes on with."""
        fields: dict[str, Any] = {"criteria": self.criteria}
        content = self.content
        numbers = [SelectChoice(number, number) for number in "12345"]
        for one in self.criteria:
            fields[f"mark_{one.code}"] = RadioField(
                one.name.get(hooks.language()),
                choices=[*numbers, SelectChoice(CANNOT_JUDGE, _("Cannot judge"))],
                default=content.marks.get(one.code),
                validators=[Optional()],
            )
            fields[f"comment_{one.code}"] = words(
                _("Comment"), most=COMMENT_LENGTH, rows=2, default=content.comments.get(one.code)
            )
        # Last, so that what is missing is listed in the page's order.
        fields["recommendation"] = RadioField(
            _("All in all, you recommend to"), choices=options(Recommendation), validators=[Optional()]
        )
        fields["because"] = words(
            _("Why, in a sentence or two"),
            most=BECAUSE_LENGTH,
            rows=4,
            description=_("The head reads this; the partner does not."),
        )
        made: ReviewForm = type("ScoresForm", (ReviewForm,), fields)(
            version=self.inquiry.version,
            revision=self.revision,
            rubric=self.rubric,
            recommendation=content.recommendation or None,
            because=content.because,
        )
        return made


def _desk(inquiry: Inquiry) -> Desk:
    """:raises Forbidden: no review is asked of this person."""
    who = actor()
    if reviews.review_asked_of(inquiry, who) is None:
        raise Forbidden(_("You are not a reviewer of this inquiry."))
    every = reviews.opinions_of(inquiry)
    rubric = None if inquiry.light else reviews.rubric_of(inquiry, opinions=every)
    criteria = () if inquiry.light else reviews.rubrics.criteria_of(inquiry.department, inquiry.track, rubric)
    return Desk(
        inquiry=inquiry,
        criteria=criteria,
        rubric=rubric.number if rubric else 1,
        draft=reviews.draft_of(inquiry, who),
        opinion=next((one for one in every if one.user_id == who.user_id), None),
    )


@bp.route("/inquiries/<reference>/review", methods=_BOTH)
@requires(Permission.REVIEW)
def review(reference: str) -> ResponseReturnValue:
    """Write, keep and hand in one's review."""
    inquiry = inquiry_for(reference, Permission.REVIEW)
    desk = _desk(inquiry)
    if request.method == "GET":
        if inquiry.status not in REVIEWED:
            not_possible(inquiry, _("The inquiry is not in review any more."))
        return _page(desk, desk.form())
    form = desk.form()
    if "save" in request.form:
        status = perform(form, inquiry, lambda: _save(desk, form))
        done = _("Kept. Only you can read it; hand it in when it is ready.")
        target = url_for(".review", reference=inquiry.reference)
    else:
        status = 422 if not form.complete() else perform(form, inquiry, lambda: _hand_in(desk, form))
        done = _("Thank you. Your review is in; you can change it as long as the inquiry is in review.")
        target = url_for(".inquiry", reference=inquiry.reference)
    if status == DONE:
        flash(done, "success")
        return redirect(target, code=303)
    return _page(desk, form, status)


@bp.post("/inquiries/<reference>/review/draft")
@requires(Permission.REVIEW)
def keep_review(reference: str) -> ResponseReturnValue:
    """What the page sends by itself while somebody writes."""
    inquiry = inquiry_for(reference, Permission.REVIEW)
    desk = _desk(inquiry)
    form = desk.form()
    status = perform(form, inquiry, lambda: _save(desk, form))
    if status != DONE:
        return jsonify(said=_said_why_not(form, status)), status
    draft = reviews.draft_of(inquiry, actor())
    assert draft is not None
    return jsonify(revision=draft.revision, said=_said_saved(draft, inquiry))


def _save(desk: Desk, form: ReviewForm) -> None:
    reviews.save_draft(desk.inquiry, form.content(), by=actor(), revision=form.revision.data or 0)


def _hand_in(desk: Desk, form: ReviewForm) -> None:
    content = form.content()
    reviews.give_opinion(
        desk.inquiry,
        Recommendation(content.recommendation),
        because=content.because,
        scores=content.whole(desk.criteria),
        rubric=form.rubric.data,
        revision=form.revision.data,
        by=actor(),
        version=form.version.data,
    )


def _page(desk: Desk, form: ReviewForm, status: int = 200) -> ResponseReturnValue:
    inquiry = desk.inquiry
    now, other = desk, None
    if status == 409:
        now = _desk(inquiry)
        if now.criteria != desk.criteria:  # the rubric changed: what was typed goes on in the new form
            form, form.form_errors = now.form(), form.form_errors
        if form.revision.data != now.revision:
            other = now.content
        # Whoever has compared and still wants the same may press again.
        for field, value in ((form.revision, now.revision), (form.rubric, now.rubric)):
            field.raw_data, field.data = None, value
    around = beside(inquiry, conflict=status == 409 and other is None)
    thread = queries.thread(inquiry)
    page = render_template(
        "staff/review/write.html",
        form=form,
        desk=now,
        other=other,
        inquiry=inquiry,
        scale=SCALE,
        files=thread.files,
        letters=[entry for entry in thread.entries if entry.kind == "in"],
        saved=_said_saved(now.draft, inquiry) if now.draft is not None and now.is_open else "",
        words_of={**{str(one): one.label for one in Recommendation}, CANNOT_JUDGE: _("Cannot judge")},
        **around,
    )
    return page, status


def _said_saved(draft: OpinionDraft, inquiry: Inquiry) -> str:
    local = draft.at.astimezone(ZoneInfo(inquiry.department.timezone))
    return _("Saved %(time)s. Only you can read it.", time=f"{local:%H:%M}")


def _said_why_not(form: ReviewForm, status: int) -> str:
    if status == 409:
        return " ".join(
            [*map(str, form.form_errors), _("Press “Save for later” to see both texts side by side.")]
        )
    return _(
        "Not saved: something in the form is too long, or cannot be read. Press “Save for later” to see it."
    )


@bp.route("/inquiries/<reference>/light", methods=_BOTH)
@requires(Permission.TRIAGE)
def light(reference: str) -> ResponseReturnValue:
    """The light path: one host's answer, no scores."""
    inquiry = inquiry_for(reference, Permission.TRIAGE)
    if request.method == "GET" and inquiry.status not in REVIEWED | {Status.RECEIVED}:
        not_possible(inquiry, _("The inquiry is not in review any more."))
    form = LightForm(version=inquiry.version, light=inquiry.light.value if inquiry.light else "")
    return act(
        form,
        inquiry,
        lambda: reviews.take_path(
            inquiry,
            LightPath(form.light.data) if form.light.data else None,
            by=actor(),
            version=form.version.data,
        ),
        title=_("Choose the path"),
        lede=_(
            "On the light path one host's answer is enough and nobody scores the inquiry. "
            "The head still decides."
        ),
        button=_("Choose"),
        done=_("The path is chosen."),
    )


class LightForm(StepForm):
    """Which path an inquiry takes."""

    light = RadioField(
        _l("What does the partner ask for?"),
        choices=[
            *choices((one, one.label) for one in LightPath),
            SelectChoice("", _l("More than that: it is reviewed in full")),
        ],
    )
