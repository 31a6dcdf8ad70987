"""Members of staff who sign in as people do: password, then the code of their telephone."""

import itertools
from typing import TYPE_CHECKING

import pyotp
from flask import Flask

from collab.core import clock
from collab.core.db import db, unit_of_work
from tests.support.client import Client

if TYPE_CHECKING:
    from collab.accounts import Actor, User
    from collab.departments.models import Department

PASSWORD = "moss-Kettle-17-harbour"
_numbers = itertools.count(1)


class Staff(Client):
    """The browser of one member of staff."""

    user_id: int
    email: str
    password: str
    totp_secret: str

    @property
    def user(self) -> "User":
        """The account, as it is now."""
        from collab.accounts import User

        found = db.session.get(User, self.user_id)
        assert found is not None
        return found

    @property
    def actor(self) -> "Actor":
        """The `by=` of verbs that a test calls itself."""
        from collab import accounts

        return accounts.actor_of(self.user)

    def code(self) -> str:
        """What the telephone shows now. Each code can be used once."""
        return str(pyotp.TOTP(self.totp_secret).at(clock.now()))

    def sign_in(self) -> None:
        """Through the two pages of the sign-in."""
        answer = self.fill("/staff/sign-in", email=self.email, password=self.password)
        assert answer.status_code == 303, answer.text
        answer = self.fill(answer.location, code=self.code())
        assert answer.status_code == 303, answer.text


def staff(
    app: Flask,
    department: "Department",
    *roles: str,
    name: str = "",
    email: str = "",
    locale: str = "en",
    signed_in: bool = True,
) -> Staff:
    """A new member of the department's staff with these roles, signed in unless told otherwise."""
    from collab.accounts import Membership, Role, User, passwords

    number = next(_numbers)
    secret = pyotp.random_base32(32)
    email = email or f"{'-'.join(roles) or 'nobody'}-{number}@staff.example"
    with unit_of_work():
        moment = clock.now()
        user = User(
            email=email,
            email_key=email.casefold(),
            name=name or f"{' '.join(roles).replace('_', ' ').title() or 'Nobody'} {number}",
            locale=locale,
            password_hash=passwords.hash_password(PASSWORD),
            password_changed_at=moment,
            totp_secret=secret,
            totp_confirmed_at=moment,
            created_at=moment,
            memberships=[Membership(department_id=department.id, role=Role(role)) for role in roles],
        )
        db.session.add(user)
        db.session.flush()
        user_id = user.id
    like = app.test_client_class
    assert like is not None
    assert issubclass(like, Client)
    kind = type(
        "Staff",
        (Staff,),
        {"base_url": like.base_url, "checked": like.checked, "mishaps": like.mishaps},
    )
    client: Staff = kind(app, app.response_class, use_cookies=True)
    client.user_id, client.email, client.password, client.totp_secret = user_id, email, PASSWORD, secret
    if signed_in:
        client.sign_in()
    return client
