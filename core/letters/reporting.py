"""Reports: whoever reports something is told that it arrived, and that it was looked into."""

from __future__ import annotations

from core.letters.template import Table, Template

_RECEIVED = Template(
    "We have your report {number}",
    (
        "Thank you for telling us. A person will look into what you reported.",
        Table((("Report", "number"),)),
        "Until then, money of the project may wait. No further action is needed.",
    ),
)
_SETTLED = Template(
    "Your report {number} has been looked into",
    (
        "A person has looked into what you reported, and has done what our rules provide for.",
        Table((("Report", "number"),)),
        "We cannot tell you more about others. If it happens again, please report it again.",
    ),
)

TEMPLATES = {
    (name, audience): template
    for name, template in (("report_received", _RECEIVED), ("report_settled", _SETTLED))
    for audience in ("payer", "payee")
}
