"""What visitors see: every fact on its page in both languages, its gaps said, and nothing added."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
import time_machine

from collab import departments, profile
from collab.accounts import COMMAND
from collab.core.db import unit_of_work
from collab.departments import Department
from collab.profile import PageKey
from tests.support import html
from tests.support.client import Client
from tests.support.html import text_of

DATA = Path(__file__).parents[2] / "data"
FACTS: list[dict[str, Any]] = json.loads((DATA / "seed_facts.json").read_text(encoding="utf-8"))["facts"]

#: The pages that domain.md E.1 names for each group of facts.
PAGES = {
    "hero": ("",),
    "about": ("",),
    "research": ("research",),
    "labs": ("research", "facilities"),
    "clinical": ("clinical",),
    "facilities": ("facilities",),
    "team": ("team",),
    "training": ("teaching",),
    "cooperate": ("cooperate",),
    "visit": ("visit",),
    "source": ("about-data",),
}
READING = ("", "research", "clinical", "facilities", "team", "teaching", "cooperate", "visit", "train")
OTHERS = ("privacy", "answers", "about-data", "accessibility", "search")
PERIODS = {
    "unstated": ("Date not stated in the source", "来源未注明日期"),
    "NOT STATED": ("Period not stated in the source", "来源未说明统计周期"),
}


def address(lang: str, page: str = "", slug: str = "nuclear-medicine") -> str:
    return f"/{lang}/{slug}/{page}"


def read(client: Client, path: str) -> str:
    """The text of a page without its addresses, with single spaces."""
    return text_of(client.page(path).find("body"))  # type: ignore[arg-type]


def element(root: Element, key: str) -> Element:
    found = [one for one in root.iter() if one.get("id") == key]
    assert len(found) == 1, f"{key} is there {len(found)} times"
    return found[0]


def linked_data(root: Element) -> dict[str, Any]:
    scripts = [one for one in root.iter("script") if one.get("type") == "application/ld+json"]
    assert len(scripts) == 1
    parsed: dict[str, Any] = json.loads(scripts[0].text or "")
    return parsed


# -- the facts -------------------------------------------------------------------------------------------------


@pytest.mark.one_database
def test_each_fact_stands_on_its_page_in_the_sources_words(client: Client, department: Department) -> None:
    pages = {page: read(client, address("en", page)) for page in (*READING, "about-data")}
    for fact in FACTS:
        for page in PAGES[fact["section"]]:
            assert fact["needle"] in pages[page], f"{fact['id']} on /{page}"
        assert fact["needle"] in pages["about-data"], fact["id"]


@pytest.mark.one_database
def test_each_fact_stands_on_its_page_in_chinese(client: Client, department: Department) -> None:
    pages = {page: read(client, address("zh", page)) for page in (*READING, "about-data")}
    kept = profile.current(department).by_key
    for fact in FACTS:
        chinese = kept[fact["id"]].zh
        assert fact["zh"].startswith(chinese), fact["id"]  # what is ours is the list's, without its remarks
        for page in PAGES[fact["section"]]:
            assert chinese in pages[page], f"{fact['id']} on /{page}"
        assert fact["needle"] in pages["about-data"], fact["id"]


@pytest.mark.one_database
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_figure_says_value_unit_period_source_and_note(
    client: Client, department: Department, lang: str
) -> None:
    kept = profile.current(department).by_key
    roots = {
        page: client.page(address(lang, page)) for page in ("clinical", "facilities", "team", "teaching")
    }
    texts = {page: text_of(root) for page, root in roots.items()}
    for fact in FACTS:
        page = PAGES[fact["section"]][0]
        if page not in roots or fact["unit"] in (None, "order"):
            continue
        ours = kept[fact["id"]]
        row = element(roots[page], ours.key)
        said = text_of(row)
        if ours.is_number and ours.section not in ("equipment", "degree"):
            shown = {50_000_000: "50 million" if lang == "en" else "5000万"}.get(
                fact["value"], f"{fact['value']:,}"
            )
            assert shown in said, ours.key
        assert ours.unit is not None
        assert ours.unit.get(lang) in texts[page], ours.key
        if fact["period"] in PERIODS:
            assert PERIODS[fact["period"]][lang == "zh"] in texts[page], ours.key
        if ours.note:
            assert ours.note.get(lang) in texts[page], ours.key
    for root in roots.values():
        assert any(one.get("href") == "#source" for one in root.iter("a"))
        assert "2017-06-23 15:10:21" in text_of(element(root, "source"))
        assert any(one.get("href") == "http://english.cd120.com/n/677.jhtml" for one in root.iter("a"))


@pytest.mark.one_database
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_therapy_is_never_given_a_period_or_a_sum(client: Client, department: Department, lang: str) -> None:
    root = client.page(address(lang, "clinical"))
    section = next(one for one in root.iter("section") if one.get("aria-labelledby") == "section-therapy")
    said = text_of(section)
    assert not re.search(r"per (month|year|week)|monthly|yearly|annual|每月|每年|每周|年均|月均", said)
    assert said.count(PERIODS["NOT STATED"][lang == "zh"]) == 3
    for page in (*READING, *OTHERS):
        assert not re.search(r"(?<!\d)170(?!\d)", read(client, address(lang, page))), page


@pytest.mark.one_database
def test_nobody_and_no_contact_is_invented(client: Client, department: Department) -> None:
    for lang in ("en", "zh"):
        for page in (*READING, *OTHERS):
            text = client.get(address(lang, page)).text
            assert not re.search(r"[\w.+-]+@[\w-]+\.\w", text), page
            assert "tel:" not in text, page
            said = text_of(html.parse(text))
            assert not re.search(r"\+\d{2}[\s(-]?\d|\b0\d{2,3}-\d{7,8}\b|\b\d{11}\b", said), page
            assert not re.search(r"Chengdu|成都|Guoxue|国学巷|邮编|Prof\.|Dr\. ", said), page


@pytest.mark.one_database
def test_the_bars_are_as_long_as_their_figures(client: Client, department: Department) -> None:
    root = client.page(address("en", "clinical"))
    for key, length in (("img.bone", 100.0), ("img.i131wbi", 16.0), ("img.salivary", 10.0), ("rx.dtc", 14.3)):
        (bar,) = element(root, key).iter("{http://www.w3.org/2000/svg}rect") or element(root, key).iter(
            "rect"
        )
        assert float(bar.get("width", "0")) == length, key


@pytest.mark.one_database
@pytest.mark.parametrize(("lang", "promise"), [("en", "within 5 working days"), ("zh", "5 个工作日内")])
def test_the_start_page_has_three_doors_before_the_history_and_the_promise(
    client: Client, department: Department, lang: str, promise: str
) -> None:
    root = client.page(address(lang))
    order = [
        one
        for one in root.iter()
        if one.get("class") == "door" or one.get("id") in ("figures", "section-standing")
    ]
    assert [one.get("id") or "door" for one in order] == ["door"] * 3 + ["figures", "section-standing"]
    assert promise in text_of(root)
    assert department.settings.patients_note.get(lang) in text_of(element(root, "patients"))
    links = {one.get("href") for one in root.iter("a")}
    assert {address(lang, page) for page in READING} <= links
    assert not any("news" in (link or "") for link in links)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("page", "track", "says"),
    [
        ("cooperate", "cooperation", ["30 days", "Universities", "concept note"]),
        (
            "visit",
            "visit",
            ["30 days", "from Mon 15 Feb 2027", "from Mon 21 Dec 2026", "39 weeks", "Observer"],
        ),
        ("train", "training", ["42 days", "autumn term 2027", "Sun 30 May 2027", "The university admits"]),
    ],
)
def test_a_door_says_what_is_offered_needed_and_how_long_then_leads_to_the_form(
    client: Client, department: Department, page: str, track: str, says: list[str]
) -> None:
    with time_machine.travel(date(2026, 11, 23), tick=True):
        root = client.page(address("en", page))
    said = text_of(root)
    assert [text for text in says if text not in said] == []
    offer = department.settings.tracks.of(departments.Track(track))
    for text in (offer.lede, *offer.offers, *offer.welcome, *offer.later, *offer.formal):
        assert text.en in said
    form = address("en", f"inquire/{track}")
    assert sum(one.get("href") == form for one in root.iter("a")) == 2


# -- languages and addresses -----------------------------------------------------------------------------------


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hant", "zh"),
        ("de-DE,de;q=0.9", "en"),
        ("fr;q=1, zh;q=0.4, en;q=0.6", "en"),
        ("", "en"),
        ("*", "en"),
    ],
)
def test_the_first_page_follows_the_browser(
    client: Client, department: Department, header: str, lang: str
) -> None:
    response = client.get("/", headers={"Accept-Language": header})
    assert (response.status_code, response.location) == (302, f"/{lang}/")
    assert "Accept-Language" in response.headers["Vary"]
    onward = client.get(f"/{lang}/")
    assert (onward.status_code, onward.location) == (302, address(lang))


@pytest.mark.one_database
def test_the_switch_stays_on_the_page_with_its_query(client: Client, department: Department) -> None:
    for page in (*READING, *OTHERS):
        for lang, other in (("en", "zh"), ("zh", "en")):
            root = client.page(address(lang, page))
            assert root.get("lang") == {"en": "en", "zh": "zh-Hans"}[lang]
            (switch,) = [one for one in root.iter("a") if one.get("class") == "lang"]
            assert switch.get("href") == address(other, page)
    root = client.page(address("en", "search?q=PET%2FCT+%E9%AA%A8"))
    (switch,) = [one for one in root.iter("a") if one.get("class") == "lang"]
    assert switch.get("href") == address("zh", "search?q=PET%2FCT+%E9%AA%A8")


@pytest.mark.one_database
def test_canonical_and_language_links_point_at_each_other(client: Client, department: Department) -> None:
    base = client.base_url
    for page in (*READING, "privacy", "answers", "about-data", "accessibility"):
        found = {}
        for lang in ("en", "zh"):
            root = client.page(address(lang, page))
            links = [one for one in root.iter("link") if one.get("rel") in ("canonical", "alternate")]
            canonical = [one.get("href") for one in links if one.get("rel") == "canonical"]
            assert canonical == [base + address(lang, page)]
            found[lang] = {one.get("hreflang"): one.get("href") for one in links if one.get("hreflang")}
        en, zh = (base + address(lang, page) for lang in ("en", "zh"))
        assert found["en"] == found["zh"] == {"en": en, "zh-Hans": zh, "x-default": en}


@pytest.mark.one_database
def test_shared_links_have_a_title_and_a_description(client: Client, department: Department) -> None:
    for page in READING:
        metas = {
            one.get("property") or one.get("name"): one.get("content")
            for one in client.page(address("en", page)).iter("meta")
        }
        assert metas["og:url"] == client.base_url + address("en", page)
        assert metas["og:title"]
        assert metas["og:description"] == metas["description"]
        assert len(metas["description"] or "") > 20, page


@pytest.mark.one_database
def test_the_sitemap_names_every_page_in_both_languages(client: Client, department: Department) -> None:
    response = client.get("/sitemap.xml")
    assert response.mimetype == "application/xml"
    root = fromstring(response.text)
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    named = [one.text for one in root.findall("s:url/s:loc", space)]
    pages = (*READING, "privacy", "answers", "about-data", "accessibility")
    assert sorted(map(str, named)) == sorted(
        client.base_url + address(lang, page) for lang in ("en", "zh") for page in pages
    )
    assert all(len(url.findall("x:link", space)) == 3 for url in root.findall("s:url", space))
    for location in named:
        assert client.get(str(location).removeprefix(client.base_url)).status_code == 200


@pytest.mark.one_database
def test_robots_stay_out_of_private_places(client: Client, department: Department) -> None:
    text = client.get("/robots.txt").text
    assert f"Sitemap: {client.base_url}/sitemap.xml" in text
    closed = re.findall(r"^Disallow: (.+)$", text, re.MULTILINE)
    assert {"/staff/", "/api/", "/en/i/", "/zh/my/", "/en/confirm/"} <= set(closed)
    assert not any(address("en", page).startswith(path) for page in READING for path in closed)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "path",
    [
        "/en/no-such-department/",
        "/zh/no-such-department/research",
        "/fr/nuclear-medicine/",
        "/en/nuclear-medicine/nothing",
        "/EN/nuclear-medicine/",
        "/en/nuclear-medicine/research/more",
        "/en/%2e%2e/research",
        "/en/NUCLEAR-MEDICINE/",
        "/en/nuclear-medicine'--/",
    ],
)
def test_what_is_not_there_is_a_404_with_a_plain_page(
    client: Client, department: Department, path: str
) -> None:
    root = client.page(path, status=404)
    assert text_of(root.find("body/main") or root)


@pytest.mark.one_database
def test_a_department_without_a_profile_is_not_shown(client: Client, department: Department) -> None:
    from collab.core.db import db
    from collab.profile import ProfileRevision

    with unit_of_work():
        db.session.query(ProfileRevision).delete()
        db.session.merge(department).content_version += 1
    assert client.get(address("en", "research")).status_code == 404
    assert "research" not in client.get("/sitemap.xml").text


@pytest.mark.one_database
def test_with_two_departments_the_institution_lists_them(
    client: Client, department: Department, tmp_path: Path
) -> None:
    import yaml

    content = yaml.safe_load((departments.folder_of("") / "department.yaml").read_text(encoding="utf-8"))
    content |= {"slug": "second", "code": "SE", "name": {"en": "Second <Department>", "zh": "第二科室"}}
    (tmp_path / "department.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with unit_of_work():
        second = departments.import_department(tmp_path, by=COMMAND)
        profile.import_profile(second, "", by=COMMAND)
    root = client.page("/en/")
    links = {text_of(one): one.get("href") for one in root.iter("a")}
    assert links["Second <Department>"] == "/en/second/"
    assert links[department.name("en")] == address("en")
    assert "第二科室" in read(client, "/zh/second/")


@pytest.mark.one_database
def test_an_installation_without_a_department_says_so(client: Client) -> None:
    assert "No department has been set up here yet." in read(client, "/en/")
    assert client.get("/").location == "/en/"
    assert "<url>" not in client.get("/sitemap.xml").text


# -- for machines ----------------------------------------------------------------------------------------------


def keys_of(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {key for value in node.values() for key in keys_of(value)}
    return {key for value in node for key in keys_of(value)} if isinstance(node, list) else set()


@pytest.mark.one_database
def test_linked_data_says_what_the_page_says_and_no_contact(client: Client, department: Department) -> None:
    for lang in ("en", "zh"):
        for page in (*READING, *OTHERS):
            data = linked_data(client.page(address(lang, page)))
            assert data["@context"] == "https://schema.org"
            assert not keys_of(data) & {
                "telephone",
                "email",
                "address",
                "employee",
                "contactPoint",
                "faxNumber",
            }
            nodes = {node["@id"]: node for node in data["@graph"] if "@id" in node}
            start = client.base_url + address("en")
            assert nodes[f"{start}#institution"]["department"] == {"@id": f"{start}#department"}
            assert nodes[f"{start}#department"]["name"] == department.name(lang)
            web_page = nodes[client.base_url + address(lang, page) + "#page"]
            assert web_page["isBasedOn"]["dateModified"] == "2017-06-23"
            modified = [node for node in data["@graph"] if "dateModified" in node]
            assert modified == []  # only the source page has a date


@pytest.mark.one_database
def test_linked_data_of_research_names_focuses_laboratories_and_grants(
    client: Client, department: Department
) -> None:
    graph = linked_data(client.page(address("en", "research")))["@graph"]
    organisation = next(node for node in graph if node.get("@id", "").endswith("#department"))
    needles = {fact["id"]: fact["needle"] for fact in FACTS}
    assert [term["name"] for term in organisation["knowsAbout"]] == [
        needles[f"focus.{n}"] for n in range(1, 6)
    ]
    assert len(organisation["subOrganization"]) == 5
    projects = [node for node in graph if node["@type"] == "ResearchProject"]
    assert [node["name"] for node in projects] == [needles[f"grant.{n}"] for n in range(1, 6)]
    assert [node["funding"][0]["funder"]["name"] for node in projects] == [
        needles[f"grant.{n}.funder"] for n in range(1, 6)
    ]
    assert "MonetaryGrant" not in json.dumps(graph)


@pytest.mark.one_database
def test_linked_data_of_figures_says_that_the_period_is_missing(
    client: Client, department: Department
) -> None:
    graph = linked_data(client.page(address("en", "clinical")))["@graph"]
    (figures,) = [node for node in graph if node["@type"] == "Dataset"]
    measured = {node["name"]: node for node in figures["variableMeasured"]}
    assert measured["Bone metastases"]["value"] == 10
    assert "Period not stated in the source" in measured["Bone metastases"]["description"]
    graph = linked_data(client.page(address("en", "visit")))["@graph"]
    assert graph[0]["@type"] == "ContactPage"
    assert graph[0]["potentialAction"]["target"] == client.base_url + address("en", "inquire/visit")


@pytest.mark.one_database
def test_linked_data_cannot_be_broken_out_of(client: Client, department: Department, tmp_path: Path) -> None:
    import yaml

    name = "</script><img src=x onerror=alert(1)> & <!--"
    content = yaml.safe_load((departments.folder_of("") / "department.yaml").read_text(encoding="utf-8"))
    content["name"] = {"en": name, "zh": name}
    (tmp_path / "department.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with unit_of_work():
        departments.import_department(tmp_path, by=COMMAND)
    root = client.page(address("en", "research"))
    nodes = linked_data(root)["@graph"]
    assert next(node for node in nodes if node.get("@id", "").endswith("#department"))["name"] == name
    assert not list(root.iter("img"))


# -- search ----------------------------------------------------------------------------------------------------


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("lang", "words", "leads_to"),
    [
        ("en", "cyclotron", "facilities#equip.cyclotron"),
        ("zh", "cyclotron", "facilities#equip.cyclotron"),
        ("en", "回旋加速器", "facilities#equip.cyclotron"),
        ("zh", "甲亢", "clinical#rx.graves"),
        ("en", "erasure", "privacy#rights"),
        ("zh", "观摩", "visit#top"),
    ],
)
def test_search_leads_to_the_very_place(
    client: Client, department: Department, lang: str, words: str, leads_to: str
) -> None:
    root = client.page(address(lang, f"search?q={words}"))
    target = address(lang, leads_to)
    assert target in [one.get("href") for one in root.iter("a")]
    page, _, anchor = target.partition("#")
    element(client.page(page), anchor)
    assert {one.get("content") for one in root.iter("meta") if one.get("name") == "robots"} == {"noindex"}


@pytest.mark.one_database
@pytest.mark.parametrize("key", [*PageKey, "start"])
def test_every_hit_of_search_leads_to_an_element(client: Client, department: Department, key: str) -> None:
    page = "" if key == "start" else key
    root = client.page(address("en", page))
    hits = {
        hit
        for fact in profile.current(department).facts
        for hit in profile.find(profile.edition(department.slug), fact.source_text, "en").hits
    }
    mine = [hit for hit in hits if hit.page == key]
    assert mine
    for hit in mine:
        element(root, hit.anchor)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "query",
    [
        "%00",
        "%01%1b[0m",
        "%",
        "%25_%5C(",
        "%27%20OR%201=1--",
        "%E2%80%AE",
        "%ff%fe",
        "x" * 5000,
        "%E7%94%B2" * 5000,
        "<script>alert(1)</script>",
        "&q=b&q=c",
    ],
)
def test_odd_searches_are_answered_and_inert(client: Client, department: Department, query: str) -> None:
    root = client.page(address("en", f"search?q={query}"))
    assert not [one for one in root.iter("script") if "alert" in (one.text or "")]
    (field,) = [one for one in root.iter("input") if one.get("id") == "q"]
    assert len(field.get("value", "")) <= 200
    assert "\x00" not in (field.get("value") or "")


# -- the same for everybody ------------------------------------------------------------------------------------


@pytest.mark.one_database
def test_public_pages_are_the_same_for_everybody_and_set_nothing(
    client: Client, department: Department
) -> None:
    for page in (*READING, *OTHERS):
        first = client.get(address("en", page))
        again = client.get(
            address("en", page), headers={"Cookie": "collab-form=x; other=y", "Accept-Language": "zh"}
        )
        assert first.data == again.data, page
        assert "Set-Cookie" not in first.headers
        assert "public" in first.headers["Cache-Control"], page
        assert "csrf" not in first.text, page
