"""An event that nobody can read rings, and is tried again in the browser until it is clear what is left of it."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime
from time import time

from stripe import WebhookSignature

from tests.journeys.desk import Demo, Person, until

FINANCE = "Farah Siddiqui"
EVENT = "evt_journey_poisoned"
REASON = "its payment intent id is 7"
STANDS = "select status, tries, finished_at from webhook_events where id = :id"


def posted(demo: Demo) -> None:
    """Signed by this computer's own time, as Stripe's command line does, whatever the demo's clock shows."""
    about = {"id": "ch_journey", "object": "charge", "payment_intent": 7}
    event = {"id": EVENT, "object": "event", "type": "charge.updated", "created": int(time())}
    body = json.dumps(event | {"data": {"object": about}}).encode()
    at, secret = int(datetime.now(UTC).timestamp()), demo.settings.stripe_webhook_secret.split(",")[0]
    signed = WebhookSignature._compute_signature(f"{at}.{body.decode()}", secret)
    headers = {"Stripe-Signature": f"t={at},v1={signed}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{demo.url}/webhooks/stripe", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def test_a_poisoned_event_rings_and_another_try_is_seen_to_its_end(demo: Demo, person: Person) -> None:
    posted(demo)
    first = until(lambda: demo.rows(f"{STANDS} and status = 'FAILED'", id=EVENT))[0]
    person.sign_in(FINANCE, arriving="Overview")
    person.reads("Could not be applied: 1 event from Stripe")
    person.page.goto(f"{demo.url}/operations?operations-tab=Webhook+inbox&about={EVENT}")
    person.arrive("Operations")
    person.reads("Given up: it is not retried automatically.")
    person.reads(REASON)
    person.reads('"object": "charge"')
    person.write("Reason", "Stripe says that it is mended.")
    person.press("Apply again")
    person.told("It is queued again.")
    again = until(
        lambda: demo.rows(
            f"{STANDS} and status = 'FAILED' and finished_at > :at", id=EVENT, at=first["finished_at"]
        )
    )[0]
    assert again["tries"] >= 1
    person.page.reload()
    person.arrive("Operations")
    person.reads("Given up: it is not retried automatically.")
    person.page.goto(f"{demo.url}/operations?operations-tab=Workers+and+jobs")
    person.arrive("Operations")
    person.reads("each gives a sign every four seconds")
    assert person.page.get_by_text("No worker has given a sign").count() == 0, "the demo's worker lives"
    noted = "select reason from audit_entries where action = 'staff:webhook_event:retry' and object_id = :id"
    assert demo.one(noted, id=EVENT) == "Stripe says that it is mended."
    assert person.troubles == []
