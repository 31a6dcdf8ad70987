"""A department's rubrics: changed into new versions at the settings page; old reviews keep theirs."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collab import reviews
from collab.audit.models import AuditEvent
from collab.core.db import db
from collab.departments import Department, Track
from collab.reviews import Opinion, Rubric, rubrics
from tests.support import html, people
from tests.support.people import Staff
from tests.support.reviewing import marks
from tests.support.statements import queries, statements
from tests.support.world import World, other_department

_AT_ONCE = timedelta()
PAGE = "/staff/settings/rubrics"
EDIT = f"{PAGE}/nuclear-medicine/visit"
NEW = {
    "criteria-5-name_en": "Language", "criteria-5-name_zh": "语言", "criteria-5-weight": "10",
    "criteria-5-five_en": "Fluent", "criteria-5-five_zh": "流利", "criteria-5-three_en": "Enough",
    "criteria-5-three_zh": "够用", "criteria-5-one_en": "None", "criteria-5-one_zh": "不会",
}  # fmt: skip


def test_a_department_begins_with_the_rubrics_of_its_tracks(
    department: Department, staff: Callable[..., Staff]
) -> None:
    page = html.text_of(staff("head").page(PAGE))
    for words in (
        "Learning goals and plan",
        "Research idea and fit with the focus",
        "Mutual benefit and fairness",
    ):
        assert words in page
    assert "Every inquiry needs 2 reviews" in page
    assert "from 70 points propose accepting" in page
    assert db.session.query(Rubric).count() == 0  # reading writes nothing
    chinese = html.text_of(staff("head", locale="zh").page(PAGE))
    assert "学习目标与计划" in chinese


def test_a_change_is_a_new_version_and_is_audited(
    department: Department, staff: Callable[..., Staff]
) -> None:
    head = staff("head")
    answer = head.fill(EDIT, **NEW, **{"criteria-0-weight": "20"})
    assert answer.status_code == 303, answer.text
    first, second = db.session.query(Rubric).order_by(Rubric.number).all()
    assert (first.number, first.retired_at is None, first.created_by_id) == (1, False, None)
    assert (second.number, second.retired_at, second.created_by_id) == (2, None, head.user_id)
    assert first.content == rubrics.general()[Track.VISIT]
    added = second.content.criteria[-1]
    assert (added.code, added.weight, added.name.zh, added.anchors.one.en) == ("language", 10, "语言", "None")
    assert [one.code for one in second.content.criteria[:-1]] == [one.code for one in first.content.criteria]
    (event,) = db.session.query(AuditEvent).filter_by(action="rubric.changed").all()
    assert event.detail["version"] == 2
    assert event.detail["weights"]["goals"] == 20
    page = html.text_of(head.page(PAGE))
    assert "2 versions" in page
    assert "Language" in page
    old = html.text_of(head.page(f"{EDIT}/1"))
    assert "Learning goals and plan" in old
    assert "Language" not in old
    form = head.form(f"{EDIT}?from=1", form="rubric")
    assert (form.value("seen"), form.value("criteria-0-weight"), form.value("criteria-5-name_en")) == (
        "2",
        "30",
        "",
    )


@pytest.mark.parametrize(
    ("given", "where", "says"),
    [
        ({"criteria-0-weight": "25"}, "criteria-4-weight", "The weights add up to 95; they have to add up to 100."),
        ({"criteria-0-weight": "1e1"}, "criteria-0-weight", "Enter a whole number from 1 to 100."),
        ({"criteria-0-weight": "0"}, "criteria-0-weight", "Enter a whole number from 1 to 100."),
        ({"criteria-0-weight": "0000030"}, "criteria-0-weight", "Enter a whole number from 1 to 100."),
        ({"criteria-1-name_zh": ""}, "criteria-1-name_zh", "Write it in both languages"),
        ({"criteria-1-one_en": "", "criteria-1-one_zh": ""}, "criteria-1-one_en", "This is missing."),
        ({"criteria-1-five_en": "x" * 301}, "criteria-1-five_en", "Please write at most 300 characters"),
        ({"criteria-1-five_en": "a\u202eb"}, "criteria-1-five_en", "invisible control characters"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    department: Department, staff: Callable[..., Staff], given: dict[str, str], where: str, says: str
) -> None:
    head = staff("head")
    answer = head.fill(EDIT, **{"criteria-2-three_en": "My own words", **given})
    assert answer.status_code == 422
    page = html.parse(answer.text)
    (error,) = [one for one in page.iter() if one.get("id") == f"{where}-error"]
    assert says in html.text_of(error)
    assert "My own words" in answer.text
    assert "Please look at these points again" in html.text_of(page)
    assert db.session.query(Rubric).count() == 0


def test_emptying_a_criterion_takes_it_out(department: Department, staff: Callable[..., Staff]) -> None:
    head = staff("head")
    empty = {
        f"criteria-4-{name}": ""
        for name in (
            "weight",
            *(f"{n}_{lang}" for n in ("name", "five", "three", "one") for lang in ("en", "zh")),
        )
    }
    assert head.fill(EDIT, **empty, **{"criteria-0-weight": "40"}).status_code == 303
    rubric = rubrics.in_force(department, Track.VISIT)
    assert rubric is not None
    assert [one.code for one in rubric.content.criteria] == ["goals", "fit", "preparation", "use"]
    everything = {f"criteria-{n}-{name.removeprefix('criteria-4-')}": "" for n in range(4) for name in empty}
    answer = head.fill(EDIT, **everything)
    assert answer.status_code == 422
    assert 'id="criteria-0-name_en-error"' in answer.text


def test_two_heads_at_once_and_both_texts_are_seen(
    department: Department, staff: Callable[..., Staff]
) -> None:
    head = staff("head")
    open_page = head.get(EDIT)
    head.fill(
        EDIT,
        **{"criteria-0-name_en": "Theirs", "criteria-0-weight": "29", "criteria-1-weight": "26"},
        _typing=_AT_ONCE,
    )
    answer = head.answer(open_page, **{"criteria-0-name_en": "Mine"}, _form="rubric")
    assert answer.status_code == 409
    text = html.text_of(html.parse(answer.text))
    assert "What is in force now: version 2" in text
    assert "Theirs" in text
    assert 'value="Mine"' in answer.text
    assert head.answer(answer, _form="rubric").status_code == 303
    rubric = rubrics.in_force(department, Track.VISIT)
    assert rubric is not None
    assert (rubric.number, rubric.content.criteria[0].name.en) == (3, "Mine")


def test_old_reviews_keep_their_rubric_and_one_inquiry_has_one(
    department: Department, staff: Callable[..., Staff]
) -> None:
    world = World(department)
    id = world.received("visit")
    world.route(id)
    first, second = staff("reviewer"), staff("reviewer")
    for one in (first, second):
        world.route(id, one.actor, kind="reviewer")
        world.declare(id, one.actor)
    world.do(
        reviews.give_opinion,
        id,
        reviews.Recommendation.ACCEPT,
        because="So.",
        scores=marks(5, track="visit"),
        by=first.actor,
    )
    head = staff("head")
    assert head.fill(EDIT, **NEW, **{"criteria-0-weight": "20"}).status_code == 303
    opinion = db.session.query(Opinion).one()
    assert opinion.rubric is not None
    assert opinion.rubric.number == 1
    address = f"/staff/inquiries/{world.get(id).reference}/review"
    page = html.text_of(second.page(address))
    assert "Language" not in page  # the second reader judges by what the first did
    other = world.received("visit")
    world.route(other)
    world.route(other, second.actor, kind="reviewer")
    world.declare(other, second.actor)
    page = html.text_of(second.page(f"/staff/inquiries/{world.get(other).reference}/review"))
    assert "Language" in page


def test_a04_only_heads_and_admins_of_the_department(
    department: Department, staff: Callable[..., Staff], app: Any, tmp_path: Path
) -> None:
    for role, status in (
        ("head", 200),
        ("admin", 200),
        ("coordinator", 403),
        ("reviewer", 403),
        ("viewer", 403),
    ):
        member = staff(role)
        assert member.get(PAGE).status_code == status, role
        assert member.get(EDIT).status_code == status, role
    stranger = people.staff(app, other_department(tmp_path / "another"), "head")
    for path in (EDIT, f"{EDIT}/1"):
        assert stranger.get(path).status_code == 404
    assert "Learning goals" in stranger.get(PAGE).text  # of the own department
    token = stranger.form("/staff/account", form="myself").value("csrf_token")
    assert stranger.post(EDIT, data={"csrf_token": token, "seen": "0"}).status_code == 404
    for path in (f"{EDIT}/99", f"{EDIT}?from=99", f"{EDIT}?from=x", f"{PAGE}/nuclear-medicine/other"):
        assert staff("head").get(path).status_code == 404


def test_settings_are_one_page_of_links(department: Department, staff: Callable[..., Staff]) -> None:
    head = staff("head")
    assert PAGE in head.get("/staff/settings").text
    assert "Settings" in html.text_of(head.page("/staff/"))
    assert staff("reviewer").get("/staff/settings").status_code == 403


def test_the_page_costs_the_same_with_many_versions(
    department: Department, staff: Callable[..., Staff]
) -> None:
    head = staff("head")

    def cost() -> int:
        head.get(PAGE)
        with statements(db.engine) as seen:
            assert head.get(PAGE).status_code == 200
        return len(queries(seen))

    before = cost()
    for number in range(4):
        assert head.fill(EDIT, **{"criteria-0-name_en": f"Name {number}"}).status_code == 303
    assert cost() == before
