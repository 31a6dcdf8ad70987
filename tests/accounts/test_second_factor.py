"""Time-based codes and recovery codes, without a database."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from collab.accounts import second_factor

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B
AT = datetime.fromtimestamp(1111111109, UTC)


def test_the_code_of_rfc_6238() -> None:
    assert second_factor.matching_step(SECRET, "081804", at=AT) == 1111111109 // 30


@pytest.mark.parametrize("typed", ["081 804", " 081804 ", "081-804", "0 8 1 8 0 4"])
def test_spaces_and_dashes_do_not_matter(typed: str) -> None:
    assert second_factor.matching_step(SECRET, typed, at=AT) is not None


@pytest.mark.parametrize(
    "typed", ["", "81804", "0818040", "00081804", "０８１８０４", "081804\x00", "08180a"]
)
def test_what_is_not_six_digits_is_no_code(typed: str) -> None:
    assert second_factor.matching_step(SECRET, typed, at=AT) is None


@pytest.mark.parametrize(
    ("seconds", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_one_step_of_drift_either_way(seconds: int, taken: bool) -> None:
    code = pyotp.TOTP(SECRET).at(AT + timedelta(seconds=seconds))
    assert (second_factor.matching_step(SECRET, code, at=AT) is not None) is taken


def test_ten_recovery_codes_each_found_by_its_selector() -> None:
    codes = second_factor.new_recovery_codes()
    assert len({code.selector for code in codes}) == len({code.text for code in codes}) == 10
    for code in codes[:2]:
        selector, secret = second_factor.split_recovery_code(code.text.upper().replace("-", " ")) or ("", "")
        assert selector == code.selector
        assert code.code_hash.startswith("$argon2id$")
        assert secret not in code.code_hash
        assert second_factor.recovery_code_matches(code.code_hash, secret)
        assert not second_factor.recovery_code_matches(codes[5].code_hash, secret)
    assert not second_factor.recovery_code_matches(None, "abcdefghjk")


@pytest.mark.parametrize("typed", ["", "abcd", "abcd-efghj-kmnp", "abcd-efghj-kmnpqr", "äbcd-efghj-kmnpq"])
def test_what_has_not_the_shape_of_a_recovery_code_is_none(typed: str) -> None:
    assert second_factor.split_recovery_code(typed) is None
