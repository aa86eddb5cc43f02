"""What the engine on etcd has beside the contract: its address, its members, commits that are sent more than once."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ftl_nb.errors import FtlError
from ftl_nb.store import Change, Commit, Condition, Conflict, Delete, Put, Store, Write, open_store
from ftl_nb.store.etcd import api
from ftl_nb.store.etcd.address import Address
from ftl_nb.store.etcd.engine import EtcdStore
from ftl_nb.store.etcd.keyspace import Keyspace
from ftl_nb.store.etcd.transactions import Happened, SettledError, Slot, Transaction
from store.etcd import Etcd, eventually, free_ports

TLS = "ca=a&certificate=b&key=c"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/p", "does not begin"),
        ("etcd://127.0.0.1:1", "no prefix"),
        ("etcd://127.0.0.1:1/", "no prefix"),
        ("etcd://127.0.0.1/p", "HOST:PORT"),
        ("etcd:///p", "HOST:PORT"),
        ("etcd://127.0.0.1:1,/p", "HOST:PORT"),
        ("etcd://127.0.0.1:99999/p", "HOST:PORT"),
        ("etcd://somebody@127.0.0.1:1/p", "HOST:PORT"),
        ("etcd://[::1/p", "IPv6"),
        ("etcd://10.1.2.3:1/p", "over TLS alone"),
        ("etcd://127.0.0.1:1,store.example:1/p", "over TLS alone"),
        ("etcd://127.0.0.1:1/p?ca=a", "all of ca, certificate, key"),
        ("etcd://127.0.0.1:1/p?colour=red", "all of ca, certificate, key"),
        ("etcd://127.0.0.1:1/p?patience=0", "seconds"),
        ("etcd://127.0.0.1:1/p?patience=long", "long"),
        (f"etcd://127.0.0.1:1/p?{TLS}", "No such file"),
    ],
)
def test_an_address_that_is_none_is_told(url: str, why: str) -> None:
    with pytest.raises(FtlError) as caught:
        open_store(url)
    assert caught.value.slug == "store-address"
    assert why in caught.value.message


def test_an_address_is_read() -> None:
    address = Address.parse(f"etcd://a.example:1,[::1]:2/deep/er?{TLS}&patience=2.5")
    files = (Path("a"), Path("b"), Path("c"))
    assert address == Address(("a.example:1", "[::1]:2"), "deep/er", files, 2.5)
    assert Address.parse("etcd://localhost:1,[::1]:2,127.8.9.1:3/p").files is None


def test_members_that_are_not_there_are_told() -> None:
    (port,) = free_ports(1)
    with pytest.raises(FtlError) as caught:
        open_store(f"etcd://127.0.0.1:{port}/p?patience=0.3")
    assert caught.value.slug == "store-away"


def test_clients_of_a_prefix_share_a_store_and_others_do_not(etcd: Etcd) -> None:
    address = etcd.fresh()
    with open_store(address) as one, open_store(address) as same, open_store(etcd.fresh()) as other:
        with other.watch("", 1) as watch:
            first = one.commit([], [Put("a", b"")])
            assert isinstance(first, int)
            assert isinstance(other.commit([Condition("a", 0)], [Put("b", b"")]), int)
            assert next(watch).changes[0].key == "b"
        second = same.commit([Condition("a", first)], [Put("a", b"")])
        assert isinstance(second, int)
        assert second > first + 1
        assert [item.key for item in one.range("")[0]] == ["a"]
        assert [item.key for item in other.range("")[0]] == ["b"]


def test_a_store_of_another_format_is_refused(etcd: Etcd, monkeypatch: pytest.MonkeyPatch) -> None:
    address = etcd.fresh()
    monkeypatch.setattr("ftl_nb.store.etcd.engine.FORMAT", b"99")
    open_store(address).close()
    monkeypatch.undo()
    with pytest.raises(FtlError, match="version 99") as caught:
        open_store(address)
    assert caught.value.slug == "cluster-folder"


def test_what_etcd_never_does_is_told(etcd: Etcd) -> None:
    with open_store(etcd.fresh()) as store:
        with pytest.raises(FtlError, match="larger than max") as caught:
            store.commit([], [Put("a", bytes(3_000_000))])
        assert caught.value.slug == "store-refused"
        assert store.commit([], [Put("a", b"")]) == 1


class Sent:
    """Transactions of one client, each sent as often as a test likes."""

    def __init__(self, store: EtcdStore) -> None:
        self.store = store
        self.space: Keyspace = store._space
        self.slot = Slot(self.space.slot("test"), store.grant(600).id)

    def transaction(self, conditions: list[Condition], writes: list[Write]) -> Transaction:
        return Transaction(self.space, conditions, writes, self.slot)

    def send(self, transaction: Transaction, again: bool = False) -> int | Conflict:
        response = self.store._members.call(api.TXN, lambda _: transaction.request(again))
        result = transaction.result(response)
        return self.space.ours(result.revision) if isinstance(result, Happened) else result


@pytest.fixture
def sent(etcd: Etcd) -> Iterator[Sent]:
    with EtcdStore(etcd.fresh()) as store:
        yield Sent(store)


def test_a_commit_that_is_sent_again_happens_once(sent: Sent) -> None:
    commit = sent.transaction([Condition("a", 0)], [Put("a", b"1")])
    assert [sent.send(commit), sent.send(commit, again=True), sent.send(commit, again=True)] == [1, 1, 1]
    assert sent.store.commit([], [Delete("a")]) == 2
    assert sent.send(commit, again=True) == 1
    assert sent.store.get("a") is None


def test_deletes_that_are_sent_again_happen_once(sent: Sent) -> None:
    sent.store.commit([], [Put("a", b""), Put("b", b"")])
    deletes = sent.transaction([Condition("a", 1)], [Delete("a"), Delete("b")])
    assert [sent.send(deletes), sent.send(deletes, again=True)] == [2, 2]


@pytest.mark.parametrize("writes", [[Put("b", b"late")], [Delete("b")]], ids=["put", "delete"])
@pytest.mark.parametrize("conditions", [[Condition("a", 0)], []], ids=["refused", "nothing to do"])
def test_a_try_that_arrives_late_does_nothing(sent: Sent, conditions: list[Condition], writes: list[Write]) -> None:
    """Its client was told of a later try by then: that it conflicts, or that there was nothing to delete."""
    if not conditions and isinstance(writes[0], Put):
        conditions = [Condition("c", 9)]
    sent.store.commit([], [Put("a", b"")])
    late = sent.transaction(conditions, writes)
    sent.send(late, again=True)
    sent.store.commit([], [Delete("a"), Put("b", b"kept")])
    with pytest.raises(SettledError):
        sent.send(late)
    item = sent.store.get("b")
    assert item is not None
    assert item.value == b"kept"


def test_a_client_whose_session_ended_begins_another(etcd: Etcd) -> None:
    with EtcdStore(etcd.fresh()) as store:
        store.commit([], [Put("a", b"1")])
        store.revoke(store._session._lease)
        revision = store.commit([], [Put("a", b"2")])
        assert store.get("a", revision if isinstance(revision, int) else None) == store.get("a")
        store.revoke(store._session._lease)
        lease = store.grant(600).id
        assert isinstance(store.commit([], [Put("a", b"3", lease)]), int)


def test_a_client_leaves_nothing_of_its_own_behind(etcd: Etcd) -> None:
    address = etcd.fresh()
    with EtcdStore(address) as store:
        store.commit([], [Put("a", b"1")])
        slots = store._space.slot("")
    with EtcdStore(address) as store, open_store(etcd.fresh()) as other:
        assert isinstance(other, EtcdStore)
        asked = api.RANGE.request(key=slots, range_end=slots + b"\xff", count_only=True)
        assert store._members.call(api.RANGE, lambda _: asked).count == 0


@pytest.fixture
def harmed(tmp_path: Path) -> Iterator[Etcd]:
    """Three members of this test alone."""
    with Etcd(tmp_path) as etcd:
        yield etcd.wait()


def test_a_watch_goes_on_when_its_member_dies(harmed: Etcd) -> None:
    with open_store(harmed.address("s")) as store, open_store(harmed.address("s", 1)) as writer:
        with store.watch("", 1) as watch:
            writer.commit([], [Put("a", b"1")])
            assert next(watch).revision == 1
            harmed.members[0].kill()
            writer.commit([], [Put("a", b"2")])
            writer.commit([], [Delete("a")])
            second, third = islice(watch, 2)
        assert second.changes[0].item == writer.get("a", second.revision)
        assert third == Commit(third.revision, (Change("a", None),))


def test_leases_outlive_the_death_of_a_member(harmed: Etcd) -> None:
    with open_store(harmed.address("s")) as store:
        lease = store.grant(5).id
        store.commit([], [Put("a", b"", lease)])
        harmed.members[0].kill()
        assert store.keep_alive(lease) > 0
        with store.watch("a", 2) as watch:
            assert next(watch).changes == (Change("a", None),)


def test_what_nobody_answers_is_told_apart_by_whether_it_may_have_happened(harmed: Etcd) -> None:
    with open_store(harmed.address("s", patience=2)) as store:
        store.commit([], [Put("a", b"1")])
        for member in harmed.members:
            member.pause()
        assert slug(lambda: store.commit([Condition("a", 1)], [Put("a", b"2")])) == "store-outcome-unknown"
        assert slug(lambda: store.get("a")) == "store-away"
        for member in harmed.members:
            member.resume()
        with eventually(lambda: open_store(harmed.address("s"))) as other:
            other.commit([], [Put("b", b"")])
            item = other.get("a")
        assert item is not None
        for member in harmed.members:
            member.kill()
        with suppress(FtlError):
            store.get("a")
        assert slug(lambda: store.commit([], [Put("a", b"3")])) == "store-away"


def slug(do: Callable[[], object]) -> str:
    with pytest.raises(FtlError) as caught:
        do()
    return caught.value.slug


def certificate(folder: Path, name: str, by: str = "ca") -> None:
    """`name.pem` and `name.key`, signed by `by`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, by)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(name == by, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    signer = serialization.load_pem_private_key((folder / f"{by}.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    (folder / f"{name}.pem").write_bytes(built.sign(signer, hashes.SHA256()).public_bytes(pem))


def test_members_are_reached_over_mutual_tls(tmp_path: Path) -> None:
    for name in ("ca", "member", "client"):
        certificate(tmp_path, name)
    certificate(tmp_path, "stranger", by="stranger")
    files = {"cert-file": "member.pem", "key-file": "member.key", "trusted-ca-file": "ca.pem"}
    options = [word for option, file in files.items() for word in (f"--{option}", str(tmp_path / file))]
    with Etcd(tmp_path, 1, [*options, "--client-cert-auth"]) as etcd:

        def opened(who: str, patience: float) -> Store:
            tls = f"ca={tmp_path}/ca.pem&certificate={tmp_path}/{who}.pem&key={tmp_path}/{who}.key"
            return open_store(f"{etcd.address('s', patience=patience)}&{tls}")

        with eventually(lambda: opened("client", 2)) as store:
            assert store.commit([], [Put("a", b"")]) == 1
        assert slug(lambda: opened("stranger", 1)) in ("store-away", "store-outcome-unknown")
        assert slug(lambda: open_store(etcd.address("s", patience=1))) in ("store-away", "store-outcome-unknown")
