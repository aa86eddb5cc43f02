"""BINDING 6: a module in a file of its own."""

from __future__ import annotations

from e2e.driver import System


def test_binding_06_a_file_is_loaded_under_its_module_name(system: System) -> None:
    system.file(
        "greeter.py",
        """
        import ftl_nb as ftl
        ftl.module("greeter")
        loaded_as = __name__

        @ftl.verb
        def where() -> str:
            return loaded_as

        if __name__ == "__main__":
            print(where(), loaded_as)
        """,
    )
    done = system.python("greeter.py")
    assert (done.stdout, done.stderr) == ("ftl_nb.modules.greeter __main__\n", "")


def test_binding_06_a_verb_called_while_its_file_loads_names_the_guard(system: System) -> None:
    system.file(
        "eager.py",
        """
        import ftl_nb as ftl
        ftl.module("eager")

        @ftl.verb
        def answer() -> int:
            return 42

        print(answer())
        """,
    )
    done = system.python("eager.py")
    assert done.returncode != 0
    assert "FTL-C114" in done.stderr
    assert "eager.answer" in done.stderr
    assert '`if __name__ == "__main__":`' in done.stderr


def test_binding_06_a_script_deploys_and_calls_with_a_cluster(system: System) -> None:
    system.file(
        "app.py",
        '''
        """Prices."""
        from dataclasses import dataclass

        import ftl_nb as ftl
        ftl.module("app")

        @dataclass
        class Order:
            sku: str
            quantity: int = 1

        ftl.sql("app.stock", """
        -- migrate:up
        CREATE TABLE items (sku TEXT PRIMARY KEY, price DOUBLE NOT NULL);
        -- migrate:down
        DROP TABLE items;

        -- name: PriceOf :one
        SELECT price FROM items WHERE sku = @sku;
        """)

        @ftl.fixture
        def stock_the_shelves(*, stock):
            stock.execute("INSERT INTO items VALUES ('tea', 3.5) ON CONFLICT DO NOTHING")

        @ftl.verb(export=True)
        def checkout(order: Order, *, price_of) -> float:
            return price_of(order.sku) * order.quantity

        if __name__ == "__main__":
            with ftl.Cluster() as cluster:
                print(checkout(Order("tea", 2)))
                print(cluster.call("app.checkout", {"sku": "tea", "quantity": 3}))
        ''',
    )
    done = system.python("app.py")
    assert (done.stdout, done.stderr) == ("7.0\n10.5\n", "")


def test_binding_06_a_test_imports_the_file(system: System) -> None:
    system.file(
        "billing.py",
        """
        import ftl_nb as ftl
        ftl.module("billing")

        @ftl.verb
        def fee(amount: float) -> float:
            return amount / 10

        @ftl.verb
        def total(amount: float, *, fee) -> float:
            return amount + fee(amount)
        """,
    )
    system.file(
        "test_billing.py",
        """
        from billing import fee, total

        def test_locally():
            assert total(10.0, fee=lambda amount: 1.0) == 11.0

        def test_remotely():
            assert total(10.0) == 11.0
            assert fee(amount=20.0) == 2.0
        """,
    )
    done = system.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_billing.py")
    assert done.returncode == 0, done.stdout + done.stderr
