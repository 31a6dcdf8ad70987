"""Who may do what is written down, and what is written is what holds."""

from flask import Flask

from collab.accounts.permissions import ALLOWED, Permission
from tools import permissions_page


def test_the_page_of_permissions_is_fresh() -> None:
    # Written by `make docs`.
    assert permissions_page.PAGE.read_text() == permissions_page.page()


def test_every_permission_is_somebodys_and_some_pages(app: Flask) -> None:
    assert set(ALLOWED) == set(Permission)
    assert all(ALLOWED.values())
    declared = {getattr(view, "permission", None) for view in app.view_functions.values()}
    asked_for_by_verbs = {Permission.ANSWER_AS_HOST, Permission.WORK_IN_OFFICE}
    assert {str(one) for one in set(Permission) - asked_for_by_verbs} - declared == set()
