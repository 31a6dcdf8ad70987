"""The catalogues: every sentence of the portal in English and Chinese.

Usage: python tools/translations.py COMMAND

  extract          print every sentence found in collab/ and templates/
  update           take new sentences into the catalogues, drop those no longer used
  merge FILE...    take Chinese from JSON: {"msgid": "translation"} or {"singular": ["form", ...]}
  check            fail on a sentence without a translation, a guess, a wrong placeholder, a leftover
  compile          write the .mo files the portal reads

The msgid is the English text, so English is filled in with itself. Catalogues carry neither dates nor places and are
sorted, so that a change shows as itself.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
LANGUAGES = ("en", "zh")
# Where sentences are, and what reads them there.
SOURCES = {
    ROOT / "collab": [("**.py", "python")],
    ROOT / "templates": [
        ("**.html", "jinja2"),
        ("**.txt", "jinja2"),
        ("**.xml", "jinja2"),
        ("**.atom", "jinja2"),
    ],
}
OPTIONS = {"jinja2": {"silent": "false", "trimmed": "true", "extensions": "jinja2.ext.i18n,jinja2.ext.do"}}
KEYWORDS: dict[str, Any] = {
    "_": None,
    "_l": None,
    "_n": (1, 2),
    "gettext": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "ngettext": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
}
PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\))?[sdif]|%%|\{\w*\}")
#: How many problems are printed.
SHOWN = 60
MARKUP = re.compile(r"</?\w+")


def file_of(language: str) -> Path:
    return ROOT / "collab" / "locale" / language / "LC_MESSAGES" / "messages.po"


def extracted(sources: dict[Path, list[tuple[str, str]]] | None = None) -> Catalog:
    """Every sentence of the sources.

    :param sources: folders with their patterns, the portal's own by default.
    """
    found = Catalog(charset="utf-8")
    for folder, methods in (sources or SOURCES).items():
        if not folder.is_dir():
            continue
        options = {pattern: OPTIONS.get(method, {}) for pattern, method in methods}
        walk = extract_from_dir(
            folder, method_map=methods, options_map=options, keywords=KEYWORDS, strip_comment_tags=True
        )
        for _file, _line, message, _comments, context in walk:
            found.add(message, context=context)
    return found


def read(language: str) -> Catalog:
    """A language's catalogue; an empty one if there is none yet."""
    file = file_of(language)
    if not file.exists():
        return Catalog(locale=language, charset="utf-8")
    with file.open("rb") as lines:
        return read_po(lines, locale=language)


def write(language: str, catalogue: Catalog) -> None:
    """Write a catalogue so that only what changed in it changes in the file."""
    fresh = Catalog(
        locale=language, charset="utf-8", fuzzy=False, header_comment=f"# The portal's sentences, {language}."
    )
    for message in catalogue:
        if message.id:
            fresh.add(message.id, message.string, flags=message.flags, context=message.context)
    file = file_of(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as lines:
        lines.write(fresh.header_comment.encode() + b'\nmsgid ""\nmsgstr ""\n')
        lines.write(f'"Language: {language}\\n"\n'.encode())
        lines.write(b'"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n')
        lines.write(b'"Content-Transfer-Encoding: 8bit\\n"\n')
        lines.write(f'"Plural-Forms: {fresh.plural_forms}\\n"\n\n'.encode())
        write_po(
            lines, fresh, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True
        )


def update() -> None:
    """Bring both catalogues up to the sources; what is still used keeps its translation."""
    template = extracted()
    for language in LANGUAGES:
        known = read(language)
        fresh = Catalog(locale=language, charset="utf-8")
        for message in template:
            if not message.id:
                continue
            before = known.get(message.id, message.context)
            string = before.string if before is not None and not before.fuzzy else None
            if language == "en":
                string = _itself(message, fresh.num_plurals)
            elif before is not None and message.pluralizable != isinstance(before.string, list | tuple):
                string = None
            fresh.add(message.id, string or _nothing(message, fresh.num_plurals), context=message.context)
        write(language, fresh)


def merge(files: list[Path]) -> list[str]:
    """Take translations into the Chinese catalogue; returns the sentences that the portal does not have."""
    catalogue = read("zh")
    singular = {message.id[0]: message for message in catalogue if message.pluralizable}
    unknown = []
    for file in files:
        for sentence, translation in json.loads(file.read_text(encoding="utf-8")).items():
            message = singular.get(sentence) or catalogue.get(sentence)
            if message is None or not message.id:
                unknown.append(f"{file.name}: {sentence}")
            elif message.pluralizable:
                message.string = tuple(translation) if isinstance(translation, list) else (translation,)
            else:
                message.string = translation[0] if isinstance(translation, list) else translation
    write("zh", catalogue)
    return unknown


def check() -> list[str]:
    """Everything that is wrong with the catalogues, as sentences."""
    template = extracted()
    wanted = {_key(message): message for message in template if message.id}
    return [problem for language in LANGUAGES for problem in problems(language, read(language), wanted)]


def problems(language: str, catalogue: Catalog, wanted: dict[Any, Message]) -> Iterator[str]:
    """What is wrong with one catalogue.

    :param wanted: the sentences of the sources.
    """
    known = {_key(message): message for message in catalogue if message.id}
    for key in wanted.keys() - known.keys():
        yield f"{language}: not in the catalogue: {_english(wanted[key])!r}"
    for key in known.keys() - wanted.keys():
        yield f"{language}: no longer used: {_english(known[key])!r}"
    for key in wanted.keys() & known.keys():
        message, english = known[key], _english(wanted[key])
        if message.pluralizable != wanted[key].pluralizable:
            yield f"{language}: singular and plural do not fit: {english!r}"
            continue
        strings = message.string if isinstance(message.string, list | tuple) else (message.string,)
        if message.fuzzy:
            yield f"{language}: a guess, not a translation: {english!r}"
        if not strings or not all(string and string.strip() for string in strings):
            yield f"{language}: no translation: {english!r}"
            continue
        ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
        allowed = [_parts(text) for text in ids]
        for string in strings:
            if _parts(string) not in allowed and _parts(string) != allowed[-1]:
                yield f"{language}: placeholders or tags differ: {english!r} / {string!r}"


def compile_all() -> None:
    """Write the .mo beside each .po."""
    sys.path.insert(0, str(ROOT))
    from hatch_build import compile_catalogue

    for language in LANGUAGES:
        if file_of(language).exists():
            compile_catalogue(file_of(language))


def _key(message: Message) -> tuple[str | None, str]:
    return message.context, _english(message)


def _english(message: Message) -> str:
    return str(message.id[0] if message.pluralizable else message.id)


def _parts(text: str | None) -> tuple[list[str], list[str]]:
    return sorted(found[0] for found in PLACEHOLDER.finditer(text or "")), sorted(MARKUP.findall(text or ""))


def _itself(message: Message, forms: int) -> Any:
    if not message.pluralizable:
        return message.id
    return tuple(message.id[min(form, 1)] for form in range(forms))


def _nothing(message: Message, forms: int) -> Any:
    return ("",) * forms if message.pluralizable else ""


def main(arguments: list[str]) -> None:
    match arguments:
        case ["extract"]:
            print("\n".join(sorted(_english(message) for message in extracted() if message.id)))
        case ["update"]:
            update()
        case ["merge", *files] if files:
            if unknown := merge([Path(file) for file in files]):
                print("Not used by the portal:", *unknown, sep="\n  ")
        case ["check"]:
            if wrong := check():
                last = f"{len(wrong)} problems in the catalogues. See CONTRIBUTING.md."
                sys.exit("\n".join([*sorted(wrong)[:SHOWN], last]))
        case ["compile"]:
            compile_all()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
