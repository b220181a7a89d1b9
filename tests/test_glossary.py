"""The glossary: what it names exists, and nothing bears a name that it retired."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import core
from core.errors import DeskError

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
FIND = (
    (ROOT / "CONTRIBUTING.md")
    .read_text(encoding="utf-8")
    .partition("## Where is it?")[2]
    .partition("\n## ")[0]
)
FILES = [path for floor in ("core", "dashboard", "pages") for path in (ROOT / floor).rglob("*.py")]


def retired() -> set[str]:
    return set(re.findall(r"`(\w+)`", GLOSSARY.partition("## Retired names")[2].partition("\n## ")[0]))


def retired_phrases() -> list[str]:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", GLOSSARY.partition("## Retired phrases")[2], re.MULTILINE)
    return [phrase for row in rows if row not in ("retired", "---") for phrase in row.split(", ")]


# Their words are hashed or compared with what was printed: plans, sealed journals, case files. And people of the demo
# speak as people do.
HASHED = {
    *("core/letters/deciding.py", "core/case_file/summary_pdf.py"),
    *("core/ledger/postings/connected_accounts.py", "core/ledger/postings/withdrawals.py"),
    *("core/demo/texts.py", "docs/glossary.md"),
}


def written() -> dict[str, str]:
    """Every text of the project, blanks and broken string literals joined. What is generated names tests, which may
    tell of anything."""
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    names = {str(path.relative_to(ROOT)): path for path in (*FILES, *documents)}
    return {
        name: re.sub(r"[\"']?\s*\n\s*(?:#|f?[\"'])?\s*", " ", path.read_text(encoding="utf-8")).lower()
        for name, path in names.items()
        if name not in HASHED | {"docs/rules.md"}
    }


def test_no_text_contains_a_retired_phrase() -> None:
    phrases = retired_phrases()
    assert len(phrases) > 25
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b")
    found = {name: sorted(set(pattern.findall(" ".join(text.split())))) for name, text in written().items()}
    assert {name: said for name, said in found.items() if said} == {}


ON_SCREEN = [
    path
    for path in FILES
    if path.relative_to(ROOT).parts[0] in ("dashboard", "pages")
    or (path.relative_to(ROOT).as_posix().startswith("core/rules/") and path.name != "__init__.py")
    or path.relative_to(ROOT).as_posix()
    in ("core/audit/actions.py", "core/letters/delivery_rules.py", "core/letters/staff.py")
]
# What is not the reader's: what a block is called to those outside the desk, and what an HTTP server answers.
TO_OTHERS = {"The payee has no account at the payment provider yet."}


def said_on_screen() -> Iterator[tuple[str, str]]:
    """Sentences and labels: what begins with a capital or has a blank in it, and is neither markup nor a docstring."""
    for path in ON_SCREEN:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                said = " ".join(node.value.split())
                if ("<" not in said and " " in said) or said[:1].isupper():
                    yield path.name, said


def retired_on_screen() -> re.Pattern[str]:
    table = GLOSSARY.partition("## Retired on screen")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", table, re.MULTILINE)
    phrases = [phrase for row in rows if not row.startswith("retired") for phrase in row.split(", ")]
    assert len(phrases) > 10
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE)


def test_no_page_says_what_is_retired_on_screen() -> None:
    pattern = retired_on_screen()
    wrong = [each for each in said_on_screen() if pattern.search(each[1]) and each[1] not in TO_OTHERS]
    assert wrong == []


def refusals() -> Iterator[type[DeskError]]:
    """Every class of a refusal, wherever it stands."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        importlib.import_module(module.name)
    waiting = [DeskError]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.__subclasses__()


def test_no_refusal_says_what_is_retired_on_screen() -> None:
    said_by = {each.__name__: (each.__doc__ or "").partition("\n\n")[0] for each in refusals()}
    sentences = {name: re.sub(r"{\w+}", "", said) for name, said in said_by.items()}  # what a fact is called
    assert len(sentences) > 200
    pattern = retired_on_screen()
    wrong = {name for name, said in sentences.items() if pattern.search(said)}
    assert wrong == set()


def test_no_two_refusals_share_a_code() -> None:
    """A program that is told one knows which of them it is."""
    found = Counter(each.code for each in set(refusals()))
    assert len(found) > 200
    assert [code for code, many in found.items() if many > 1] == []


def test_no_page_names_a_specification_to_its_reader() -> None:
    """Staff read rules in plain words; where each is from stands in the code and on the policy page."""
    named = re.compile(r"milestone-payment-flow|payment-escrow-rules|Key Business Rules|Refund Rules")
    assert [each for each in said_on_screen() if named.search(each[1])] == []


def submit_buttons() -> Iterator[tuple[str, set[str]]]:
    """Each button that submits for approval, with what it says of its looks."""
    for path in ON_SCREEN:
        calls = (
            each
            for each in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(each, ast.Call)
        )
        for call in calls:
            said = [each.value for each in call.args if isinstance(each, ast.Constant)]
            if said[:1] == ["Submit for approval"]:
                yield path.name, {each.arg or "" for each in call.keywords} & {"type", "icon"}


def test_what_submits_for_approval_is_one_kind_of_button_everywhere() -> None:
    found = list(submit_buttons())
    assert len(found) > 7
    assert [each for each in found if each[1]] == []


def test_no_file_or_folder_bears_a_retired_name() -> None:
    assert len(retired()) > 20
    named = {part for path in FILES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert named & retired() == set()


def test_no_class_or_function_bears_a_retired_name() -> None:
    names = {
        name.strip("_").lower()
        for path in FILES
        for name in re.findall(r"^ *(?:class|def) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert names & (retired() | {name.replace("_", "") for name in retired()}) == {
        "burden"
    }  # who bears a loss


def test_the_parts_that_a_package_lists_are_its_own() -> None:
    """In the docstring of a package each stands on a line of its own: `name   what it is`."""
    listed = {
        (path.parent, name)
        for path in FILES
        if path.name == "__init__.py"
        for doc in [ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""]
        for name in re.findall(r"^([a-z]\w+) {2,}", doc, re.MULTILINE)
    }
    assert len(listed) > 20
    assert [name for folder, name in listed if not list(folder.glob(f"{name}*"))] == []


def test_twenty_things_are_where_the_table_says() -> None:
    rows = [line for line in FIND.splitlines() if line.startswith("| ") and not line.startswith("| thing")]
    assert len(rows) >= 20
    named = {path for row in rows for path in re.findall(r"`([\w/]+\.py)`", row)}
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []


def test_each_word_of_the_glossary_is_explained_once() -> None:
    table = re.findall(r"^\| ([a-z][\w ,-]+?) \| ", GLOSSARY, re.MULTILINE)
    words = [word for row in table for word in row.split(", ") if row != "word"]
    assert len(words) > 50
    assert sorted({word for word in words if words.count(word) > 1}) == []


# Two files of one name but for their number are one noun written twice, unless they are two things: an address or a
# command (pages, cli) and one module for each kind of operation (processes/outgoing) are singular on purpose.
TWO_THINGS = {
    "download": "a button, and the files behind it",
    "entry": "the page of one entry, and how entries are written",
    "header": "the head of a page, and what HTTP sends",
    "status": "how a status looks, and which there are",
    "template": "a letter's, and a project's",
}


def test_a_noun_keeps_its_file_name_on_every_floor() -> None:
    apart = (
        "core/cli",
        "core/gateways",
        "core/demo",
        "core/embedded_postgres",
        "core/processes/outgoing",
        "pages",
    )
    stems = {
        path.stem
        for path in FILES
        if not path.relative_to(ROOT).as_posix().startswith(apart) and path.stem != "__init__"
    }
    plurals = {stem: {f"{stem}s", f"{stem}es", f"{stem[:-1]}ies"} & stems for stem in stems}
    assert {stem for stem, others in plurals.items() if others} == set(TWO_THINGS)
