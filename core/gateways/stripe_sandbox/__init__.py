"""A sandbox that speaks Stripe's v1 protocol over HTTP on loopback, so that the demo and the tests run the very adapter
that production runs, with another base address and a test key. It keeps its state in one folder and never takes a
live key. Every request is written to `stripe-sandbox.jsonl` there.
"""

from __future__ import annotations

from core.gateways.stripe_sandbox.control_client import SandboxControl
from core.gateways.stripe_sandbox.server import StripeSandbox

__all__ = ["SandboxControl", "StripeSandbox"]
