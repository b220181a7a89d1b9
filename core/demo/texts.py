"""What people write in the demo: scopes, complaints, answers, reasons. Written for it; about nobody."""

from __future__ import annotations

from dataclasses import dataclass

from core.rules.cases import DisputeReason
from core.rules.templates import ProjectType


@dataclass(frozen=True)
class Work:
    """A kind of project: titles, the agreed scope, and amounts from which totals are drawn (US dollars)."""

    titles: tuple[str, ...]
    scope: str
    dollars: tuple[int, int]


WORK: dict[ProjectType, Work] = {
    ProjectType.KITCHEN: Work(
        ("Kitchen remodel, 1920s bungalow", "Galley kitchen renewal", "Kitchen with island, open plan"),
        "Remove the old kitchen. Supply and fit cabinets, quartz counters and a tiled backsplash. Move the sink to "
        "the window wall, new supply and waste. Two coats of paint. Waste removal included; appliances by owner.",
        (9_000, 18_500),
    ),
    ProjectType.BATHROOM: Work(
        ("Upstairs bathroom renewal", "Walk-in shower conversion", "Guest bathroom, accessible"),
        "Strip to studs, renew supply and drain lines, waterproof to 2 m, porcelain tile floor and walls, walk-in "
        "shower with linear drain, heated towel rail. Warranty two years on waterproofing.",
        (4_500, 11_000),
    ),
    ProjectType.ROOFING: Work(
        ("Roof replacement, north pitch", "Re-roof with standing seam", "Garage roof and gutters"),
        "Remove the old covering, replace rotten decking at cost, ice shield at eaves, architectural shingles, new "
        "flashings at chimney and valleys, seamless gutters. Magnet sweep of the garden each evening.",
        (5_000, 14_000),
    ),
    ProjectType.PAINTING: Work(
        ("Exterior repaint, two storeys", "Interior repaint, five rooms"),
        "Wash, scrape and prime; caulk gaps; two finish coats in the agreed colours. Windows masked; plants covered.",
        (1_200, 4_200),
    ),
    ProjectType.LANDSCAPING: Work(
        ("Terraced garden with retaining wall", "Front yard, drought tolerant", "Gravel path and drainage"),
        "Clear and grade, French drain along the house, dry-stacked retaining wall 90 cm, gravel path on fabric, "
        "planting by the attached list. One season of watering visits.",
        (2_500, 9_500),
    ),
    ProjectType.ELECTRICAL: Work(
        ("Panel upgrade to 200 A", "Rewire, ground floor", "Car charger and sub-panel"),
        "Replace the service panel, bond and ground to code, label all circuits, permits and inspection included.",
        (1_400, 5_800),
    ),
    ProjectType.PLUMBING: Work(
        ("Repipe, copper to PEX", "Water heater and recirculation", "Basement drain renewal"),
        "Replace supply lines, shut-offs at each fixture, pressure test at 100 psi for one hour with a photograph.",
        (1_500, 6_500),
    ),
    ProjectType.FLOORING: Work(
        ("Oak floor, three rooms", "Tile floor with heating", "Cork floor, home office"),
        "Level the subfloor to 3 mm in 2 m, acclimatise boards for five days, lay and finish with two coats of oil.",
        (2_200, 7_800),
    ),
    ProjectType.ADDITION: Work(
        ("Garden room addition", "Dormer and attic bedroom"),
        "Foundations, framing, insulation to current code, roof tie-in, windows, drywall, electrical and heating.",
        (16_000, 38_000),
    ),
    ProjectType.CONSULTATION: Work(
        ("Tenancy deposit consultation", "Employment contract consultation", "Visa options consultation"),
        "One session of 60 minutes by video with a written summary of options. No representation is included.",
        (120, 380),
    ),
    ProjectType.STAGED_REPRESENTATION: Work(
        (
            "Wage claim, representation",
            "Eviction defence, representation",
            "Partnership dispute, representation",
        ),
        "Stage one: file review and letter before claim. Stage two: filing and first hearing. Stage three: settlement "
        "talks or trial preparation. Court fees are paid by the client directly. No result is guaranteed.",
        (2_400, 9_800),
    ),
    ProjectType.DOCUMENT_REVIEW: Work(
        ("Lease review, commercial unit", "Shareholder agreement review", "Franchise agreement review"),
        "Review of the attached document, marked-up copy and a memorandum of risks with proposed wording.",
        (400, 1_900),
    ),
}


@dataclass(frozen=True)
class DisputeStory:
    """One dispute as both sides tell it, with what staff may decide about it."""

    reason: DisputeReason
    complaint: str
    answer: str
    reply: str
    finding: str
    percent: int = 60


HOME: tuple[DisputeStory, ...] = (
    DisputeStory(
        DisputeReason.DEFECTIVE,
        "The grout along the north wall has cracked in eleven places and two tiles sound hollow. Photographs are "
        "attached. I asked twice for a visit and was told it would 'settle'. I cannot use the room like this.",
        "Hairline cracks in the first weeks are normal movement. We offered to regrout after the heating season. The "
        "hollow tiles are within the trade tolerance, see our inspection report.",
        "The report was written by your own foreman. An independent tiler says the bed was not fully covered.",
        "The photographs show cracks at regular distances, which fits missing movement joints rather than settling. "
        "The remaining work was done as agreed, so most of the milestone is earned.",
        70,
    ),
    DisputeStory(
        DisputeReason.INCOMPLETE,
        "The drainage behind the wall was never laid. You can see bare soil where the gravel and pipe should be. The "
        "agreed scope says 'French drain along the house'.",
        "The pipe was on back order. The wall is finished and we said we would come back for the drain in spring.",
        "Nobody told me that before marking the milestone complete. The cellar is wet after every rain.",
        "The scope names the drain as part of this milestone and the evidence shows that it is missing. The wall "
        "itself is complete and sound.",
        55,
    ),
    DisputeStory(
        DisputeReason.NOT_AS_AGREED,
        "The counters are not the stone that we chose. The order confirmation says 'Alba grey', what is fitted is a "
        "lighter stone with visible seams over the dishwasher.",
        "The supplier discontinued Alba grey. We sent a message with the substitute and got a thumbs up.",
        "The thumbs up was about the delivery date, as you can read in the message history.",
        "The message history supports the homeowner: the substitute was never clearly offered. The counters are "
        "usable and were fitted with care, so a part of the price is earned.",
        45,
    ),
    DisputeStory(
        DisputeReason.DAMAGE,
        "When the dumpster was moved it broke four slabs of the driveway and the gate post. The crew left without a "
        "word. I want this repaired before anything is released.",
        "The slabs were cracked before we came. We took photographs on the first morning.",
        "Your photographs show the other side of the drive.",
        "The photographs of the first morning show the slabs whole. The damage is real but small beside the work, "
        "which was accepted.",
        80,
    ),
    DisputeStory(
        DisputeReason.NO_SHOW,
        "Nobody came. Three appointments were confirmed and three times nobody appeared or called. I took two days "
        "off work for this.",
        "Our van broke down and then the crew was ill. We can start next month.",
        "I have found another contractor and I want my money back.",
        "Three confirmed appointments were missed and work was never begun. The ground for a full refund is met.",
    ),
    DisputeStory(
        DisputeReason.DEFECTIVE,
        "The new roof leaks at the chimney. Water stains appeared after the first storm, see photographs with dates.",
        "We returned within 24 hours, renewed the flashing and hosed it for an hour. It is dry. Report attached.",
        "It looks dry now, but I would like someone independent to look before I pay.",
        "The report and the later photographs show a dry ceiling after the repair. The work is complete as agreed.",
    ),
)

LEGAL: tuple[DisputeStory, ...] = (
    DisputeStory(
        DisputeReason.NOT_AS_AGREED,
        "The memorandum covers the rent clauses only. The agreed deliverable names the whole lease with proposed "
        "wording for each risk. Half of the document is not mentioned.",
        "The remaining clauses are standard and carry no risk worth writing about.",
        "Then the memorandum should say so. I cannot use it in the negotiation.",
        "The deliverable names the whole document. The part that was delivered is careful and usable.",
        50,
    ),
    DisputeStory(
        DisputeReason.NO_SHOW,
        "The attorney did not join the video session. I waited forty minutes and wrote twice.",
        "There was a hearing that ran late. I offered another date the week after.",
        "The notice period in my case ended that same day.",
        "The session did not take place. A no-show is a ground for a full refund.",
    ),
    DisputeStory(
        DisputeReason.OTHER,
        "We lost at the first hearing. I do not think that I should pay for a result like this.",
        "The stage was file review, filing and the hearing. All of it was done; no result was promised.",
        "Another lawyer would have won.",
        "The agreed work of this stage was delivered and documented; a legal result is not guaranteed.",
    ),
)

ADVICE = (
    "Please send the original order confirmation, including the colour code.",
    "Please send a photograph of the area taken in daylight with a ruler in the picture.",
    "Please send the dated messages in which the change was agreed.",
    "Please send the invoice of the independent inspection.",
)
STAFF_NOTES = (
    "Called both sides. They agree on the dates, not on who changed the order.",
    "Looked at the earlier milestone of this project: accepted without remarks.",
    "Asked finance: no hold on this milestone, payout method verified.",
)
SMALL_TALK = (
    ("When do you start on Monday?", "We are there at half past seven, the delivery comes at nine."),
    ("Could you leave the side gate closed, please? The dog gets out.", "Of course, I told the crew."),
    ("The inspector can come on Thursday.", "Good, we will have the wall open for him."),
    ("I have uploaded the signed scope.", "Thank you, received. I will come back with questions by Friday."),
)

# What people write about each other in the end.
PRAISE = (
    "Clear agreements, clean work, and every question answered the same day.",
    "On time and as drawn. I would do it again.",
    "Good to work with: fair, friendly and quick to decide.",
    "A small problem on the way, solved without any fuss.",
)
COMPLAINTS = (
    "It was finished in the end, but it took three reminders.",
    "The result is fine. Getting there was harder than it had to be.",
)
# What the marketplace's content rules found in messages.
OFF_PLATFORM = (
    "A message asks to continue by private e-mail and to pay by bank transfer.",
    "A second message gives a telephone number and asks to leave the platform.",
)
