"""The profile: every fact of the source in it, nothing that the source does not say, published in revisions."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from collab import departments, profile
from collab.accounts import COMMAND
from collab.core.db import db, unit_of_work
from collab.core.errors import Invalid, NotFound
from collab.departments import Department
from collab.profile import PeriodState, ProfileRevision

DATA = Path(__file__).parents[1] / "data"
SEED = (DATA / "seed.txt").read_text(encoding="utf-8")
FACTS: list[dict[str, Any]] = json.loads((DATA / "seed_facts.json").read_text(encoding="utf-8"))["facts"]
SHIPPED = departments.folder_of("")
STATES = {None: "none", "unstated": "undated", "NOT STATED": "unstated"}


def changed(folder: Path, change: dict[str, Any]) -> Path:
    """A copy of the shipped profile with some of a fact's values changed."""
    shutil.copytree(SHIPPED, folder)
    path = folder / "profile.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    fact = next(fact for fact in content["facts"] if fact["key"] == change["key"])
    fact |= change.get("to", {})
    content["facts"] += change.get("more", [])
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def test_each_fact_of_the_source_is_kept_with_its_words_value_and_period(department: Department) -> None:
    kept = profile.current(department).by_key
    assert set(kept) == {fact["id"] for fact in FACTS}
    for fact in FACTS:
        ours = kept[fact["id"]]
        assert ours.source_text == fact["needle"], fact["id"]
        if fact["unit"] != "order":
            assert ours.value == fact["value"], fact["id"]
        stated = STATES.get(fact["period"], "stated")
        assert ours.period.state.value == stated, fact["id"]
        assert ours.en, fact["id"]
        assert ours.zh, fact["id"]


def test_the_shipped_profile_has_no_problem_and_is_compared_with_the_source() -> None:
    assert profile.check("") == []
    assert profile.check("", source=SEED) == []
    assert profile.check("", source=SEED.replace("cyclotron", "synchrotron")) != []


def test_the_source_is_not_in_the_words_of_the_portal_but_literally_its_own() -> None:
    assert (SHIPPED / "source.txt").read_text(encoding="utf-8") == SEED


def test_therapy_figures_have_no_period(department: Department) -> None:
    facts = [fact for fact in profile.current(department).facts if fact.key.startswith("rx.")]
    assert [fact.value for fact in facts] == [140, 20, 10]
    assert {fact.period.state for fact in facts} == {PeriodState.UNSTATED}
    said = " ".join(str(text) for fact in facts for text in (fact.en, fact.zh, fact.note, fact.period.text))
    assert not re.search(r"month|year|annual|每月|每年|年度", said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "equip.hplc", "to": {"source_text": "HPLC (two)"}}, "does not occur in the source"),
        ({"key": "equip.hplc", "to": {"section": "attic"}}, "there is no section attic"),
        ({"key": "equip.hplc", "to": {"zh": ""}}, ".zh: String should have at least 1 character"),
        ({"key": "staff.total", "to": {"value": 25}}, "do not hold 25"),
        ({"key": "staff.total", "to": {"unit": None}}, "without a unit"),
        ({"key": "staff.nurses", "to": {"part_of": "staff.nobody"}}, "there is no fact staff.nobody"),
        ({"key": "rx.dtc", "to": {"period": {"state": "stated"}}}, "a period has a text exactly when"),
        ({"key": "rx.dtc", "to": {"colour": "red"}}, "colour"),
        (
            {
                "key": "lab.1",
                "more": [
                    {
                        "key": "lab.1",
                        "section": "laboratories",
                        "order": 9,
                        "en": "a",
                        "zh": "乙",
                        "source_text": "HPLC",
                    }
                ],
            },
            "stands there twice",
        ),
    ],
)
def test_a_profile_that_says_something_else_is_not_published(
    department: Department, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = changed(tmp_path / "copy", change)
    assert said in "\n".join(map(str, profile.check(path)))
    with pytest.raises(Invalid) as refused, unit_of_work():
        profile.import_profile(department, path, by=COMMAND)
    assert said in refused.value.message
    assert db.session.query(ProfileRevision).count() == 1


def test_parts_that_do_not_add_up_are_a_note_only(tmp_path: Path) -> None:
    path = changed(
        tmp_path / "copy", {"key": "staff.nurses", "to": {"value": 8, "source_text": "8 technologists"}}
    )
    found = profile.check(path)
    assert [(problem.where, problem.grave) for problem in found] == [("staff.total", False)]
    assert "add up to 28, the source says 24" in found[0].text


def test_the_same_profile_twice_is_one_revision_and_a_changed_one_the_next(
    department: Department, tmp_path: Path
) -> None:
    version = department.content_version
    with unit_of_work():
        profile.import_profile(department, "", by=COMMAND)
    assert (db.session.query(ProfileRevision).count(), department.content_version) == (1, version)
    path = changed(tmp_path / "copy", {"key": "lab.3", "to": {"zh": "化学合成室"}})
    with unit_of_work():
        profile.import_profile(department, path, by=COMMAND)
    revision = profile.current_revision(department)
    assert (revision.number, department.content_version) == (2, version + 1)
    assert profile.current(department).by_key["lab.3"].zh == "化学合成室"


def test_what_is_exported_is_imported_as_the_same(department: Department, tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(profile.export_profile(department), encoding="utf-8")
    with unit_of_work():
        revision = profile.import_profile(department, path, by=COMMAND)
    assert revision.number == 1


def test_a_department_without_a_profile_shows_none(department: Department) -> None:
    with unit_of_work():
        db.session.query(ProfileRevision).delete()
    with pytest.raises(NotFound):
        profile.current(department)


# -- search ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "anchor"),
    [
        ("cyclotron", "equip.cyclotron"),
        ("回旋加速器", "equip.cyclotron"),
        ("CYCLOTRONS", "equip.cyclotron"),
        ("Graves hyperthyroidism", "rx.graves"),
        ("甲亢", "rx.graves"),
        ("I-131 whole body", "img.i131wbi"),
        ("i131 thyroid diseases", "focus.3"),
        ("131I 全身显像", "img.i131wbi"),
        ("去唾液酸糖蛋白受体", "grant.3"),
        ("vasoactive intestinal peptide", "grant.5"),
        ("访问学者", "coop.visiting"),
        ("doctoral degree", "claim.doctoral_sites"),
        ("PET/CT", "equip.petct"),
        ("pet ct 16", "equip.petct"),
    ],
)
def test_a_fact_is_found_in_either_language(department: Department, query: str, anchor: str) -> None:
    for lang in ("en", "zh"):
        found = profile.find(profile.edition(department.slug), query, lang)
        assert found.complete
        assert anchor in [hit.anchor for hit in found.hits[:6]], [hit.anchor for hit in found.hits]


def test_every_fact_is_found_by_its_own_words(department: Department) -> None:
    for fact in profile.current(department).facts:
        for words in (fact.source_text, fact.zh, fact.en):
            hits = [hit.anchor for hit in profile.find(profile.edition(department.slug), words, "en").hits]
            assert fact.key in hits, (fact.key, words)


def test_what_is_only_partly_there_is_said_to_be(department: Department) -> None:
    found = profile.find(profile.edition(department.slug), "cyclotron unicorn", "en")
    assert not found.complete
    assert found.hits[0].anchor == "equip.cyclotron"
    assert profile.find(profile.edition(department.slug), "unicorn", "en").hits == ()
    assert profile.find(profile.edition(department.slug), "独角兽", "zh").hits == ()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "%",
        "_",
        "\\",
        "(",
        "(a+)+$",
        "' OR 1=1 --",
        "\x00\x1b",
        "\u202e",
        "x" * 5000,
        "甲" * 5000,
        "a " * 5000,
    ],
)
def test_odd_words_are_answered(department: Department, query: str) -> None:
    assert len(profile.find(profile.edition(department.slug), query, "en").hits) <= 40


def test_only_signs_find_nothing_rather_than_everything(department: Department) -> None:
    assert profile.find(profile.edition(department.slug), "% _ ( ) \\ *", "en").hits == ()
