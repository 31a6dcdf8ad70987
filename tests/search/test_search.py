"""Indexing and finding, on the database itself."""

import random
import unicodedata

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from collab import search
from collab.core.db import db, unit_of_work

CHINESE = [
    "合作",
    "研究",
    "大学",
    "学院",
    "访问",
    "学者",
    "联合",
    "培养",
    "博士",
    "项目",
    "申请",
    "量子",
    "计算",
    "材料",
    "科学",
    "工程",
    "机器",
    "学习",
    "生物",
    "医学",
    "环境",
    "能源",
    "德国",
    "美国",
    "北京",
    "上海",
    "交流",
    "协议",
    "导师",
    "经费",
]
LATIN = [
    "cooperation",
    "research",
    "university",
    "visiting",
    "scholar",
    "joint",
    "training",
    "doctoral",
    "programme",
    "quantum",
    "computing",
    "materials",
    "science",
    "engineering",
    "machine",
    "learning",
    "biology",
    "environment",
    "energy",
    "germany",
    "agreement",
    "funding",
    "zürich",
]
OTHER = [
    "ядерная",
    "медицина",
    "сотрудничество",
    "جامعة",
    "القاهرة",
    "서울대학교",
    "연구",
    "ひらがな",
    "データ",
    "bệnh",
    "viện",
    "đại",
    "học",
]
QUERIES = [
    "量子",
    "量子计算",
    "访问学者",
    "学者",
    "德国",
    "学",
    "engineer",
    "zurich",
    "ZÜRICH",
    "coop",
    "machine",
    "sci",
    "сотрудничество",
    "جامعه",
    "대학교",
    "学习生物",
    "đại",
    "dai",
    "データ",
    "合作 quantum",
    "visiting scholar",
    "量 energy",
    "quantum 博士 zur",
    "서울 연구",
    "医 学 энергия",
    "bệnh viện",
]


def indexed(texts: list[str], *, department_id: int = 1, kind: str = "inquiry") -> None:
    with unit_of_work():
        for number, text in enumerate(texts, start=1):
            search.index(kind, number, department_id=department_id, text=text)


def found(q: str, *departments: int, kind: str = "inquiry") -> list[int]:
    statement = search.matching(kind, q, department_ids=departments or (1,))
    ids = list(db.session.scalars(statement))
    assert len(ids) == len(set(ids))
    return sorted(ids)


def plain(text: str) -> str:
    text = text.casefold().replace("đ", "d").replace("ة", "ه")
    decomposed = unicodedata.normalize("NFD", text)
    kept = "".join(c for c in decomposed if not (unicodedata.combining(c) and ord(c) < 0x3000))
    return unicodedata.normalize("NFC", kept)


def test_everything_is_found_and_nothing_else(app: Flask) -> None:
    """Recall and precision are 1.00 against a reading of every text, mixed scripts included."""
    chance = random.Random(20261123)
    texts = [
        "".join(chance.choices(CHINESE, k=12))
        + "，"
        + " ".join(chance.choices(LATIN, k=6))
        + "。"
        + " ".join(chance.choices(OTHER, k=3))
        for _ in range(600)
    ]
    indexed(texts)
    for q in QUERIES:
        asked = [plain(term) for term in q.split()]
        truth = [
            number
            for number, text in enumerate(texts, start=1)
            if all(
                term in plain(text)
                if any(ord(c) >= 0x3000 for c in term)
                else any(
                    word.startswith(term)
                    for word in plain(text).replace("，", " ").replace("。", " ").split()
                )
                for term in asked
            )
        ]
        assert found(q) == truth, q
        assert truth or q == "医 学 энергия", f"{q} tests nothing"


def test_a_phrase_in_quotes_stands_as_it_is_written(app: Flask) -> None:
    indexed(
        ["joint training in Chengdu", "training, joint", "joint trainings", "联合 training", "training 联合"]
    )
    assert found('"joint training"') == [1]
    assert found("joint training") == [1, 2, 3]
    assert found("“联合 training”") == [4]


def test_a_part_of_a_joined_word_does_not_match_across_a_boundary(app: Flask) -> None:
    indexed(["量子，计算", "量子计算", "pet ct", "ct, pet", "18F-FDG PET/CT"])
    assert found("子计") == [2]
    assert found("量子 计算") == [1, 2]
    assert found("PET/CT") == [3, 5]
    assert found("18f") == [5]


def test_departments_are_a_wall(app: Flask) -> None:
    indexed(["laboratory"], department_id=1)
    with unit_of_work():
        search.index("inquiry", 2, department_id=2, text="laboratory")
        search.index("inquiry", 3, department_id=12, text="laboratory §1 1 d1")
    assert found("laboratory", 1) == [1]
    assert found("laboratory", 2) == [2]
    assert found("laboratory", 1, 12) == [1, 3]
    assert list(db.session.scalars(search.matching("inquiry", "laboratory", department_ids=()))) == []
    assert search.find("inquiry", "laboratory", department_ids=()) == []


def test_kinds_are_apart(app: Flask) -> None:
    indexed(["cyclotron"])
    indexed(["cyclotron", "cyclotron"], kind="news")
    assert found("cyclotron") == [1]
    assert found("cyclotron", kind="news") == [1, 2]
    assert search.find("page", "cyclotron", department_ids=(1,)) == []
    with pytest.raises(KeyError):
        search.matching("nothing", "cyclotron", department_ids=(1,))


def test_a_new_text_replaces_the_old_one_and_removing_leaves_nothing(app: Flask) -> None:
    indexed(["first wording 初稿", "first kept"])
    with unit_of_work():
        search.index("inquiry", 1, department_id=1, text="second wording 定稿")
    assert found("first") == [2]
    assert found("初") == found("初稿") == []
    assert found("second") == found("定") == found("定稿") == [1]
    with unit_of_work():
        search.index("inquiry", 1, department_id=7, text="second wording 定稿")
    assert found("second", 1) == []
    assert found("second", 7) == [1]
    with unit_of_work():
        search.remove("inquiry", 1)
        search.remove("inquiry", 1)
    assert found("second", 1, 7) == found("wording", 1, 7) == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(search.SearchEntry)) == 1
    if db.engine.dialect.name == "sqlite":
        assert list(db.session.scalars(sa.text("SELECT word FROM search_word ORDER BY word"))) == [
            "first",
            "kept",
        ]
        db.session.execute(sa.text("INSERT INTO search_fts (search_fts) VALUES ('integrity-check')"))
    else:
        assert db.session.scalar(sa.text("SELECT count(*) FROM search_vector")) == 1


def test_what_is_rolled_back_is_not_found(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work():  # noqa: PT012
        search.index("inquiry", 1, department_id=1, text="vanishing")
        raise ZeroDivisionError
    assert found("vanishing") == []


def test_pages_by_key_newest_and_oldest_first(app: Flask) -> None:
    indexed([f"common number{n}" for n in range(1, 31)])
    assert list(page("common", size=4)) == [30, 29, 28, 27]
    assert list(page("common", before=27, size=3)) == [26, 25, 24]
    assert list(page("common", after=27, size=3)) == [28, 29, 30]
    assert list(page("common", after=24, size=2)) == [25, 26]
    assert list(page("common", before=27, size=10, most=2)) == [26, 25]
    assert list(page("common", after=3, size=10, most=2)) == [4, 5]
    assert list(page("common", before=1, size=3)) == []


def page(
    q: str, *, size: int, before: int | None = None, after: int | None = None, most: int | None = None
) -> list[int]:
    hits = search.matching(
        "inquiry", q, department_ids=(1,), before=before, after=after, most=most
    ).subquery()
    order = hits.c.object_id.asc() if after is not None else hits.c.object_id.desc()
    return list(db.session.scalars(sa.select(hits.c.object_id).order_by(order).limit(size)))


@pytest.mark.one_database
def test_paging_walks_the_index_and_sorts_nothing(app: Flask) -> None:
    """The plan itself: FTS5 hands the rows over newest first (its index 192), no temporary B-tree."""
    indexed(["common"])
    hits = search.matching("inquiry", "common 学 com", department_ids=(1, 2), before=9).subquery()
    statement = (
        sa.select(search.SearchEntry.id)
        .join(hits, hits.c.object_id == search.SearchEntry.id)
        .order_by(hits.c.object_id.desc())
        .limit(26)
    )
    text = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    plan = [row[-1] for row in db.session.execute(sa.text("EXPLAIN QUERY PLAN " + text.replace(":", r"\:")))]
    assert not any("B-TREE" in step for step in plan), plan
    assert "VIRTUAL TABLE INDEX 192" in plan[0], plan


def test_the_best_come_first(app: Flask) -> None:
    indexed(
        ["notes on many things, and one cyclotron", "cyclotron", "cyclotrons", "cyclotron, cyclotron", "none"]
    )
    assert search.find("inquiry", "cyclotron", department_ids=(1,)) == [4, 2, 3, 1]
    assert search.find("inquiry", "cyclotron", department_ids=(1,), limit=2) == [4, 2]
    indexed(["关于核医学的说明", "核医学", "医学史"], kind="page")
    assert search.find("page", "核医学", department_ids=(1,)) == [2, 1]
    assert search.find("page", "史", department_ids=(1,)) == [3]


# ruff: noqa: E501
HOSTILE = (
    '"', "'", "''", '""', "\\", "*", "^", "a*b", "a:b", "words:a", "{words}:a", "-a", "+a", "a AND", "OR", "NOT a", "NEAR(a b, 2)",
    "a <-> b", "a & | !", "(((((", ")))", "a:*", "a:ABC", "%", "_", ";", "--", "/*", "\x00", "a\x00b", "\ud800", "☃", "é" * 500,
    "a " * 5000, '"a ' * 5000, "量" * 5000, "'; DROP TABLE search_entry; --", "1 OR 1=1", "\N{RIGHT-TO-LEFT OVERRIDE}a", "§1", "§",
    "a'b\\c", "$$", ":x", "%s", "%(x)s", "?", "\u0301", "\u3099", "ー", "〇",
)  # fmt: skip


@pytest.mark.parametrize("q", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_queries_are_words_or_nothing(app: Flask, q: str) -> None:
    indexed(["harmless text 文字"])
    with unit_of_work():
        search.index("inquiry", 2, department_id=2, text="secret of another department, 1 or 1=1")
    assert set(found(q)) <= {1}
    assert set(search.find("inquiry", q, department_ids=(1,))) <= {1}
    assert found("harmless") == [1]


@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(min_size=1, max_size=40))
def test_any_text_can_be_indexed_and_is_found_by_itself(app: Flask, text: str) -> None:
    indexed([text])
    if search.query_terms(text) and len(search.query_terms(text)) < 12:
        assert found(text) == [1]
    else:
        found(text)


def test_a_beginning_of_very_many_words_finds_them_all(app: Flask) -> None:
    indexed([f"internal{n:04d}" for n in range(300)])
    assert len(found("internal")) == 300
    assert len(found("internal00")) == 100
    assert len(found("inte")) == len(found("int")) == 300
