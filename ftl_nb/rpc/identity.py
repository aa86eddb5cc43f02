"""Who a process is: SPIFFE identities, and the certificate authority of a cluster that vouches for them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Self, cast, get_args

from ftl_nb.errors import FtlError, fail

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

Kind = Literal["module", "database", "service", "client"]

_SEGMENT = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_NAMES = {"module": 1, "database": 2, "service": 1, "client": 2}
#: Clocks of one cluster may differ by this much.
_SKEW = timedelta(minutes=5)
_AUTHORITY_LIFETIME = timedelta(days=3650)
#: How long a certificate lives.
DAY = timedelta(days=1)
_LONGEST_COMMON_NAME = 64


@dataclass(frozen=True, slots=True)
class Identity:
    """`spiffe://REALM/module/M`, `/database/M/D`, `/service/NAME` or `/client/KIND/ID`; `str(identity)` is that URI.

    Raises FtlError `peer-refused` when a part cannot stand in such a URI.
    """

    realm: str
    kind: Kind
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind) or len(self.names) != _NAMES[self.kind]:
            raise _refused(f"{self} is not an identity of this system")
        for segment in (self.realm, *self.names):
            if not _SEGMENT.fullmatch(segment) or segment in (".", ".."):
                raise _refused(f"{segment!r} cannot be part of an identity")

    @classmethod
    def module(cls, module: str, realm: str) -> Self:
        return cls(realm, "module", (module,))

    @classmethod
    def database(cls, module: str, database: str, realm: str) -> Self:
        return cls(realm, "database", (module, database))

    @classmethod
    def service(cls, name: str, realm: str) -> Self:
        return cls(realm, "service", (name,))

    @classmethod
    def client(cls, kind: str, id: str, realm: str) -> Self:
        """`kind` says what it is (`notebook`, `cli`, `test`), `id` which one."""
        return cls(realm, "client", (kind, id))

    @staticmethod
    def parse(uri: str) -> Identity:
        """Raises FtlError `peer-refused` when `uri` is not the identity of something of ours."""
        return _parse(uri)

    def __str__(self) -> str:
        return "/".join((f"spiffe://{self.realm}", self.kind, *self.names))

    @property
    def path(self) -> str:
        """Without the realm: `module/shop`."""
        return "/".join((self.kind, *self.names))

    @property
    def dns(self) -> str:
        """A host name of its own for this identity: what a client checks, since it can only check host names.

        Host names know no case and no underscore, so it is a digest.
        """
        return f"{self.kind}-{hashlib.sha256(str(self).encode()).hexdigest()[:40]}.ftl"

    @property
    def common_name(self) -> str:
        """The path, or `dns` where a certificate cannot hold it."""
        return self.path if len(self.path) <= _LONGEST_COMMON_NAME else self.dns


@lru_cache(maxsize=1024)
def _parse(uri: str) -> Identity:
    scheme, _, rest = uri.partition("://")
    realm, *path = rest.split("/")
    if scheme != "spiffe" or not path:
        raise _refused(f"{uri!r} is not a SPIFFE identity")
    return Identity(realm, cast(Kind, path[0]), tuple(path[1:]))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate with its key, and the authority's certificate to check peers with; PEM, times in UTC."""

    identity: Identity
    certificate_pem: bytes
    key_pem: bytes = field(repr=False)
    ca_pem: bytes
    not_before: datetime
    not_after: datetime

    @property
    def renew_at(self) -> datetime:
        """Half of its life."""
        return self.not_before + (self.not_after - self.not_before) / 2

    def to_dict(self) -> dict[str, str]:
        """For the way from the authority to the process it is for, over a channel that is private to both."""
        return {
            "identity": str(self.identity),
            "certificate": self.certificate_pem.decode(),
            "key": self.key_pem.decode(),
            "ca": self.ca_pem.decode(),
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
        }

    @classmethod
    def from_dict(cls, raw: dict[str, str]) -> Self:
        return cls(
            Identity.parse(raw["identity"]),
            raw["certificate"].encode(),
            raw["key"].encode(),
            raw["ca"].encode(),
            datetime.fromisoformat(raw["not_before"]),
            datetime.fromisoformat(raw["not_after"]),
        )


def leaf_of(identity: Identity, certificate_pem: bytes, key_pem: bytes, ca_pem: bytes) -> Leaf:
    """A leaf that came over the wire; its life is read from its certificate, which begins a little early."""
    from cryptography import x509

    found = x509.load_pem_x509_certificate(certificate_pem)
    begins = found.not_valid_before_utc + _SKEW
    return Leaf(identity, certificate_pem, key_pem, ca_pem, begins, found.not_valid_after_utc)


class Authority:
    """The cluster's certificate authority (EC P-256). Its key exists in this object only.

    What it issues lives for `lifetime`, where nothing else is said.
    """

    def __init__(
        self, realm: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC), *, lifetime: timedelta = DAY
    ) -> None:
        self.realm = realm
        self.lifetime = lifetime
        self._clock = clock
        self._key = _new_key()
        self._certificate = _self_signed(realm, self._key, clock())
        self.ca_pem = _certificate_pem(self._certificate)

    def issue(self, identity: Identity, lifetime: timedelta | None = None) -> Leaf:
        """A fresh key and its certificate; under a millisecond.

        Raises FtlError `peer-refused` for an identity of another realm.
        """
        if identity.realm != self.realm:
            raise _refused(f"{identity} is not of the realm {self.realm}")
        key, now = _new_key(), self._clock()
        end = now + (self.lifetime if lifetime is None else lifetime)
        certificate = _signed(identity, key, self._certificate, self._key, (now, end))
        return Leaf(identity, _certificate_pem(certificate), _key_pem(key), self.ca_pem, now, end)


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _self_signed(realm: str, key: EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    name = _name(f"ftl {realm}"[:_LONGEST_COMMON_NAME])
    builder = _builder(name, name, key, (now, now + _AUTHORITY_LIFETIME))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(sign_certificates=True), critical=True)
    return builder.add_extension(_key_identifier(key), critical=False).sign(key, hashes.SHA256())


def _signed(
    identity: Identity,
    key: EllipticCurvePrivateKey,
    issuer: x509.Certificate,
    issuer_key: EllipticCurvePrivateKey,
    life: tuple[datetime, datetime],
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID as Use

    names = [x509.UniformResourceIdentifier(str(identity)), x509.DNSName(identity.dns)]
    builder = _builder(_name(identity.common_name), issuer.subject, key, life)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(sign_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([Use.SERVER_AUTH, Use.CLIENT_AUTH]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
    )
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(issuer_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, life: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    from cryptography import x509

    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    return builder.not_valid_before(life[0] - _SKEW).not_valid_after(life[1])


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_identifier(key: EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    from cryptography import x509

    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _refused(detail: str) -> FtlError:
    return fail("peer-refused", detail=detail)
