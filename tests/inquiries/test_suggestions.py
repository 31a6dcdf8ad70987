"""Areas and hosts that an inquiry may suit, with the words in common; nobody is proposed without a reason."""

import pytest

from collab.accounts import Role
from collab.accounts.models import WorkArea
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import interests, suggestions
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import World


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def codes(world: World, text: str, **given: str) -> list[str]:
    return [one.code for one in suggestions.areas(world.get(world.received(summary=text, **given)))]


def test_the_area_the_text_speaks_of_comes_first_with_its_words(world: World) -> None:
    areas = world.department.settings.areas
    for area in [one for one in areas if one.kind == "focus"]:
        id = world.received(
            summary=f"We would like to work with your group on {area.name.en.lower()} and learn."
        )
        best = suggestions.areas(world.get(id))[0]
        assert best.code == area.code
        assert best.words
        assert all(word in f"{area.name.en} {area.name.zh}".lower() or len(word) > 3 for word in best.words)
        chinese = world.received(summary=f"我们希望与贵科在{area.name.zh}方面开展合作，交流方法与数据。")
        assert suggestions.areas(world.get(chinese))[0].code == area.code


def test_a_text_about_nothing_of_the_department_suggests_nothing(world: World) -> None:
    assert (
        codes(world, "My field is civil engineering: bridges of concrete, and how they bear heavy lorries.")
        == []
    )


def test_once_the_vocabulary_is_known_nothing_is_asked(world: World) -> None:
    inquiry = world.get(
        world.received(summary="Receptor imaging and what follows from it, for a common project.")
    )
    suggestions.areas(inquiry)
    with statements(db.engine) as found:
        assert suggestions.areas(inquiry)
    assert asked(found) == []


def test_hosts_by_their_areas_and_by_what_they_took_before(world: World) -> None:
    focus = next(one for one in world.department.settings.areas if one.kind == "focus")
    works, took, other = (world.actor("host", name=name) for name in ("Works", "Took", "Other"))
    with unit_of_work():
        db.session.add(WorkArea(user_id=works.user_id, department_id=world.department_id, area=focus.code))
    before = world.received(area=focus.code, title="Earlier work on the same")
    world.route(before, took)
    world.host_says(before, "yes", took)
    coordinator = world.actor("coordinator")
    id = world.received(area=focus.code, title="New work")
    inquiry = world.get(id)
    near = suggestions.areas(inquiry)
    db.session.flush()
    with statements(db.engine) as found:
        hosts = suggestions.hosts(inquiry, seen_by=coordinator, near=near)
    assert len(asked(found)) == 1
    assert [one.name for one in hosts] == ["Works", "Took"]
    assert focus.name.en in hosts[0].why
    assert "took 1 inquiry" in hosts[1].why
    assert other.name not in {one.name for one in hosts}
    world.do(interests.close, id, by=works)
    assert [one.name for one in suggestions.hosts(world.get(id), seen_by=coordinator)] == ["Took"]
    assert Role.HOST in works.roles_in(world.department_id)


def test_words_that_say_nothing_of_the_subject_are_no_reason(world: World) -> None:
    took = world.actor("host", name="Took")
    coordinator = world.actor("coordinator")
    for title, text in (
        (
            "We would like to bring what could be antibodies",
            "We would like to bring antibodies that could help.",
        ),
        ("我们希望可以进行抗体的合作", "我们希望可以进行抗体的合作，谢谢您。"),
    ):
        before = world.received(title=title)
        world.route(before, took)
        world.host_says(before, "yes", took)
        inquiry = world.get(world.received(title="Else", summary=text))
        (hint,) = suggestions.hosts(inquiry, seen_by=coordinator, near=())
        reason = hint.why.rpartition("in common: ")[2]
        assert reason in {"antibody", "抗体, 合作"}


def test_the_text_is_read_once_however_many_could_host_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator = world.actor("coordinator")
    for number in range(3):
        host = world.actor("host", name=f"Host {number}")
        before = world.received(title="Antibodies and ligands")
        world.route(before, host)
        world.host_says(before, "yes", host)
    inquiry = world.get(world.received(summary="Antibodies and ligands for a common project of ours."))
    read: list[str] = []
    tokenise = suggestions.words
    monkeypatch.setattr(suggestions, "words", lambda text: read.append(text) or tokenise(text))
    assert len(suggestions.hosts(inquiry, seen_by=coordinator, near=())) == 3
    assert sum("common project" in text for text in read) == 1
