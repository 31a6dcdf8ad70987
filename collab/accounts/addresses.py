"""E-mail addresses of the staff: how they are checked, and how an account is found by one."""

import re
import unicodedata

_HOST = re.compile(
    r"(?=.{1,200}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII
)
#: Names that exist only inside a house or on one machine: a portal in that house has to take them.
_INSIDE = (".local", ".localhost", ".internal", ".lan", ".intranet", ".test", ".invalid")


class NoAddressError(ValueError):
    """The text is not one e-mail address."""


def clean_email(value: str) -> str:
    """One checked address: local part as typed (NFC), domain in lower case.

    :raises NoAddressError: anything else than exactly one plain address.
    """
    from email_validator import EmailNotValidError, validate_email  # loaded when an address is checked

    value = value.strip()
    if len(value) > 254:
        raise NoAddressError
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        pass
    local, _at, domain = value.rpartition("@")
    domain = domain.lower()
    if not _HOST.fullmatch(domain) or not (domain == "localhost" or domain.endswith(_INSIDE)):
        raise NoAddressError
    try:
        checked = validate_email(f"{local}@example.com", check_deliverability=False)
    except EmailNotValidError:
        raise NoAddressError from None
    return f"{checked.local_part}@{domain}"


def key_of(value: str) -> str:
    """What an account is found by: the address without regard to case. What is no address finds nobody."""
    try:
        value = clean_email(value)
    except NoAddressError:
        value = value.strip()
    return unicodedata.normalize("NFC", value).casefold()[:254] or "-"
