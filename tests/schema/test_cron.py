from datetime import UTC, datetime, timedelta

import pytest

from ftl_nb.schema import cron

START = datetime(2024, 2, 28, 23, 50, 30, tzinfo=UTC)

NEXT = [
    ("30s", "2024-02-28 23:51:00"),
    ("0s", "2024-02-28 23:50:31"),
    ("25m", "2024-02-29 00:00:00"),
    ("12h", "2024-02-29 00:00:00"),
    ("Mon", "2024-03-04 00:00:00"),
    ("SUN", "2024-03-03 00:00:00"),
    ("* * * * 7", "2024-03-03 00:00:00"),
    ("*/10 * * * *", "2024-02-29 00:00:00"),
    ("50 23 * * *", "2024-02-29 23:50:00"),
    ("30 51 23 * * *", "2024-02-28 23:51:30"),
    ("0 12 29 2 *", "2024-02-29 12:00:00"),
    ("0 0 13 * 5", "2024-03-01 00:00:00"),
    ("0 0 1 1 * 2031", "2031-01-01 00:00:00"),
    ("0,30 * * * * * 2025-2030/2", "2025-01-01 00:00:00"),
    ("0 0 9-17/4 * * 1-5", "2024-02-29 09:00:00"),
]


@pytest.mark.parametrize(("text", "expected"), NEXT)
def test_the_next_time(text: str, expected: str) -> None:
    found = cron.parse(text).next_after(START)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_times_are_behind_the_moment_and_come_in_order() -> None:
    pattern, moment = cron.parse("*/20 30 8-9 1,15 * *"), START
    for _ in range(20):
        later = pattern.next_after(moment)
        assert later is not None
        assert later > moment
        moment = later
    assert moment == datetime(2024, 4, 15, 8, 30, 20, tzinfo=UTC)


def test_another_zone_means_the_same_moment() -> None:
    pattern = cron.parse("0 0 * * *")
    east = START.astimezone(tz=None) + timedelta(0)
    assert pattern.next_after(east) == pattern.next_after(START)


def test_there_is_an_end() -> None:
    assert cron.parse("0 0 1 1 * 2025").next_after(datetime(2025, 1, 1, tzinfo=UTC)) is None


BAD = [
    ("60m", "failed to parse cron expression: invalid interval */60"),
    ("* * * 0 *", "failed to parse cron expression: syntax error in month field: '0'"),
    ("99/0 * * * *", "failed to parse cron expression: syntax error in minute field: '99/0'"),
    ("08 * * * *", '1:1: failed to conform: strconv.ParseInt: parsing "08": invalid syntax'),
    ("5- * * * *", '1:4: unexpected token "*" (expected <number>)'),
    ("Mon Tue", '1:5: unexpected token "Tue"'),
    ("5 m", '1:3: unexpected token "m"'),
    ("&", 'lexer: invalid input text "&"'),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_text(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        cron.parse(text)
    assert message in str(caught.value)
