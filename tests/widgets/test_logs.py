"""Log lines."""

from datetime import UTC, datetime

from ftl_nb.widgets import LogLine, Logs

AT = datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)
LINES = (
    LogLine("info", "started\nport is free", "shop", AT),
    LogLine("error", "<b>no\x1b[31m</b>", "shop.checkout", AT),
)


def test_plain_form() -> None:
    assert Logs(LINES).plain() == (
        "03:04:05.678 info shop  started\n"
        "                        port is free\n"
        "03:04:05.678 error shop.checkout  <b>no␛[31m</b>"
    )


def test_stable_form_has_no_times() -> None:
    stable = Logs(LINES, stable=True)
    assert stable.plain().startswith("info shop  started\n")
    assert "03:04" not in str(stable.html())


def test_html_form_is_escaped_and_toned() -> None:
    html = str(Logs(LINES).html())
    assert '<span class="ftl-bad">&lt;b&gt;no␛[31m&lt;/b&gt;</span>' in html


def test_no_lines() -> None:
    assert Logs(()).plain() == "no log lines"
    assert "no log lines" in str(Logs(()).html())
