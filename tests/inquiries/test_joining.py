"""Two inquiries of one person become one and are taken apart again; nothing is lost, and nothing is shown to others."""

from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine

from collab import files, inquiries, privacy, search
from collab.core import clock
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict, Invalid
from collab.departments import Department
from collab.inquiries import Status, joining, likeness, partner, queries, triage
from collab.inquiries.models import Joining, LikenessKey
from tests.support import partners
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import MONDAY, World, other_department

# Its statements are our own, or many act at once: tried on both.
pytestmark = pytest.mark.both_databases

SAME = "erika@example.org"


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def join(world: World, id: int, into: int, **given: object) -> None:
    by = world.actor("coordinator")
    with unit_of_work():
        joining.join(world.get(id), into=world.get(into), by=by, **given)  # type: ignore[arg-type]


def part(world: World, id: int) -> None:
    world.do(joining.part, id, by=world.actor("coordinator"))


def pair(world: World, **given: str) -> tuple[int, int]:
    first, second = world.received(email=SAME), world.received(**({"email": SAME} | given))
    world.do(inquiries.write, second, "A letter to the second.", by=world.actor("coordinator"))
    world.do(inquiries.note, second, "A note on the second.", by=world.actor("coordinator"))
    return first, second


def texts(world: World, id: int) -> list[str]:
    entries = queries.thread(world.get(id)).entries
    return [e.message.body for e in entries if e.message] + [e.note.body for e in entries if e.note]


def test_threads_history_and_search_become_one(world: World) -> None:
    first, second = pair(world)
    reference = world.get(second).reference
    join(world, second, first)
    assert texts(world, first) == ["A letter to the second.", "A note on the second."]
    told = {(e.event.kind, e.joined) for e in queries.thread(world.get(first)).entries if e.event}
    assert ("submitted", reference) in told
    assert ("merged_here", "") in told
    assert first in search.find("inquiry", reference, department_ids=[world.department_id])
    session = inquiries.links.open_session(world.get(second), minutes=60)
    db.session.flush()
    found = inquiries.links.session_of(session, reference)
    assert found is not None
    assert found.id == first
    assert [one.body for one in partner.conversation(found, now=clock.now()).letters] == [
        "A letter to the second."
    ]
    assert privacy.everything_of(found)["joined"][0]["reference"] == reference


def test_a_file_of_the_one_is_read_with_the_other(world: World) -> None:
    first, second = pair(world)
    with unit_of_work():
        id = files.receive(
            BytesIO(partners.pdf()),
            "cv.pdf",
            department_id=world.department_id,
            claim_token="a-token-of-the-form",
            purpose="answer",
            max_bytes=5_000_000,
        ).id
    world.answer(second, claim_token="a-token-of-the-form")
    join(world, second, first)
    assert world.get(first).file_count == 1
    assert queries.file_of(world.get(first), id).filename == "cv.pdf"
    assert partner.file_of(world.get(first), id, now=clock.now()).id == id
    part(world, second)
    assert world.get(first).file_count == 0
    assert queries.file_of(world.get(second), id).id == id


def test_apart_again_each_has_its_own_and_what_came_since_stays(world: World) -> None:
    first, second = pair(world)
    join(world, second, first)
    world.answer(first, "Since then.")
    part(world, second)
    inquiry = world.get(second)
    assert (inquiry.status, inquiry.merged_into_id, inquiry.reason) == (Status.RECEIVED, None, None)
    assert texts(world, second) == ["A letter to the second.", "A note on the second."]
    assert texts(world, first) == ["Since then."]
    (line,) = [
        e.event for e in queries.thread(world.get(first)).entries if e.event and e.event.kind == "parted_here"
    ]
    assert line.data == {"reference": inquiry.reference, "stays": 1}
    assert world.kinds(second)[-1] == "restore"
    assert world.topics(second)[-2:] == ["M10", "M2b"]
    told = world.mails(second, "partner")[-1]
    assert told.subject == f"{inquiry.reference}: your two messages are apart again"
    assert "apart again" in told.body_text
    assert first not in search.find("inquiry", inquiry.reference, department_ids=[world.department_id])
    assert world.counts() == world.real_counts()
    join(world, second, first)  # and once more
    assert texts(world, first) == ["A letter to the second.", "Since then.", "A note on the second."]
    ended = db.session.scalars(sa.select(Joining.ended_at).order_by(Joining.id)).all()
    assert [one is None for one in ended] == [False, True]


def test_the_same_once_more_changes_nothing(world: World) -> None:
    first, second = pair(world)
    join(world, second, first)
    before = world.stored()
    join(world, second, first)
    assert world.stored() == before
    part(world, second)
    with pytest.raises(Conflict, match="not joined"):
        part(world, second)


def test_what_had_been_joined_before_goes_along_and_comes_back(world: World) -> None:
    first, second = pair(world)
    third = world.received(email=SAME)
    world.do(inquiries.write, third, "To the third.", by=world.actor("coordinator"))
    join(world, third, second)
    join(world, second, first)
    assert world.get(third).merged_into_id == first
    assert "To the third." in texts(world, first)
    part(world, second)
    assert world.get(third).merged_into_id == second
    assert "To the third." in texts(world, second)
    assert "To the third." not in texts(world, first)


def test_two_addresses_only_with_a_word_on_who_that_is(world: World) -> None:
    first, second = pair(world, email="e.m@another.example.org")
    with pytest.raises(Invalid, match="different e-mail addresses") as refused:
        join(world, second, first)
    assert refused.value.field == "same_person"
    with pytest.raises(Invalid) as refused:
        join(world, second, first, same_person=True)
    assert refused.value.field == "note"
    join(world, second, first, same_person=True, note="Told us on the telephone.")
    told, kept = world.mails(second, "partner")[-1], world.mails(first, "partner")[-1]
    assert (told.to_address, kept.to_address) == ("e.m@another.example.org", SAME)
    assert "is not yours" in kept.body_text
    link = inquiries.links.find(inquiries.LinkKind.PRIVATE, told.secrets[0])
    assert link is not None
    assert link.inquiry_id == second  # its own: it stops leading to the other when the two are apart again
    world.do(inquiries.write, first, "A later letter.", by=world.actor("coordinator"))
    assert world.mails(first, "partner")[-1].to_address == SAME
    session = inquiries.links.open_session(world.get(second), minutes=60)
    db.session.flush()
    assert inquiries.links.session_of(session, world.get(second).reference).id == first  # type: ignore[union-attr]
    part(world, second)
    again = inquiries.links.open_session(world.get(second), minutes=60)
    db.session.flush()
    assert inquiries.links.session_of(again, world.get(second).reference).id == second  # type: ignore[union-attr]


def test_at_any_time_while_the_original_is_open_then_for_30_days(world: World) -> None:
    with time_machine.travel(MONDAY, tick=False):
        first, second = pair(world)
        third, fourth = pair(world, email=SAME)
        join(world, second, first)
        join(world, fourth, third)
        world.do(inquiries.withdraw, third, by=world.visitor)
    with time_machine.travel(MONDAY.replace(year=2027, month=2), tick=False):
        part(world, second)
        with pytest.raises(Conflict, match="30 days only"):
            part(world, fourth)


# -- who wrote before ------------------------------------------------------------------------------------------------


def why(world: World, id: int) -> list[tuple[int, str]]:
    return [(one.id, one.why) for one in likeness.hits(world.get(id), seen_by=world.actor("coordinator"))]


TEXT = (
    "We label two receptor ligands in our own laboratory and would like to compare their distribution with yours "
    "under one protocol. Our group has a licence until 2028, one postdoc and consumables for eighteen months."
)


def test_each_reason_is_said(world: World) -> None:
    base = {"full_name": "Erika Mustermann", "institution_name": "Universitätsklinikum Beispielstadt"}
    old = world.received(email="e.muster+a@gmail.com", summary=TEXT, title="Two ligands compared", **base)
    same_box = world.received(
        email="emuster@googlemail.com",
        full_name="A. Nother",
        institution_name="Elsewhere",
        title="Other",
        summary="Something else entirely, about another matter that has no words in common.",
    )
    spelled = world.received(
        full_name="Mustermann, Erika",
        institution_name="UNIVERSITAETSKLINIKUM Beispielstadt",
        title="Else",
        summary="Quite another question of somebody who writes about other things than before.",
    )
    copied = world.received(
        full_name="Some Body",
        institution_name="Third Place",
        title="Also two ligands",
        summary="Dear colleagues. " + TEXT,
    )
    found = dict(why(world, old))
    assert found[same_box] == "same address"
    assert found[spelled] == "same name and institution"
    assert found[copied].startswith("text 9")


def test_a_chinese_text_sent_again_is_found(world: World) -> None:
    text = "我们在本单位标记了两种受体配体，希望在贵科动物实验室按同一方案比较其体内分布，双方共同发表结果。"
    first = world.received(full_name="王测试", institution_name="示例医院", summary=text, title="配体比较")
    second = world.received(
        full_name="王 测试", institution_name="示例医院（虚构）", summary="您好！" + text, title="再次发送"
    )
    found = dict(why(world, second))
    assert "same name" in found[first]
    assert "alike" in found[first]


def test_nothing_of_another_department_or_of_a_closed_file(world: World, tmp_path: Path) -> None:
    there = World(other_department(tmp_path / "another"))
    there.received(email=SAME, summary=TEXT)
    mine, other = world.received(email=SAME, summary=TEXT), world.received(email=SAME, summary=TEXT)
    assert [one for one, _ in why(world, mine)] == [other]
    coordinator = world.actor("coordinator")
    world.do(triage.declare_conflict, other, by=coordinator)
    assert likeness.hits(world.get(mine), seen_by=coordinator) == []
    assert likeness.hits(world.get(mine), seen_by=world.actor("host")) == []


def test_one_query_however_many_there_are(world: World) -> None:
    ids = [world.received(email=SAME, summary=TEXT)]
    actor = world.actor("coordinator")

    def cost() -> int:
        inquiry = world.get(ids[0])
        db.session.flush()
        with statements(db.engine) as found:
            likeness.hits(inquiry, seen_by=actor)
        return len(asked(found))

    assert cost() == 1
    ids += [world.received(full_name="Erika Mustermann", summary=TEXT) for _ in range(30)]
    assert cost() == 1
    assert len(likeness.hits(world.get(ids[0]), seen_by=actor)) == 5


def test_erased_is_forgotten(world: World) -> None:
    id = world.at("withdrawn", email=SAME, summary=TEXT)
    other = world.received(email=SAME, summary=TEXT)
    assert [one for one, _ in why(world, other)] == [id]
    world.do(privacy.erase, id, by=world.actor("coordinator"))
    assert why(world, other) == []
    assert db.session.scalar(sa.select(sa.func.count()).where(LikenessKey.inquiry_id == id)) == 0
