"""The query language: a line is a view and a view is a line; what is not understood is said with its place."""

import unicodedata
from datetime import date

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from collab.core.errors import Invalid
from collab.departments.tracks import Track
from collab.inquiries.query_language import KEYS, Lexicon, Value, complete, parse, write
from collab.inquiries.statuses import CLOSED, OPEN, OURS, Status
from collab.inquiries.view import CHECKS, GROUPS, ORDINARY, SORTS, QueueView, countries, part, span, values

AREAS = ("nuclear_oncology", "radiopharmaceuticals", "unsure")


def load(key: str) -> list[Value]:
    return {
        "area": [
            Value("nuclear_oncology", ("Nuclear oncology", "核肿瘤学")),
            *map(Value, AREAS[1:]),
        ],
        "status": [
            Value("in_review", ("With the department", "科室评估中")),
            Value("received", ("Received", "已收到")),
        ],
        "country": [Value("DE", ("Germany", "德国")), Value("CN", ("China", "中国"))],
        "assigned": [
            Value("7", ("Li Hua",)),
            Value("8", ("Wang Wei",)),
            Value("9", ("Wang Wei",)),
            Value("12", ("O'Neil, Jr.",)),
        ],
        "tag": [Value("fellowship", ("Fellowship",)), Value("合作意向", ("合作意向",))],
    }.get(key, [])


def names() -> Lexicon:
    return Lexicon(load)


# -- both ways -------------------------------------------------------------------------------------------------------


def several(allowed: list[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda named, but: part(named, but=but),
        st.lists(st.sampled_from(allowed), max_size=5),
        st.booleans(),
    )


DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(date.isoformat)
SPANS = (
    st.sampled_from(["", "today", "<=7d", ">20d", ">=0d", "<30d"])
    | st.builds("{}{}".format, st.sampled_from(["", "<", "<=", ">", ">="]), DAYS)
    | st.builds("{}{}".format, st.sampled_from(["", ">="]), DAYS.map(lambda day: day[:7]))
    | DAYS.map(lambda day: day[:4])
    | st.lists(DAYS, min_size=2, max_size=2).map(lambda days: "..".join(sorted(days)))
)
# Words as a line leaves them: no quotes of their own, nothing that reads as a filter.
WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"“”„‟«»「」『』＂:：﹕'),
    min_size=1,
).filter(lambda word: not word.startswith(("-", "－", "–", "−")) and unicodedata.is_normalized("NFC", word))
PHRASE = st.lists(WORD, min_size=1, max_size=3).map(lambda found: '"' + " ".join(found) + '"')
WORDS = st.lists(WORD | PHRASE, max_size=3).map(" ".join)
VIEWS = st.builds(
    QueueView,
    pile=several([*GROUPS, *map(str, Status)]),
    track=several(list(map(str, Track))),
    area=several(list(AREAS)),
    country=several(["DE", "CN", "TW", "AD", "NO"]),
    assigned=st.sampled_from(["", "me", "nobody", "-me", "-nobody", "7", "-12", "8", "4711"]),
    late=st.booleans(),
    unread=st.booleans(),
    erasure=st.booleans(),
    tag=st.sampled_from(["", "fellowship", "合作意向"]),
    has=st.sampled_from(["", "file", "-file"]),
    answered=st.sampled_from(["", "yes", "no"]),
    urgency=several(["0", "1", "2"]),
    due=SPANS | st.just("overdue"),
    sent=SPANS,
    lang=st.sampled_from(["", "en", "zh"]),
    institution=st.lists(WORD | st.sampled_from(["status:open", "-x", "a,b"]), max_size=3).map(" ".join),
    q=WORDS,
    sort=st.sampled_from(SORTS),
)


@given(VIEWS, st.booleans())
@example(QueueView(q='"ratio:3" (a+)+$ 100%_\\'), True)
@example(QueueView(assigned="12"), True)
def test_a_view_is_a_line_and_back(view: QueueView, by_name: bool) -> None:
    line = write(view, names() if by_name else None)
    understood = parse(line, names())
    assert (understood.view, understood.problems) == (view, ())
    assert write(understood.view, names() if by_name else None) == line


@given(VIEWS)
def test_a_view_is_an_address_and_back(view: QueueView) -> None:
    assert QueueView.parse({name: [value] for name, value in view.to_args().items()}) == view


@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from([*'-:,"“：， <=>.d', "status", "due", "open", "状态", "7d", "x"]), max_size=14
    ).map("".join)
)
@example('-"')
@example("status:")
@example("a:b:c:,,,")
def test_no_line_is_too_strange(line: str) -> None:
    understood = parse(line, names())
    for problem in understood.problems:
        assert line[problem.start : problem.end] == problem.text != ""
    # What was understood can be written, and means the same.
    again = parse(write(understood.view), names())
    assert again.problems == ()
    assert again.view == understood.view
    for one in complete(line, names()):
        assert 0 <= one.start <= len(line)


@given(st.text('"“”ab :-', max_size=40))
def test_raw_words_become_words_of_the_language(words: str) -> None:
    line = write(QueueView(q=" ".join(words.split())))
    assert parse(line).problems == ()


# -- what is taken ---------------------------------------------------------------------------------------------------

TAKEN: list[tuple[str, QueueView]] = [
    (
        'status:in_review late:yes country:DE area:nuclear_oncology assigned:me "receptor imaging"',
        QueueView(
            pile="in_review", late=True, country="DE", area="nuclear_oncology", assigned="me", q='"receptor imaging"'
        ),
    ),
    ("STATUS:In_Review Country:de", QueueView(pile="in_review", country="DE")),
    ("status: received", QueueView(pile="received")),
    ("status:received,in_review", QueueView(pile="in_review,received")),
    ("status:received status:in_review", QueueView(pile="in_review,received")),
    ('status:"With the department"', QueueView(pile="in_review")),
    ("-country:DE,CN", QueueView(country="-CN,-DE")),
    ("－country：德国", QueueView(country="-DE")),
    ("状态：处理中", QueueView(pile="open")),
    ("状态：科室评估中，已收到 国家：德国", QueueView(pile="in_review,received", country="DE")),
    ("ｓｔａｔｕｓ：ｏｐｅｎ", QueueView(pile="open")),
    ("逾期：是 未读:yes", QueueView(late=True, unread=True)),
    ("承办人：我", QueueView(assigned="me")),
    ('assigned:"Li Hua"', QueueView(assigned="7")),
    ("-assigned:me", QueueView(assigned="-me")),
    ("assigned:9", QueueView(assigned="9")),
    ("期限：<=7天", QueueView(due="<=7d")),
    ("due:7d", QueueView(due="<=7d")),
    ("due:≤30d", QueueView(due="<=30d")),
    ("due:overdue", QueueView(due="overdue")),
    ("due:2026-12-01..2026-12-31", QueueView(due="2026-12-01..2026-12-31")),
    ("sent:>=2026-11-01 sort:due", QueueView(sent=">=2026-11-01", sort="due")),
    ("sent:2026-11", QueueView(sent="2026-11")),
    ("提交：今天", QueueView(sent="today")),
    ("has:file answered:no lang:中文", QueueView(has="file", answered="no", lang="zh")),
    ("-has:file urgency:2", QueueView(has="-file", urgency="2")),
    ("institution:“示例 医院”", QueueView(institution="示例 医院")),
    ("标签：合作意向", QueueView(tag="合作意向")),
    ("“receptor imaging” 配体", QueueView(q='"receptor imaging" 配体')),
    ("https://example.org/a 18F:FDG", QueueView(q="https://example.org/a 18F:FDG")),
    ('"open', QueueView(q='"open"')),
    ('"status:open"', QueueView(q='"status:open"')),
    ("100%_\\ (a+)+$ *", QueueView(q="100%_\\ (a+)+$ *")),
]  # fmt: skip


@pytest.mark.parametrize(("line", "view"), TAKEN, ids=[line for line, _view in TAKEN])
def test_what_is_taken(line: str, view: QueueView) -> None:
    understood = parse(line, names())
    assert (understood.view, understood.problems) == (view, ())


def test_what_stands_beside_the_line_holds_unless_it_says_otherwise() -> None:
    start = QueueView(pile="open", country="DE")
    assert parse("country:CN ligand", names(), start).view == QueueView(pile="open", country="CN", q="ligand")


# -- what is not -----------------------------------------------------------------------------------------------------

#: The line, what of it was not understood, what could stand there, what is left.
NOT_UNDERSTOOD: list[tuple[str, str, tuple[str, ...], str]] = [
    ("statsu:open late:yes", "statsu:open", ("status:open", '"statsu:open"'), "late:yes"),
    ("ligand status:in_rewiev", "in_rewiev", ("in_review",), "ligand"),
    ("status:received,bogus", "bogus", (), "status:received"),
    ("country:Germny", "Germny", ("DE",), ""),
    ("area:removed_area late:yes", "removed_area", (), "late:yes"),
    ("ratio:3", "ratio:3", ('"ratio:3"',), ""),
    ("late:no", "no", ("yes",), ""),
    ("due:soon sort:due", "soon", (), "sort:due"),
    ("due:2026-13-01", "2026-13-01", (), ""),
    ("due:2026-02-30", "2026-02-30", (), ""),
    ("due:2026-12-31..2026-12-01", "2026-12-31..2026-12-01", (), ""),
    ("sent:overdue", "overdue", (), ""),
    ("assigned:Nobdy", "Nobdy", ("nobody",), ""),
    ('assigned:"Wang Wei"', '"Wang Wei"', ("8", "9"), ""),
    ("country:DE -country:CN", "-country:CN", (), "country:DE"),
    ("sort:due sort:new", "sort:new", (), "sort:due"),
    ("-late:yes", "-late:yes", (), ""),
    ("due:today,<=7d", "due:today,<=7d", ("due:today", "due:<=7d"), ""),
    ("-spam ligand", "-spam", ('"spam"',), "ligand"),
    ('-"two words" x', '-"two words"', ('"two words"',), "x"),
    ("status: late:yes", "status:", ("status:received,in_review",), "late:yes"),
    ("状态：不存在 未读：是", "不存在", (), "unread:yes"),
]


@pytest.mark.parametrize(
    ("line", "text", "instead", "rest"), NOT_UNDERSTOOD, ids=[one[0] for one in NOT_UNDERSTOOD]
)
def test_what_is_not_understood_is_said_with_its_place(
    app: Flask, line: str, text: str, instead: tuple[str, ...], rest: str
) -> None:
    understood = parse(line, names())
    assert [(one.text, one.instead) for one in understood.problems] == [(text, instead)]
    (problem,) = understood.problems
    assert line[problem.start : problem.end] == text
    assert write(understood.view) == rest
    with app.test_request_context("/"):
        assert len(problem.message) > 15
    for one in instead:
        assert parse(problem.mended(line, one), names()).problems == ()


def test_every_key_has_an_example_that_works(app: Flask) -> None:
    with app.test_request_context("/"):
        for key in KEYS.values():
            assert parse(key.example, names()).problems == (), key.example
            assert parse(key.example, names()).view != QueueView()
            for word in key.also:
                line = key.example.replace(f"{key.name}:", f"{word}：")
                assert parse(line, names()).view == parse(key.example, names()).view


def test_no_word_stands_for_two_keys() -> None:
    words = [word for key in KEYS.values() for word in (key.name, *key.also)]
    assert len(words) == len(set(words))


# -- days and statuses -----------------------------------------------------------------------------------------------

TODAY = date(2026, 11, 23)
SPANNED: list[tuple[str, bool, str | None, str | None]] = [
    ("today", True, "2026-11-23", "2026-11-23"),
    ("<=7d", True, "2026-11-16", None),
    ("<7d", True, "2026-11-17", None),
    (">20d", True, None, "2026-11-02"),
    (">=20d", True, None, "2026-11-03"),
    ("<=7d", False, None, "2026-11-30"),
    ("<7d", False, None, "2026-11-29"),
    (">7d", False, "2026-12-01", None),
    (">=7d", False, "2026-11-30", None),
    ("2026", False, "2026-01-01", "2026-12-31"),
    ("2028-02", False, "2028-02-01", "2028-02-29"),
    ("2026-12-24", False, "2026-12-24", "2026-12-24"),
    ("<2026-12", False, None, "2026-11-30"),
    ("<=2026-12", False, None, "2026-12-31"),
    (">2026-12", False, "2027-01-01", None),
    (">=2026-12", False, "2026-12-01", None),
    ("2026-11..2027", False, "2026-11-01", "2027-12-31"),
]


@pytest.mark.parametrize(("text", "back", "first", "last"), SPANNED)
def test_days(text: str, back: bool, first: str | None, last: str | None) -> None:
    found = span(text, today=TODAY, back=back)
    assert tuple(day.isoformat() if day else None for day in found) == (first, last)


@pytest.mark.parametrize(
    ("view", "statuses"),
    [
        (QueueView(), None),
        (QueueView(pile="open,declined"), OPEN | {Status.DECLINED}),
        (QueueView(pile="-closed"), ORDINARY - CLOSED),
        (QueueView(pile="-received"), ORDINARY - {Status.RECEIVED}),
        (QueueView(due="<=7d"), OPEN),
        (QueueView(due="overdue"), OURS & OPEN),
        (QueueView(due="overdue", pile="closed"), frozenset()),
        (QueueView(sent="today"), None),
    ],
)
def test_statuses(view: QueueView, statuses: frozenset[Status] | None) -> None:
    assert view.statuses == statuses


def test_a_view_holds_only_what_the_queue_can_walk() -> None:
    many = ",".join(sorted(countries())[:14])
    for name, value in (
        ("country", many),
        ("country", "DE,-CN"),
        ("status", "-"),
        ("status", ","),
        ("due", ".."),
    ):
        with pytest.raises(Invalid):
            QueueView.parse({name: [value]})
    assert values(CHECKS["country"]("DE,DE,CN")) == (("CN", "DE"), False)


# -- completion ------------------------------------------------------------------------------------------------------


def offered(line: str) -> list[str]:
    found = complete(line, names(), institutions=lambda typed: [f'Clinic "{typed}"'])
    return [line[: one.start] + one.text for one in found]


def test_completion(app: Flask) -> None:
    with app.test_request_context("/"):
        assert len(offered("")) == len(KEYS)
        assert offered("sta")[0] == "status:"
        assert offered("状")[0] == "status:"
        assert offered("late:yes stat")[0] == "late:yes status:"
        assert offered("status:in_r") == ["status:in_review"]
        assert offered("status:科室") == ["status:in_review"]
        assert offered('status:received,"with the') == ["status:received,in_review"]
        assert "status:received,received" not in offered("status:received,")
        assert offered("Germ") == ["country:DE"]
        assert offered("country:ger") == ["country:DE"]
        assert offered("assigned:li") == ['assigned:"Li Hua"']
        assert offered("assigned:hua") == ['assigned:"Li Hua"']
        assert offered("late:") == ["late:yes"]
        assert offered("-coun") == ["-country:"]
        assert offered("institution:x") == []
        assert offered("institution:cli") == ['institution:"Clinic  cli "']
        assert offered('"some phrase') == []
        assert offered("nosuchkey:x") == []


def test_people_with_one_name_are_offered_by_it_and_told_apart_when_chosen(app: Flask) -> None:
    with app.test_request_context("/"):
        assert parse(offered("assigned:wang")[0], names()).problems[0].instead == ("8", "9")
