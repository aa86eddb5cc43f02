from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ftl_nb.errors import FtlError
from ftl_nb.rpc import Authority, Identity, Leaf

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IDENTITIES = [
    (Identity.module("shop", "play"), "spiffe://play/module/shop"),
    (Identity.database("shop", "stock", "play"), "spiffe://play/database/shop/stock"),
    (Identity.service("admin", "play"), "spiffe://play/service/admin"),
    (Identity.client("notebook", "1f-2", "play"), "spiffe://play/client/notebook/1f-2"),
]


@pytest.mark.parametrize(("identity", "uri"), IDENTITIES)
def test_an_identity_is_its_uri(identity: Identity, uri: str) -> None:
    assert str(identity) == uri
    assert Identity.parse(uri) == identity


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://play",
        "https://play/module/shop",
        "spiffe://play/module",
        "spiffe://play/module/a/b",
        "spiffe://play/database/a",
        "spiffe://play/pod/a",
        "spiffe://play/module/",
        "spiffe:///module/a",
        "spiffe://play/module/..",
        "spiffe://play/module/a%20b",
    ],
)
def test_what_is_not_an_identity_is_refused(uri: str) -> None:
    with pytest.raises(FtlError) as caught:
        Identity.parse(uri)
    assert caught.value.slug == "peer-refused"


def test_host_names_are_valid_and_differ_where_only_case_or_kind_does() -> None:
    names = {
        Identity.module("shop", "play").dns,
        Identity.module("Shop", "play").dns,
        Identity.service("shop", "play").dns,
        Identity.module("shop", "other").dns,
        Identity.database("a", "b", "play").dns,
        Identity.module("a_very_long_name" * 9, "play").dns,
    }
    assert len(names) == 6
    assert all(len(label) <= 63 and label.replace("-", "").isalnum() for n in names for label in n.split("."))


def test_a_leaf_names_its_identity_in_every_way() -> None:
    identity = Identity.module("shop", "play")
    leaf = Authority("play").issue(identity)
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [str(identity)]
    assert names.get_values_for_type(x509.DNSName) == [identity.dns]
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "module/shop"
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(leaf.ca_pem))


def test_a_name_too_long_for_a_certificate_is_replaced_by_its_digest() -> None:
    identity = Identity.module("m" * 100, "play")
    certificate = x509.load_pem_x509_certificate(Authority("play").issue(identity).certificate_pem)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == identity.dns


def test_a_leaf_lives_a_day_and_is_renewed_at_half_of_it() -> None:
    leaf = Authority("play", lambda: NOW).issue(Identity.module("shop", "play"))
    assert leaf.not_after == NOW + timedelta(days=1)
    assert leaf.renew_at == NOW + timedelta(hours=12)


def test_an_authority_vouches_for_its_own_realm_only() -> None:
    with pytest.raises(FtlError, match="not of the realm play"):
        Authority("play").issue(Identity.module("shop", "elsewhere"))


def test_a_leaf_travels_and_its_key_is_never_shown() -> None:
    leaf = Authority("play").issue(Identity.module("shop", "play"))
    assert Leaf.from_dict(leaf.to_dict()) == leaf
    assert "PRIVATE" not in repr(leaf)
