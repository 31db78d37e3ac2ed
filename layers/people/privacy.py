"""Names, phone numbers and homes of people: sealed in the store, masked on every screen.

A sealed value is `v1.KEY.DATA`: AES-256-GCM with a nonce of its own, bound to the kind of field it belongs to, so that
it opens nowhere else. A mark finds the same number again without telling it. See docs/privacy.md.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import os
import re
import unicodedata
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from layers.errors import BadField, LayersError
from layers.people.keys import Keys, file_in, make_keys, read_keys

MOST_SEALED: Final = 4_000
"""So many characters may one sealed value have."""
_NONCE: Final = 12
_SEALED: Final = re.compile(r"v1\.([A-Za-z0-9-]{1,40})\.([A-Za-z0-9_-]{38,})", re.ASCII)


class SealBroken(LayersError):
    """A sealed value does not open: it was changed, stands in another field, or its key is gone."""


class Keyring:
    """The keys of one data folder; made at first need, and read anew when the file was replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: tuple[tuple[int, int, int, int], Keys] | None = None

    @property
    def keys(self) -> Keys:
        """All keys as they are now; KeysUnfit when the file cannot be used."""
        if not self.path.exists():
            make_keys(self.path, now=dt.datetime.now(dt.UTC))
        held = self.path.stat()
        version = (held.st_ino, held.st_mtime_ns, held.st_mode, self.path.parent.stat().st_mode)
        if self._held is None or self._held[0] != version:
            self._held = (version, read_keys(self.path))
        return self._held[1]

    def seal(self, text: str, *, about: str) -> str:
        """The text, sealed with the current key for one kind of field (`caller.phone`); BadField when it is too long.

        The value tells the id of its key and nothing of its content but a rough length.
        """
        if len(text) > MOST_SEALED:
            told = {about.rpartition(".")[2]: f"is longer than {MOST_SEALED:,} characters"}
            raise BadField(told).because("text_long", most=MOST_SEALED)
        keys = self.keys
        key, nonce = keys.by_id[keys.current], os.urandom(_NONCE)
        hidden = AESGCM(key.secret).encrypt(nonce, text.encode(), _bound(key.id, about))
        return f"v1.{key.id}.{base64.urlsafe_b64encode(nonce + hidden).decode().rstrip('=')}"

    def unseal(self, sealed: str, *, about: str) -> str:
        """What was sealed for this kind of field; SealBroken otherwise."""
        found = _SEALED.fullmatch(sealed)
        key = self.keys.by_id.get(found[1]) if found else None
        if found is None or key is None:
            raise SealBroken(f"a sealed {about} is damaged, or its key is not here: see docs/privacy.md")
        try:
            data = base64.b64decode(found[2] + "=" * (-len(found[2]) % 4), altchars=b"-_", validate=True)
            return AESGCM(key.secret).decrypt(data[:_NONCE], data[_NONCE:], _bound(key.id, about)).decode()
        except (InvalidTag, binascii.Error, UnicodeDecodeError) as error:
            raise SealBroken(f"a sealed {about} was changed, or belongs to another field") from error

    def mark(self, phone: str) -> str:
        """The mark of a phone number, the same however it is written; BadField for what is no number."""
        return hmac.new(self.keys.mark, phone_digits(phone).encode(), hashlib.sha256).hexdigest()


def keyring_in(folder: Path) -> Keyring:
    """The keyring of a data folder; its keys are made when the first value is sealed."""
    return Keyring(file_in(folder))


def key_of(sealed: str) -> str | None:
    """The id of the key that sealed this; None for what is no sealed value."""
    found = _SEALED.fullmatch(sealed)
    return found[1] if found else None


_EXTENSION: Final = re.compile(r"转|分机|ext|x|#", re.IGNORECASE)


def phone_digits(phone: str) -> str:
    """The digits of a number without the country's and without an extension; BadField unless there are 3 to 15."""
    text = _EXTENSION.split(unicodedata.normalize("NFKC", phone).strip())[0]
    digits = "".join(c for c in text if c.isascii() and c.isdecimal())
    if text.startswith("+86") or digits.startswith("0086"):
        digits = digits.removeprefix("0086" if digits.startswith("0086") else "86")
    elif len(digits) == 13 and digits.startswith("861"):
        digits = digits[2:]
    if not 3 <= len(digits) <= 15 or any(c.isalpha() for c in text):
        raise BadField({"phone": "is no phone number"}).because("phone_wrong")
    return digits


_COMPOUND: Final = re.compile(
    r"欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶"
    r"|太叔|申屠|公孙|慕容|仲孙|钟离|长孙|宇文|司徒|鲜于|司空|闾丘|子车|亓官|司寇|巫马|公西|颛孙|壤驷|公良"
    r"|漆雕|乐正|宰父|谷梁|拓跋|夹谷|轩辕|令狐|段干|百里|呼延|东郭|南门|羊舌|微生|左丘|东门|西门|第五"
)


def masked_name(name: str) -> str:
    """The family name and a star: 张*, 欧阳*; of a name in other letters the first one."""
    text = unicodedata.normalize("NFKC", name).strip()
    if len(text) < 2:
        return "*"
    shown = 2 if _COMPOUND.match(text) and len(text) > 2 else 1
    return f"{text[:shown]}*"


def masked_phone(phone: str) -> str:
    """A number without its middle: 138****1234, 0513-****0001; stars alone for what is too short to tell a part of."""
    try:
        digits = phone_digits(phone)
    except BadField:
        return "****"
    if len(digits) == 11 and digits.startswith("1"):
        return f"{digits[:3]}****{digits[-4:]}"
    if digits.startswith("0") and 10 <= len(digits) <= 12:
        area = 3 if digits[1] in "12" else 4
        return f"{digits[:area]}-****{digits[-4:]}" if len(digits) - area >= 7 else f"{digits[:area]}-****"
    return f"****{digits[-4:]}" if len(digits) >= 8 else "****"


# As far as the road, never the house: every part is optional, each ends with the word that it is known by.
_PUBLIC: Final = re.compile(
    r"(?:[^\d\s区县镇乡路街]{2,7}?(?:省|自治区))?"
    r"(?:[^\d\s区县镇乡路街]{2,6}?市)?"
    r"(?:[^\d\s路街小社园]{1,6}?[^\d\s小社园](?:区|县|市))?"
    r"(?:[^\d\s路街]{1,6}?(?:街道|镇|乡))?"
    r"(?:[^\d\s镇乡区县]{1,7}?(?:大道|路|街))?"
)


def masked_home(home: str) -> str:
    """An address as far as its road, or its town: 南通市崇川区人民路****."""
    text = unicodedata.normalize("NFKC", home).strip()
    found = _PUBLIC.match(text)
    shown = found[0] if found else ""
    return f"{shown if len(shown) < len(text) else ''}****"


def _bound(key: str, about: str) -> bytes:
    return f"chengtu v1 {key} {about}".encode()
