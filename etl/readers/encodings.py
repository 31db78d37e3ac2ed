"""Which encoding bytes are in, told from the bytes themselves: UTF-8, GBK/GB18030, EUC-KR, Big5, or Western."""

import codecs
import mmap
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from etl.errors import BadOption, CorruptFile

_CHUNK = 1 << 24
_SAMPLE = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

# GBK and cp936 are subsets of GB18030, cp949 is a superset of EUC-KR: the larger set reads both.
_ALIASES = {
    **dict.fromkeys(("gbk", "gb2312", "cp936", "936", "ansi 936", "gb18030", "54936", "hz", "euc-cn"), "gb18030"),
    **dict.fromkeys(("euc-kr", "euckr", "cp949", "949", "ks_c_5601-1987", "uhc"), "cp949"),
    **dict.fromkeys(("utf-8", "utf8", "65001", "utf-8-sig"), "utf-8"),
    **dict.fromkeys(("big5", "950", "cp950", "ansi 950"), "big5"),
    **dict.fromkeys(("1252", "ansi 1252", "ldid/87", "windows-1252", "88591", "iso-8859-1", "iso8859-1"), "cp1252"),
}
_HAN = re.compile(r"[\u4e00-\u9fff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_PUNCTUATION = re.compile(r"[\u3000-\u303f\uff00-\uffef\u2010-\u2027\u00b7\u00b0\u2103]")
_PLAUSIBLE = 0.7
# So many three-byte characters of UTF-8 do not come about by accident.
_SURE = 4
# Fewer bytes than this may be Hangul by accident (崇川 is): then words decide.
_TELLING = 400
_KOREAN_WORDS = ("위도", "경도", "주소", "번호", "도로", "이름", "명칭", "관리", "설치", "경기", "서울", "부산")
_CHINESE_WORDS = ("度", "名", "号", "址", "型", "类", "区", "市", "县", "镇", "路", "村", "街")


def parse_encoding(text: str) -> str:
    """The codec that a usual name means (`GBK`, `936`, `65001`, `EUC-KR`); BadOption for one that nobody knows."""
    name = text.strip().lower()
    if name in _ALIASES:
        return _ALIASES[name]
    try:
        found = codecs.lookup(name).name
    except LookupError:
        told = BadOption("--encoding", text, "no such encoding; usual ones are utf-8, gb18030, euc-kr")
        raise told.because("unknown_encoding", encoding=text) from None
    return _ALIASES.get(found, found)


def encoding_of_file(path: Path) -> str:
    """The encoding of a text file, decided by the whole of it; CorruptFile when none fits."""
    with path.open("rb") as file:
        head = file.read(4)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        if not head or decodes(path, "utf-8"):
            return "utf-8"
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            pieces = _non_ascii_pieces(data)
    for name in (*_likely(pieces), "gb18030", "cp949", "big5"):
        if decodes(path, name):
            return name
    told = "the text is in no encoding that is known here; name it with --encoding"
    raise CorruptFile(path, told).because("no_encoding")


def decodes(path: Path, encoding: str) -> bool:
    """Tell whether the whole file is valid in an encoding, reading it piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return False
    return True


def encoding_of_values(values: Sequence[bytes], declared: str | None = None) -> tuple[str, bool]:
    """The encoding of short texts (the cells of a .dbf), and whether `declared` (its .cpg) was believed.

    A declared encoding that does not decode the values is never believed; one that decodes anything (Western code
    pages) yields to UTF-8 or to what reads as plain Chinese or Korean. A last character cut in half is forgiven.
    """
    pieces = [value for value in values if not value.isascii()]
    if not pieces:
        return declared or "utf-8", True
    as_utf8 = [_decode(piece, "utf-8") for piece in pieces]
    if sum(c >= "\u0800" for text in as_utf8 if text for c in text) >= _SURE and None not in as_utf8:
        return "utf-8", declared == "utf-8"
    fits_declared = declared is not None and all(_decode(piece, declared) is not None for piece in pieces)
    if declared is not None and fits_declared and declared not in ("cp1252", "latin-1", "iso8859-1"):
        return declared, True
    if None not in as_utf8:
        return "utf-8", False
    for found in _likely(pieces):
        if all(_decode(piece, found) is not None for piece in pieces):
            return found, found == declared
    return (declared, True) if declared is not None and fits_declared else ("cp1252", False)


def _non_ascii_pieces(data: mmap.mmap) -> list[bytes]:
    """Runs of text that hold non-ASCII bytes, from all over the file, cut where no character is torn."""
    step = max(len(data) // 8, _SAMPLE)
    pieces: list[bytes] = []
    for start in range(0, len(data), step):
        lines = data[start : start + _SAMPLE].split(b"\n")
        # The first and the last line of a piece may be torn.
        whole = lines[1 if start else 0 : len(lines) if start + _SAMPLE >= len(data) else -1]
        pieces += [line for line in whole if not line.isascii()]
        if len(pieces) > 20_000:
            break
    if not pieces:
        return [line for line in data[:].split(b"\n") if not line.isascii()][:20_000]
    return pieces


def _likely(pieces: Iterable[bytes]) -> list[str]:
    """The encodings in which nearly all non-ASCII characters are ordinary ones of its language, best first."""
    texts = list(pieces)
    korean = _share(texts, "cp949", _HANGUL)
    scores = {"gb18030": _common_han(texts), "big5": _share(texts, "big5", _HAN) - 0.15}
    # Chinese read as Korean is a mix of Hangul and rare Hanja; Korean read as Korean is Hangul only.
    if korean > 0.97 and (sum(len(text) for text in texts) >= _TELLING or _speaks_korean(texts)):
        scores["cp949"] = 2.0
    elif korean >= _PLAUSIBLE:
        scores["cp949"] = korean / 2
    likely = sorted(scores, key=lambda name: -scores[name])
    western = _isolated(texts)
    found = [name for name in likely if scores[name] >= (0.35 if name == "cp949" else _PLAUSIBLE)]
    return ["cp1252", *found] if western else [*found, "cp1252"]


def _isolated(texts: list[bytes]) -> bool:
    """Tell whether non-ASCII bytes stand alone between letters, as accents do and bytes of Chinese never."""
    joined = b"\n".join(texts)
    alone = len(re.findall(rb"(?<![\x80-\xff])[\xc0-\xff](?![\x80-\xff])", joined))
    return alone * 10 >= 9 * len(re.findall(rb"[\x80-\xff]+", joined))


def _speaks_korean(texts: list[bytes]) -> bool:
    as_korean = " ".join(_decode(text, "cp949") or "" for text in texts)
    as_chinese = " ".join(_decode(text, "gb18030") or "" for text in texts)
    chinese = any(word in as_chinese for word in _CHINESE_WORDS)
    return any(word in as_korean for word in _KOREAN_WORDS) and not chinese


def _share(texts: list[bytes], encoding: str, ordinary: re.Pattern[str]) -> float:
    """The share of ordinary characters among the non-ASCII ones; 0 when a text is not valid."""
    good = every = 0
    for text in texts:
        decoded = _decode(text, encoding)
        if decoded is None:
            return 0.0
        foreign = [c for c in decoded if not c.isascii()]
        marks = len(_PUNCTUATION.findall(decoded))
        every += len(foreign) - marks
        good += len(ordinary.findall(decoded))
    return good / every if every else 0.0


def _common_han(texts: list[bytes]) -> float:
    """The share of characters of GB 2312 (what ordinary Chinese is written in) among the non-ASCII ones."""
    good = every = 0
    for text in texts:
        decoded = _decode(text, "gb18030")
        if decoded is None:
            return 0.0
        foreign = [c for c in decoded if not c.isascii() and not _PUNCTUATION.match(c)]
        every += len(foreign)
        good += sum(1 for c in foreign if _in_gb2312(c))
    return good / every if every else 0.0


def _in_gb2312(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2 and _HAN.match(character) is not None
    except UnicodeEncodeError:
        return False


def _decode(text: bytes, encoding: str) -> str | None:
    for cut in (text, text[:-1], text[:-2], text[:-3]):
        try:
            return cut.decode(encoding)
        except UnicodeDecodeError as error:
            # Only a torn last character is forgiven, not a wrong one inside.
            if error.start < len(cut) - 3:
                return None
    return None
