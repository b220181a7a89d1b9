"""A dispute, from its opening to mediation (milestone-payment-flow, Dispute Resolution; Key Business Rules 3 and 6)."""

from __future__ import annotations

from core.letters.template import Quote, Table, Template, When

SIDES = ("payer", "payee")
_STAYS = "The money stays held until the dispute is settled. It goes to neither side before that."
_HELD = Table((("Held funds", "amount"),))
_IN_DISPUTE = Table((("In dispute", "amount"),))
_MEDIATION = (
    "You can reach an agreement at any time. Without a solution by {mediation_at}, a mediator takes over; "
    "either of you can ask for one sooner."
)
_MEDIATOR = (
    "A mediator who has no tie to either of you now looks at what was agreed, at your messages and at the evidence, "
    "and then decides: full release, partial release or full refund.",
    _IN_DISPUTE,
    _STAYS,
    "If you have photographs, documents or messages that the mediator should see, please add them to the milestone "
    "now.",
    When("decision_due_at", ("You can expect a decision by {decision_due_at}.",)),
)
_LATE = Template(
    "The decision about “{milestone}” takes longer",
    (
        "We told you when to expect a decision about this milestone. It has not been made in time, and we are "
        "sorry. From now on the administrators of the platform look at the case as well.",
        _IN_DISPUTE,
        _STAYS,
        "No action is needed. You can still add evidence and messages, or reach an agreement between yourselves.",
    ),
)
_QUESTION = (
    "Before we can decide about this milestone, we need something from you:",
    Quote("question"),
    When("answer_by", ("Please answer by {answer_by}. After that we may decide with what we have.",)),
    "Please answer in the messages of the milestone, so that everything stays in one place.",
)

_DIVISION = Table(
    (
        ("To the {payee}", "released"),
        ("Back to the {payer}", "refunded"),
        ("Platform fee returned", "fee_returned?"),
        ("Total refund", "refund?"),
        ("Card processing fee, not returned", "processing_kept?"),
    )
)
_PROPOSED = (
    "The other side of this milestone proposes to settle the dispute by dividing the held funds:",
    _DIVISION,
    When("note", ("They write:", Quote("note"))),
    When("answer_by", ("You can accept or decline it, or propose something else, until {answer_by}.",)),
    "If you accept, the money moves as shown and the dispute is over.",
)
_DECLINED = (
    "The other side of this milestone has declined your proposal:",
    _DIVISION,
    "You can propose something else. Until the dispute is settled, the money stays held.",
)
_WITHDRAWN = (
    "The other side of this milestone has withdrawn its proposal:",
    _DIVISION,
    "The dispute goes on. You can make a proposal of your own. Until then, the money stays held.",
)
_EXPIRED = (
    "The other side of this milestone did not answer your proposal in time, so it no longer stands:",
    _DIVISION,
    "The dispute goes on. You can make another proposal.",
)
_AGREED = (
    "You have both agreed on how to divide the held funds, and the dispute is over.",
    _DIVISION,
    When("on_its_way", ("We tell you when your part is on its way.",)),
)

_CASE = (
    When(
        "approved",
        (
            "The milestone had been approved, and its money was still held. Until a mediator has decided, the approval "
            "does not count.",
        ),
    ),
    _IN_DISPUTE,
    _STAYS,
    "A mediator now looks at the case. Please say in the messages of the milestone what you think of the work, and add "
    "what shows it.",
)

TEMPLATES = {
    ("case_opened", "payer"): Template(
        "A case was opened about “{milestone}”",
        (
            When(
                "by_staff",
                (
                    "Our staff has opened a case about this milestone, so that a mediator decides about its money.",
                ),
                (
                    "Your {payee} has had no answer from you in time: you have neither approved nor disputed this "
                    "milestone. They have asked for a mediator.",
                ),
            ),
            *_CASE,
        ),
        tone="attention",
    ),
    ("case_opened", "payee"): Template(
        "A case was opened about “{milestone}”",
        (
            When(
                "by_staff",
                (
                    "Our staff has opened a case about this milestone, so that a mediator decides about its money.",
                ),
                (
                    "You have asked for a mediator, because your {payer} has neither approved nor disputed this "
                    "milestone in time.",
                ),
            ),
            When("details", ("Your {payer} has complained:", Quote("details"))),
            *_CASE,
        ),
        tone="attention",
    ),
    ("dispute_opened", "payee"): Template(
        "A dispute was opened about “{milestone}”",
        (
            "Your {payer} is not satisfied with this milestone and has opened a dispute.",
            Table((("In dispute", "amount"), ("Reason given", "reason"))),
            _STAYS,
            "You can put things right and ask for verification again, answer with evidence of your own, or ask for a "
            "mediator.",
            When("mediation_at", (_MEDIATION,)),
        ),
        tone="attention",
    ),
    ("dispute_details", "payee"): Template(
        "What your {payer} says about “{milestone}”",
        (
            "Your {payer} has described the problem with this milestone:",
            Quote("details"),
            "Please answer in the messages of the milestone. If you can put it right, do so and ask for verification "
            "again.",
        ),
        tone="attention",
    ),
    ("dispute_confirmed", "payer"): Template(
        "Your dispute about “{milestone}” is open",
        (
            "We have received your dispute and told your {payee}, who can now put things right or answer.",
            Table((("In dispute", "amount"), ("Reason given", "reason"))),
            _STAYS,
            "Please add photographs, documents or messages that show the problem.",
            When("mediation_at", (_MEDIATION,)),
        ),
    ),
    **{
        ("settlement_proposal_made", side): Template(
            "A settlement proposal about “{milestone}”", _PROPOSED, tone="attention"
        )
        for side in SIDES
    },
    **{
        ("settlement_proposal_declined", side): Template(
            "Your settlement proposal about “{milestone}” was declined", _DECLINED
        )
        for side in SIDES
    },
    **{
        ("settlement_proposal_withdrawn", side): Template(
            "A settlement proposal about “{milestone}” was withdrawn", _WITHDRAWN
        )
        for side in SIDES
    },
    **{
        ("settlement_proposal_expired", side): Template(
            "Your settlement proposal about “{milestone}” has ended", _EXPIRED
        )
        for side in SIDES
    },
    ("dispute_withdrawn", "payer"): Template(
        "Your dispute about “{milestone}” is closed",
        (
            "You have withdrawn your dispute, and the milestone is back where it was before.",
            _HELD,
            When(
                "submitted",
                (
                    "Please look at the work, then approve the milestone or tell us what is wrong with it. All "
                    "deadlines restart today.",
                    When("dispute_until", ("You can open a dispute until {dispute_until}.",)),
                    When(
                        "auto_approve_at",
                        (
                            "If we hear nothing from you by {auto_approve_at}, the milestone is approved and its money "
                            "is released.",
                        ),
                    ),
                ),
            ),
        ),
    ),
    ("dispute_withdrawn", "payee"): Template(
        "The dispute about “{milestone}” is closed",
        (
            "Your {payer} has withdrawn the dispute, and the milestone is back where it was before.",
            _HELD,
            When(
                "submitted",
                ("Your {payer} is asked to verify the work, and all deadlines restart today.",),
                ("Please go on with the work, and mark the milestone as complete when it is done.",),
            ),
        ),
        tone="good",
    ),
    **{
        ("settlement_proposal_accepted", side): Template(
            "You have agreed about “{milestone}”", _AGREED, tone="good"
        )
        for side in SIDES
    },
    ("mediation_started", "payer"): Template("A mediator now reviews “{milestone}”", _MEDIATOR),
    ("mediation_started", "payee"): Template("A mediator now reviews “{milestone}”", _MEDIATOR),
    **{("decision_late", side): _LATE for side in SIDES},
    ("information_requested", "payer"): Template(
        "We need something from you about “{milestone}”", _QUESTION, tone="attention"
    ),
    ("information_requested", "payee"): Template(
        "We need something from you about “{milestone}”", _QUESTION, tone="attention"
    ),
}
