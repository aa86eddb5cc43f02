import hashlib

from ftl_nb import schema


def test_the_builtin_module_prints_the_public_bytes() -> None:
    text = str(schema.builtin_module()).encode()
    assert hashlib.sha256(text).hexdigest() == "e9633e2d3bab33907e9b45a8bfd50455441f1844b088bbecefef542a10ed697a"


def test_with_builtins_fills_internal_realms_only() -> None:
    system = schema.Schema((schema.Realm("shop"), schema.Realm("partner", external=True)))
    shop, partner = schema.with_builtins(system).realms
    assert [module.name for module in shop.modules] == ["builtin"]
    assert partner.modules == ()


def test_with_builtins_keeps_an_existing_one() -> None:
    own = schema.Module("builtin")
    assert schema.with_builtins(schema.Schema((schema.Realm("shop", (own,)),))).realms[0].modules == (own,)
