"""Making the certificates and the list of an authority (RFC 5280), with the fields that TLS asks for as well."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def authority(
    *,
    name: str,
    begins: int,
    ends: int,
    public: Ed25519PublicKey,
    private: Ed25519PrivateKey,
    root: x509.Certificate | None,
) -> x509.Certificate:
    """A root, or an intermediate of a root; that issues no other intermediate. ``private`` is the key of the root."""
    subject = _name(name)
    builder = _builder(subject, root.subject if root else subject, begins, ends, public)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0 if root else 1), critical=True)
    builder = builder.add_extension(_usage(issues=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    if root:
        builder = builder.add_extension(_issuer_key(root), critical=False)
    return builder.sign(private, None)


def source(
    *,
    name: str,
    uris: list[str],
    begins: int,
    ends: int,
    public: Ed25519PublicKey,
    private: Ed25519PrivateKey,
    issuer: x509.Certificate,
) -> x509.Certificate:
    """The certificate of a source; it shows it to the intake as well (mTLS)."""
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
    builder = _builder(_name(name), issuer.subject, begins, ends, public)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(issues=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    builder = builder.add_extension(names, critical=False)
    return builder.add_extension(_issuer_key(issuer), critical=False).sign(private, None)


def revocations(
    *,
    root: x509.Certificate,
    private: Ed25519PrivateKey,
    revoked: dict[int, int],
    number: int,
    begins: int,
    ends: int,
) -> x509.CertificateRevocationList:
    """The list of what is refused. ``revoked``: serial -> first second; ``ends``: when a newer list is promised."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(root.subject)
    builder = builder.last_update(_time(begins)).next_update(_time(ends))
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    builder = builder.add_extension(_issuer_key(root), critical=False)
    for serial, since in revoked.items():
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_time(since)).build()
        builder = builder.add_revoked_certificate(one)
    return builder.sign(private, None)


def _builder(
    subject: x509.Name, issuer: x509.Name, begins: int, ends: int, public: Ed25519PublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(begins))
        .not_valid_after(_time(ends))
    )


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    there = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(there)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
