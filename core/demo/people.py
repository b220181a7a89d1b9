"""Who appears in the demo: staff by name, parties drawn by seed. Nobody here exists."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from core.policy import OFFERED, Platform, WithdrawalMethod
from core.rules.legal_checklist import Item
from core.rules.permissions import Role
from core.rules.templates import ProjectType


@dataclass(frozen=True)
class StaffMember:
    name: str
    title: str
    roles: tuple[Role, ...]
    skills: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.name.lower().replace(" ", ".")


STAFF = (
    StaffMember(
        "Maya Lindqvist",
        "Senior mediator",
        (Role.MEDIATOR,),
        (ProjectType.KITCHEN, ProjectType.BATHROOM, ProjectType.ADDITION),
    ),
    StaffMember(
        "Tomás Herrera",
        "Mediator",
        (Role.MEDIATOR,),
        (ProjectType.ROOFING, ProjectType.LANDSCAPING, ProjectType.PAINTING),
    ),
    StaffMember(
        "Aiko Tanabe",
        "Mediator",
        (Role.MEDIATOR,),
        (ProjectType.ELECTRICAL, ProjectType.PLUMBING, ProjectType.FLOORING),
    ),
    StaffMember(
        "Ruth Adeyemi",
        "Mediator, legal services",
        (Role.MEDIATOR,),
        (ProjectType.STAGED_REPRESENTATION, ProjectType.CONSULTATION),
    ),
    StaffMember("Jonas Weber", "Mediator, legal services", (Role.MEDIATOR,), (ProjectType.DOCUMENT_REVIEW,)),
    StaffMember("Farah Siddiqui", "Head of finance", (Role.FINANCE,)),
    StaffMember("Colm Brennan", "Finance analyst", (Role.FINANCE,)),
    StaffMember("Ines Carvalho", "Compliance officer", (Role.COMPLIANCE,)),
    StaffMember("Noah Whitfield", "Compliance analyst", (Role.COMPLIANCE,)),
    StaffMember("Grace Okonjo", "Platform administrator", (Role.ADMINISTRATOR,)),
    StaffMember("Peter Novak", "Platform administrator", (Role.ADMINISTRATOR,)),
)

# On what ground the compliance officer signed each item of the legal checklist.
# What the marketplaces' policies say of receipts, invoices and credit notes.
ISSUERS: Mapping[Platform, Mapping[str, str | int]] = {
    Platform.HOME_SERVICES: {
        "issuer_name": "Hearth Home Services, Inc.",
        "issuer_address": "410 Larch Street, Portland, OR 97205",
        "tax_id": "98-7654321",
        "tax_bps": 825,
    },
    Platform.LEGAL_SERVICES: {
        "issuer_name": "Counsel Legal Services, LLC",
        "issuer_address": "22 Court Square, Boston, MA 02108",
        "tax_id": "98-1234567",
    },
}
MEMOS = {
    Item.COUNSEL: "Opinion of outside counsel on held funds, every state we serve, file LC-11.",
    Item.PROCESSOR_TERMS: "Written confirmation of the processor for both categories, file PT-04.",
    Item.CHARGEBACK_WORKFLOW: "Workflow rehearsed with finance; papers are kept for seven years, file CB-02.",
    Item.PRIVACY: "Data protection assessment of receipts and billing information, file PR-07.",
}

FIRST = (
    "Amara Ben Carla Dmitri Elena Fionn Grete Hassan Imani Jorge Kavya Liam Mei Nadia Oskar Priya Quentin Rosa "
    "Samir Tessa Ulrich Vera Wendell Ximena Yusuf Zofia Anselm Brigid Cyrus Delphine Emeka Freya Gideon Halima "
    "Isaac Jun Klara Lorenzo Marisol Nikhil Odette Pavel Rania Stefan Thandi Viktor"
).split()
LAST = (
    "Abara Bergström Castellano Dubois Eriksen Fontaine Gallagher Haddad Ivanova Jansen Kowalski Lemaire Moreau "
    "Nakagawa Olsen Petrov Quirke Rahman Schneider Torres Ueda Vasquez Winslow Xu Yamada Zeller Ashworth Brandt "
    "Chaudhry Delacroix Engel Farrell Grünwald Hollis Iqbal Jovanović Keane Lund Mbeki Novák"
).split()
TRADES = (
    "Hearthstone Builders|Blue Heron Roofing|Kestrel & Sons Joinery|Northgate Plumbing|Copperline Electric|"
    "Greenfold Landscapes|True Level Floors|Stonebridge Kitchens|Lakeview Painting Co.|Cedar & Slate|"
    "Ironwood Additions|Brightwater Bathrooms|Oak Lane Restorations|Summit Exteriors|Harbor Tile Works|"
    "Fieldhouse Contracting|Mason & Vale|Tidewater Carpentry|Silver Birch Gardens|Keystone Renovations"
).split("|")
PRACTICES = (
    "Ferris & Holm LLP|Okafor Law Office|Delgado Family Law|Whitmore Advocates|Sato Legal|Brennan Tenancy Law|"
    "Al-Rashid & Partners|Lindgren Immigration|Castle Hill Chambers|Marlowe Employment Law"
).split("|")
CITIES = {
    "USD": (("Portland", "US"), ("Austin", "US"), ("Columbus", "US"), ("Tacoma", "US"), ("Savannah", "US")),
    "EUR": (("Utrecht", "NL"), ("Leipzig", "DE"), ("Lyon", "FR"), ("Cork", "IE")),
    "JPY": (("Kyoto", "JP"), ("Sapporo", "JP"), ("Fukuoka", "JP")),
    "GBP": (("Bristol", "GB"), ("Leeds", "GB")),
    "KWD": (("Kuwait City", "KW"), ("Salmiya", "KW")),
}


# Test cards by where most payers of a currency bank, and one of somebody who does not.
CARDS = {
    "USD": ("visa", "visa", "visa_debit", "mastercard", "amex", "gb"),
    "EUR": ("de", "de", "mastercard"),
    "GBP": ("gb", "gb", "mastercard"),
    "JPY": ("jp", "jp", "amex"),
    "KWD": ("visa", "mastercard"),
}


@dataclass(frozen=True)
class PartyCard:
    """What the marketplace would tell us about a customer. `bank` and `card` are the sandbox's test tokens."""

    name: str
    email: str
    city: str
    country: str
    card: str = "pm_card_visa"
    bank: str = "btok_us_verified"
    method: WithdrawalMethod = WithdrawalMethod.STANDARD


def payer(draw: random.Random, currency: str) -> PartyCard:
    first, last = draw.choice(FIRST), draw.choice(LAST)
    city, country = draw.choice(CITIES[currency])
    email = _email(draw, first, last)
    # By the address: one more draw would tell every story after it differently.
    card = random.Random(email).choice(CARDS[currency])
    return PartyCard(f"{first} {last}", email, city, country, card=f"pm_card_{card}")


def payee(draw: random.Random, currency: str, platform: Platform) -> PartyCard:
    name = draw.choice(TRADES if platform is Platform.HOME_SERVICES else PRACTICES)
    city, country = draw.choice(CITIES[currency])
    method = draw.choices(OFFERED, weights=(8, 2))[0]
    return PartyCard(name, _email(draw, "office", name), city, country, method=method)


def number_of(card: PartyCard) -> int:
    """What their marketplace calls a payee: a number that tells nobody their name."""
    return 1 + (*TRADES, *PRACTICES).index(card.name)


def _email(draw: random.Random, first: str, last: str) -> str:
    """Addresses under example.com reach nobody (RFC 2606)."""
    plain = "".join(
        mark for mark in f"{first}.{last}".lower() if mark.isascii() and (mark.isalnum() or mark == ".")
    )
    return f"{plain}{draw.randrange(10, 99)}@example.com"
