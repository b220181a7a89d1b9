"""A text that nobody can see is no text, wherever one is asked for; the writing of people is one."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from core.actions.cases.messages import MessageEmpty, checked
from core.actions.decisions.plan_letters import PassageUnusable, check
from core.api.models import requests
from core.rules.visible_text import length, says_something

NOTHING = [
    "",
    " \n\t",
    "\u2060\u200b",
    "\u2060" * 25,
    "\u3164\uffa0\u2800",
    "\u0301\ufe0f\u034f",
    "\u00ad\u202e\ufeff",
]
SOMETHING = {
    "ok": 2,
    " So? ": 3,
    "नमस्ते": 6,
    "می\u200cخواهم": 7,
    "👩\u200d👩\u200d👧": 3,
    "漢\u2060字": 2,
    "1": 1,
    "…": 1,
}


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_what_nobody_sees_says_nothing(text: str) -> None:
    assert not says_something(text)
    assert length(text) == 0
    with pytest.raises(MessageEmpty):
        checked(text)
    with pytest.raises(PassageUnusable):
        check({"payer": text})
    for shape in (requests.Line, requests.Text, requests.Scope, requests.Reason):
        with pytest.raises(ValidationError):
            TypeAdapter(shape).validate_python(text)


@pytest.mark.parametrize("text", SOMETHING, ids=ascii)
def test_the_writing_of_people_says_something(text: str) -> None:
    assert says_something(text)
    assert length(text) == SOMETHING[text]
    assert checked(text) == TypeAdapter(requests.Text).validate_python(text) == text
