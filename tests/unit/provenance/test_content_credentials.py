"""Files are signed here with certificates of the test's own."""

import io
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mesonet.provenance import TrustList, read_credentials, trust_list

c2pa = pytest.importorskip("c2pa")
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": f"{IPTC}trainedAlgorithmicMedia",
    "softwareAgent": {"name": "Brush", "version": "2"},
}


@dataclass(frozen=True)
class Authority:
    """A root certificate, and a signer with its key below it."""

    root: str
    chain: bytes
    key: bytes

    def trusted(self) -> TrustList:
        return replace(trust_list(), signers=self.root)


def make_authority(organisation: str) -> Authority:
    start = datetime(2025, 1, 1)

    def name(common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    def certificate(subject: str, key: Any, *, root: bool) -> Any:
        usage = x509.KeyUsage(True, False, False, False, False, root, root, False, False)
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("Root"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=9000))
            .add_extension(x509.BasicConstraints(root, None), critical=True)
            .add_extension(usage, critical=True)
        )

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("Root", root_key, root=True)
    leaf = (
        certificate("Camera 7", key, root=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False
        )
    )
    root_pem, leaf_pem = (
        builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        for builder in (root, leaf)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Authority(root_pem.decode(), leaf_pem + root_pem, private)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority("Example News")


def picture() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def sign(authority: Authority, change: Callable[[Any], None] = lambda builder: None) -> bytes:
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [CREATED]}}
    builder = c2pa.Builder(
        {"claim_generator_info": [{"name": "Press", "version": "1.2"}], "assertions": [actions]}
    )
    change(builder)
    info = c2pa.C2paSignerInfo(b"es256", authority.chain, authority.key, None)
    signed = io.BytesIO()
    with c2pa.Signer.from_info(info) as signer:
        builder.sign(signer, "image/jpeg", io.BytesIO(picture()), signed)
    return signed.getvalue()


def test_trusted_signature_tells_who_and_what(authority: Authority) -> None:
    found = read_credentials(sign(authority), authority.trusted())
    assert (found.state, found.problems) == ("trusted", ())
    assert (found.signer, found.common_name) == ("Example News", "Camera 7")
    assert found.claim_generator == "Press 1.2"
    (action,) = found.actions
    assert (action.action, action.software) == ("c2pa.created", "Brush")
    assert action.source_type == "trainedAlgorithmicMedia"
    assert found.made_by_ai is True
    assert found.to_dict()["trust_list"] == trust_list().date.isoformat()


def test_signer_beyond_the_trust_list_is_known_but_not_trusted(
    authority: Authority, tmp_path: Path
) -> None:
    path = tmp_path / "signed.jpg"
    path.write_bytes(sign(authority))
    found = read_credentials(path)
    assert found.state == "untrusted"
    assert found.signer == "Example News"
    assert found.problems == ("signingCredential.untrusted",)


def test_ingredients_are_named(authority: Authority) -> None:
    parent = {"title": "original.jpg", "relationship": "componentOf"}

    def add(builder: Any) -> None:
        builder.add_ingredient(parent, "image/jpeg", io.BytesIO(sign(authority)))

    (ingredient,) = read_credentials(sign(authority, add), authority.trusted()).ingredients
    assert (ingredient.title, ingredient.relationship) == ("original.jpg", "componentOf")


def test_changed_pixels_are_tampering(authority: Authority) -> None:
    signed = bytearray(sign(authority))
    signed[-200] ^= 1
    found = read_credentials(bytes(signed), authority.trusted())
    assert found.state == "tampered"
    assert "assertion.dataHash.mismatch" in found.problems


def test_changed_statement_is_tampering(authority: Authority) -> None:
    signed = sign(authority)
    assert signed.count(b"trainedAlgorithmicMedia") == 1
    changed = signed.replace(b"trainedAlgorithmicMedia", b"trainedAlgorithmicMedic")
    found = read_credentials(changed, authority.trusted())
    assert found.state == "tampered"
    assert "assertion.hashedURI.mismatch" in found.problems


def test_other_name_in_the_certificate_is_tampering(authority: Authority) -> None:
    changed = sign(authority).replace(b"Example News", b"Another News")
    assert read_credentials(changed, authority.trusted()).state == "tampered"


def test_manifest_that_lost_its_signature_is_invalid(authority: Authority) -> None:
    damaged = sign(authority).replace(b"c2cs", b"c2ct")  # the kind of the signature's box
    found = read_credentials(damaged, authority.trusted())
    assert found.state == "invalid"
    assert found.problems


def test_stripped_file_has_none(authority: Authority) -> None:
    stripped = io.BytesIO()
    Image.open(io.BytesIO(sign(authority))).save(stripped, "JPEG")
    found = read_credentials(stripped.getvalue(), authority.trusted())
    assert (found.state, found.signer, found.made_by_ai) == ("absent", None, None)


def test_remote_manifest_is_named_and_never_fetched(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa"

        def only_remote(builder: Any) -> None:
            builder.set_no_embed()
            builder.set_remote_url(url)

        found = read_credentials(sign(authority, only_remote), authority.trusted())
        assert (found.state, found.remote_url) == ("remote_only", url)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("data", [b"", b"plain text", b"BM" + bytes(60)])
def test_what_cannot_hold_any_is_not_checked(data: bytes) -> None:
    found = read_credentials(data)
    assert found.state == "not_checked"
    assert found.problems


def test_missing_file_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    found = read_credentials(tmp_path / "none.jpg")
    assert found.state == "not_checked"
    assert "No such file" in found.problems[0]


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "c2pa", None)
    found = read_credentials(picture())
    assert found.state == "not_checked"
    assert "mesonet[provenance]" in found.problems[0]
