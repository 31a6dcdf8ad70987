"""Which passwords are taken, and that they are compared exactly (ASVS V6.2)."""

import pytest
from flask import Flask

from collab.accounts import passwords
from collab.core.errors import Invalid

GOOD = "moss-Kettle-17-harbour"


@pytest.mark.parametrize(
    "password",
    [
        "quiet lantern over the old mill",  # no composition rules: lower case alone will do
        GOOD + "x7" * 60,  # 142 characters
        "银杏树下的旧自行车在等人回来",
        GOOD + " ",
        GOOD + "\x00",
        "zq9" + "é" * 5 + "-lantern-mill",
    ],
)
def test_good_passwords_are_taken_and_match_only_themselves(app: Flask, password: str) -> None:
    passwords.check(password)
    kept = passwords.hash_password(password)
    assert kept.startswith("$argon2id$")
    assert passwords.matches(kept, password)
    for other in {
        password.strip(),
        password.lower(),
        password + " ",
        password[:72],
        password.replace("\x00", ""),
    }:
        assert passwords.matches(kept, other) is (other == password)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "at least 12"),
        ("moss-Kettle", "at least 12"),
        ("a" * 1025, "longer than"),
        ("银" * 342, "longer than"),  # 1026 bytes
        ("password1234", "names everybody"),
        ("Portal-Collab-2026", "names everybody"),
        ("qwertyuiop12", "easy to guess"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
        ("123456789012345", "easy to guess"),
        ("letmeinletmein", "easy to guess"),
    ],
)
def test_bad_passwords_are_refused_with_the_reason(app: Flask, password: str, reason: str) -> None:
    with pytest.raises(Invalid) as refusal:
        passwords.check(password, field="new_password")
    assert refusal.value.field == "new_password"
    assert reason in refusal.value.message


def test_names_around_a_person_make_no_password(app: Flask) -> None:
    about = ["Mei-Ling Tannenbaum", "m.tannenbaum@clinic.example", "Institute of Volcanology", "火山研究所"]
    for password in ("Tannenbaum1234!", "Volcanology-2026", "MeiLingTannenbaum", "火山研究所123456789"):
        with pytest.raises(Invalid):
            passwords.check(password, about=about)
    passwords.check(
        "Tannenbaum likes kettles by the harbour", about=about
    )  # one such word among others is fine


def test_composed_and_decomposed_are_two_passwords(app: Flask) -> None:
    composed, decomposed = "caf\u00e9-Kettle-17-harbour", "cafe\u0301-Kettle-17-harbour"
    assert not passwords.matches(passwords.hash_password(composed), decomposed)


def test_nobody_and_no_password_never_match(app: Flask) -> None:
    assert not passwords.matches(None, GOOD)
    assert not passwords.matches("", GOOD)
    assert not passwords.matches("no hash at all", GOOD)


def test_a_hash_of_another_cost_is_outdated(app: Flask) -> None:
    from argon2 import PasswordHasher

    assert passwords.is_outdated(PasswordHasher(memory_cost=16, time_cost=2, parallelism=1).hash(GOOD))
    assert not passwords.is_outdated(passwords.hash_password(GOOD))


def test_one_time_passwords_differ_and_are_long(app: Flask) -> None:
    made = {passwords.one_time_password() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(password) for password in made} == {23}
