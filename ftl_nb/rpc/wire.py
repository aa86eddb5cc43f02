"""Settings that both ends of a connection share."""

from __future__ import annotations

from ftl_nb.schema.limits import BODY_LIMIT as BODY_LIMIT

#: Room for the message around a body.
_FRAMING = 1024 * 1024
#: A failure travels in trailing metadata, with its remote traceback.
METADATA_LIMIT = 1024 * 1024

Option = tuple[str, int | str]

#: Host of every address: nothing listens on, or is dialled at, any other.
LOOPBACK = "127.0.0.1"

_SHARED: tuple[Option, ...] = (
    ("grpc.max_receive_message_length", BODY_LIMIT + _FRAMING),
    ("grpc.max_send_message_length", BODY_LIMIT + _FRAMING),
    ("grpc.max_metadata_size", METADATA_LIMIT),
    ("grpc.absolute_max_metadata_size", 2 * METADATA_LIMIT),
    # A peer that is there but silent (frozen host, lost network) is noticed while a call waits for it.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)

CHANNEL_OPTIONS: tuple[Option, ...] = (
    *_SHARED,
    # What is being dialled may be just starting.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.enable_http_proxy", 0),
    ("grpc.service_config_disable_resolution", 1),
)

SERVER_OPTIONS: tuple[Option, ...] = (
    *_SHARED,
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)
