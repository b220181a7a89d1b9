"""The page of a case, part by part: its head, its tabs, and the panel where it is decided.

head        who and what, the three axes, amounts, time limits, what blocks · next_steps: what to do about a refusal
toolbar     claim, hand over, holds: the buttons of the head and their drawers · exports: the case as one zip
asof        all of it as the mediator could see it when they decided
redaction   what the parties are called, or their roles · names_hidden: who decides without names, and who sees them
panel       what the right side shows now: form, approval, recorded decision, correction, or why not yet
decision    the decision on screen: made, previewed, approved, executed, withdrawn and corrected
tabs        evidence with notes, timeline, messages, terms, money, parties, e-mails
queue       the queue of cases: its view, pages and keys, claiming, and opening a case
"""
