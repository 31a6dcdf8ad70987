"""Which words a text is indexed by, and what a typed query asks for."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.search.vocabulary import MOST_CLAUSES, MOST_WORDS, Clause, fold, marks, query_terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("量子计算，machine Learning Zürich", "量子 子计 计算 machine learning zurich"),
        ("学", "学"),
        ("서울대학교에서 연구", "서울 울대 대학 학교 교에 에서 연구"),
        ("研究データ", "研究 究デ デー ータ"),
        ("Đại học Y Hà Nội", "dai hoc y ha noi"),
        ("جامعة القاهِرة الأدوية", "جامعه القاهره الادويه"),
        ("Ёлка Ёж", "елка еж"),
        ("हिन्दी विश्वविद्यालय", "हिन्दी विश्वविद्यालय"),
        ("ＰＥＴ／ＣＴ １８Ｆ-FDG", "pet ct 18f fdg"),
        ("İstanbul STRASSE Straße Łódź Ærø", "istanbul strasse strasse lodz aero"),
        ("かき がき", "かき がき"),
        ("snake_case a.b@example.org", "snake case a b example org"),
        ("co\u00adopera\u200btion", "cooperation"),
        ("  \n\t -- ' \" * ( ) : ^ & | ! <-> ", ""),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert words(text) == expected


def test_accents_written_apart_are_the_same_word() -> None:
    assert words("Zu\u0308rich \u1112\u1161\u11ab\u1100\u1173\u11af") == words("Zürich 한글")


def test_marks_are_characters_and_short_beginnings() -> None:
    assert marks("量子 子计 计算 machine pet a") == "量 子 计 算 ma mac mach machi pe pet"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("量子计算", [Clause(("量子", "子计", "计算"))]),
        ("学", [Clause(("学",), mark=True)]),
        ("coop", [Clause(("coop",), prefix=True, mark=True)]),
        ("cooper", [Clause(("cooper",), prefix=True)]),
        ("CT", [Clause(("ct",), prefix=True, mark=True)]),
        ("x", [Clause(("x",))]),
        ("18F-FDG", [Clause(("18f", "fdg"))]),
        ("NM-2026-0042", [Clause(("nm", "2026", "0042"), prefix=True)]),
        ("5G网络", [Clause(("5g",), prefix=True, mark=True), Clause(("网络",))]),
        ('"joint training" 学者', [Clause(("joint", "training")), Clause(("学者",))]),
        ("“联合 training”", [Clause(("联合", "training"))]),
        ('"X 线"', [Clause(("x",)), Clause(("线",), mark=True)]),
        ('" OR NEAR(', [Clause(("or",), prefix=True, mark=True), Clause(("near",), prefix=True, mark=True)]),
        ("cooper cooper", [Clause(("cooper",), prefix=True)]),
        ("!!!", []),
        ("", []),
    ],
)
def test_query_terms(typed: str, expected: list[Clause]) -> None:
    assert list(query_terms(typed)) == expected


@given(st.text(max_size=400))
def test_words_hold_no_syntax_and_folding_is_settled(text: str) -> None:
    indexed = words(text)
    assert not set(indexed) & set("'\"*():^&|!<>-+{}[]\\/,;§\0\n\t")
    assert fold(fold(text)) == fold(text)
    assert words(indexed.upper()) == words(indexed)


@given(st.text(max_size=400))
def test_a_query_is_bounded_and_made_of_words(typed: str) -> None:
    clauses = query_terms(typed)
    assert len(clauses) <= MOST_CLAUSES
    for clause in clauses:
        assert clause.tokens
        assert all(token and words(token) for token in clause.tokens)


def test_a_long_text_is_cut_and_quickly_done() -> None:
    began = time.perf_counter()
    assert len(words("字" * 10_000_000).split()) == MOST_WORDS
    assert len(words("a" * 10_000_000)) == 64
    assert len(words("á" * 10_000_000)) == 64
    assert time.perf_counter() - began < 2
