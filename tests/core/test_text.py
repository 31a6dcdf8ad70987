"""What people type is made regular, and refused when it hides something."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.core.text import HiddenCharacters, clean_line, clean_text, fold, is_cjk, shorten

HIDDEN = [
    *map(chr, [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, *range(0x80, 0xA0)]),
    *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0x200B, 0x2060, 0xFEFF]),
    "\ufffd",
    "\uffff",
    "\ud800",
    "\udfff",
]


@pytest.mark.parametrize("character", HIDDEN, ids=lambda c: f"U+{ord(c):04X}")
def test_hidden_characters_are_refused(character: str) -> None:
    for clean in (clean_text, clean_line):
        with pytest.raises(HiddenCharacters):
            clean(f"before{character}after")


@pytest.mark.parametrize(
    "text",
    [
        "Zoë",
        "王芳",
        "محمد",
        "Nguyễn Thị Hà",
        "O’Neill",
        "नमस्ते",
        "कर्‍म",
        "👩‍🔬",
        "a\u00adb",
        "ﷺ",
        "İ",
        "ß",
        "﷽",
    ],
)
def test_names_of_all_scripts_are_taken(text: str) -> None:
    assert clean_line(text) == unicodedata.normalize("NFC", text)


def test_line_ends_and_spaces() -> None:
    assert clean_text("  a\r\nb\rc\n\n ") == "a\nb\nc"
    assert clean_line("  a \t b\r\nc\u00a0 \u3000d ") == "a b c d"
    assert clean_text("e\u0301") == "é"


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    for clean in (clean_text, clean_line):
        try:
            once = clean(text)
        except HiddenCharacters:
            continue
        assert clean(once) == once
        assert once == once.strip()
        assert unicodedata.is_normalized("NFC", once)
        assert "\r" not in once
        assert not set(once) & set(HIDDEN)
        if clean is clean_line:
            assert "\n" not in once
            assert "  " not in once


@given(st.text(), st.integers(2, 60))
def test_shortening_keeps_the_length(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= length
    assert short == " ".join(text.split()) or short.endswith("…")


@given(st.text())
def test_folding_is_for_matching(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_folding() -> None:
    assert fold("Müller") == fold("MULLER") == "muller"
    assert fold("ＰＥＴ／ＣＴ") == "pet/ct"
    assert fold("Straße") == "strasse"


def test_cjk() -> None:
    assert is_cjk("希望与贵科联合培养博士 (PhD)")
    assert not is_cjk("We work with 王芳 in Chengdu")
    assert not is_cjk("12345 !?")
