"""What the portal points out by words: the samples are judged as their notes say, and good ones raise no alarm."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collab.core.db import unit_of_work
from collab.core.errors import Conflict, Forbidden
from collab.departments import Department, read_settings
from collab.departments.settings import DepartmentSettings
from collab.inquiries import queries, signals
from collab.inquiries.queries import QueueView
from collab.inquiries.signals import Signal, general
from tests.support.world import World

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data/sample_inquiries.json").read_text(encoding="utf-8")
)["inquiries"]
EXPECTED = {
    "C04": {Signal.VENDOR_PITCH},
    "V08": {Signal.PATIENT_REQUEST},
    "T04": {Signal.MASS_MAIL},
    "T05": {Signal.MASS_MAIL},
    "T10": {Signal.VENDOR_PITCH},
}


@pytest.fixture
def world(department: Department) -> World:
    return World(department)


def found(**fields: str) -> dict[str, list[str]]:
    return {kind: entry["words"] for kind, entry in (signals.find(read_settings(""), fields) or {}).items()}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: str(one["id"]))
def test_the_samples(sample: dict[str, Any]) -> None:
    assert set(found(**sample)) == EXPECTED.get(sample["id"], set())


@pytest.mark.parametrize(
    "text",
    [
        "My father was diagnosed with a tumour. Please help.",
        "How much is the cost of treatment for a foreigner?",
        "我母亲确诊癌症，想到贵院治疗，请问如何挂号？",
        "Meine Mutter hat Brustkrebs. Können wir kommen?",
        "Ma mère a un cancer. Pouvez-vous la soigner ?",
        "A mi padre le encontraron un tumor en el pulmón.",
        "母が癌と診断されました。",
        "У моей мамы рак, помогите.",
    ],
)
def test_patients_in_seven_languages(text: str) -> None:
    assert set(found(summary=text)) == {"patient_request"}


@pytest.mark.parametrize(
    "text",
    [
        "Book a demo now and get a discount on our products.",
        "厂家直销，优惠价格，欢迎订购。",
        "Unsere Produkte jetzt mit Rabatt: fordern Sie die Preisliste an.",
        "Nos produits avec remise : demandez la liste de prix.",
        "Nuestros productos con descuento.",
        "弊社製品を特別価格でご案内します。",
        "Наша продукция со скидкой: скидка только до пятницы.",
    ],
)
def test_vendors_in_seven_languages(text: str) -> None:
    assert "vendor_pitch" in found(summary=text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Patient name: Jane Roe, scan attached.", "patient name"),
        ("患者病案号 1234567", "病案号"),
        ("他的号码是 11010519491231002X", "110…2x"),
        ("Geburtsdatum: 3.4.1960", "geburtsdatum"),
    ],
)
def test_data_of_patients(text: str, reason: str) -> None:
    assert reason in found(summary=text)["patient_data"]


@pytest.mark.parametrize(
    "text",
    [
        "We share no date of birth and no patient names; 12345678901234567X is a catalogue number.",
        "My mother university treats thyroid cancer; we have 300 patients diagnosed with it each year.",
        "Our patients with metastases receive treatment under a protocol that we would like to compare.",
        "We sell nothing; we ask for a joint project on discounting in health economics.",
    ],
)
def test_what_colleagues_write_is_no_alarm(text: str) -> None:
    assert found(summary=text) == {}


def test_words_of_the_department_itself() -> None:
    settings = read_settings("")
    own = settings.model_copy(
        update={
            "hints": settings.hints.model_copy(
                update={"signals": {"patient_request": {"plea": ("quasar cure",)}}}
            )
        }
    )
    assert signals.find(settings, {"summary": "I want the quasar cure"}) is None
    assert signals.find(own, {"summary": "I want the quasar cure"}) == {
        "patient_request": {"words": ["quasar cure"]}
    }


def test_every_kind_has_words_in_every_language() -> None:
    for kind in Signal:
        lists = {**general()[kind].get("lists", {}), **general()[kind].get("values", {})}
        assert lists
        assert all(
            set(languages) == {"en", "zh", "de", "fr", "es", "ja", "ru"} for languages in lists.values()
        )


def test_kept_shown_in_the_queue_and_judged_by_a_person(world: World) -> None:
    id = world.received(
        summary="My mother has cancer. Can you see her and help us?" + " " * 10 + "Please answer soon."
    )
    coordinator = world.actor("coordinator")
    (shown,) = signals.of(world.get(id))
    assert (shown.signal, shown.words[:2]) == (Signal.PATIENT_REQUEST, ("my mother", "cancer"))
    (row,) = queries.queue(QueueView(), seen_by=coordinator).rows
    assert signals.standing(row.signals) == [Signal.PATIENT_REQUEST]
    world.do(signals.judge, id, Signal.PATIENT_REQUEST, stands=False, by=coordinator)
    assert signals.of(world.get(id))[0].judged_by == coordinator.name
    assert signals.standing(world.get(id).signals) == []
    assert world.kinds(id)[-1] == "signal_judged"
    before = world.stored()
    world.do(signals.judge, id, Signal.PATIENT_REQUEST, stands=False, by=coordinator)
    assert world.stored() == before
    world.do(signals.judge, id, Signal.PATIENT_REQUEST, stands=True, by=coordinator)
    assert signals.standing(world.get(id).signals) == [Signal.PATIENT_REQUEST]
    with pytest.raises(Conflict):
        world.do(signals.judge, id, Signal.MASS_MAIL, stands=False, by=coordinator)
    with pytest.raises(Forbidden):
        world.do(signals.judge, id, Signal.PATIENT_REQUEST, stands=False, by=world.actor("head"))


@pytest.mark.parametrize("phrase", ["¥¥¥", "*", "* *", "！？"])
def test_a_phrase_without_a_word_is_refused_and_one_kept_from_before_finds_nothing(
    world: World, phrase: str
) -> None:
    content = world.department.settings.as_json()
    content["hints"]["signals"] = {"vendor_pitch": {"pitch": ["great value", phrase]}}
    with pytest.raises(ValidationError, match="holds no word to look for"):
        DepartmentSettings.model_validate(content)
    with unit_of_work():
        world.department.content, world.department.content_digest = content, "1" * 64
    id = world.received(summary="We would like to bring our antibodies to your imaging group, and learn.")
    assert world.get(id).signals is None
