"""What the two processes say to each other: a few words as JSON, then tensors as plain bytes; never code."""

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plugin.domain import Float32Array

LENGTH = struct.Struct("!I")
LONGEST_WORDS = 1 << 20
LARGEST_TENSOR = 1 << 28
"""Numbers: a hundred times the largest picture a detector gets. More is a message out of step."""


class LinkBroken(Exception):
    """The other side is gone, or says what makes no sense."""


def send(link: socket.socket, words: Mapping[str, Any], tensors: Sequence[Float32Array] = ()) -> None:
    """Say something. Raises `OSError` (also `TimeoutError`) when the other side does not take it."""
    plain = [np.ascontiguousarray(tensor, np.float32) for tensor in tensors]
    said = json.dumps({**words, "shapes": [list(tensor.shape) for tensor in plain]}).encode()
    link.sendall(LENGTH.pack(len(said)) + said)
    for tensor in plain:
        if tensor.size:
            link.sendall(tensor.reshape(-1).data.cast("B"))


def receive(link: socket.socket) -> tuple[dict[str, Any], list[Float32Array]]:
    """Hear something.

    Raises:
        LinkBroken: the other side is gone.
        OSError: also `TimeoutError`, where the link has one.
    """
    (length,) = LENGTH.unpack(_bytes(link, LENGTH.size))
    if length > LONGEST_WORDS:
        raise LinkBroken(f"a message of {length} bytes")
    words: dict[str, Any] = json.loads(_bytes(link, length))
    return words, [_tensor(link, shape) for shape in words.pop("shapes")]


def _tensor(link: socket.socket, shape: Sequence[int]) -> Float32Array:
    if np.prod(shape, dtype=np.float64) > LARGEST_TENSOR:
        raise LinkBroken(f"a tensor of shape {shape}")
    tensor = np.empty(shape, np.float32)
    if tensor.size:
        _fill(link, tensor.reshape(-1).data.cast("B"))
    return tensor


def _bytes(link: socket.socket, count: int) -> bytes:
    buffer = bytearray(count)
    _fill(link, memoryview(buffer))
    return bytes(buffer)


def _fill(link: socket.socket, buffer: memoryview) -> None:
    done = 0
    while done < len(buffer):
        received = link.recv_into(buffer[done:])
        if not received:
            raise LinkBroken("the other side is gone")
        done += received
