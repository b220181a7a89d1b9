"""Where the desk's settings come from: the environment, and nothing else."""

from __future__ import annotations

from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.home import DEMO_HOME, OF_A_DESK, HomeMoved, is_demos, production_home

STRIPE_API = "https://api.stripe.com"
AN_ADDRESS, A_LINK = r"^([^@\s]+@[^@\s]+)?$", r"^(https?://\S+)?$"


def networks(written: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Raises `ValueError` where one of them, separated by commas, is no network in CIDR notation."""
    return tuple(ip_network(each.strip()) for each in written.split(",") if each.strip())


class Settings(BaseSettings):
    """Every setting with its environment variable; README lists the ones an operator needs.

    `database_url` logs in as `app`; migrations use the owner's, exports the auditor's. Where the latter
    two are not given, `database_url` serves for all three. `database_replica_url` is the auditor's login on a streaming
    replica, for the export of the ledger. `hosts`: further names under which the dashboard may be
    asked for, separated by commas.
    """

    # A setting without a name of its own is asked for as ESCROW_DESK_…: `HOME` alone would be the operator's.
    model_config = SettingsConfigDict(env_prefix="ESCROW_DESK_", extra="ignore", populate_by_name=True)

    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    database_owner_url: str = Field(default="", validation_alias="DATABASE_OWNER_URL")
    database_auditor_url: str = Field(default="", validation_alias="DATABASE_AUDITOR_URL")
    database_replica_url: str = Field(default="", validation_alias="DATABASE_REPLICA_URL")
    stripe_api_key: str = Field(default="", validation_alias="STRIPE_API_KEY")
    stripe_webhook_secret: str = Field(default="", validation_alias="STRIPE_WEBHOOK_SECRET")
    stripe_api_base: str = Field(default=STRIPE_API, validation_alias="STRIPE_API_BASE")
    home: Path = Field(default_factory=production_home)
    # Where every checkpoint goes as it is signed (`core.audit.outside`): a folder of another machine's, a bucket that
    # speaks S3 (`s3://name/prefix`), an e-mail address, an authority that timestamps it (RFC 3161).
    outside_checkpoints: Path | None = None
    checkpoint_bucket: str = Field(default="", pattern=r"^(s3://[^/\s]+(/\S*)?)?$")
    checkpoint_mail: str = Field(default="", pattern=AN_ADDRESS)
    timestamp_url: str = Field(default="", pattern=A_LINK)
    # A PEM file with the authority's root, and perhaps the certificate with which it must sign.
    timestamp_certificate: Path | None = None
    # Of the bucket. Without a key the machine's own role is asked for one.
    s3_endpoint: str = Field(default="", validation_alias="AWS_ENDPOINT_URL", pattern=A_LINK)
    s3_region: str = Field(default="", validation_alias="AWS_REGION")
    s3_key_id: str = Field(default="", validation_alias="AWS_ACCESS_KEY_ID")
    s3_secret: str = Field(default="", validation_alias="AWS_SECRET_ACCESS_KEY")
    evidence_key: str = Field(default="", validation_alias="EVIDENCE_KEY")
    # What the file of keys that a backup writes apart is encrypted with.
    backup_passphrase: str = ""
    api_master_key: str = Field(default="", validation_alias="API_MASTER_KEY")
    host: str = Field(default="127.0.0.1", validation_alias="HOST")
    hosts: str = ""
    # A file like `.streamlit/secrets.toml.example`; without it the checkout's `.streamlit/secrets.toml`.
    sign_in: Path | None = None
    port: int = Field(default=8501, validation_alias="PORT")
    smtp_url: str = Field(default="", validation_alias="SMTP_URL")
    mail_from: str = Field(default="Payments desk <payments@localhost>", validation_alias="MAIL_FROM")
    # What an e-mail tells its reader: where to write to, and where to sign in. See `contact` and `link`.
    home_services_contact: str = Field(
        default="", validation_alias="HOME_SERVICES_CONTACT", pattern=AN_ADDRESS
    )
    home_services_link: str = Field(default="", validation_alias="HOME_SERVICES_LINK", pattern=A_LINK)
    legal_services_contact: str = Field(
        default="", validation_alias="LEGAL_SERVICES_CONTACT", pattern=AN_ADDRESS
    )
    legal_services_link: str = Field(default="", validation_alias="LEGAL_SERVICES_LINK", pattern=A_LINK)
    desk_url: str = Field(default="", validation_alias="DESK_URL", pattern=A_LINK)
    # Who issues receipts, invoices and credit notes: name and postal address. See `issued_by`.
    issuer: str = Field(default="", validation_alias="ISSUER")
    # The first month of the fiscal year, 1 to 12: reports of a year begin with it, and a year that is closed.
    fiscal_year_begins: int = Field(default=1, ge=1, le=12)
    # Networks besides the public internet that events for the marketplaces may go to, such as 10.20.0.0/16.
    event_networks: str = ""
    demo: bool = False

    @field_validator("event_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        networks(value)
        return value

    @property
    def private_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Where events may go besides the public internet; in a demo also to this computer."""
        return networks(self.event_networks + (",127.0.0.0/8,::1/128" if self.demo else ""))

    def contact(self, platform: str) -> str:
        """The address that customers of this marketplace write to: its own, else the sender's."""
        own: str = getattr(self, f"{platform}_contact")
        return own or parseaddr(self.mail_from)[1]

    def issued_by(self, platform: str) -> str:
        """As papers say it: the issuer, else the name of the sender of e-mails; and whom to write to."""
        name = self.issuer or parseaddr(self.mail_from)[0] or "Payments desk"
        return f"{name}, {self.contact(platform)}"

    def link(self, platform: str, *, project: int | None, milestone: int | None) -> str:
        """Where a customer acts: `{project}` and `{milestone}` are their numbers. Empty where it is not set."""
        link: str = getattr(self, f"{platform}_link")
        numbers = {"{project}": project, "{milestone}": milestone}
        if any(hole in link and number is None for hole, number in numbers.items()):
            return ""
        for hole, number in numbers.items():
            link = link.replace(hole, str(number))
        return link

    @property
    def owner_url(self) -> str:
        return self.database_owner_url or self.database_url

    @property
    def auditor_url(self) -> str:
        return self.database_auditor_url or self.database_url

    @property
    def live_key(self) -> bool:
        """A key that moves real money."""
        return self.stripe_api_key.startswith(("sk_live_", "rk_live_"))

    @property
    def home_here(self) -> Path:
        """The home that is meant: the one that was named; without a database in the environment, the demo's."""
        if "home" in self.model_fields_set or self.database_url:
            return self.home
        return DEMO_HOME if is_demos(DEMO_HOME) or not self.home.exists() else self.home

    def require_home(self) -> None:
        """A desk that lies where the default was before is told of, and not ignored. Raises `HomeMoved`."""
        if "home" in self.model_fields_set or not self.database_url or self.home.exists():
            return
        if any((DEMO_HOME / name).exists() for name in OF_A_DESK) and not is_demos(DEMO_HOME):
            raise HomeMoved(old=DEMO_HOME.resolve(), new=self.home)
