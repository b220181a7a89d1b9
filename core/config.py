"""Where the desk's settings come from: the environment, and nothing else."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

STRIPE_API = "https://api.stripe.com"


class Settings(BaseSettings):
    """Every setting with its environment variable; README lists the ones an operator needs.

    `database_url` logs in as `app`; migrations use the owner's, exports the auditor's. Where the latter
    two are not given, `database_url` serves for all three. `hosts`: further names under which the dashboard may be
    asked for, separated by commas.
    """

    # A setting without a name of its own is asked for as ESCROW_DESK_…: `HOME` alone would be the operator's.
    model_config = SettingsConfigDict(env_prefix="ESCROW_DESK_", extra="ignore", populate_by_name=True)

    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    database_owner_url: str = Field(default="", validation_alias="DATABASE_OWNER_URL")
    database_auditor_url: str = Field(default="", validation_alias="DATABASE_AUDITOR_URL")
    stripe_api_key: str = Field(default="", validation_alias="STRIPE_API_KEY")
    stripe_webhook_secret: str = Field(default="", validation_alias="STRIPE_WEBHOOK_SECRET")
    stripe_api_base: str = Field(default=STRIPE_API, validation_alias="STRIPE_API_BASE")
    home: Path = Path(".escrow-desk")
    evidence_key: str = Field(default="", validation_alias="EVIDENCE_KEY")
    door_key: str = Field(default="", validation_alias="DOOR_KEY")
    host: str = Field(default="127.0.0.1", validation_alias="HOST")
    hosts: str = ""
    port: int = Field(default=8501, validation_alias="PORT")
    smtp_url: str = Field(default="", validation_alias="SMTP_URL")
    mail_from: str = Field(default="Payments desk <payments@localhost>", validation_alias="MAIL_FROM")
    demo: bool = False

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
