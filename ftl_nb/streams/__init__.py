"""Streams of record batches between verbs: values to batches and back, and what a caller gets."""

from ftl_nb.streams.result import StreamResult
from ftl_nb.streams.shape import Shape, shape_of

__all__ = ["Shape", "StreamResult", "shape_of"]
