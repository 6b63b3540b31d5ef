"""The chain that signs: made, renewed, replaced by the user's own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from facefusion_live.adapters.provenance.credentials import load_credentials

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_the_signer_is_vouched_for_by_the_authority(tmp_path: Path) -> None:
    made = load_credentials(tmp_path, NOW)
    signer, authority = x509.load_pem_x509_certificates(made.chain)
    signer.verify_directly_issued_by(authority)
    authority.verify_directly_issued_by(authority)
    assert made.algorithm == "es256"
    assert signer.not_valid_before_utc < NOW < signer.not_valid_after_utc
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not signer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_it_stays_until_it_is_about_to_end_and_then_is_made_anew(tmp_path: Path) -> None:
    first = load_credentials(tmp_path, NOW)
    assert load_credentials(tmp_path, NOW + timedelta(days=330)) == first
    second = load_credentials(tmp_path, NOW + timedelta(days=340))
    assert second != first
    old, new = (x509.load_pem_x509_certificates(each.chain) for each in (first, second))
    assert old[1] == new[1], "the same authority"
    assert new[0].not_valid_after_utc > old[0].not_valid_after_utc


def test_the_users_own_is_left_alone(tmp_path: Path) -> None:
    made = load_credentials(tmp_path / "theirs", NOW)
    own = tmp_path / "own"
    own.mkdir()
    (own / "signer.pem").write_bytes(made.chain)
    (own / "signer.key").write_bytes(made.key)
    assert load_credentials(own, NOW + timedelta(days=350)) == made
    assert not (own / "ca.key").exists()
    with pytest.raises(ValueError, match="ended on 2027-11-26"):
        load_credentials(own, NOW + timedelta(days=366))


@pytest.mark.parametrize("days", [0, 350])
def test_the_users_own_is_left_alone_beside_our_authority(days: int, tmp_path: Path) -> None:
    load_credentials(tmp_path / "own", NOW)
    theirs = load_credentials(tmp_path / "theirs", NOW)
    (tmp_path / "own" / "signer.pem").write_bytes(theirs.chain)
    (tmp_path / "own" / "signer.key").write_bytes(theirs.key)
    assert load_credentials(tmp_path / "own", NOW + timedelta(days=days)) == theirs
    assert (tmp_path / "own" / "signer.key").read_bytes() == theirs.key


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    load_credentials(tmp_path, NOW)
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP521R1())):
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        (tmp_path / "signer.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        with pytest.raises(ValueError, match="P-256 or P-384"):
            load_credentials(tmp_path, NOW)
