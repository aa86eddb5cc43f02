"""Changes as the workspace's messages have them."""

from __future__ import annotations

from ftl_nb import schema
from ftl_nb.services.messages import change_messages


def test_a_migrations_digest_is_told_by_its_first_digits() -> None:
    before, after = (
        schema.parse(f"realm play {{ module shop {{ database postgres stock +migration sha256:{digit * 64} }} }}")
        for digit in "ab"
    )
    (change,) = change_messages(schema.diff(before, after))
    assert "sha256:aaaaaaaa removed" in change.detail
    assert "sha256:bbbbbbbb added" in change.detail
