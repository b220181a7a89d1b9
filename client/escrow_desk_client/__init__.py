"""A marketplace's way into Escrow Desk."""

from escrow_desk_client.client import Client, Problem, Unanswered
from escrow_desk_client.signing import Event, Unverified, sign, verified

__all__ = ["Client", "Event", "Problem", "Unanswered", "Unverified", "sign", "verified"]
