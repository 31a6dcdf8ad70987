"""Text modules: versions, placeholders, what is never filled by halves; A54 in what people write."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from collab.audit.models import AuditEvent
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Forbidden, Invalid, NotFound
from collab.departments import Department
from collab.desk import placeholders, wordings
from collab.desk.models import Wording, WordingStep, WordingVersion
from collab.desk.wordings import Content, Module
from collab.inquiries import Reason, notices, reasons
from collab.inquiries.statuses import Step
from tests.support.crowd import at_once
from tests.support.world import World

FACTS: dict[str, Any] = {
    "reason": None, "office": "The office", "contact": "office@example.org", "period": "spring 2027", "conditions": [],
}  # fmt: skip


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def content(**given: Any) -> Content:
    return Content(
        **{
            "step": WordingStep.DECLINE, "reason": Reason.OUT_OF_SCOPE, "title_en": "Kindly no", "title_zh": "婉拒",
            "body_en": "Dear {full_name}, no.", "body_zh": "{full_name}：您好！暂无法安排。", **given,
        }
    )  # fmt: skip


def add(world: World, **given: Any) -> str:
    by = world.actor("coordinator")
    with unit_of_work():
        return wordings.add(world.department, content(**given), by=by)


def test_there_is_a_general_one_for_every_reason(department: Department) -> None:
    every = wordings.modules(department)
    assert every
    for step, known in wordings.REASONS.items():
        assert [one.reason for one in every if one.step is step] == list(known)
        assert set(known) in ({*reasons.DECLINE}, {*reasons.REFERRAL})
    assert len({one.code for one in every}) == len(every)
    assert db.session.query(Wording).count() == 0


@pytest.mark.parametrize("one", wordings.general(), ids=lambda one: one.code)
def test_every_general_one_can_be_used(world: World, one: Module) -> None:
    for lang in ("en", "zh"):
        placeholders.check(one.body.get(lang), wordings.known(one.step))
        inquiry = world.get(world.received(locale=lang))
        text = wordings.words(inquiry, one, lang, FACTS)
        assert "<" not in text
        assert not {"{", "}"} & set(text)
        if one.step is not WordingStep.ASK:
            assert inquiry.full_name in text
            assert inquiry.reference in text
            assert inquiry.department.name(lang) in text
    if one.reason is not None and one.reason is not Reason.UNDER_18:
        # It says what the reason's own sentence says; the pointer comes on top.
        assert str(one.reason.sentence) in one.body.en


def test_a_letter_has_both_languages_the_partners_first(world: World) -> None:
    one = wordings.module(world.department, "decline_out_of_scope")
    inquiry = world.get(world.received(locale="zh"))
    chinese, english = wordings.letter(inquiry, one, FACTS).split("\n\n" + "-" * 40 + "\n\n")
    assert "您好" in chinese
    assert english.startswith("Dear ")
    standard = notices.draft_letter(inquiry, Step.DECLINE, **{**FACTS, "reason": Reason.OUT_OF_SCOPE})
    assert standard.count("-" * 40) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Dear {fullname},", "{fullname}"), ("{period} is full", "{period}"), ("{0.__class__}", "{0.__class__}"),
        ("{{7*7}}", "{7*7}"), ("{full_name.__class__}", "{full_name.__class__}"), ("{full_name!r}", "{full_name!r}"),
        ("{}", "{}"), ("{ full_name }", "{ full_name }"), ("Dear {full_name", "braces"), ("a } b", "braces"),
        ("｛full_name｝：您好", "braces"), ("{full\nname}", "braces"), ("{{full_name}}", "braces"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["body_en", "body_zh"])
def test_a54_what_is_no_placeholder_is_refused_when_it_is_kept(
    world: World, text: str, says: str, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        add(world, **{field: text})
    assert refusal.value.field == field
    assert says.casefold() in refusal.value.message.casefold()
    assert db.session.query(Wording).count() == 0


@pytest.mark.parametrize("name", ["{office}", "{{7*7}}", "{0.__class__}", "%(x)s %s $x", "{full_name}"])
def test_a54_a_name_that_looks_like_a_placeholder_stays_a_name(world: World, name: str) -> None:
    code = add(world, body_en="Dear {full_name}, {reference}.")
    id = world.received(full_name=name)
    text = wordings.words(world.get(id), wordings.module(world.department, code), "en", FACTS)
    assert text == f"Dear {name}, {world.get(id).reference}."


def test_a54_conditions_are_copied_and_nothing_else(world: World) -> None:
    code = add(
        world,
        step=WordingStep.CONDITIONS,
        reason=None,
        body_en="If:\n{conditions}",
        body_zh="条件：\n{conditions}",
    )
    one = wordings.module(world.department, code)
    text = wordings.words(
        world.get(world.received()), one, "en", {"conditions": [("{full_name} % {0}", world.today)]}
    )
    assert text.startswith("If:\n- {full_name} % {0} (by ")


def test_an_old_one_that_does_not_fit_any_more_gives_no_letter(world: World) -> None:
    code = add(world)
    with unit_of_work():  # as after an upgrade that dropped a placeholder
        db.session.execute(sa.update(WordingVersion).values(body_en="Dear {full_name}, {fee} is due."))
    one = wordings.module(world.department, code)
    inquiry = world.get(world.received())
    with pytest.raises(
        Invalid, match=r"“Kindly no” cannot be used: There is no placeholder \{fee\} here"
    ) as refusal:
        wordings.letter(inquiry, one, FACTS)
    assert refusal.value.field == "wording"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title_en": ""}, "title_en"), ({"title_zh": " "}, "title_zh"), ({"body_en": ""}, "body_en"),
        ({"body_zh": "\n"}, "body_zh"), ({"body_en": "a\u202eb"}, "body_en"), ({"title_en": "x" * 81}, "title_en"),
        ({"body_zh": "字" * 3501}, "body_zh"), ({"reason": Reason.PRESS}, "reason"),
        ({"title_en": "out OF scope"}, "title_en"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_refused_at_its_field(
    world: World, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        add(world, **given)
    assert refusal.value.field == field


def test_a_change_is_the_next_version(world: World) -> None:
    department, by = world.department, world.actor("head")
    changed = content(title_en="Out of scope", title_zh="超出范围", body_en="No, {full_name}.")
    with unit_of_work():
        assert wordings.change(department, "decline_out_of_scope", changed, seen=1, by=by) == 2
    with unit_of_work():  # nothing new makes no version
        assert wordings.change(department, "decline_out_of_scope", changed, seen=2, by=by) == 2
    one = wordings.module(department, "decline_out_of_scope")
    assert (one.number, one.own, one.body.en) == (2, True, "No, {full_name}.")
    second, first = wordings.versions(department, "decline_out_of_scope")
    assert (second.by, first.by, first.number) == (by.name, "", 1)
    assert first.body == wordings.general()[0].body
    with pytest.raises(Conflict, match="Somebody else changed this text"), unit_of_work():
        wordings.change(department, "decline_out_of_scope", content(), seen=1, by=by)
    events = db.session.scalars(sa.select(AuditEvent).filter_by(action="wording.changed")).all()
    assert [one.detail for one in events] == [{"code": "decline_out_of_scope", "version": 2}]


def test_a_retired_one_is_not_offered(world: World) -> None:
    department, by = world.department, world.actor("coordinator")
    with unit_of_work():
        wordings.retire(department, "decline_under_18", by=by)
    with pytest.raises(NotFound):
        wordings.module(department, "decline_under_18")
    assert wordings.module(department, "decline_under_18", retired=True).retired
    assert wordings.proposed(wordings.modules(department), WordingStep.DECLINE, Reason.UNDER_18) is None
    with unit_of_work():
        wordings.bring_back(department, "decline_under_18", by=by)
    assert wordings.module(department, "decline_under_18").number == 1


def test_ones_own_comes_before_the_general_one(world: World) -> None:
    code = add(world)
    offered = wordings.modules(world.department)
    assert wordings.proposed(offered, WordingStep.DECLINE, Reason.OUT_OF_SCOPE).code == code
    assert (
        wordings.proposed(offered, WordingStep.DECLINE, Reason.PROPOSAL_QUALITY).code
        == "decline_proposal_quality"
    )
    assert wordings.proposed(offered, WordingStep.ACCEPT, None) is None


@pytest.mark.parametrize("role", ["host", "reviewer", "viewer", "compliance"])
def test_others_keep_none(world: World, role: str) -> None:
    by = world.actor(role)
    with pytest.raises(Forbidden), unit_of_work():
        wordings.add(world.department, content(), by=by)
    with pytest.raises(Forbidden), unit_of_work():
        wordings.retire(world.department, "decline_under_18", by=by)


@pytest.mark.both_databases
def test_a57_twenty_change_the_same_one_at_once(app: Flask, world: World) -> None:
    people = [world.actor("head", name=f"Head {number}") for number in range(20)]
    db.session.rollback()
    started = threading.get_ident()

    def change(number: int) -> int:
        assert threading.get_ident() != started
        text = content(title_en="Out of scope", title_zh="超出范围", body_en=f"No, number {number}.")
        return wordings.change(world.department, "decline_out_of_scope", text, seen=1, by=people[number])

    results = at_once(app, [lambda number=number: change(number) for number in range(20)])
    assert sorted(map(str, results)).count("2") == 1, results
    assert all(one == 2 or (isinstance(one, Conflict) and one.message) for one in results), results
    assert [one.number for one in wordings.versions(world.department, "decline_out_of_scope")] == [2, 1]
