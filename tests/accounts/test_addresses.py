"""How an account is found by an address."""

import pytest

from collab.accounts.addresses import NoAddressError, clean_email, key_of


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Li.Wei@Example.ORG ", "Li.Wei@example.org"),
        ("admin@localhost", "admin@localhost"),
        ("li.wei@mail.hospital.local", "li.wei@mail.hospital.local"),
        ("李伟@例子.公司", "李伟@例子.公司"),
    ],
)
def test_addresses_are_taken(typed: str, kept: str) -> None:
    assert clean_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "nobody",
        "a@b@c.example",
        "Li <li@example.org>",
        "li@example.org, mei@example.org",
        "li@example.org\nBcc: mei@example.org",
        "li@-bad.local",
        "li@" + "a" * 250 + ".org",
        '"quoted part"@localhost',
    ],
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(NoAddressError):
        clean_email(typed)


def test_case_does_not_make_two_accounts() -> None:
    assert key_of("Li.Wei@Example.ORG") == key_of(" li.wei@EXAMPLE.org") == "li.wei@example.org"


@pytest.mark.parametrize("typed", ["", " ", "\x00", "x" * 5000])
def test_what_is_no_address_has_a_key_that_finds_nobody(typed: str) -> None:
    assert key_of(typed)
    assert len(key_of(typed)) <= 254
