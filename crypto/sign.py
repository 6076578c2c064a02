"""Signing a delivery with the key of a source, and checking that somebody who may did.

What is signed is the caller's: the context of a delivery and its wrapped keys. Only who holds the content keys can make
lines under them, so one signature covers a delivery. Ed25519 (RFC 8032): 64 bytes, no randomness needed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto import files
from crypto.certificates import MALFORMED, source_of
from crypto.keys import KeysError
from crypto.sources import NotTrusted, Source, Trust

SOURCE: Final = "source"
KEY, CERTIFICATE = "key.pem", "certificate.pem"
SIGNATURE_BYTES: Final = 64
#: Signatures that were proved, kept per process: one per delivery in flight, some 3,000 bytes each.
_CACHE: Final = 2048


class Signer:
    """The key of a source and the certificate that the authority gave it."""

    def __init__(self, certificate_der: bytes, private: Ed25519PrivateKey) -> None:
        """Both belong together. ``KeysError`` when they do not."""
        try:
            self.source: Source = source_of(x509.load_der_x509_certificate(certificate_der))
        except MALFORMED as error:
            raise KeysError("The certificate is none of a source; ask the authority (`sor sources issue`).") from error
        if self.source.public != private.public_key():
            raise KeysError("The certificate is of another key; put the two in place that were made together.")
        self.certificate, self._private = certificate_der, private

    @classmethod
    def load(cls, keys: Path, *, ended: bool = False) -> Signer:
        """From the private folder ``source`` of a key folder. A chain may stand behind the certificate.

        ``ended``: also one whose certificate has ended.

        Raises:
            KeysError: a file is missing, readable by others or no good, or the certificate has ended.
        """
        folder = keys / SOURCE
        try:
            if not files.is_private(folder, folder / KEY):
                raise KeysError(f"{folder} can be read by others; set mode 0700 on the folder and 0600 on {KEY}.")
            key_pem, certificate_pem = _pair(folder)
            private = serialization.load_pem_private_key(key_pem, None)
            certificate = x509.load_pem_x509_certificates(certificate_pem)[0]
        except OSError as error:
            raise KeysError(
                f"{error.filename} cannot be read ({error.strerror}); the authority makes key and certificate of a "
                f"source with `sor sources issue`."
            ) from error
        except MALFORMED as error:
            raise KeysError(f"{folder} holds no key and certificate; restore both from their own backup.") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise KeysError(f"{folder / KEY} is a key of another kind than Ed25519; ask for one: `sor sources issue`.")
        signer = cls(certificate.public_bytes(serialization.Encoding.DER), private)
        if not ended and signer.source.ends < time.time():
            raise KeysError(f"The certificate in {folder} has ended; ask for the next one: `sor sources issue`.")
        return signer

    @property
    def id(self) -> str:
        """Who this is."""
        return self.source.id

    def sign(self, message: bytes) -> bytes:
        """The signature: 64 bytes."""
        return self._private.sign(message)


def _pair(folder: Path) -> tuple[bytes, bytes]:
    """Key and certificate of one moment: a command may put others in their place between the two readings."""
    key = (folder / KEY).read_bytes()
    while True:
        certificate, was, key = (folder / CERTIFICATE).read_bytes(), key, (folder / KEY).read_bytes()
        if key == was:
            return key, certificate


def save(keys: Path, certificate_der: bytes, private: Ed25519PrivateKey) -> None:
    """Write both into the private folder ``source`` of a key folder: both or neither.

    Raises:
        KeysError: something is there already.
    """
    with _made(keys, certificate_der, private) as made:
        try:
            made.rename(keys / SOURCE)
        except OSError as error:
            raise KeysError(
                f"{keys / SOURCE} is there already; keys are never overwritten. Move it away or use another folder."
            ) from error
    files.settle(keys)


def replace(keys: Path, certificate_der: bytes, private: Ed25519PrivateKey) -> Path:
    """Put both in the place of those that are there, at one moment; where the former ones are kept.

    Raises:
        KeysError: there is nothing to replace, or what is there is no good.
    """
    former = keys / f"{SOURCE}-{Signer.load(keys, ended=True).source.serial:x}"
    with _made(keys, certificate_der, private) as made:
        files.exchange(made, keys / SOURCE)
        made.rename(former)
    files.settle(keys)
    return former


@contextmanager
def _made(keys: Path, certificate_der: bytes, private: Ed25519PrivateKey) -> Iterator[Path]:
    """A finished folder beside the place where it belongs."""
    form = serialization.PrivateFormat.PKCS8
    key = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    certificate = x509.load_der_x509_certificate(certificate_der).public_bytes(serialization.Encoding.PEM)
    files.make_folder(keys)
    with tempfile.TemporaryDirectory(prefix=f".{SOURCE}.", dir=keys) as place:
        made = Path(place) / SOURCE
        files.make_private(made)
        files.write_new(made / KEY, key, mode=files.PRIVATE)
        files.write_new(made / CERTIFICATE, certificate, mode=files.PRIVATE)
        yield made


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key that a source made itself (PEM), so that its private key never leaves it. ``KeysError``."""
    try:
        public = serialization.load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise KeysError(f"{path} cannot be read ({error.strerror}).") from error
    except MALFORMED as error:
        raise KeysError(f"{path} is no public key in PEM.") from error
    if not isinstance(public, Ed25519PublicKey):
        raise KeysError(f"{path} is a key of another kind than Ed25519.")
    return public


class Checker:
    """Checks signatures. A proof is kept; whether the certificate counts is looked at every time."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._proved: dict[bytes, tuple[bytes, bytes]] = {}  # signature -> certificate, message

    def __call__(
        self, message: bytes, certificate: bytes, signature: bytes, provider: str, kind: str, at_ms: int
    ) -> Source:
        """The source that signed. ``at_ms``: when the record arrived, by the broker's clock.

        Raises:
            NotTrusted: nobody signed it who may send this kind for this provider at that time.
        """
        source = self._trust.source(certificate, at_ms // 1000)
        if not source.may_send(provider, kind):
            raise NotTrusted("the source may not send this kind for this provider")
        if self._proved.get(signature) != (certificate, message):
            self._prove(source, message, certificate, signature)
        return source

    def _prove(self, source: Source, message: bytes, certificate: bytes, signature: bytes) -> None:
        if len(signature) != SIGNATURE_BYTES:
            raise NotTrusted("the signature has a wrong size")
        try:
            source.public.verify(signature, message)
        except InvalidSignature:
            raise NotTrusted("the signature is not the source's, or not of this delivery") from None
        if len(self._proved) >= _CACHE:
            del self._proved[next(iter(self._proved))]
        self._proved[signature] = certificate, message
