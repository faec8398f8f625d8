"""Labels as a scanner and a driver see them: rendered, decoded and read back by packages that know nothing of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pypdfium2
import pytest
import zxingcpp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from portal.shipping import label_pdf
from portal.shipping.labels import Label, pdf, zpl
from tests.shipping import a_label

PAGE = (100 / 25.4 * 72, 150 / 25.4 * 72)
FORMATS = {zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.QRCode}
COMMANDS = set(re.findall(r"\S+", "^XA ^CI ^PW ^LL ^LH ^FT ^A0 ^FR ^FH ^FD ^FS ^FO ^GB ^BY ^BC ^BQ ^XZ"))
UNUSUAL = 'ĞğŞşİıÖöÜüÇçâ^~_\\"<>&%(){}\x00\x07\x1b\t\n\r\u2028\u202e\u200f\u0301\u00ad₺ə€漢ر😀ﬁ ZX'
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(st.sampled_from(UNUSUAL), max_size=300),
    st.sampled_from(
        ["", " ", "Ğ" * 700, "İ ş " * 300, "WWWWWWWW " * 80, "^XZ^XA^FDyok^FS", "~JR", "\x00" * 50, "\ud800"]
    ),
)


def printed(sheet: bytes) -> Iterator[pypdfium2.PdfPage]:
    """The pages, checked for their size."""
    for page in pypdfium2.PdfDocument(sheet):
        assert page.get_size() == pytest.approx(PAGE, abs=0.01)
        yield page


def scanned(page: pypdfium2.PdfPage, dpi: int) -> dict[zxingcpp.BarcodeFormat, str]:
    """What a scanner finds on a page printed at this resolution, by kind of code."""
    image = page.render(scale=dpi / 72, grayscale=True).to_pil()
    return {code.format: code.text for code in zxingcpp.read_barcodes(image) if code.format in FORMATS}


def read(page: pypdfium2.PdfPage) -> str:
    """The words on a page, wherever the lines break."""
    return " ".join(page.get_textpage().get_text_range().split())


def words_of(label: Label) -> str:
    [page] = printed(pdf([label]))
    return read(page)


def stays_inside(page: pypdfium2.PdfPage) -> bool:
    """Whether every letter stands on the paper."""
    text = page.get_textpage()
    boxes = [text.get_charbox(i) for i in range(text.count_chars())]
    return all(min(left, low) >= 0 and right <= PAGE[0] and high <= PAGE[1] for left, low, right, high in boxes)


@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("copy", [False, True])
def test_both_codes_of_every_page_are_its_key(dpi: int, copy: bool) -> None:
    keys = ["EM0000000001", "EM9999999999", "EM-ABCDEFGHIJKLMNOP"]
    pages = list(printed(pdf([a_label(key=key, copy=copy) for key in keys])))
    assert [scanned(page, dpi) for page in pages] == [dict.fromkeys(FORMATS, key) for key in keys]


@pytest.mark.parametrize(
    "name", ["Çağrı İnşaat A.Ş.", "Iğdır Şişe ve Ürün Ticaret", "ĞğŞşİıÖöÜüÇç", "Çağrı İnşaat ve Yapı Malzemeleri A.Ş."]
)
def test_the_name_is_printed_as_it_is_written(name: str) -> None:
    assert name in words_of(a_label(receiver_name=name))


def test_the_sheet_says_everything_the_driver_and_the_packer_need() -> None:
    words = words_of(a_label())
    for said in [
        "Yurtiçi Kargo", "KOLİ", "2/3", "GÖNDEREN Karaköy Hırdavat Ltd. Şti. İstanbul", "EM0000000123", "EM-26-000123",
        "Atatürk Bulvarı Güneş Apartmanı No: 15/4, Kızılay Mahallesi", "Çankaya / Ankara", "06420",
        "Tel +90 532 123 45 67", "300 × Cıvata M8", "300 × Somun M8",
    ]:  # fmt: skip
        assert said in words


@pytest.mark.parametrize(("direction", "copy", "badges"), [
    ("OUT", False, set()), ("OUT", True, {"KOPYA"}), ("RETURN", False, {"İADE"}), ("RETURN", True, {"İADE", "KOPYA"}),
])  # fmt: skip
def test_copies_and_returns_say_so(direction: str, copy: bool, badges: set[str]) -> None:
    label = a_label(direction=direction, copy=copy)
    assert {badge for badge in ("İADE", "KOPYA") if badge in words_of(label)} == badges
    assert {badge for badge in ("İADE", "KOPYA") if badge in zpl(label)} == badges


@pytest.mark.parametrize(("kinds", "last"), [(0, None), (4, "1 × Vida 3"), (5, "+ 2"), (60, "+ 57")])
def test_content_is_shown_as_far_as_it_fits(kinds: int, last: str | None) -> None:
    words = words_of(a_label(content_lines=tuple((f"Vida {i}", 1) for i in range(kinds))))
    assert words.count("× Vida") == (kinds if kinds <= 4 else 3)
    assert last is None or last in words


@pytest.mark.parametrize(("written", "printed_as"), [
    ("Ag\u0306rı", "Ağrı"), ("iki\nsatır\tbir", "iki satır bir"), ("12 ₺", "12 TL"), ("Məmməd", "Memmed"),
    ("Ța\u202era", "Tara"), ("漢 A", "? A"), ("\ud800\x00", ""),
])  # fmt: skip
def test_what_the_font_lacks_is_said_as_near_as_possible(written: str, printed_as: str) -> None:
    assert label_pdf.printable(written) == printed_as


def test_the_same_label_is_the_same_file() -> None:
    assert pdf([a_label(copy=True)]) == pdf([a_label(copy=True)])


def test_bars_are_wide_enough_and_have_room_around_them() -> None:
    for key in ("EM0000000123", "EM-ABCDEFGHIJKLMNOP"):
        module_mm = label_pdf.bar_dots(key) * label_pdf.DOT
        assert module_mm >= 0.33
        assert (label_pdf.modules(key) + 20) * module_mm <= 100


@pytest.mark.parametrize("key", ["", "em1", "EM^XZ", "EM 1", "ĞM1", "EM1\n", "A" * 20, "1" * 21])
def test_a_key_no_scanner_could_read_is_our_mistake(key: str) -> None:
    with pytest.raises(AssertionError):
        a_label(key=key)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(HOSTILE, min_size=10, max_size=10), st.booleans(), st.sampled_from(["OUT", "RETURN"]))
def test_whatever_people_type_the_sheet_stays_one_page_and_scans(texts: list[str], copy: bool, direction: str) -> None:
    label = labelled(texts, copy=copy, direction=direction)
    [page] = printed(pdf([label]))
    assert stays_inside(page)
    assert scanned(page, 203) == dict.fromkeys(FORMATS, label.key)


@settings(max_examples=60, deadline=None)
@given(st.lists(HOSTILE, min_size=10, max_size=10))
def test_nothing_anybody_types_reaches_the_printer_as_a_command(texts: list[str]) -> None:
    """Whatever is typed, the commands are those of a label with harmless words."""
    sent = zpl(labelled(texts))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", sent)
    for field in re.findall(r"\^FH_\^FD(.*?)\^FS", sent, re.DOTALL):
        assert re.fullmatch(r"(?:[^\^~_\\\x00-\x1f]|_[0-9A-F]{2})*", field)
    commands = set(re.findall(r"[\^~](?:A0|[A-Z]{2})", sent))
    assert commands <= COMMANDS
    assert (sent.count("^XA"), sent.count("^XZ"), sent.count("~")) == (1, 1, 0)


@settings(max_examples=25, deadline=None)
@given(st.from_regex(r"[A-Z0-9-]{1,20}", fullmatch=True))
def test_every_key_that_fits_scans(key: str) -> None:
    assume(label_pdf.bar_dots(key))
    [page] = printed(pdf([a_label(key=key)]))
    assert scanned(page, 203) == dict.fromkeys(FORMATS, key)


def labelled(texts: list[str], *, copy: bool = False, direction: str = "OUT") -> Label:
    """A label with these words in every place somebody can type into."""
    fields = [
        "carrier", "order_number", "parcel", "sender_name", "sender_city", "receiver_name", "receiver_address",
        "receiver_district", "receiver_city", "receiver_postal_code",
    ]  # fmt: skip
    typed = dict(zip(fields, texts, strict=True))
    content = tuple((text, 10**i) for i, text in enumerate(texts))
    return a_label(**typed, receiver_phone=texts[0], content_lines=content, copy=copy, direction=direction)


def test_zpl_is_one_label_with_both_codes() -> None:
    sent = zpl(a_label())
    assert sent.startswith("^XA\n^CI28\n^PW799^LL1199")
    assert sent.endswith("^XZ")
    assert re.search(r"\^BY4.*\^BCN,\d+,Y,N,N,A\^FDEM0000000123\^FS", sent)
    assert re.search(r"\^BQN,2,6\^FDMA,EM0000000123\^FS", sent)
    assert "^FDÇağrı İnşaat ve Yapı^FS" in sent


@pytest.mark.parametrize(("typed", "sent_as"), [
    ("A^XZ^XA", "A_5EXZ_5EXA"), ("~JR", "_7EJR"), ("_5E", "_5F5E"), ("a\\&b", "a_5C&b"), ("a\n^XZ", "a _5EXZ"),
    ("＾XZ", "_5EXZ"),
])  # fmt: skip
def test_commands_in_a_name_are_only_letters(typed: str, sent_as: str) -> None:
    assert f"^FD{sent_as}^FS" in zpl(a_label(receiver_name=typed))
