import pytest

from ftl_nb import schema

SHOP = schema.parse(
    "realm r { module m { data Item {} data Cart { items [m.Item] } verb show(m.Cart) Unit +calls m.log } }"
)
RING = schema.parse(
    "realm r { module a { data A { b b.B } } module b { data B { c c.C } } module c { data C { a a.A } } }"
)


def test_edges() -> None:
    edges = {str(key): (list(map(str, e.inbound)), list(map(str, e.outbound))) for key, e in schema.graph(SHOP).items()}
    assert edges["m.Cart"] == (["m.show"], ["m.Item"])
    assert edges["m.show"] == ([], ["m.Cart", "m.log"])
    assert edges["m.Item"] == (["m.Cart"], [])


def test_type_parameters_are_no_edges() -> None:
    box = schema.parse("realm r { module m { data Box<T> { value T } } }")
    assert schema.graph(box)[schema.RefKey("m", "Box")] == schema.Edges((), ())


def test_imports_and_levels() -> None:
    text = "realm r { module b { data B {} } module a { verb v(b.B) Unit +calls c.d } module c { verb d(b.B) Unit } }"
    modules = schema.parse(text).realms[0].modules
    needs = {module.name: schema.imports(module) for module in modules}
    assert needs == {"b": (), "a": ("b", "c"), "c": ("b",)}
    assert schema.levels(needs) == [("b",), ("c",), ("a",)]


def test_a_cycle_of_modules_is_named() -> None:
    assert schema.import_cycle(RING.realms[0]) == ("b", "c", "a", "b")
    message = r'detected a module dependency cycle that impacts these modules: \["a" "b" "c"\]'
    with pytest.raises(schema.SchemaError, match=message):
        schema.levels({module.name: schema.imports(module) for module in RING.realms[0].modules})
    assert schema.import_cycle(SHOP.realms[0]) == ()


def test_lookup() -> None:
    assert (found := SHOP.module("m")) is not None
    assert found.decl("Cart") is SHOP.resolve(schema.Ref("m", "Cart"))
    assert SHOP.resolve(schema.Ref("m", "None")) is None
    assert SHOP.module("none") is None


def test_instantiate() -> None:
    module = schema.parse_module("module m { data Box<T, U> { value T more {String: [U]} nested m.Box<U, T>? } }")
    box = module.decls[0]
    assert isinstance(box, schema.Data)
    text = str(schema.instantiate(box, (schema.Int(), schema.Ref("m", "A"))))
    assert text == "data Box {\n  value Int\n  more {String: [m.A]}\n  nested m.Box<m.A, Int>?\n}"
    with pytest.raises(schema.SchemaError, match="expected 2 type arguments, got 1"):
        schema.instantiate(box, (schema.Int(),))


def test_visible() -> None:
    text = """realm r {
      module b { data Used {} data Unused {} export data Box<T> { value T } }
      module a { export realm verb v(b.Used) b.Box<Int> verb w(Unit) Unit }
      module c { data C {} }
    }"""
    seen = schema.visible(schema.parse(text).realms[0], schema.Visibility.REALM)
    assert {module.name: [decl.name for decl in module.decls] for module in seen.modules} == {
        "a": ["v"],
        "b": ["Used", "Box"],
    }
    assert [module.name for module in seen.modules] == ["a", "b"]


def test_reached() -> None:
    found = schema.reached(SHOP, [schema.RefKey("m", "show")])
    assert sorted(map(str, found)) == ["m.Cart", "m.Item", "m.show"]
