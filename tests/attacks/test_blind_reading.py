"""A01, A09 for blind first reading: nothing a reviewer opens tells whose inquiry it is before the own review is in."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from collab import departments, files, inquiries, reviews
from collab.core.db import db, unit_of_work
from collab.departments import Department
from collab.inquiries import blind, queries
from collab.inquiries.queries import QueueView
from collab.reviews import Recommendation
from tests.support.html import text_of
from tests.support.partners import pdf
from tests.support.people import Staff
from tests.support.reviewing import marks
from tests.support.statements import queries as asked
from tests.support.statements import statements
from tests.support.world import World

NAME, INSTITUTION, COUNTRY, MAIL = "Zebulon Quaggafoot", "Snarkville Clinic", "IS", "zq@snarkville.example"
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
