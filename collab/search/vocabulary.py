"""The one vocabulary of words: what a text is indexed by, and what a typed query asks for.

Text is folded (compatibility form, no case, no accents on Latin, Greek, Cyrillic, Arabic and Hebrew letters). Scripts
written with spaces give words. Scripts written without (Chinese, Japanese, Korean compounds, Thai, Khmer, ...) give the
pairs of neighbouring characters, so that any part of a run is found as a phrase of pairs, and nothing else is.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

#: How much of a text is indexed: characters read and words kept. PostgreSQL counts positions up to 16,383.
MOST_CHARACTERS = 40_000
MOST_WORDS = 12_000
#: The longest word; longer ones are cut, in texts and in queries alike.
LONGEST = 64
#: How much of a query is looked at.
MOST_ASKED = 300
MOST_CLAUSES = 12
#: Beginnings of words this long are kept as marks, so that short queries need no walk over all words.
SHORT = (2, 3, 4, 5)


def _block(first: int, last: int, *categories: str) -> str:
    return "".join(
        chr(code) for code in range(first, last + 1) if unicodedata.category(chr(code)).startswith(categories)
    )


# Han, kana, Hangul; then the scripts of south-east Asia, whose vowel signs are marks.
_RUN = "".join(
    (
        "\u3005-\u3007\u303b\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff",
        "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
        "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3\U00020000-\U0003fffd",
        *(
            _block(first, last, "L", "M")
            for first, last in ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
        ),
    )
)
# Vowel signs of the Indic scripts stand inside words; `\w` does not know them.
_SIGNS = _block(0x0900, 0x0DFF, "M")
_TOKEN = re.compile(rf"[{_RUN}]+|(?:[^\W_{_RUN}]|[{_SIGNS}])+")
_IS_RUN = re.compile(rf"[{_RUN}]")
_QUOTED = re.compile(r'["“”„«»「」『』]([^"“”„«»「」『』]+)["“”„«»「」『』]')

# Letters with a stroke do not decompose; Arabic and Persian type some letters differently; tatweel, soft hyphen and
# joiners are no part of a word.
_PLAIN = str.maketrans(
    {"đ": "d", "ø": "o", "ł": "l", "ı": "i", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ŧ": "t"}
    | {"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه"}
    | {"\u0640": None, "\u00ad": None, "\u200b": None, "\u200c": None, "\u200d": None, "\u2060": None}
)


@dataclass(frozen=True)
class Clause:
    """One thing that must be there: words that follow one another.

    :param tokens: as in ``words``.
    :param prefix: the last word may be the beginning of a longer one.
    :param mark: the single token is looked up among the marks (one character of a run, or a short beginning).
    """

    tokens: tuple[str, ...]
    prefix: bool = False
    mark: bool = False


def fold(text: str) -> str:
    """Compatibility form without case; accents taken off where they are accents, kept where they are letters."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN)
    if text.isascii():
        return text
    kept, accents = [], False
    for character in unicodedata.normalize("NFD", text):
        if unicodedata.combining(character):
            if accents:
                continue
        else:
            accents = _takes_accents(character)
        kept.append(character)
    # Casefolding and taking off can each make room for the other ("İ"), hence the last two steps.
    return unicodedata.normalize("NFKC", "".join(kept)).casefold()


def words(text: str) -> str:
    """The words a text is indexed by, in their order, separated by single spaces."""
    found: list[str] = []
    # Line by line: one that is plain folds at once, whatever stands in the others.
    for line in text[:MOST_CHARACTERS].splitlines():
        for token, is_run in _tokens(fold(line)):
            found.extend(_pairs(token) if is_run else (token,))
        if len(found) >= MOST_WORDS:
            break
    return " ".join(found[:MOST_WORDS])


def marks(indexed: str) -> str:
    """What short queries look up, from ``words``: single characters of runs and beginnings of words, each once."""
    found: dict[str, None] = {}
    for word in indexed.split():
        if _IS_RUN.match(word):
            found.update(dict.fromkeys(word))
        else:
            found.update(dict.fromkeys(word[:length] for length in SHORT if len(word) >= length))
    return " ".join(found)


def query_terms(text: str) -> tuple[Clause, ...]:
    """What a typed query asks for; all of it must be there. Signs and operators mean nothing, quotes make a phrase.

    Words are beginnings of words; parts joined without a space (``18F-FDG``) must follow one another; a run of
    characters must be found as it stands.
    """
    text = text[:MOST_ASKED]
    clauses: dict[Clause, None] = {}
    for phrase in _QUOTED.findall(text):
        clauses.update(dict.fromkeys(_phrase(phrase)))
    for chunk in _QUOTED.sub(" ", text).split():
        clauses.update(dict.fromkeys(_chunk(chunk)))
    return tuple(clauses)[:MOST_CLAUSES]


def _takes_accents(letter: str) -> bool:
    code = ord(letter)
    return code < 0x0590 or 0x0590 <= code < 0x0900 or 0x1E00 <= code < 0x2000


def _tokens(folded: str) -> Iterator[tuple[str, bool]]:
    for match in _TOKEN.finditer(folded):
        token = match.group()
        is_run = bool(_IS_RUN.match(token))
        yield (token if is_run else token[:LONGEST]), is_run


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def _chunk(chunk: str) -> Iterator[Clause]:
    together: list[str] = []
    for token, is_run in [*_tokens(fold(chunk)), ("", True)]:
        if not is_run:
            together.append(token)
            continue
        if together:
            yield _words_clause(tuple(together))
            together = []
        if token:
            yield _run_clause(token)


def _words_clause(tokens: tuple[str, ...]) -> Clause:
    last = tokens[-1]
    if len(tokens) == 1 and len(last) in SHORT:
        return Clause(tokens, prefix=True, mark=True)
    return Clause(tokens, prefix=len(last) > 3)


def _run_clause(run: str) -> Clause:
    return Clause((run,), mark=True) if len(run) == 1 else Clause(tuple(_pairs(run)))


def _phrase(text: str) -> Iterator[Clause]:
    tokens = list(_tokens(fold(text)))
    if not tokens:
        return
    if any(is_run and len(token) == 1 for token, is_run in tokens):
        # A single character stands in the index only as half of a pair, so it cannot be part of a phrase.
        for token, is_run in tokens:
            yield _run_clause(token) if is_run else Clause((token,))
        return
    yield Clause(tuple(part for token, is_run in tokens for part in (_pairs(token) if is_run else [token])))
