"""The pages for machines: schema.org as JSON-LD (domain.md E.3).

Nothing is said here that the pages do not say, and no telephone, mail, address or person: the source names none.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from collab.profile import Edition, Fact, Meaning, ProfileDocument
from collab.web.public import shown

Node = dict[str, Any]


def script(nodes: list[Node]) -> Markup:
    """A JSON-LD data block. It is data, not code, so the content security policy lets it stand."""
    text = json.dumps(
        {"@context": "https://schema.org", "@graph": nodes}, ensure_ascii=False, separators=(",", ":")
    )
    for character, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, escaped)
    return Markup('<script type="application/ld+json">{}</script>').format(Markup(text))  # noqa: S704  escaped above


def page(
    department: Edition,
    *,
    lang: str,
    url: str,
    home: str,
    title: str,
    description: str,
    crumbs: list[tuple[str, str | None]],
    sections: tuple[str, ...],
    form: str | None = None,
    action: str = "CommunicateAction",
    figures: Sequence[Fact] = (),
) -> list[Node]:
    """One page, the department it is about, and what its sections hold.

    :param home: the department's start page; its ids hang on that address in every language.
    :param figures: facts the page shows beside its sections.
    :param form: the address of the inquiry's form, if the page leads to one.
    """
    settings, document = department.settings, department.profile
    other = "en" if lang == "zh" else "zh"
    organisation: Node = {
        "@type": ["MedicalOrganization", "ResearchOrganization"],
        "@id": f"{home}#department",
        "name": settings.name.get(lang),
        "alternateName": settings.name.get(other),
        "url": home,
        "parentOrganization": {"@id": f"{home}#institution"},
    }
    institution: Node = {
        "@type": "Hospital",
        "@id": f"{home}#institution",
        "name": settings.institution.get(lang),
        "department": {"@id": organisation["@id"]},
    }
    web_page: Node = {
        "@type": "ContactPage" if form else "WebPage",
        "@id": f"{url}#page",
        "url": url,
        "name": title,
        "description": description,
        "inLanguage": "zh-Hans" if lang == "zh" else "en",
        "about": {"@id": organisation["@id"]},
        "isBasedOn": _source(document, lang),
        "breadcrumb": {
            "@type": "BreadcrumbList",
            "itemListElement": [
                {"@type": "ListItem", "position": n, "name": name} | ({"item": address} if address else {})
                for n, (name, address) in enumerate(crumbs, 1)
            ],
        },
    }
    if form:
        web_page["potentialAction"] = {
            "@type": action,
            "target": form,
            "recipient": {"@id": organisation["@id"]},
        }
    graph = _Graph(document, lang, organisation, institution, [web_page, institution, organisation])
    for key in sections:
        graph.say(key)
    facts = (*figures, *(fact for key in sections for fact in document.by_section[key]))
    measured = [_property(fact, lang) for fact in facts if fact.is_number]
    if measured:
        graph.nodes.append(
            {
                "@type": "Dataset",
                "@id": f"{url}#figures",
                "name": title,
                "description": description,
                "creator": {"@id": organisation["@id"]},
                "isBasedOn": web_page["isBasedOn"],
                "variableMeasured": measured,
            }
        )
    return graph.nodes


def _source(document: ProfileDocument, lang: str) -> Node:
    source: Node = {"@type": "WebPage", "url": document.source.url, "name": document.source.title.get(lang)}
    if document.source.day:
        source["dateModified"] = document.source.day
    return source


def _property(fact: Fact, lang: str) -> Node:
    node: Node = {"@type": "PropertyValue", "name": fact.get(lang), "value": fact.value}
    if fact.unit:
        node["unitText"] = fact.unit.get(lang)
    said = [shown.period(fact, lang), fact.note.get(lang) if fact.note else ""]
    if any(said):
        node["description"] = " · ".join(text for text in said if text)
    return node


@dataclass
class _Graph:
    """The nodes of one page, and how each kind of section adds to them."""

    document: ProfileDocument
    lang: str
    organisation: Node
    institution: Node
    nodes: list[Node]

    def say(self, key: str) -> None:
        """Add what a section's facts mean."""
        facts = self.document.wholes(key)
        match self.document.sections[key].means:
            case Meaning.KNOWS_ABOUT:
                terms = [{"@type": "DefinedTerm", "name": fact.words(self.lang)} for fact in facts]
                self.organisation.setdefault("knowsAbout", []).extend(terms)
            case Meaning.LABORATORY:
                self.organisation["subOrganization"] = self._named("ResearchOrganization", facts)
            case Meaning.EQUIPMENT:
                self.organisation["owns"] = self._named("Product", facts)
            case Meaning.PREMISES:
                properties = [_property(fact, self.lang) for fact in facts if fact.is_number]
                self.organisation["location"] = {"@type": "Place", "additionalProperty": properties}
            case Meaning.PROJECT:
                self.nodes.extend(self._project(fact) for fact in facts)
            case Meaning.IMAGING:
                items = tuple(part for fact in facts for part in (self.document.parts(fact) or (fact,)))
                self._services(self._named("MedicalTest", items))
            case Meaning.THERAPY:
                title = self.document.sections[key].title.get(self.lang)
                self._services(
                    {"@type": "MedicalTherapy", "name": f"{title}: {fact.get(self.lang)}"} for fact in facts
                )
            case Meaning.COURSE:
                said = " · ".join(fact.words(self.lang) for fact in facts)
                self.nodes.append(self._provided("Course", facts[0]) | {"description": said})
            case Meaning.PROGRAMME:
                self.nodes.extend(self._provided("EducationalOccupationalProgram", fact) for fact in facts)
            case Meaning.STAFF | None:
                pass  # its figures stand among the measured variables, as every section's do

    def _named(self, kind: str, facts: Iterable[Fact]) -> list[Node]:
        return [{"@type": kind, "name": fact.get(self.lang)} for fact in facts]

    def _provided(self, kind: str, fact: Fact) -> Node:
        return {"@type": kind, "name": fact.get(self.lang), "provider": {"@id": self.organisation["@id"]}}

    def _services(self, nodes: Iterable[Node]) -> None:
        self.institution.setdefault("availableService", []).extend(nodes)

    def _project(self, fact: Fact) -> Node:
        node: Node = {
            "@type": "ResearchProject",
            "name": fact.words(self.lang),
            "parentOrganization": {"@id": self.organisation["@id"]},
        }
        funders = [{"@type": "Organization", "name": f.words(self.lang)} for f in self.document.parts(fact)]
        return node | (
            {"funding": [{"@type": "Grant", "funder": funder} for funder in funders]} if funders else {}
        )
