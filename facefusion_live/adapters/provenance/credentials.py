"""The chain that signs manifests: an authority and a signer of this installation's own, or the user's."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_DAYS: Final = 3650
_SIGNER_DAYS: Final = 365
_RENEW_DAYS: Final = 30
"""A signer of our own with fewer days left is replaced."""
_CLOCKS: Final = timedelta(minutes=10)
"""Clocks differ: a certificate begins so much before now."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs.

    Attributes:
        chain: Signer's certificate, then its authority's, PEM.
        key: The signer's, PEM.
        algorithm: As C2PA names it.
    """

    chain: bytes
    key: bytes
    algorithm: str


def load_credentials(folder: Path, now: datetime | None = None) -> Credentials:
    """What lies in a folder; made there when it is empty.

    `signer.pem` (chain) and `signer.key` sign. Where this folder's authority signed them they were made here, and are
    made anew before they end; else they are the user's own, and never touched.

    Args:
        folder: Of this installation.
        now: UTC; the present by default.

    Raises:
        OSError: They cannot be read or kept.
        ValueError: They are no certificate and key on the curves P-256 or P-384, or have ended.
    """
    now = now or datetime.now(UTC)
    chain_file, key_file = folder / "signer.pem", folder / "signer.key"
    if not chain_file.exists() or (_made_here(folder) and not _lasts(chain_file, now)):
        _make_signer(folder, now)
    chain = chain_file.read_bytes()
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    signer = x509.load_pem_x509_certificates(chain)[0]
    if signer.not_valid_after_utc <= now:
        raise ValueError(f"the signer's certificate ended on {signer.not_valid_after_utc:%Y-%m-%d}")
    sizes = {256: "es256", 384: "es384"}
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.key_size not in sizes:
        raise ValueError("the signer's key is not on the curve P-256 or P-384")
    return Credentials(chain, key_file.read_bytes(), sizes[key.curve.key_size])


def _made_here(folder: Path) -> bool:
    """Whether the signer is of this folder's authority, whose key is there to make another."""
    if not (folder / "ca.key").exists() or not (folder / "ca.pem").exists():
        return False
    signer = x509.load_pem_x509_certificates((folder / "signer.pem").read_bytes())[0]
    try:
        signer.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _lasts(file: Path, now: datetime) -> bool:
    signer = x509.load_pem_x509_certificates(file.read_bytes())[0]
    return signer.not_valid_after_utc - now > timedelta(days=_RENEW_DAYS)


def _make_signer(folder: Path, now: datetime) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = _authority(folder, now)
    key = ec.generate_private_key(ec.SECP256R1())
    signer = (
        _certificate("FaceFusion Live signer", authority.subject, key, now, _SIGNER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        # What C2PA asks for: a certificate that says what it may sign.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write(folder / "signer.key", _key_pem(key))
    _write(folder / "signer.pem", _pem(signer) + _pem(authority))


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate_file, key_file = folder / "ca.pem", folder / "ca.key"
    if key_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the authority's key is of another kind")
        return x509.load_pem_x509_certificate(certificate_file.read_bytes()), key
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"FaceFusion Live {os.urandom(4).hex()}")
    authority = (
        _certificate(name, name, key, now, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(certificate_file, _pem(authority))
    _write(key_file, _key_pem(key))
    return authority, key


def _certificate(
    subject: str | x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject if isinstance(subject, x509.Name) else _name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "FaceFusion Live"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not sign,
        crl_sign=not sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes) -> None:
    """Only its owner may read it."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(data)
