"""The page of a case, part by part: its head, its tabs, and the panel where it is decided.

head        who and what, the three axes, amounts, time limits, what blocks
acts        claim, hand over, holds: the buttons of the head and their drawers · file (the case as one zip)
tabs        evidence, with notes (margin) · stream (timeline) · talk (messages) · terms · purse (money) · people
asof        all of it as the mediator could see it when they decided
names       what the parties are called, or their roles while names are hidden (blind)
panel       what the right side shows now: form · approval · decision (decided) · correction · or why not yet
offering    what the parties offer each other, and what they agreed on
draft       what the mediator has typed so far, kept over page changes · sketch: what it comes to
items       the share of a partial release, by the items of the work · letters: the mediator's own words in them
second      a decision in the hands of its second person, on the page of approvals
compare     what is no longer as it was, side by side · recall: taking a decision back before it is carried out
sheet       a plan as it will be posted, sent and written: the same for preview, approval and afterwards
live        a decision being carried out, looked at every two seconds until it is done · papers: its receipts
"""
