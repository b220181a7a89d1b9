"""The milestones that projects of each type begin with: titles, what is delivered, and weights by size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.policy import Platform
from core.rules.acceptance import AcceptanceRule
from core.rules.transitions import label


class Size(StrEnum):
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"

    @property
    def label(self) -> str:
        return label(self)


class ProjectType(StrEnum):
    KITCHEN = "KITCHEN"
    BATHROOM = "BATHROOM"
    ROOFING = "ROOFING"
    PAINTING = "PAINTING"
    LANDSCAPING = "LANDSCAPING"
    ELECTRICAL = "ELECTRICAL"
    PLUMBING = "PLUMBING"
    FLOORING = "FLOORING"
    ADDITION = "ADDITION"
    CONSULTATION = "CONSULTATION"
    STAGED_REPRESENTATION = "STAGED_REPRESENTATION"
    DOCUMENT_REVIEW = "DOCUMENT_REVIEW"

    @property
    def label(self) -> str:
        return label(self)

    @property
    def platform(self) -> Platform:
        return Platform.LEGAL_SERVICES if self in _LEGAL else Platform.HOME_SERVICES

    @property
    def acceptance_rule(self) -> AcceptanceRule:
        consultation = self is ProjectType.CONSULTATION
        return AcceptanceRule.SESSION_COMPLETED if consultation else AcceptanceRule.AUTO_RELEASE


_LEGAL = frozenset({ProjectType.CONSULTATION, ProjectType.STAGED_REPRESENTATION, ProjectType.DOCUMENT_REVIEW})


@dataclass(frozen=True)
class Stage:
    """`weight`: its part of the total, in proportion to the other stages."""

    title: str
    deliverable: str
    weight: int


def _sizes(stages: tuple[Stage, ...]) -> Mapping[Size, tuple[Stage, ...]]:
    """All stages when large; when medium the first two are one, when small everything is one."""
    first, second, *rest = stages
    opening = Stage(
        f"{first.title} and {second.title[0].lower()}{second.title[1:]}",
        f"{first.deliverable} {second.deliverable}",
        first.weight + second.weight,
    )
    whole = Stage("All work", " ".join(stage.deliverable for stage in stages), 1)
    return {Size.SMALL: (whole,), Size.MEDIUM: (opening, *rest), Size.LARGE: stages}


def _always(*stages: Stage) -> Mapping[Size, tuple[Stage, ...]]:
    return dict.fromkeys(Size, stages)


TEMPLATES: Mapping[ProjectType, Mapping[Size, tuple[Stage, ...]]] = {
    ProjectType.KITCHEN: _sizes(
        (
            Stage("Plan and orders", "Measured plan agreed; cabinets and counters ordered.", 20),
            Stage(
                "Demolition and rough-in", "Old kitchen removed; pipes and wiring in place and inspected.", 25
            ),
            Stage("Cabinets and counters", "Cabinets and counters fitted and level.", 35),
            Stage("Finish and handover", "Appliances connected, surfaces finished, site clean.", 20),
        )
    ),
    ProjectType.BATHROOM: _sizes(
        (
            Stage("Demolition", "Old fixtures and tiles removed and taken away.", 20),
            Stage("Pipes and waterproofing", "Pipes in place, walls and floor sealed and tested.", 30),
            Stage("Tiles and fixtures", "Tiles laid; bath, basin and toilet fitted.", 35),
            Stage("Finish and handover", "Joints sealed, everything tested, site clean.", 15),
        )
    ),
    ProjectType.ROOFING: _sizes(
        (
            Stage("Materials on site", "Roofing materials delivered and checked against the order.", 30),
            Stage("Old roof removed", "Old covering removed; deck repaired and dry.", 25),
            Stage("New roof laid", "Underlay, covering and flashings laid.", 35),
            Stage("Inspection and handover", "Roof inspected for leaks; warranty papers handed over.", 10),
        )
    ),
    ProjectType.PAINTING: _sizes(
        (
            Stage("Preparation", "Surfaces cleaned, filled and masked.", 30),
            Stage("First coat", "Primer and first coat on all surfaces.", 35),
            Stage("Final coat and handover", "Final coat, touch-ups, masking removed.", 35),
        )
    ),
    ProjectType.LANDSCAPING: _sizes(
        (
            Stage("Design and clearing", "Design agreed; ground cleared and levelled.", 30),
            Stage("Hard landscaping", "Paths, walls and drainage built.", 40),
            Stage("Planting and handover", "Plants and lawn in place and watered.", 30),
        )
    ),
    ProjectType.ELECTRICAL: _sizes(
        (
            Stage("Permit and rough-in", "Permit obtained; cables and boxes in place.", 40),
            Stage("Fixtures and panel", "Panel, outlets and fixtures connected.", 40),
            Stage("Inspection", "Installation inspected and approved.", 20),
        )
    ),
    ProjectType.PLUMBING: _sizes(
        (
            Stage("Rough-in", "Pipes laid and pressure tested.", 45),
            Stage("Fixtures", "Fixtures fitted and connected.", 35),
            Stage("Test and handover", "No leaks after a day in use.", 20),
        )
    ),
    ProjectType.FLOORING: _sizes(
        (
            Stage("Materials and subfloor", "Materials delivered; subfloor level and dry.", 45),
            Stage("Floor laid", "Floor laid in all rooms.", 40),
            Stage("Trim and handover", "Skirting and thresholds fitted, site clean.", 15),
        )
    ),
    ProjectType.ADDITION: _sizes(
        (
            Stage("Plans and permit", "Drawings agreed and permit granted.", 10),
            Stage("Foundation", "Foundation poured and inspected.", 20),
            Stage("Frame and roof", "Frame, roof and windows in place; weathertight.", 30),
            Stage("Services and insulation", "Pipes, wiring and insulation in place and inspected.", 20),
            Stage("Finish and handover", "Walls, floors and trim finished; final inspection passed.", 20),
        )
    ),
    ProjectType.CONSULTATION: _always(
        Stage("Consultation", "One session with the attorney, with a written summary of the advice.", 1)
    ),
    ProjectType.DOCUMENT_REVIEW: _always(
        Stage("Review", "The documents read; written comments and risks marked.", 60),
        Stage("Final version", "The agreed changes made and explained.", 40),
    ),
    ProjectType.STAGED_REPRESENTATION: _always(
        Stage("Case assessment", "Facts and documents assessed; written strategy.", 20),
        Stage("Filing", "Pleadings or application drafted, agreed and filed.", 30),
        Stage("Negotiation or hearing", "Representation in the negotiation or at the hearing.", 35),
        Stage("Conclusion", "Result explained in writing; file closed and handed over.", 15),
    ),
}
