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

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", populate_by_name=True)

    database_url: str = ""
    database_owner_url: str = ""
    database_auditor_url: str = ""
    stripe_api_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str = STRIPE_API
    home: Path = Field(default=Path(".escrow-desk"), validation_alias="ESCROW_DESK_HOME")
    evidence_key: str = ""
    door_key: str = ""
    host: str = "127.0.0.1"
    hosts: str = Field(default="", validation_alias="ESCROW_DESK_HOSTS")
    port: int = 8501
    smtp_url: str = ""
    mail_from: str = "Payments desk <payments@localhost>"
    demo: bool = Field(default=False, validation_alias="ESCROW_DESK_DEMO")

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
