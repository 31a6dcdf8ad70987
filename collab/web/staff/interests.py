"""Declaring interests: the page that stands before an inquiry opens to whoever is asked about it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired

from collab.accounts.permissions import Permission
from collab.inquiries import interests
from collab.web.access import actor, requires
from collab.web.forms import DONE, PortalForm
from collab.web.staff import bp
from collab.web.staff.rounds import round_here
from collab.web.staff.words import TRACKS

#: Where one goes on when all answers are no, besides the inquiry itself.
THEN = frozenset({"decide", "review", "answer_as_host"})


class InterestForm(PortalForm):
    """A yes or no to each question; nothing is answered in advance."""

    @classmethod
    def of_questions(cls) -> type["InterestForm"]:
        """The form with its questions."""
        fields: dict[str, Any] = {
            question: RadioField(
                words,
                choices=[SelectChoice("no", _l("No")), SelectChoice("yes", _l("Yes"))],
                validators=[InputRequired(_l("Answer yes or no."))],
                render_kw={"class": "two"},
            )
            for question, words in interests.QUESTIONS.items()
        }
        return type("InterestFormWithQuestions", (cls,), fields)

    @property
    def answers(self) -> dict[str, bool | None]:
        """What was answered."""
        said = {"yes": True, "no": False}
        return {question: said.get(self[question].data) for question in interests.QUESTIONS}


_FORM = InterestForm.of_questions()


@bp.route("/inquiries/<reference>/interest", methods=["GET", "POST"])
@requires(Permission.SEE_INQUIRIES)
def interest(reference: str) -> ResponseReturnValue:
    """The questions, one by one, with what is needed to answer them and nothing else of the inquiry."""
    asked = interests.asked_of(reference, seen_by=actor())
    then = request.args.get("then", "")
    onward = url_for(f".{then if then in THEN else 'inquiry'}", reference=reference)
    around = round_here(reference) if then == "decide" else None
    if around is not None:
        onward = url_for(".decide", reference=reference, round=around.written)
    if asked is None:  # declared already, or just now in another window
        return redirect(onward, code=303)
    form = _FORM()
    status = form.perform(
        lambda: interests.declare(
            interests.inquiry_to_declare(reference, by=actor()), form.answers, by=actor()
        )
    )
    if status == DONE:
        if form.outcome:  # no interest in it
            return redirect(onward, code=DONE)
        flash(_("Thank you. The inquiry is closed to you, and the coordinators were told."), "success")
        return redirect(around.anew().next_url if around else url_for(".home"), code=DONE)
    return render_template("staff/interest.html", form=form, asked=asked, track=TRACKS[asked.track]), status
