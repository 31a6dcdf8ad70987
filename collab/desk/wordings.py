"""Text modules: what letters and questions begin with, in both languages, by step and reason.

A department begins with general ones (``wordings.yaml``); what it changes or adds is kept as versions. A module is a
beginning: it fills the form, a person reads and changes it, and nothing is ever sent from here.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa
import yaml
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from collab import audit, mail
from collab.accounts.actor import Actor
from collab.accounts.permissions import Permission, check
from collab.core import clock
from collab.core.db import db
from collab.core.errors import Conflict, Invalid, NotFound
from collab.core.text import HiddenCharacters, clean_line, clean_text
from collab.core.wording import format_day
from collab.departments import Bilingual, Department
from collab.desk import placeholders
from collab.desk.models import Wording, WordingStep, WordingVersion
from collab.inquiries import Inquiry, Reason, Step
from collab.inquiries.reasons import DECLINE, REFERRAL

__all__ = [
    "OF_LETTER", "REASONS", "Content", "Module", "WordingStep", "add", "bring_back", "change", "general", "known",
    "letter", "module", "modules", "proposed", "retire", "versions", "words",
]  # fmt: skip

TITLE_LENGTH = 80
#: Both languages together stand in one letter.
BODY_LENGTH = 3500
#: So many of a department's own.
MOST = 200

#: What can stand in braces, in every text and in those of one step.
EVERYWHERE = ("full_name", "reference", "track", "area", "department")
OF_STEP: dict[WordingStep, tuple[str, ...]] = {
    WordingStep.ASK: ("answer_by",),
    WordingStep.REFER: ("office", "contact"),
    WordingStep.WAITLIST: ("period",),
    WordingStep.CONDITIONS: ("conditions",),
}
#: The reasons a step can have.
REASONS: dict[WordingStep, tuple[Reason, ...]] = {WordingStep.DECLINE: DECLINE, WordingStep.REFER: REFERRAL}
#: Which texts begin the letter of a step.
OF_LETTER: dict[Step, WordingStep] = {
    Step.REFER: WordingStep.REFER,
    Step.DECLINE: WordingStep.DECLINE,
    Step.WAITLIST: WordingStep.WAITLIST,
    Step.ACCEPT: WordingStep.ACCEPT,
    Step.FULFIL: WordingStep.ACCEPT,
    Step.CONDITIONS: WordingStep.CONDITIONS,
}


@dataclass(frozen=True)
class Module:
    """One text module, in one version.

    :param code: its name in addresses.
    :param number: of the version; the general ones are version 1.
    :param own: whether the department changed or made it.
    """

    code: str
    step: WordingStep
    reason: Reason | None
    title: Bilingual
    body: Bilingual
    number: int = 1
    own: bool = False
    retired: bool = False
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True)
class Content:
    """What a person writes into a module."""

    step: WordingStep
    reason: Reason | None
    title_en: str
    title_zh: str
    body_en: str
    body_zh: str


def known(step: WordingStep) -> tuple[str, ...]:
    """The placeholders of a step's texts."""
    return (*EVERYWHERE, *OF_STEP.get(step, ()))


# -- what there is ---------------------------------------------------------------------------------------------------


@cache
def _general() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(
        (files("collab.desk") / "wordings.yaml").read_text(encoding="utf-8")
    )
    return data


@cache
def general() -> tuple[Module, ...]:
    """The modules every department begins with; they are data, next to this file."""
    found = []
    for entry in _general()["texts"]:
        step = WordingStep(entry["step"])
        body = entry.get("body") or {
            lang: frame.replace("<why>", entry["why"][lang]).replace("<pointer>", entry["pointer"][lang])
            for lang, frame in _general()["frames"][step.value].items()
        }
        reason = Reason(entry["reason"]) if "reason" in entry else None
        found.append(
            Module(
                entry["code"],
                step,
                reason,
                Bilingual(**entry["title"]),
                Bilingual(en=body["en"], zh=body["zh"]),
            )
        )
    return tuple(found)


def modules(department: Department, *, retired: bool = False) -> list[Module]:
    """A department's modules, by step, reason and title: its own ones, and the general ones it did not change.

    :param retired: with those that are not offered any more.
    """
    rows = db.session.execute(
        sa.select(Wording, WordingVersion)
        .join(
            WordingVersion,
            sa.and_(WordingVersion.wording_id == Wording.id, WordingVersion.number == Wording.number),
        )
        .where(Wording.department_id == department.id)
    )
    own = {wording.code: _module(wording, version) for wording, version in rows}
    every = [own.pop(one.code, one) for one in general()]
    every += own.values()
    places = {reason: place for place, reason in enumerate(Reason)}
    return sorted(
        (one for one in every if retired or not one.retired),
        key=lambda one: (
            list(WordingStep).index(one.step),
            places[one.reason] if one.reason else -1,
            one.title.en.casefold(),
        ),
    )


def module(department: Department, code: str, *, retired: bool = False) -> Module:
    """One module by its code.

    :raises NotFound: the department has none such, or does not offer it any more.
    """
    found = next((one for one in modules(department, retired=retired) if one.code == code), None)
    if found is None:
        raise NotFound
    return found


def proposed(offered: Sequence[Module], step: WordingStep, reason: Reason | None) -> Module | None:
    """The module for a reason, if there is one: the department's own before a general one."""
    fitting = [one for one in offered if reason is not None and (one.step, one.reason) == (step, reason)]
    return min(fitting, key=lambda one: not one.own, default=None)


def versions(department: Department, code: str) -> list[Module]:
    """Every version of a module, newest first.

    :raises NotFound: there is no such module.
    """
    row = _row(department, code)
    if row is None:
        return [module(department, code)]
    return [_module(row, version) for version in reversed(row.versions)]


def _row(department: Department, code: str) -> Wording | None:
    return db.session.scalar(
        sa.select(Wording)
        .filter_by(department_id=department.id, code=code)
        .options(selectinload(Wording.versions))
        .execution_options(populate_existing=True)
    )


def _module(row: Wording, version: WordingVersion) -> Module:
    return Module(
        code=row.code,
        step=row.step,
        reason=version.reason,
        title=Bilingual.model_construct(en=version.title_en, zh=version.title_zh),
        body=Bilingual.model_construct(en=version.body_en, zh=version.body_zh),
        number=version.number,
        own=True,
        retired=row.retired_at is not None,
        at=version.at,
        by=version.by_name,
    )


# -- kept and changed ------------------------------------------------------------------------------------------------


def add(department: Department, content: Content, *, by: Actor) -> str:
    """A new module; returns its code.

    :raises Invalid: at the field: a placeholder that is not known, a title that is taken, a text that is missing.
    """
    _begin(department, by)
    content = _checked(department, content, but="")
    own = (
        sa.select(sa.func.count())
        .select_from(Wording)
        .filter_by(department_id=department.id, retired_at=None)
    )
    if (db.session.scalar(own) or 0) >= MOST:
        raise Invalid("title_en", _("There are %(number)s text modules; retire some first.", number=MOST))
    row = Wording(
        department_id=department.id,
        code=f"own_{secrets.token_hex(5)}",
        step=content.step,
        number=0,
        versions=[],
    )
    db.session.add(row)
    _next(row, content, by)
    return row.code


def change(department: Department, code: str, content: Content, *, seen: int, by: Actor) -> int:
    """The next version of a module; returns its number.

    :param seen: the version that was changed.
    :raises Conflict: somebody else changed it in the meantime.
    :raises Invalid: as ``add``.
    """
    _begin(department, by)
    row = _kept(department, code)
    if row.number != seen:
        raise Conflict(
            _(
                "Somebody else changed this text while you had it open. Nothing of yours was done, and what you typed "
                "is still here: compare, then send it again if it still fits."
            )
        )
    content = _checked(department, content, but=code)
    if content.step is not row.step:
        raise Invalid("step", _("The step of a text stays; make a new one for another step."))
    now = row.versions[-1]
    same = (now.reason, now.title_en, now.title_zh, now.body_en, now.body_zh)
    if same == (content.reason, content.title_en, content.title_zh, content.body_en, content.body_zh):
        return row.number
    _next(row, content, by)
    return row.number


def retire(department: Department, code: str, *, by: Actor) -> None:
    """Offer it no more; its versions stay."""
    _begin(department, by)
    row = _kept(department, code)
    if row.retired_at is None:
        row.retired_at = clock.now()
        _record("wording.retired", row, by)


def bring_back(department: Department, code: str, *, by: Actor) -> None:
    """Offer a retired one again."""
    _begin(department, by)
    row = _kept(department, code)
    if row.retired_at is not None:
        row.retired_at = None
        _record("wording.brought_back", row, by)


def _begin(department: Department, by: Actor) -> None:
    """One change of a department's modules after the other; what refers to the department need not wait."""
    check(by, Permission.EDIT_WORDINGS, department.id)
    db.session.execute(sa.select(Department.id).filter_by(id=department.id).with_for_update(key_share=True))


def _kept(department: Department, code: str) -> Wording:
    """The row of a module; a general one is written down when it is first changed."""
    row = _row(department, code)
    if row is not None:
        return row
    first = next((one for one in general() if one.code == code), None)
    if first is None:
        raise NotFound
    row = Wording(department_id=department.id, code=code, step=first.step, number=1, versions=[])
    row.versions.append(
        WordingVersion(
            number=1,
            reason=first.reason,
            title_en=first.title.en,
            title_zh=first.title.zh,
            body_en=first.body.en,
            body_zh=first.body.zh,
            at=clock.now(),
        )
    )
    db.session.add(row)
    db.session.flush()
    return row


def _next(row: Wording, content: Content, by: Actor) -> None:
    row.number += 1
    row.versions.append(
        WordingVersion(
            number=row.number,
            reason=content.reason,
            title_en=content.title_en,
            title_zh=content.title_zh,
            body_en=content.body_en,
            body_zh=content.body_zh,
            at=clock.now(),
            by_id=by.user_id,
            by_name=by.name,
        )
    )
    db.session.flush()
    _record("wording.changed", row, by)


def _record(action: str, row: Wording, by: Actor) -> None:
    audit.record(
        action,
        by=by,
        department_id=row.department_id,
        on=("wording", row.id),
        detail={"code": row.code, "version": row.number},
    )


def _checked(department: Department, content: Content, *, but: str) -> Content:
    texts = {}
    for name, most, clean in (
        ("title_en", TITLE_LENGTH, clean_line),
        ("title_zh", TITLE_LENGTH, clean_line),
        ("body_en", BODY_LENGTH, clean_text),
        ("body_zh", BODY_LENGTH, clean_text),
    ):
        try:
            text = clean(getattr(content, name))
        except HiddenCharacters:
            raise Invalid(
                name, _("This text holds invisible control characters. Please type it again.")
            ) from None
        if not text:
            raise Invalid(name, _("Write it in both languages; each partner reads their own language first."))
        if len(text) > most:
            raise Invalid(name, _("Please write at most %(count)s characters.", count=most))
        if name.startswith("body"):
            try:
                placeholders.check(text, known(content.step))
            except placeholders.Unknown as refusal:
                raise Invalid(name, str(refusal)) from None
        texts[name] = text
    if content.reason is not None and content.reason not in REASONS.get(content.step, ()):
        raise Invalid("reason", _("This step has no such reason."))
    for one in modules(department):
        if one.code != but and one.step is content.step:
            for lang in ("en", "zh"):
                if one.title.get(lang).casefold() == texts[f"title_{lang}"].casefold():
                    raise Invalid(f"title_{lang}", _("Another text of this step has this title."))
    return Content(content.step, content.reason, **texts)


# -- used ------------------------------------------------------------------------------------------------------------


def words(inquiry: Inquiry, one: Module, lang: str, facts: Mapping[str, Any] | None = None) -> str:
    """A module's text for one inquiry in one language.

    :param facts: what the step knows: ``answer_by``; ``office``, ``contact``; ``period``; ``conditions`` (pairs of
        text and due date).
    :raises Invalid: at ``wording``: it holds a placeholder that is not known (any more).
    """
    try:
        return placeholders.fill(one.body.get(lang), _values(inquiry, one.step, lang, facts or {})).strip()
    except placeholders.Unknown as refusal:
        raise Invalid(
            "wording",
            _(
                "The text module “%(title)s” cannot be used: %(why)s It has to be mended in the settings.",
                title=one.title.get(lang),
                why=refusal,
            ),
        ) from None


def letter(inquiry: Inquiry, one: Module, facts: Mapping[str, Any] | None = None) -> str:
    """A module as a letter that carries both languages, the partner's first, as the portal's own drafts do."""
    languages = [inquiry.locale, *(lang for lang in mail.LANGUAGES if lang != inquiry.locale)]
    return mail.LINE_BETWEEN.join(words(inquiry, one, lang, facts) for lang in languages)


def _values(inquiry: Inquiry, step: WordingStep, lang: str, facts: Mapping[str, Any]) -> dict[str, str]:
    department = inquiry.department
    found = {
        "full_name": inquiry.full_name,
        "reference": inquiry.reference,
        "track": _general()["tracks"][inquiry.track.value][lang],
        "area": department.settings.area_name(inquiry.area, lang),
        "department": department.name(lang),
    }
    for name in OF_STEP.get(step, ()):
        value = facts.get(name)
        if isinstance(value, date):
            found[name] = format_day(value, lang, timezone=department.timezone)
        elif name == "conditions":
            with force_locale(lang):
                found[name] = "\n".join(
                    "- " + _("%(text)s (by %(date)s)", text=text, date=format_day(due, lang))
                    for text, due in value or ()
                )
        else:
            found[name] = str(value or "")
    return found
