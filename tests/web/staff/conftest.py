"""The world of inquiries, and how tests of the staff's pages look at it."""

from collections.abc import Callable

import pytest

from collab import accounts
from collab.accounts import Role
from collab.departments import Department
from collab.inquiries.staff_mail import holders
from tests.support.people import Staff
from tests.support.world import World


@pytest.fixture
def world(department: Department) -> World:
    """Inquiries in every status: `world.at("in_review")` gives an id."""
    return World(department)


@pytest.fixture
def at(world: World) -> Callable[..., str]:
    """The address of the page of a new inquiry: `at("received")`."""

    def at(status: str = "received", **given: object) -> str:
        id = world.at(status, **given)
        if status in {"decision_ready", "waitlisted", "conditional"}:  # the heads there are have declared
            for head in holders(world.department_id, Role.HEAD):
                world.declare(id, accounts.actor_of(head))
        return f"/staff/inquiries/{world.get(id).reference}"

    return at


@pytest.fixture
def coordinator(staff: Callable[..., Staff]) -> Staff:
    return staff("coordinator")


@pytest.fixture
def head(staff: Callable[..., Staff]) -> Staff:
    return staff("head")
