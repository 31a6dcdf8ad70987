"""Cursors travel in addresses: what somebody made of one is a cursor or refused, never a mistake of ours."""

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collab.core.errors import Invalid
from collab.core.paging import from_cursor, to_cursor

KEYS = st.lists(
    st.one_of(st.integers(-(2**62), 2**62), st.text(max_size=200).filter(str.isprintable), st.none()),
    min_size=1,
    max_size=4,
)


@given(KEYS, st.booleans())
def test_there_and_back(key: list[int | str | None], back: bool) -> None:
    cursor = to_cursor(tuple(key), back=back)
    assert from_cursor(cursor, length=len(key)) == (tuple(key), back)
    assert not set(cursor) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    with pytest.raises(Invalid):
        from_cursor(cursor, length=len(key) + 1)


@given(st.text())
@example("")
@example("=" * 5)
@example("é")
@example("A" * 100_000)
@example("WzAsMV0\n")
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        key, back = from_cursor(text, length=2)
    except Invalid:
        return
    assert len(key) == 2
    assert isinstance(back, bool)


@pytest.mark.parametrize(
    "inside",
    [
        "[0,1.5,2]",
        "[0,[1],2]",
        '[0,{"a":1},2]',
        "[0,1]",
        "[0,1,2,3]",
        "{}",
        "null",
        "7",
        '"012"',
        "[0,NaN,1]",
        "[0,1e400,1]",
        f"[0,{10**30},1]",
        f"[0,{'9' * 5000},1]",
        "[" * 50_000,
        "[0,true,1]",
        '[0,"\\u0000",1]',
        '[0,"\\ud800",1]',
    ],
)
def test_what_is_no_key_is_refused(inside: str) -> None:
    with pytest.raises(Invalid):
        from_cursor(base64.urlsafe_b64encode(inside.encode()).decode().rstrip("="), length=2)


def test_a_cursor_is_no_secret_and_no_code() -> None:
    assert json.loads(base64.urlsafe_b64decode(to_cursor((1, "b")) + "==")) == [0, 1, "b"]
