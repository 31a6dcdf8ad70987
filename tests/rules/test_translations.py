"""Every sentence in both languages; and the tool that says so."""

import json
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from hatch_build import compile_catalogue
from tools import translations


def test_every_sentence_is_translated() -> None:
    assert translations.check() == []


def test_english_is_itself() -> None:
    for message in translations.read("en"):
        if message.id:
            ids = message.id if message.pluralizable else (message.id,)
            strings = message.string if message.pluralizable else (message.string,)
            assert tuple(strings) == tuple(ids)


def catalogue(*messages: tuple[object, object]) -> Catalog:
    made = Catalog(locale="zh")
    for identity, string in messages:
        made.add(identity, string)  # type: ignore[arg-type]
    return made


def wanted(*identities: object) -> dict[object, object]:
    made = catalogue(*[(identity, "") for identity in identities])
    return {translations._key(message): message for message in made if message.id}


@pytest.mark.parametrize(
    ("sentence", "message", "problem"),
    [
        ("Hello.", None, "not in the catalogue"),
        ("Hello.", ("Hello.", ""), "no translation"),
        ("Hello.", ("Hello.", "  "), "no translation"),
        ("%(n)s files", ("%(n)s files", "%(m)s 个文件"), "placeholders or tags differ"),
        ("%(n)s files", ("%(n)s files", "文件"), "placeholders or tags differ"),
        ("<b>x</b>", ("<b>x</b>", "<i>x</i>"), "placeholders or tags differ"),
        (("%(n)d day", "%(n)d days"), (("%(n)d day", "%(n)d days"), ("",)), "no translation"),
        (("%(n)d day", "%(n)d days"), (("%(n)d day", "%(n)d days"), ("天",)), "placeholders or tags differ"),
        (("%(n)d day", "%(n)d days"), ("%(n)d day", "%(n)d 天"), "singular and plural"),
    ],
)
def test_each_flaw_of_a_catalogue_is_found(
    sentence: object, message: tuple[object, object] | None, problem: str
) -> None:
    found = list(translations.problems("zh", catalogue(*[message] if message else []), wanted(sentence)))  # type: ignore[arg-type]
    assert len(found) == 1
    assert problem in found[0]


def test_a_guess_and_a_leftover_are_found() -> None:
    made = catalogue(("Good.", "好。"))
    made["Good."].flags.add("fuzzy")
    made.add("Old.", "旧。")
    assert list(translations.problems("zh", made, wanted("Good."))) == [  # type: ignore[arg-type]
        "zh: no longer used: 'Old.'",
        "zh: a guess, not a translation: 'Good.'",
    ]


def test_a_good_catalogue_has_no_problem() -> None:
    made = catalogue(("%(n)s left", "还剩 %(n)s"), (("One day", "%(num)s days"), ("%(num)s 天",)))
    assert list(translations.problems("zh", made, wanted("%(n)s left", ("One day", "%(num)s days")))) == []  # type: ignore[arg-type]


def test_sentences_are_found_in_python_and_templates(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text('_("One.")\nngettext("%(num)s file", "%(num)s files", n)\n_l("Two")\n')
    (tmp_path / "page.html").write_text(
        '{{ _("Three %(name)s", name=x) }}{% trans %}\n  Four\n  lines\n{% endtrans %}<p>Plain</p>'
    )
    found = translations.extracted({tmp_path: [("**.py", "python"), ("**.html", "jinja2")]})
    assert {message.id for message in found if message.id} == {
        "One.",
        "Two",
        ("%(num)s file", "%(num)s files"),
        "Three %(name)s",
        "Four lines",
    }


def test_update_and_merge_keep_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code.py").write_text('_("Old.")\n_("New.")\nngettext("%(num)s day", "%(num)s days", n)\n')
    monkeypatch.setattr(translations, "SOURCES", {tmp_path: [("**.py", "python")]})
    monkeypatch.setattr(translations, "file_of", lambda language: tmp_path / language / "messages.po")
    translations.write("zh", catalogue(("Old.", "旧。"), ("Gone.", "没了。")))
    translations.update()
    given = tmp_path / "zh.json"
    given.write_text(json.dumps({"New.": "新。", "%(num)s day": ["%(num)s 天"], "Unknown.": "不明。"}))
    assert translations.merge([given]) == ["zh.json: Unknown."]
    before = (tmp_path / "zh/messages.po").read_text()
    translations.update()
    assert (tmp_path / "zh/messages.po").read_text() == before
    assert {message.id: message.string for message in translations.read("zh") if message.id} == {
        "Old.": "旧。",
        "New.": "新。",
        ("%(num)s day", "%(num)s days"): ("%(num)s 天",),
    }
    assert translations.check() == []


def test_a_catalogue_is_compiled_without_guesses(tmp_path: Path) -> None:
    source = tmp_path / "zh" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    source.write_text(
        'msgid ""\nmsgstr ""\n\nmsgid "Yes."\nmsgstr "是。"\n\n#, fuzzy\nmsgid "No."\nmsgstr "是？"\n'
    )
    compile_catalogue(source)
    with source.with_suffix(".mo").open("rb") as compiled:
        assert {message.id: message.string for message in read_mo(compiled) if message.id} == {"Yes.": "是。"}
