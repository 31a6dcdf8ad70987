"""Tags: put on an inquiry and taken off, and the page where a department keeps its own."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import HiddenField, SelectField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are behind
from wtforms.validators import InputRequired

from collab import departments
from collab.accounts.permissions import Permission, check, departments_where, may
from collab.core.db import unit_of_work
from collab.core.errors import Conflict, NotFound
from collab.departments import Department
from collab.inquiries import tags
from collab.inquiries.margin import margin
from collab.inquiries.tags import NAME_LENGTH
from collab.web.access import actor, requires
from collab.web.forms import DONE, PortalForm
from collab.web.staff import bp
from collab.web.staff.acting import beside, inquiry_for, perform
from collab.web.staff.forms import StepForm, line
from collab.web.staff_chrome import departments_here

_BOTH = ["GET", "POST"]


# -- on an inquiry ---------------------------------------------------------------------------------------------------


class TagForm(StepForm):
    """A tag to put on."""

    tag = line(
        _l("Tag"), most=60, needed=_l("Write the tag."), description=_l("A word or two, in any language.")
    )


@bp.route("/inquiries/<reference>/tags", methods=_BOTH)
@requires(Permission.SEE_ALL_INQUIRIES)
def tag(reference: str) -> ResponseReturnValue:
    """Put a tag on; one that the department does not have yet is made when that is asked for."""
    inquiry = inquiry_for(reference, Permission.SEE_ALL_INQUIRIES)
    form = TagForm(version=inquiry.version)
    status = 200
    if request.method == "POST":
        new = "make" in request.form
        status = perform(form, inquiry, lambda: tags.put(inquiry, form.tag.data or "", by=actor(), new=new))
        if status == DONE:
            return redirect(url_for(".inquiry", reference=reference) + "#tags", code=303)
    known = margin(inquiry, seen_by=actor())
    name = (form.tag.data or "").strip()
    slug = tags.slug_of(name)
    every = {tags.slug_of(one) for one in [*known.offered, *(one for _id, one in known.tags)]}
    makes = may(actor(), Permission.EDIT_TAGS, inquiry.department_id)
    page = render_template(
        "staff/tag.html",
        form=form,
        inquiry=inquiry,
        offered=known.offered,
        unknown=name
        if makes and tags.is_slug(slug) and slug not in every and len(name) <= NAME_LENGTH
        else "",
        **beside(inquiry, conflict=status == 409),
    )
    return page, status or 200


@bp.post("/inquiries/<reference>/tags/<int:tag_id>/off")
@requires(Permission.SEE_ALL_INQUIRIES)
def untag(reference: str, tag_id: int) -> ResponseReturnValue:
    """Take a tag off."""
    inquiry = inquiry_for(reference, Permission.SEE_ALL_INQUIRIES)
    form = StepForm(version=inquiry.version)
    status = perform(form, inquiry, lambda: tags.take_off(inquiry, tag_id, by=actor()))
    if status != DONE:
        raise Conflict(" ".join(str(one) for one in form.form_errors))
    return redirect(url_for(".inquiry", reference=reference) + "#tags", code=303)


# -- the department's own --------------------------------------------------------------------------------------------


class NewTagForm(PortalForm):
    """A new tag."""

    name = line(_l("Name of the tag"), most=NAME_LENGTH, needed=_l("Write the tag."))


class TagNameForm(NewTagForm):
    """Another name; ``seen`` is the one the page showed."""

    seen = HiddenField(validators=[InputRequired()])


class MergeTagsForm(PortalForm):
    """Into which other tag."""

    into = SelectField(_l("Into"), coerce=int, validators=[InputRequired(_l("Choose another tag."))])


class PressForm(PortalForm):
    """Nothing but a button."""


@bp.get("/settings/tags", endpoint="tags")
@requires(Permission.EDIT_TAGS)
def every_tag() -> ResponseReturnValue:
    """All tags of the departments in which this person keeps them, with how often each is used."""
    return _list(NewTagForm(), 0, 200)


@bp.post("/settings/tags/<slug>")
@requires(Permission.EDIT_TAGS)
def add_tag(slug: str) -> ResponseReturnValue:
    """A new tag for a department."""
    department = _department(slug)
    form = NewTagForm()
    status = form.perform(lambda: tags.add(departments.by_slug(slug), form.name.data or "", by=actor()).name)
    if status == DONE:
        flash(_("The tag “%(name)s” can be used now.", name=form.outcome), "success")
        return redirect(url_for(".tags"), code=DONE)
    return _list(form, department.id, status)


def _list(form: NewTagForm, department_id: int, status: int) -> ResponseReturnValue:
    """The page of all tags; the form that was sent stands in its department's part."""
    mine = departments_where(actor(), Permission.EDIT_TAGS)
    sections = []
    for department in departments_here().values():
        if department.id in mine:
            own = form if department.id == department_id else NewTagForm(formdata=None)
            own.name.id = f"name-{department.slug}"  # several stand on one page
            sections.append((department, tags.of_department(department, seen_by=actor()), own))
    looks = departments_where(actor(), Permission.SEE_ALL_INQUIRIES)
    page = render_template("staff/settings/tags.html", sections=sections, looks=looks, form=form)
    return page, status


@bp.route("/settings/tags/<int:tag_id>", methods=_BOTH)
@requires(Permission.EDIT_TAGS)
def edit_tag(tag_id: int) -> ResponseReturnValue:
    """One tag: another name; merge and retire stand on the same page."""
    found = tags.by_id(tag_id, seen_by=actor())
    form = TagNameForm(seen=found.name, name=found.name)
    status = form.perform(
        lambda: tags.rename(
            tags.by_id(tag_id, seen_by=actor()), form.name.data or "", seen=form.seen.data or "", by=actor()
        )
    )
    if status == DONE:
        flash(_("Renamed. The old name leads to the new one."), "success")
        return redirect(url_for(".tags"), code=DONE)
    if status == 409:
        found = tags.by_id(tag_id, seen_by=actor())
        form.seen.raw_data, form.seen.data = None, found.name
    merging, number = _merging(tag_id)
    return _one(tag_id, form, merging, number, status)


@bp.post("/settings/tags/<int:tag_id>/merge")
@requires(Permission.EDIT_TAGS)
def merge_tag(tag_id: int) -> ResponseReturnValue:
    """Make one tag of two."""
    found = tags.by_id(tag_id, seen_by=actor())
    form, on = _merging(tag_id)

    def merge() -> tuple[int, str]:
        into = tags.by_id(form.into.data, seen_by=actor())
        return tags.merge(tags.by_id(tag_id, seen_by=actor()), into, by=actor()), into.name

    status = form.perform(merge)
    if status == DONE:
        number, name = form.outcome
        flash(
            ngettext(
                "Merged: %(num)s inquiry has “%(name)s” now.",
                "Merged: %(num)s inquiries have “%(name)s” now.",
                number,
                name=name,
            ),
            "success",
        )
        return redirect(url_for(".tags"), code=DONE)
    return _one(tag_id, TagNameForm(formdata=None, seen=found.name, name=found.name), form, on, status)


@bp.post("/settings/tags/<int:tag_id>/<any(retire,back):what>")
@requires(Permission.EDIT_TAGS)
def retire_tag(tag_id: int, what: str) -> ResponseReturnValue:
    """Offer it no more, or again."""
    if not PressForm().validate_on_submit():
        raise NotFound
    with unit_of_work():
        found = tags.by_id(tag_id, seen_by=actor())
        name = found.name
        (tags.retire if what == "retire" else tags.bring_back)(found, by=actor())
    if what == "retire":
        flash(_("“%(name)s” is not offered any more; it stays where it is.", name=name), "success")
    else:
        flash(_("“%(name)s” is offered again.", name=name), "success")
    return redirect(url_for(".tags"), code=303)


def _merging(tag_id: int) -> tuple[MergeTagsForm, int]:
    """What it can be merged into, and on how many inquiries it is: both from one look at the department's tags."""
    found = tags.by_id(tag_id, seen_by=actor())
    department = departments_here()[found.department_id]
    every = tags.of_department(department, seen_by=actor())
    form = MergeTagsForm()
    form.into.choices = [
        SelectChoice(one.tag.id, one.tag.name)
        for one in every
        if one.tag.id != tag_id and one.tag.retired_at is None
    ]
    return form, next(one.inquiries for one in every if one.tag.id == tag_id)


def _one(
    tag_id: int, form: TagNameForm, merging: MergeTagsForm, number: int, status: int
) -> ResponseReturnValue:
    found = tags.by_id(tag_id, seen_by=actor())
    department = departments_here()[found.department_id]
    page = render_template(
        "staff/settings/tag.html",
        form=form,
        merging=merging,
        tag=found,
        of=department,
        number=number,
    )
    return page, status


def _department(slug: str) -> Department:
    department = departments.by_slug(slug)
    if department.id not in departments_where(actor(), Permission.SEE_SETTINGS):
        raise NotFound
    check(actor(), Permission.EDIT_TAGS, department.id)
    return department
