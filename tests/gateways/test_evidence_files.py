"""What comes in from outsiders: good files pass, hostile ones are refused with a reason that says what to do."""

from __future__ import annotations

import io
import signal
import zipfile
from datetime import UTC, datetime
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

from core.gateways import evidence_files, evidence_sandbox
from core.rules import evidence as rules
from core.rules.evidence import EvidenceKind
from tests.gateways.evidence_builders import (
    docx,
    email,
    pdf,
    pdf_with,
    picture,
    png_claiming,
    with_exif,
    xlsx,
    zipped,
)

GOOD = {
    "photo.jpg": (picture(), EvidenceKind.IMAGE),
    "PHOTO.JPEG": (picture(), EvidenceKind.IMAGE),
    "screen.png": (picture("PNG", mode="RGBA"), EvidenceKind.IMAGE),
    "deep.png": (picture("PNG", mode="I;16"), EvidenceKind.IMAGE),
    "palette.png": (picture("PNG", mode="P"), EvidenceKind.IMAGE),
    "print.jpg": (picture(mode="CMYK"), EvidenceKind.IMAGE),
    "web.webp": (picture("WEBP"), EvidenceKind.IMAGE),
    "report.pdf": (pdf(), EvidenceKind.PDF),
    "note.txt": ("Grüße, die Fliesen sind gesprungen.".encode(), EvidenceKind.TEXT),
    "old.txt": ("Grüße".encode("cp1252"), EvidenceKind.TEXT),
    "wide.txt": ("Grüße".encode("utf-16"), EvidenceKind.TEXT),
    "letter.eml": (email(html=True), EvidenceKind.TEXT),
    "hours.csv": (b"day,hours,delta\n2026-03-02,7.5,-0.5\n", EvidenceKind.TEXT),
    "quote.docx": (docx(), EvidenceKind.OTHER),
    "costs.xlsx": (xlsx({"xl/printerSettings/printerSettings1.bin": b"\0\1"}), EvidenceKind.OTHER),
}


def _javascript(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def _named_script(document: pikepdf.Pdf) -> None:
    script = document.make_indirect(Dictionary(S=Name.JavaScript, JS=String("x")))
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])))


def _launch(document: pikepdf.Pdf) -> None:
    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=Dictionary(S=Name.Launch)
    )
    document.pages[0].Annots = Array([document.make_indirect(link)])


def _attached(document: pikepdf.Pdf) -> None:
    document.attachments["tool.exe"] = b"MZ"


def _on_open_of_a_page(document: pikepdf.Pdf) -> None:
    document.pages[1].AA = Dictionary(O=Dictionary(S=Name.URI, URI=String("https://example.org")))


def _unreachable(document: pikepdf.Pdf) -> None:
    document.pages[0].Hidden = document.make_indirect(
        Array([Array([Dictionary(S=Name.GoToR, F=String("//x/y"))])])
    )


def _nested(document: pikepdf.Pdf) -> None:
    deep: Any = Dictionary(A=1)
    for _ in range(80):
        deep = Dictionary(B=deep)
    document.Root.Deep = deep


ACTIVE = [_javascript, _named_script, _launch, _attached, _on_open_of_a_page, _unreachable, _nested]
EXTERNAL = (
    '<Relationships><Relationship Id="r1" Type="http://x/attachedTemplate" Target="https://example.org/t.dotm" '
    'TargetMode="External"/></Relationships>'
)
LINKED = (
    '<Relationships><Relationship Id="r1" Type="http://x/hyperlink" Target="https://example.org" '
    'TargetMode="External"/></Relationships>'
)


@pytest.mark.parametrize("name", GOOD)
def test_a_harmless_file_comes_in_as_what_it_is(name: str) -> None:
    content, kind = GOOD[name]
    inspected = evidence_files.inspect(name, content)
    assert inspected.kind is kind
    assert inspected.size_bytes == len(content)


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("empty.png", b"", rules.FileEmpty),
        ("large.txt", b"a" * (rules.MAX_BYTES + 1), rules.FileTooLarge),
        ("no-ending", b"hello", rules.FormatNotAccepted),
        ("run.exe", b"MZ\x90", rules.FormatNotAccepted),
        ("page.html", b"<html>", rules.FormatNotAccepted),
        ("drawing.svg", b"<svg onload='x()'/>", rules.FormatNotAccepted),
        ("clip.gif", picture("GIF", mode="P"), rules.FormatNotAccepted),
        ("all.zip", zipped({"a": b"b"}), rules.FormatNotAccepted),
        ("macro.docm", docx(), rules.FormatNotAccepted),
        ("photo.png", picture("JPEG"), rules.ContentDisagrees),
        ("photo.png", b"\x89PNG\r\n\x1a\n" + b"x" * 90, rules.FileUnreadable),  # damaged, not misnamed
        ("photo.webp", b"RIFF....WEBPXXXX", rules.FileUnreadable),
        ("report.pdf", b"%PDF-9.9", rules.FileUnreadable),
        ("photo.jpg", b"<html><script>x()</script>", rules.ContentDisagrees),
        ("note.txt", b"\xef\xbb\xbf  <!DOCTYPE html><script>", rules.ContentDisagrees),
        ("note.txt", b"<svg xmlns='http://www.w3.org/2000/svg'/>", rules.ContentDisagrees),
        ("note.txt", pdf(), rules.ContentDisagrees),
        ("note.txt", b"MZ\x90\0\3", rules.ContentDisagrees),
        ("report.pdf", picture(), rules.ContentDisagrees),
        ("quote.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", rules.ContentDisagrees),
        ("quote.docx", zipped({"readme": "hello"}), rules.ContentDisagrees),
        ("quote.docx", xlsx(), rules.ContentDisagrees),
        ("photo.jpg", picture() + zipped({"run.exe": b"MZ"}), rules.TwoFormatsAtOnce),
        ("report.pdf", pdf() + zipped({"run.exe": b"MZ"}), rules.TwoFormatsAtOnce),
        ("photo.jpg", picture(comment=b"%PDF-1.4 1 0 obj"), rules.TwoFormatsAtOnce),
        ("photo.jpg", picture(comment=b"<script>x()</script>"), rules.TwoFormatsAtOnce),
        ("report.pdf", b"%PDF-1.4\n<html><script>x()</script>" + pdf(), rules.TwoFormatsAtOnce),
        ("photo.jpg", picture(size=(900, 900), quality=95)[:-2000], rules.FileUnreadable),
        ("photo.png", picture("PNG")[:200], rules.FileUnreadable),
        ("report.pdf", pdf()[:80], rules.FileUnreadable),
        ("note.txt", bytes(range(256)) * 4, rules.FileUnreadable),
        ("note.txt", b"ab\0cd", rules.FileUnreadable),
        ("bomb.png", png_claiming(60_000, 60_000), rules.PictureTooLarge),
        ("bomb.png", png_claiming(8_000, 7_000), rules.PictureTooLarge),
        ("report.pdf", pdf(pages=rules.MAX_PAGES + 1), rules.TooManyPages),
        ("run.csv", b"a,b\n1,=cmd|'/c calc'!A0\n", rules.ActiveContent),
        ("run.csv", b'"@SUM(1)",2\n', rules.ActiveContent),
        ("letter.eml", email(("run.exe", "application/octet-stream")), rules.AttachmentRefused),
        ("quote.docx", docx({"word/vbaProject.bin": b"x"}), rules.ActiveContent),
        ("quote.docx", docx({"word/embeddings/a.bin": b"x"}), rules.ActiveContent),
        ("quote.docx", docx({"word/media/run.exe": b"MZ"}), rules.ActiveContent),
        ("quote.docx", docx({"word/_rels/settings.xml.rels": EXTERNAL}), rules.ActiveContent),
        ("quote.docx", docx(document="<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), rules.ActiveContent),
        (
            "quote.docx",
            docx(document="<w:instrText>DDE</w:instrText><w:instrText>AUTO c</w:instrText>"),
            rules.ActiveContent,
        ),
        ("quote.docx", docx({"../../outside.xml": "x"}), rules.ArchiveUnsafe),
        ("quote.docx", docx({"/etc/outside.xml": "x"}), rules.ArchiveUnsafe),
        ("quote.docx", docx({"word\\outside.xml": "x", "c:/a.xml": "x"}), rules.ArchiveUnsafe),
        ("quote.docx", docx({"Word/Document.xml": "x"}), rules.ArchiveUnsafe),
        ("bomb.docx", docx({"word/media/a.png": b"\0" * 60_000_000}), rules.ArchiveUnsafe),
        ("parts.docx", docx({f"word/{n}.xml": "" for n in range(rules.MAX_ENTRIES)}), rules.ArchiveUnsafe),
    ],
)
def test_a_hostile_or_useless_file_is_refused(name: str, content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal) as refused:
        evidence_files.inspect(name, content)
    assert name.split(".", maxsplit=1)[0] in str(refused.value)


@pytest.mark.parametrize("change", ACTIVE)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_pdf_in_which_something_could_run_is_refused(change: Any, packed: bool) -> None:
    saving = {"object_stream_mode": pikepdf.ObjectStreamMode.generate} if packed else {}
    with pytest.raises(rules.ActiveContent, match="Print it to a new PDF"):
        evidence_files.inspect("report.pdf", pdf_with(change, **saving))


@pytest.mark.parametrize("user", ["", "secret"])
def test_a_locked_pdf_is_refused(user: str) -> None:
    locked = pdf_with(lambda _: None, encryption=pikepdf.Encryption(owner="owner", user=user))
    with pytest.raises(rules.PasswordProtected):
        evidence_files.inspect("report.pdf", locked)


def test_a_locked_archive_is_refused() -> None:
    content = bytearray(docx())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + flags] |= 1
    with pytest.raises(rules.PasswordProtected):
        evidence_files.inspect("quote.docx", bytes(content))


def test_an_archive_whose_list_lies_about_sizes_is_refused() -> None:
    honest = docx({"word/media/a.png": b"\0" * 5_000_000})
    at = honest.rfind(b"PK\x01\x02", 0, honest.rfind(b"word/media/a.png"))
    lying = honest[: at + 24] + (10).to_bytes(4, "little") + honest[at + 28 :]
    with pytest.raises(rules.ArchiveUnsafe):
        evidence_files.inspect("quote.docx", lying)


def test_ordinary_links_are_no_reason_to_refuse() -> None:
    def linked(document: pikepdf.Pdf) -> None:
        action = Dictionary(S=Name.URI, URI=String("https://example.org"))
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
        document.pages[0].Annots = Array([document.make_indirect(link)])
        document.Root.OpenAction = Array([document.pages[0].obj, Name.Fit])

    assert evidence_files.inspect("report.pdf", pdf_with(linked)).pages == 2
    assert evidence_files.inspect("quote.docx", docx({"word/_rels/document.xml.rels": LINKED}))


def test_the_camera_time_is_read_in_utc_and_nothing_of_exif_is_shown() -> None:
    inspected = evidence_files.inspect("photo.jpg", with_exif())
    assert inspected.taken_at == datetime(2026, 3, 2, 8, 11, 12, tzinfo=UTC)
    shown = evidence_files.display(with_exif(), rules.JPEG)
    assert b"Exif" not in shown
    assert not Image.open(io.BytesIO(shown)).getexif()


@pytest.mark.parametrize(
    "taken", ["", "0000:00:00 00:00:00", "2026:13:45 10:00:00", "yesterday", "9999:12:31 23:59:59"]
)
def test_a_camera_without_a_sensible_clock_gives_no_time_and_no_error(taken: str) -> None:
    assert evidence_files.inspect("photo.jpg", with_exif(taken, "-10:00")).taken_at is None


def test_a_picture_taken_sideways_is_shown_upright() -> None:
    shown = Image.open(io.BytesIO(evidence_files.display(with_exif(orientation=6), rules.JPEG)))
    assert shown.size == (600, 800)


def test_what_is_shown_has_bounds_and_ends_where_the_picture_ends() -> None:
    large = picture(size=(6_000, 4_000)) + b"hidden words behind the end"
    shown = evidence_files.display(large, rules.JPEG)
    assert max(Image.open(io.BytesIO(shown)).size) == rules.DISPLAY_SIDE
    assert b"hidden words" not in shown
    small = evidence_files.thumbnail(large, rules.JPEG)
    assert small is not None
    assert Image.open(io.BytesIO(small)).size == rules.THUMBNAIL_BOX


def test_the_largest_picture_allowed_fits_the_wall() -> None:
    content = picture("PNG", size=(10_000, 5_000), mode="RGBA")
    assert evidence_files.inspect("plan.png", content).kind is EvidenceKind.IMAGE
    assert Image.open(io.BytesIO(evidence_files.display(content, rules.PNG))).size == (2_400, 1_200)


def test_every_page_can_be_drawn_and_a_page_too_many_is_refused() -> None:
    assert evidence_files.pages(pdf(3)) == 3
    assert Image.open(io.BytesIO(evidence_files.page(pdf(3), 3))).width in (
        rules.PAGE_WIDTH,
        rules.PAGE_WIDTH + 1,
    )
    with pytest.raises(rules.FileUnreadable):
        evidence_files.page(pdf(3), 4)


def test_a_page_of_absurd_size_is_drawn_within_bounds() -> None:
    def tall(document: pikepdf.Pdf) -> None:
        document.pages[0].MediaBox = Array([0, 0, 10, 14_000])

    drawn = Image.open(io.BytesIO(evidence_files.page(pdf_with(tall), 1)))
    assert drawn.height <= 3 * rules.PAGE_WIDTH + 1


def test_text_is_shown_as_text_and_marks_that_hide_are_spelled_out() -> None:
    text = "![pixel](https://example.org/x.png) <b>bold</b> abc\u202egnp.exe \x1b[2J"
    shown = evidence_files.text(text.encode(), rules.TEXT)
    assert "<b>bold</b>" in shown
    assert "⟨U+202E⟩" in shown
    assert "⟨U+001B⟩" in shown
    assert len(evidence_files.text(b"a" * 300_000, rules.TEXT)) < 201_000


def test_an_email_is_shown_with_its_heading_and_its_plain_words() -> None:
    shown = evidence_files.text(email(html=True), rules.EMAIL)
    assert shown.startswith("From: Maren <maren@example.org>\n")
    assert "Two tiles are cracked.\nPlease look." in shown
    assert "onclick" not in shown


@pytest.fixture
def no_idle_process() -> None:
    """Whatever the tests before left waiting is ended, so that the process in hand is the next one taken."""
    while not evidence_sandbox._idle.empty():
        evidence_sandbox._idle.get().end()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stopping a process is POSIX")
@pytest.mark.usefixtures("no_idle_process")
def test_a_decoder_that_hangs_is_ended_and_the_next_file_is_served() -> None:
    apart = evidence_sandbox._take()
    apart.process.send_signal(signal.SIGSTOP)
    evidence_sandbox._give_back(apart)
    with pytest.raises(rules.InspectionFailed, match="took too long"):
        evidence_sandbox.ask("inspect", picture(), arguments={"file_name": "photo.jpg"}, seconds=0.3)
    assert evidence_files.inspect("photo.jpg", picture()).kind is EvidenceKind.IMAGE


@pytest.mark.usefixtures("no_idle_process")
def test_a_process_that_died_meanwhile_is_replaced() -> None:
    evidence_files.inspect("photo.jpg", picture())
    apart = evidence_sandbox._take()
    apart.process.kill()
    apart.process.wait()
    evidence_sandbox._give_back(apart)
    assert evidence_files.inspect("photo.jpg", picture()).kind is EvidenceKind.IMAGE


def test_the_process_apart_sees_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_ours")
    apart = evidence_sandbox.Apart()
    try:
        apart.ask("text", b"hello", {"form": "text"}, 10.0)
        environment = Path(f"/proc/{apart.process.pid}/environ")
        if not environment.exists():
            pytest.skip("this system does not show a process's environment")
        assert b"sk_test_ours" not in environment.read_bytes()
    finally:
        apart.end()


def test_a_stored_archive_that_overlaps_itself_is_refused() -> None:
    content = zipped(
        {"[Content_Types].xml": "", "_rels/.rels": "", "word/document.xml": "x" * 2_000}, zipfile.ZIP_STORED
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = len(content) + 1
        entry = archive.getinfo("word/document.xml")
    at = content.rfind(b"PK\x01\x02")
    swollen = content[: at + 20] + size.to_bytes(4, "little") * 2 + content[at + 28 :]
    assert entry.file_size == 2_000
    with pytest.raises(rules.ArchiveUnsafe):
        evidence_files.inspect("quote.docx", swollen)


def a_letter(*carried: tuple[str, bytes, str]) -> bytes:
    from email.message import EmailMessage

    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "Maren <m@example.org>", "desk@example.org", "The tiles"
    letter.set_content("See the files.")
    for name, content, kind in carried:
        main, _, sub = kind.partition("/")
        letter.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return letter.as_bytes()


def test_what_an_email_carries_comes_out_as_files_of_their_own() -> None:
    carried = (("../../tiles.png", picture("PNG"), "image/png"), ("quote.docx", docx(), "application/msword"))
    found = evidence_files.inspect("letter.eml", a_letter(*carried)).carried
    assert [(each.inspected.file_name, each.inspected.kind) for each in found] == [
        ("tiles.png", EvidenceKind.IMAGE),
        ("quote.docx", EvidenceKind.OTHER),
    ]
    assert [each.content for each in found] == [content for _, content, _ in carried]
    shown = evidence_files.text(a_letter(*carried), rules.EMAIL)
    assert "Attached: tiles.png\nAttached: quote.docx" in shown


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("photo.png", b"MZ\x90\0", "image/png"),
        ("photo.png", b"", "image/png"),
        ("page.html", b"<html>", "text/html"),
        ("a.docm", b"PK\x03\x04", "application/octet-stream"),
        ("invoice\u202efdp.exe", b"MZ", "application/pdf"),
    ],
)
def test_an_email_with_a_hostile_file_is_refused_whole_and_names_it(
    name: str, content: bytes, kind: str
) -> None:
    with pytest.raises(rules.AttachmentRefused, match=r"letter\.eml carries"):
        evidence_files.inspect("letter.eml", a_letter((name, content, kind)))


def test_an_email_inside_an_email_and_too_many_files_are_refused() -> None:
    from email.message import EmailMessage

    outer, inner = EmailMessage(), EmailMessage()
    inner.set_content("Inside.")
    outer["From"] = "m@example.org"
    outer.set_content("Outside.")
    outer.add_attachment(inner)
    with pytest.raises(rules.ActiveContent, match="another e-mail"):
        evidence_files.inspect("letter.eml", outer.as_bytes())
    many = [(f"{number}.txt", b"words", "text/plain") for number in range(21)]
    with pytest.raises(rules.TooManyAttachments, match="21"):
        evidence_files.inspect("letter.eml", a_letter(*many))
