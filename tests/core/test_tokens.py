"""Secrets in links."""

import re

from collab.core.tokens import digest, new_token


def test_ten_thousand_are_different_and_long() -> None:
    tokens = {new_token() for _ in range(10_000)}
    assert len(tokens) == 10_000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    for at in range(42):  # no place says anything
        assert len({token[at] for token in tokens}) == 64


def test_a_digest_is_bound_to_its_purpose_and_to_every_character() -> None:
    token = new_token()
    digests = {
        digest(purpose, token) for purpose in ("confirm", "private", "draft", "partner-session", "reset")
    }
    assert len(digests) == 5
    assert digest("confirm", token) == digest("confirm", token)
    assert digest("confirm", token.swapcase()) not in digests
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in digests)
    assert token not in "".join(digests)
