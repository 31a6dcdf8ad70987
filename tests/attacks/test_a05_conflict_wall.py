"""A01, A05, A62: a declared conflict of interest closes an inquiry on every page there is, and on those to come.

The address table is walked: whatever names the inquiry, its files, mails or gates answers 404, and no other page holds
its reference, its title or its people.
"""

import io
import re
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter, Rule

from collab import mail
from collab.inquiries import Status, interests, triage
from collab.reviews import gates_of
from tests.attacks.test_a01_a10_staff_objects import upload
from tests.support.people import Staff
from tests.support.world import World

NAME, TITLE, PLACE = "Zwickenpflug", "Quagga scanning", "Zymurgy Institute"
#: What people look for and filter by; each address is opened for each of them as well.
QUERIES = (
    "status=open", "status=in_review", "status=closed", "assigned=me", "assigned=nobody", "country=IS", "unread=1",
    "late=1&sort=due", "sort=due", "track=cooperation", "area={area}", "erasure=1", "q=scanning", "q=Institute",
    "q={name}", "q={reference}", "q=country:IS", "status=all", "topic=S1", "state=queued",
)  # fmt: skip


@dataclass
class Closed:
    """An inquiry that closes to somebody, and everything that could name it."""

    world: World
    id: int
    file_id: int
    twin: int
    other: int
    words: list[str] = field(default_factory=list)

    @property
    def reference(self) -> str:
        return self.world.get(self.id).reference

    def values_for(self, rule: Rule) -> Iterator[dict[str, object]]:
        """What to fill into an address: this inquiry's own ids, wherever they fit."""
        known: dict[str, list[object]] = {
            "reference": [self.reference, self.world.get(self.twin).reference],
            "file_id": [self.file_id],
            "mail_id": [one.id for one in mail.of(("inquiry", self.id))][:3],
            "assignment_id": [one.id for one in self.world.get(self.id).assignments][:1] or [1],
            "name": [gate.kind for gate in gates_of(self.world.get(self.id))][:1] or ["scope"],
            "slug": [self.world.department.slug],
            "user_id": [1],
        }
        found: list[dict[str, object]] = [{}]
        for argument in sorted(rule.arguments):
            converter = rule._converters[argument]
            words = sorted(getattr(converter, "items", ()))[:3] or [self.reference, "x"]
            given = known.get(argument) or ([self.id] if isinstance(converter, IntegerConverter) else words)
            found = [one | {argument: value} for one in found for value in given]
        yield from found


@pytest.fixture
def closed(world: World) -> Closed:
    """With a file, a merged twin, letters, mails, people and another inquiry of the same person and institution."""
    id, file_id = upload(world)
    given = {"full_name": f"Anna {NAME}", "institution_name": PLACE, "country": "IS"}
    world.submit(email="first@example.org")  # so that lists are not empty without it
    found = Closed(world, id, file_id, 0, 0)
    from collab.core.db import unit_of_work

    with unit_of_work():
        one = world.get(id)
        one.full_name, one.institution_name, one.country = given["full_name"], PLACE, "IS"
        one.title, one.email, one.email_key = (
            TITLE,
            f"anna@{NAME.lower()}.example",
            f"anna@{NAME.lower()}.example",
        )
    found.twin = world.received(email=one.email, title=f"{TITLE} again", **given)
    found.other = world.received(institution_name=PLACE, country="IS", title="Another proposal")
    coordinator = world.actor("coordinator")
    world.do(lambda two, **who: triage.merge(two, into=world.get(id), **who), found.twin, by=coordinator)
    world.route(id, world.actor("host", name="First host"))
    found.words = [NAME, TITLE, found.reference, world.get(found.twin).reference, NAME.lower()]
    return found


def read(answer: object) -> str:
    """All that an answer says, inside of archives too."""
    data: bytes = answer.data  # type: ignore[attr-defined]
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"\n".join(archive.read(name) for name in archive.namelist())
    return data.decode("utf-8", "replace") + str(answer.headers)  # type: ignore[attr-defined]


def staff_rules(app: Flask) -> list[Rule]:
    """Every address that a member of staff may open."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.rule.startswith(("/staff", "/feeds"))
        and "sign-" not in rule.rule
    ]


def walk(app: Flask, member: Staff, closed: Closed) -> tuple[list[str], list[str], int]:
    """Open everything: what named the inquiry and was answered, what showed some of it, and how much was opened."""
    opened, told, count = [], [], 0
    area = closed.world.get(closed.id).area
    queries = [one.format(area=area, name=NAME, reference=closed.reference) for one in QUERIES]
    for rule in staff_rules(app):
        for values in closed.values_for(rule):
            built = rule.build(values, append_unknown=False)
            assert built is not None, rule.rule
            names = {"reference", "file_id", "mail_id", "assignment_id"} & values.keys()
            further = [f"{built[1]}?{query}" for query in queries if not rule.arguments]
            addresses = deque([built[1], *further])
            while addresses:
                address = addresses.popleft()
                answer = member.get(address)
                count += 1
                if answer.status_code == 403:
                    addresses.clear()  # not this person's page, whatever it is asked for
                if names and answer.status_code not in {404, 403, 405}:
                    opened.append(f"{answer.status_code} {address}")
                text = read(answer)
                asked = address.partition("?")[2]
                for word in closed.words:
                    if (
                        word in asked or word in built[1]
                    ):  # what was typed is said back; nothing is found by it
                        text_without = re.sub(rf'(value="|“|q=){re.escape(word)}', "", text)
                        if f"/inquiries/{word}" in text_without and word not in built[1]:
                            told.append(f"{address}: a link to {word}")
                    elif word in text:
                        told.append(f"{address}: {word}")
    return opened, told, count


ROLES = [
    ("coordinator", "head", "admin", "viewer"),
    ("host", "reviewer"),
    ("compliance", "radiation_safety_officer"),
]


@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: roles[0])
def test_a05_nothing_of_a_closed_inquiry_is_left_on_any_page(
    app: Flask, closed: Closed, staff: Callable[..., Staff], roles: tuple[str, ...]
) -> None:
    member, world = staff(*roles), closed.world
    if "reviewer" in roles:
        world.route(closed.id, member.actor, kind="reviewer", declared=False)
    # The same walk finds it while it is open, so that finding nothing means something.
    opened, told, before = walk(app, member, closed)
    if "coordinator" in roles:
        assert len(opened) >= 8, opened
        assert len(told) >= 12, told
    elif "reviewer" in roles:
        assert any("/interest" in one for one in opened)
    else:
        assert any("/gates" in one for one in told)
    world.declare(closed.id, member.actor, yes=["family"]) if "compliance" not in roles else world.do(
        triage.declare_conflict, closed.id, by=member.actor
    )
    opened, told, after = walk(app, member, closed)
    assert opened == []
    assert told == []
    assert after >= before - 5


def test_a05_counts_differ_by_what_is_closed(closed: Closed, staff: Callable[..., Staff]) -> None:
    member, other, world = staff("coordinator", "head"), staff("coordinator", "head"), closed.world

    def piles(client: Staff) -> dict[str, int]:
        page = client.page("/staff/")
        found = {}
        for link in page.iter("a"):
            number = link.find("b")
            if number is not None:
                found[(link.get("href") or "").partition("/staff/")[2]] = int(
                    (number.text or "0").rstrip("+")
                )
        return found

    before = piles(member)
    world.declare(closed.id, member.actor, yes=["money"])
    after, theirs = piles(member), piles(other)
    differing = {key: before[key] - after.get(key, 0) for key in before if before[key] != after.get(key, 0)}
    assert differing.pop("inquiries?status=in_review") == 1
    assert differing.pop("inquiries?status=void") == 1  # the twin that was merged into it
    assert differing.pop("inquiries") == 1
    assert set(differing) <= {"inquiries?unread=1", "", "inquiries?late=1&sort=due"}
    assert theirs["inquiries?status=in_review"] == before["inquiries?status=in_review"]
    assert world.counts() == world.real_counts()


def test_a05_who_declared_hears_nothing_of_it_any_more(closed: Closed, staff: Callable[..., Staff]) -> None:
    from collab.core.db import db
    from collab.inquiries.models import DigestLine

    member, world = staff("coordinator", "head", signed_in=False), closed.world
    other = world.actor("head", name="Another head")
    world.declare(closed.id, member.actor, yes=["dispute"])
    before = len(world.mails(closed.id))
    world.host_says(closed.id, host=world.actor("host", name="First host"))
    world.ready(closed.id)
    told = {one.to_address for one in world.mails(closed.id)[before:]}
    assert world.user(other).email in told
    assert member.email not in told
    lines = {line.user_id for line in db.session.query(DigestLine).filter_by(inquiry_id=closed.id)}
    assert lines
    assert member.user_id not in lines
    assert world.get(closed.id).status is Status.DECISION_READY


def test_a05_joining_and_parting_carry_the_conflict(world: World) -> None:
    address = "one@example.org"
    first, second = world.received(email=address), world.received(email=address)
    member, coordinator = world.actor("coordinator", name="Closed out"), world.actor("coordinator")
    world.do(triage.declare_conflict, second, by=member)
    from collab.inquiries import queries

    def sees(id: int) -> bool:
        return bool(queries.references([id], seen_by=member))

    assert (sees(first), sees(second)) == (True, False)
    world.do(lambda one, **who: triage.merge(one, into=world.get(first), **who), second, by=coordinator)
    assert (sees(first), sees(second)) == (False, False)
    world.do(triage.restore, second, by=coordinator)
    assert (sees(first), sees(second)) == (True, False)


def test_a05_before_the_declaration_only_what_it_needs_is_shown(
    closed: Closed, staff: Callable[..., Staff]
) -> None:
    member, world = staff("host"), closed.world
    world.route(closed.id, member.actor, declared=False)
    address = f"/staff/inquiries/{closed.reference}"
    answer = member.get(address)
    assert (answer.status_code, answer.location) == (303, f"{address}/interest")
    page = member.get(f"{address}/interest").text
    assert closed.reference in page
    assert f"Anna {NAME}" in page
    assert PLACE in page
    assert TITLE not in page
    assert f"anna@{NAME.lower()}" not in page
    for path in (
        "/staff/",
        "/staff/inquiries",
        "/staff/inquiries?q=scanning",
        f"/staff/inquiries?q={closed.reference}",
    ):
        text = member.get(path).text
        assert TITLE not in text, path
        assert NAME not in text, path
    assert f"{address}/interest" in member.get("/staff/").text
    assert member.get(f"{address}/files/{closed.file_id}").status_code == 404
    refused = member.fill(f"{address}/interest", **dict.fromkeys(list(interests.QUESTIONS)[:-1], "no"))
    assert refused.status_code == 422
    assert "Answer yes or no." in refused.text
    assert member.get(address).status_code == 303
    assert member.fill(f"{address}/interest", **dict.fromkeys(interests.QUESTIONS, "no")).location == address
    assert TITLE in member.get(address).text
    assert member.get(f"{address}/files/{closed.file_id}").status_code == 200
    assert member.get(f"{address}/interest").location == address
