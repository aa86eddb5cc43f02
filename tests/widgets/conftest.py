"""A system of three modules, and golden files of plain text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ftl_nb import schema as s

DATA = Path(__file__).parent / "data"


@pytest.fixture
def golden() -> Callable[[str], str]:
    """The text of a file in `data/`."""
    return lambda name: (DATA / name).read_text(encoding="utf-8").removesuffix("\n")


@pytest.fixture(scope="session")
def system() -> s.Schema:
    """shop (verbs, SQL, a fixture, a topic, a config), users (an enum, an alias, a secret), mail (a subscriber)."""
    return s.Schema((s.Realm("demo", (s.builtin_module(), _shop(), _users(), _mail())),))


def _shop() -> s.Module:
    order = s.Data("Order", (s.Field("sku", s.String()),), visibility=s.Visibility.MODULE)
    receipt = s.Data("Receipt", (s.Field("total", s.Float()),), visibility=s.Visibility.MODULE)
    calls = s.MetadataCalls((s.Ref("shop", "priceOf"), s.Ref("users", "find")))
    config, publisher = (
        s.MetadataConfig((s.Ref("shop", "currency"),)),
        s.MetadataPublisher((s.Ref("shop", "receipts"),)),
    )
    stock = s.MetadataDatabases((s.Ref("shop", "stock"),))
    query = s.MetadataSQLQuery("one", "SELECT price FROM items WHERE sku = ?")
    return s.Module(
        "shop",
        (
            order,
            receipt,
            s.Config("currency", s.String()),
            s.Topic("receipts", s.Ref("shop", "Receipt")),
            s.Database("stock", "duckdb"),
            s.Verb(
                "checkout",
                s.Ref("shop", "Order"),
                s.Ref("shop", "Receipt"),
                s.Visibility.MODULE,
                (calls, config, publisher),
            ),
            s.Verb("priceOf", s.String(), s.Float(), metadata=(stock, query)),
            s.Verb("stockTheShelves", s.Unit(), s.Unit(), metadata=(stock, s.MetadataFixture())),
        ),
    )


def _users() -> s.Module:
    level = (s.EnumVariant("Free", s.StringValue("free")),)
    user = (s.Field("level", s.Ref("users", "Level")),)
    secrets = s.MetadataSecrets((s.Ref("users", "apiKey"),))
    return s.Module(
        "users",
        (
            s.Data("User", user),
            s.Enum("Level", level, s.String()),
            s.TypeAlias("Email", s.String()),
            s.Secret("apiKey", s.String()),
            s.Verb("find", s.Ref("users", "Email"), s.Ref("users", "User"), s.Visibility.MODULE, (secrets,)),
        ),
    )


def _mail() -> s.Module:
    subscriber = s.MetadataSubscriber(s.Ref("shop", "receipts"), s.FromOffset.LATEST)
    retry = s.MetadataRetry(3, catch=s.Ref("mail", "failed"))
    return s.Module(
        "mail",
        (
            s.Verb("send", s.Ref("shop", "Receipt"), s.Unit(), metadata=(subscriber, retry)),
            s.Verb("failed", s.Ref("builtin", "CatchRequest", (s.Ref("shop", "Receipt"),)), s.Unit()),
        ),
    )
