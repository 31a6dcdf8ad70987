"""A01, A09 for blind first reading: nothing a reviewer opens tells whose inquiry it is before the own review is in."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from collab import audit, departments, files, inquiries, reviews
from collab.accounts import Membership, Role
from collab.core.db import db, unit_of_work
from collab.core.errors import Conflict
from collab.departments import Department
from collab.desk import wordings
from collab.inquiries import blind, interests, queries
from collab.inquiries.models import LightPath
from collab.inquiries.queries import QueueView
from collab.reports import exports
from collab.reviews import Recommendation
from tests.attacks.test_a05_conflict_wall import read
from tests.support.html import text_of
from tests.support.partners import pdf
from tests.support.people import Staff
from tests.support.reviewing import marks
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import World, other_department

NAME, INSTITUTION, COUNTRY, MAIL = "Zebulon Quaggafoot", "Snarkville Clinic", "IS", "zq@snarkville.example"
ALIKE = "Likely from the same"
TELLING = ("Zebulon", "Quaggafoot", "Snarkville", "Iceland", "冰岛", "zq@", "quagga-cv")


@pytest.fixture
def reads_blind(department: Department) -> Department:
    """The department's option is on."""
    content = {**department.content}
    content["review"] = {**content.get("review", {}), "blind": True}
    with unit_of_work():
        found = db.session.get_one(Department, department.id)
        found.content = content
        found.content_digest = departments.actions.digest_of(content)
    return department


@pytest.fixture
def one(reads_blind: Department, world: World, staff: Callable[..., Staff]) -> tuple[int, str, Staff]:
    """An inquiry full of what tells whose it is, and its reviewer."""
    token = "b" * 43
    with unit_of_work():
        files.receive(
            BytesIO(pdf()),
            "quagga-cv.pdf",
            department_id=world.department_id,
            purpose="inquiry",
            claim_token=token,
            max_bytes=100_000,
        )
    id = world.received(
        full_name=NAME,
        institution_name=INSTITUTION,
        country=COUNTRY,
        email=MAIL,
        claim_token=token,
        title="Snarkville and you: two ligands",
        summary="I am Zebulon Quaggafoot of Snarkville Clinic in Iceland. Write to zq@snarkville.example. "
        * 3,
    )
    world.ask(id)
    world.answer(id, "As I said. Yours, Zebulon Quaggafoot")
    reviewer = staff("reviewer", name="Rana")
    world.route(id)
    world.route(id, reviewer.actor, kind="reviewer")
    return id, f"/staff/inquiries/{world.get(id).reference}", reviewer


def tells(text: str) -> list[str]:
    return [word for word in TELLING if word.casefold() in text.casefold()]


def without_choices(page: str) -> str:
    """The forms of the queue offer every country there is."""
    return re.sub(r"<option.*?</option>|<option[^>]*>[^<]*", "", page, flags=re.DOTALL)


def test_no_page_tells_before_the_review_is_in(world: World, one: tuple[int, str, Staff]) -> None:
    _id, address, reviewer = one
    opened = reviewer.get(address)
    assert (opened.status_code, opened.location) == (303, f"{address}/review")
    paths = [
        f"{address}/review", f"{address}/conflict", f"{address}/note", "/staff/", "/staff/inquiries",
        "/staff/inquiries?sort=due", "/staff/inquiries?assigned=me",
    ]  # fmt: skip
    for path in paths:
        answer = reviewer.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        assert tells(without_choices(answer.text)) == [], path
    page = text_of(reviewer.page(f"{address}/review"))
    assert "This is read blind" in page
    assert "two ligands" in page
    assert f"I am {blind.COVER} of {blind.COVER} in {blind.COVER}." in page
    assert "File 1" in page
    assert "(read blind)" in text_of(reviewer.page("/staff/inquiries"))


def test_the_file_has_a_name_that_tells_nothing(world: World, one: tuple[int, str, Staff]) -> None:
    id, address, reviewer = one
    (file,) = queries.thread(world.get(id)).files
    answer = reviewer.get(f"{address}/files/{file.id}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="file-{file.id}.pdf"')
    assert tells(str(answer.headers)) == []


def test_nothing_is_found_by_what_tells(world: World, one: tuple[int, str, Staff], staff: Any) -> None:
    _id, address, reviewer = one
    reference = address.rpartition("/")[2]
    for wanted in ("q=Quaggafoot", "q=Snarkville", f"country={COUNTRY}", f"q=ligands&country={COUNTRY}"):
        assert reference not in reviewer.get(f"/staff/inquiries?{wanted}").text, wanted
        assert reference in staff("coordinator").get(f"/staff/inquiries?{wanted}").text, wanted
    around = queries.neighbours(QueueView(country=COUNTRY), world.get(one[0]), seen_by=reviewer.actor)
    assert (around.previous, around.next) == (None, None)


def test_refused_and_conflicting_pages_tell_nothing_either(world: World, one: tuple[int, str, Staff]) -> None:
    _id, address, reviewer = one
    wrong = reviewer.fill(f"{address}/review", because="Half")
    assert wrong.status_code == 422
    assert tells(wrong.text) == []
    stale = reviewer.fill(f"{address}/review", because="Half", _forged={"revision": "7", "save": "1"})
    assert stale.status_code == 409
    assert tells(stale.text) == []


def test_with_the_own_review_in_the_names_are_read(
    world: World, one: tuple[int, str, Staff], staff: Any
) -> None:
    id, address, reviewer = one
    for member in (staff("coordinator"), staff("head")):
        assert NAME in member.get(address).text
    world.do(
        reviews.give_opinion, id, Recommendation.ACCEPT, because="So.", scores=marks(), by=reviewer.actor
    )
    assert NAME in reviewer.get(address).text
    assert NAME in reviewer.get("/staff/inquiries").text


def test_when_it_is_over_without_the_review_it_stays_blind(world: World, one: tuple[int, str, Staff]) -> None:
    id, address, reviewer = one
    world.host_says(id)
    world.clear(id)
    world.ready(id)
    answer = reviewer.get(address, follow_redirects=True)
    assert answer.status_code == 409
    assert tells(answer.text) == []
    assert tells(without_choices(reviewer.get("/staff/inquiries").text)) == []


def test_without_the_option_nothing_is_hidden_and_nothing_more_is_asked(
    world: World, department: Department, staff: Callable[..., Staff]
) -> None:
    reviewer = staff("reviewer")
    id = world.received(full_name=NAME)
    world.route(id)
    world.route(id, reviewer.actor, kind="reviewer")
    actor = reviewer.actor
    assert NAME in reviewer.get("/staff/inquiries").text
    db.session.get_one(Department, department.id)
    with statements(db.engine) as seen:
        assert blind.among([id], actor) == set()
    assert asked(seen) == []


# -- the same person elsewhere, in other roles -----------------------------------------------------------------------


def test_a09_a_host_is_not_told_that_what_is_read_blind_is_from_the_same(
    world: World, one: tuple[int, str, Staff], staff: Callable[..., Staff]
) -> None:
    id, address, reviewer = one
    both = staff("host", "reviewer", name="Both")
    world.route(id, both.actor, kind="reviewer")
    hosted = world.received(full_name=NAME, institution_name=INSTITUTION, country=COUNTRY, email=MAIL)
    world.route(hosted, both.actor)
    page = f"/staff/inquiries/{world.get(hosted).reference}"
    assert NAME in both.get(page).text
    assert ALIKE not in both.get(page).text
    assert ALIKE in staff("coordinator").get(page).text
    world.do(reviews.give_opinion, id, Recommendation.ACCEPT, because="So.", scores=marks(), by=both.actor)
    assert ALIKE in both.get(page).text
    assert reviewer.get(address).status_code == 303


def test_a09_before_declaring_nobody_is_told_that_what_is_read_blind_is_from_the_same(
    world: World, one: tuple[int, str, Staff], staff: Callable[..., Staff]
) -> None:
    id, _address, _reviewer = one
    both = staff("host", "reviewer", name="Both")
    world.route(id, both.actor, kind="reviewer")
    hosted = world.received(full_name=NAME, institution_name=INSTITUTION, country=COUNTRY, email=MAIL)
    world.route(hosted, both.actor, declared=False)
    asked_of = interests.asked_of(world.get(hosted).reference, seen_by=both.actor)
    assert asked_of is not None
    assert [one.link for one in asked_of.suggested] == []
    mine = [world.user(both.actor)]
    told = interests.suggest(world.get(hosted), mine, seen_by=world.actor("coordinator"))[both.user_id]
    assert [one.detail for one in told] == [world.get(id).reference]


def test_a09_a_host_of_others_asks_nothing_and_no_text_module_is_filled_in(
    world: World, one: tuple[int, str, Staff], staff: Callable[..., Staff]
) -> None:
    id, address, _reviewer = one
    both = staff("host", "reviewer", name="Both")
    world.route(id, both.actor, kind="reviewer")
    codes = [
        each.code for each in wordings.modules(world.department) if each.step is wordings.WordingStep.ASK
    ]
    assert codes
    for code in codes:
        shown = both.get(f"{address}/ask?wording={code}")
        assert shown.status_code == 409
        assert tells(shown.text) == []
    token = both.form("/staff/account", form="myself").value("csrf_token")
    day = str(world.today + timedelta(days=9))
    given = {"csrf_token": token, "use": "1", "wording": codes[0], "answer_by": day, "version": "1"}
    for headers in ({}, {"Accept": "application/json"}):
        answer = both.post(f"{address}/ask", data=given, headers=headers)
        assert answer.status_code != 400
        assert tells(answer.text) == []
    with pytest.raises(Conflict, match="Only the host of this inquiry"):
        world.ask(id, by=both.actor)
    hosted = world.received(full_name=NAME)
    world.route(hosted, both.actor)
    world.ask(hosted, by=both.actor)


def test_a08_what_is_taken_away_leaves_out_what_is_read_blind_in_another_department(
    world: World, one: tuple[int, str, Staff], staff: Callable[..., Staff], tmp_path: Path
) -> None:
    id, _address, _reviewer = one
    there = World(other_department(tmp_path / "another"))
    # Coordinator in the other department; in this one a reviewer who reads blind.
    person = staff("reviewer", name="Two houses")
    with unit_of_work():
        user = person.user
        user.memberships = [
            *user.memberships,
            Membership(department_id=there.department_id, role=Role.COORDINATOR),
        ]
    world.route(id, person.actor, kind="reviewer")
    mine = there.received(full_name="Ada Elsewhere", email="ada@elsewhere.example")
    reference, other = world.get(id).reference, there.get(mine).reference
    assert reference in person.get("/staff/inquiries").text
    token = {"csrf_token": person.form("/staff/account", form="myself").value("csrf_token")}
    for ending in ("csv", "xlsx"):
        taken = person.post(f"/staff/inquiries.{ending}", data=token)
        assert taken.status_code == 200
        text = read(taken)
        assert tells(text) == []
        assert reference not in text
        assert other in text
    assert len(exported(there)) == 2
    assert exported(world) == []
    view = QueueView()
    assert exports.departments_of_view(view, seen_by=person.actor) == [there.department_id]
    rows = exports.of_ids([id, mine], seen_by=person.actor, lang="en")
    assert [row[0] for row in rows] == [other]
    assert exports.departments_of_ids([id, mine], seen_by=person.actor) == [there.department_id]
    for method in ("GET", "POST"):
        page = f"/staff/inquiries/{other}/join?with={reference}"
        joined = person.open(page, method=method, data=token if method == "POST" else None)
        assert joined.status_code == 422
        assert tells(joined.text) == []
    # With the own review in it is among them, and the department it is of knows that it was taken away.
    world.do(reviews.give_opinion, id, Recommendation.ACCEPT, because="So.", scores=marks(), by=person.actor)
    assert reference in read(person.post("/staff/inquiries.csv", data=token))
    assert (len(exported(world)), len(exported(there))) == (1, 3)


def exported(world: World) -> list[Any]:
    return [
        each
        for each in db.session.query(audit.AuditEvent).filter_by(action="inquiry.exported")
        if each.department_id == world.department_id
    ]


def test_a09_neither_gates_nor_mails_tell(
    world: World, one: tuple[int, str, Staff], staff: Callable[..., Staff]
) -> None:
    id, _address, _reviewer = one
    officer = staff("compliance", "reviewer", name="Officer")
    admin = staff("admin", "reviewer", name="Admin")
    kind = next(each.kind for each in reviews.gates_of(world.get(id)) if each.owner_role == "compliance")
    reference = world.get(id).reference
    (first, *_rest) = world.mails(id, "partner")
    assert reference in officer.get("/staff/gates").text
    assert tells(admin.get("/staff/outbox").text)
    assert tells(admin.get(f"/staff/outbox/{first.id}").text)
    for person in (officer, admin):
        world.route(id, person.actor, kind="reviewer")
    gate = f"/staff/inquiries/{reference}/gates/{kind}"
    assert tells(officer.get("/staff/gates").text) == []
    assert officer.get(gate).status_code == 404
    outbox = admin.get("/staff/outbox")
    assert outbox.status_code == 200
    assert tells(outbox.text) == []
    assert admin.get(f"/staff/outbox/{first.id}").status_code == 404
    for person in (officer, admin):
        world.do(
            reviews.give_opinion, id, Recommendation.ACCEPT, because="So.", scores=marks(), by=person.actor
        )
    assert officer.get(gate).status_code == 200
    assert admin.get(f"/staff/outbox/{first.id}").status_code == 200


def test_on_the_light_path_nothing_is_read_blind_and_everything_is_found(
    world: World, one: tuple[int, str, Staff]
) -> None:
    id, address, reviewer = one
    reference = address.rpartition("/")[2]
    with unit_of_work():
        world.get(id).light = LightPath.QUESTION
    assert NAME in reviewer.get("/staff/inquiries").text
    for wanted in ("q=Quaggafoot", f"country={COUNTRY}"):
        assert reference in reviewer.get(f"/staff/inquiries?{wanted}").text, wanted


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("I am Zebulon Quaggafoot.", "I am ▒▒▒."),
        ("ZEBULON, and quaggafoot", "▒▒▒, and ▒▒▒"),
        ("Zebulonia is a place", "Zebulonia is a place"),
        ("来自冰岛的课题", "来自▒▒▒的课题"),
        ("icelandic sagas; Iceland", "icelandic sagas; ▒▒▒"),
        ("mail zq@snarkville.example now", "mail ▒▒▒ now"),
        ("www.snarkville.example/cv", "www.▒▒▒/cv"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_what_is_covered_in_a_text(text: str, covered: str) -> None:
    inquiry = inquiries.Inquiry(full_name=NAME, institution_name=INSTITUTION, country=COUNTRY, email=MAIL)
    assert blind.veiled(text, inquiry) == covered


def test_a_chinese_name_is_covered_inside_a_sentence() -> None:
    inquiry = inquiries.Inquiry(
        full_name="欧阳晓明", institution_name="示例大学", country="CN", email="x@y.example"
    )
    assert blind.veiled("我是示例大学的欧阳晓明，来自中国。", inquiry) == "我是▒▒▒的▒▒▒，来自▒▒▒。"


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("CV Zebulon.PDF", "file-3.pdf"),
        ("Zebulon", "file-3"),
        ("a.Zebulon Q", "file-3"),
        ("简历.pdf", "file-3.pdf"),
    ],
)
def test_file_names(name: str, called: str) -> None:
    assert blind.file_name(3, name) == called
