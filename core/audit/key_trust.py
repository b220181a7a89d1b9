"""Which key a verification insists on, and what the keys that the database pins are worth to whoever knows it.

A database can be rewritten whole, with seals, pins and signatures that fit each other. What cannot be rewritten is what
the verifier knows from elsewhere: one fingerprint. Every key before it is vouched for by the chain of seals; every key
after it must be signed by the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.audit.keys import PublicKey
from core.audit.pinned_keys import Pin
from core.audit.seals import Seal
from core.audit.verification_report import Finding

How = Literal["named", "known", "own", "first"]


@dataclass(frozen=True)
class Trust:
    """The fingerprint that the signatures must go back to, and where the verifier has it from.

    `named`: given with the question. `known`: remembered since an earlier time (`since`). `own`: of the private key in
    the desk's own home. `first`: nothing is known, and the pinned key is taken as it is found.
    """

    fingerprint: str | None = None
    how: How = "first"
    since: str = ""


FIRST_USE = Trust()


@dataclass(frozen=True)
class Ring:
    """The pinned keys, held against what the verifier knows."""

    ledger: str
    pins: Sequence[Pin]
    trust: Trust

    @property
    def pinned(self) -> Pin | None:
        return self.pins[-1] if self.pins else None

    def key_of(self, seal: int) -> PublicKey | None:
        """The key that signed the checkpoint of this seal, if the pins are true."""
        return next((pin.public for pin in reversed(self.pins) if pin.after_seal < seal), None)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the keys themselves."""
        if not self.pins:
            yield Finding("key", "not_pinned", why=self.trust.fingerprint or "none is known here either")
            return
        for pin in self.pins:
            if not pin.public.signed(pin.statement(self.ledger), pin.by_itself):
                yield Finding("key", "pin_forged", id=pin.n, why=pin.fingerprint)
        yield from self._followed()

    def _followed(self) -> Iterator[Finding]:
        """From the key that the verifier knows to the one that is pinned, each is signed by the one before."""
        wanted, pinned = self.trust.fingerprint, self.pins[-1].fingerprint
        if wanted is None:
            return
        at = next((place for place, pin in enumerate(self.pins) if pin.fingerprint == wanted), None)
        if at is None:
            yield Finding("key", "other_key", why=f"{pinned}, and not by {wanted}, {_where(self.trust)}")
            return
        for before, pin in zip(self.pins[at:], self.pins[at + 1 :], strict=False):
            if pin.by_previous is None or not before.public.signed(
                pin.statement(self.ledger), pin.by_previous
            ):
                why = f"{pin.fingerprint} follows {before.fingerprint}, {_where(self.trust)}"
                yield Finding("key", "not_handed_over", id=pin.n, why=why)

    def vouched(self, seal: Seal) -> Iterator[Finding]:
        """A key that follows says which seal was the last before it."""
        for pin in self.pins:
            if pin.n > 1 and pin.after_seal == seal.n and pin.after_hash != seal.hash:
                yield Finding("key", "vouch", id=pin.n, seal=seal.n, why=pin.fingerprint)


def _where(trust: Trust) -> str:
    return {
        "named": "the key that was asked for",
        "known": f"the key known here since {trust.since}",
        "own": "the key that lies in this desk's home",
        "first": "",
    }[trust.how]
