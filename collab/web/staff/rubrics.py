"""The rubrics of a department: read, changed into a new version, never changed in place."""

import re
from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError
from wtforms import FieldList, Form, FormField, HiddenField, StringField
from wtforms.validators import InputRequired, Optional

from collab import accounts, departments
from collab.accounts.permissions import Permission, check, departments_where
from collab.core.db import unit_of_work
from collab.core.errors import Conflict, NotFound
from collab.core.text import fold
from collab.departments import Bilingual, Criterion, Department, RubricSettings, Track
from collab.departments.settings import Anchors
from collab.reviews import Rubric, rubrics
from collab.web.access import actor, requires
from collab.web.forms import Line, PortalForm, stripped
from collab.web.staff import bp
from collab.web.staff.forms import Seen
from collab.web.staff.words import TRACKS
from collab.web.staff_chrome import departments_here

_BOTH = ["GET", "POST"]
#: Empty rows for further criteria under those there are, and the most there can be.
SPARE, MOST = 3, 12
_ANCHORS = ("five", "three", "one")
_TEXTS = ("name", *_ANCHORS)


def _words(label: Any, most: int = 300) -> StringField:
    return StringField(label, filters=[stripped], validators=[Optional(), Line(most=most)])


class CriterionForm(Form):
    """One criterion; empty in all its fields it is left out."""

    code = HiddenField(validators=[Optional()])
    weight = StringField(
        _l("Weight"), filters=[stripped], validators=[Optional()], render_kw={"inputmode": "numeric"}
    )
    name_en = _words(_l("Name in English"), 120)
    name_zh = _words(_l("Name in Chinese"), 120)
    five_en = _words(_l("What 5 means, in English"))
    five_zh = _words(_l("What 5 means, in Chinese"))
    three_en = _words(_l("What 3 means, in English"))
    three_zh = _words(_l("What 3 means, in Chinese"))
    one_en = _words(_l("What 1 means, in English"))
    one_zh = _words(_l("What 1 means, in Chinese"))

    def is_empty(self) -> bool:
        """Whether nothing is written in it."""
        return not any(field.data for field in self if field.short_name != "code")

    def complete(self) -> int:
        """The weight; what is missing or wrong stands at its field. 0 when the weight cannot be read."""
        for name in _TEXTS:
            for lang in ("en", "zh"):
                field = self[f"{name}_{lang}"]
                if not field.data and not field.errors:
                    field.errors = [
                        *field.errors,
                        _("Write it in both languages; reviewers read their own.")
                        if self[f"{name}_{'zh' if lang == 'en' else 'en'}"].data
                        else _("This is missing."),
                    ]
        text = str(self.weight.data or "")
        if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 100:
            self.weight.errors = [*self.weight.errors, _("Enter a whole number from 1 to 100.")]
            return 0
        return int(text)

    def read(self, taken: set[str]) -> Criterion:
        """The criterion, once it is complete."""

        def both(name: str) -> Bilingual:
            return Bilingual(en=self[f"{name}_en"].data, zh=self[f"{name}_zh"].data)

        return Criterion(
            code=_code(str(self.code.data or ""), str(self.name_en.data), taken),
            name=both("name"),
            weight=int(self.weight.data or 0),
            anchors=Anchors(five=both("five"), three=both("three"), one=both("one")),
        )


class RubricForm(PortalForm):
    """A rubric; the number says which version was changed."""

    seen = Seen(validators=[InputRequired(_l("This page was not sent as it was shown. Open it again."))])
    criteria = FieldList(FormField(CriterionForm), _l("Criteria"), max_entries=MOST)

    def content(self) -> RubricSettings | None:
        """The rubric, when it can be brought into force; otherwise what is wrong stands at its field."""
        if not self.validate_on_submit():
            return None
        rows = [entry.form for entry in self.criteria if not entry.form.is_empty()]
        if not rows:
            rows = [self.criteria[0].form]
        weights = [row.complete() for row in rows]
        if all(weights) and sum(weights) != 100:
            for row in rows[-1:]:
                row.weight.errors = [
                    *row.weight.errors,
                    _("The weights add up to %(sum)s; they have to add up to 100.", sum=sum(weights)),
                ]
        if any(row.errors for row in rows):
            self.criteria.errors = [entry.errors for entry in self.criteria if entry.errors]
            return None
        taken: set[str] = set()
        try:
            return RubricSettings(criteria=tuple(row.read(taken) for row in rows))
        except ValidationError as refusal:  # nothing the fields could have said
            self.form_errors.append(_in_words(refusal))
            return None


def _in_words(refusal: ValidationError) -> str:
    """What a document's own check says."""
    return "; ".join(str(problem["msg"]).removeprefix("Value error, ") for problem in refusal.errors())


def _code(known: str, name: str, taken: set[str]) -> str:
    """A criterion keeps its code; a new one gets one from its name."""
    code = known if re.fullmatch(r"[a-z][a-z0-9_]{1,39}", known) else ""
    if not code:
        code = re.sub(r"[^a-z0-9]+", "_", fold(name)).strip("_")[:30]
        code = code if re.match(r"[a-z].", code) else f"criterion_{code}".strip("_")
    start, number = code, 2
    while code in taken:
        code, number = f"{start[:34]}_{number}", number + 1
    taken.add(code)
    return code


@bp.get("/settings/rubrics", endpoint="rubrics")
@requires(Permission.EDIT_RUBRICS)
def every_rubric() -> ResponseReturnValue:
    """What is judged by now on each track, and every version before."""
    mine = departments_where(actor(), Permission.EDIT_RUBRICS)
    sections = [
        (department, [(track, *_now(department, track)) for track in Track])
        for department in departments_here().values()
        if department.id in mine
    ]
    return render_template("staff/settings/rubrics.html", sections=sections, tracks=TRACKS)


def _now(department: Department, track: Track) -> tuple[Sequence[Criterion], list[Rubric]]:
    versions = rubrics.versions(department, track)
    active = next((one for one in versions if one.retired_at is None), None)
    return rubrics.criteria_of(department, track, active), versions


@bp.get("/settings/rubrics/<slug>/<any(cooperation,visit,training):track>/<int:number>")
@requires(Permission.EDIT_RUBRICS)
def rubric_version(slug: str, track: str, number: int) -> ResponseReturnValue:
    """One version, as it was or is."""
    department = _department(slug)
    rubric = _version(department, Track(track), number)
    return render_template(
        "staff/settings/rubric_version.html",
        of=department,
        track=Track(track),
        track_name=TRACKS[Track(track)],
        rubric=rubric,
        author=accounts.user_by_id(rubric.created_by_id) if rubric.created_by_id else None,
    )


@bp.route("/settings/rubrics/<slug>/<any(cooperation,visit,training):track>", methods=_BOTH)
@requires(Permission.EDIT_RUBRICS)
def edit_rubric(slug: str, track: str) -> ResponseReturnValue:
    """Change a rubric: what is sent becomes the next version, and new reviews are written by it."""
    department, on = _department(slug), Track(track)
    active = rubrics.in_force(department, on)
    start = active
    asked = request.args.get("from", "")
    if asked:
        if not asked.isascii() or not asked.isdigit():
            raise NotFound
        start = _version(department, on, int(asked[:6]))
    criteria = rubrics.criteria_of(department, on, start)
    form = RubricForm(seen=active.number if active else 0, criteria=[_row(one) for one in criteria])
    while len(form.criteria) < min(len(criteria) + SPARE, MOST):
        form.criteria.append_entry()
    status, theirs = 200, None
    if request.method == "POST":
        content = form.content()
        status = 422
        if content is not None:
            try:
                with unit_of_work():
                    rubric = rubrics.activate(
                        departments.by_slug(slug), on, content, seen=form.seen.data or 0, by=actor()
                    )
                    number = rubric.number
            except Conflict as refusal:
                form.form_errors.append(refusal.message)
                theirs = rubrics.in_force(department, on)
                form.seen.raw_data, form.seen.data = None, theirs.number if theirs else 0
                status = 409
            else:
                flash(
                    _("Version %(number)s is in force. Reviews handed in before keep theirs.", number=number),
                    "success",
                )
                return redirect(url_for(".rubrics"), code=303)
    page = render_template(
        "staff/settings/rubric.html",
        form=form,
        of=department,
        track=on,
        track_name=TRACKS[on],
        kept=len(criteria),
        theirs=theirs,
    )
    return page, status


def _row(one: Criterion) -> dict[str, str]:
    row = {"code": one.code, "weight": str(one.weight), "name_en": one.name.en, "name_zh": one.name.zh}
    for name in _ANCHORS:
        words: Bilingual = getattr(one.anchors, name)
        row |= {f"{name}_en": words.en, f"{name}_zh": words.zh}
    return row


def _department(slug: str) -> Department:
    department = departments.by_slug(slug)
    if department.id not in departments_where(actor(), Permission.SEE_SETTINGS):
        raise NotFound
    check(actor(), Permission.EDIT_RUBRICS, department.id)
    return department


def _version(department: Department, track: Track, number: int) -> Rubric:
    found = next((one for one in rubrics.versions(department, track) if one.number == number), None)
    if found is None:
        raise NotFound
    return found
