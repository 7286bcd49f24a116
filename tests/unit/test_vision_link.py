"""What the two processes of an accelerator say to each other arrives as it was said, or not at all."""

import json
import socket
import struct
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain import Float32Array
from plugin.vision.accelerator.child import serve
from plugin.vision.accelerator.link import LARGEST_TENSOR, LONGEST_WORDS, LinkBroken, receive, send

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(20)
        other.settimeout(20)
        yield one, other


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), max_size=4))
def test_tensors_of_any_shape_arrive_bit_by_bit(shapes: list[list[int]]) -> None:
    tensors = [np.random.default_rng(0).normal(size=shape).astype(np.float32) for shape in shapes]
    one, other = socket.socketpair()
    with one, other:
        send(one, {"do": "run"}, tensors)
        words, heard = receive(other)
    assert words == {"do": "run"}
    assert [tensor.shape for tensor in heard] == [tensor.shape for tensor in tensors]
    assert all(np.array_equal(a, b) for a, b in zip(heard, tensors, strict=True))


def test_what_is_larger_than_any_buffer_arrives_whole(pair: Pair) -> None:
    picture = np.random.default_rng(0).normal(size=(1, 3, 640, 640)).astype(np.float32)[:, :, ::-1]  # not contiguous
    sending = threading.Thread(target=send, args=(pair[0], {}, [picture]))
    sending.start()
    _, (heard,) = receive(pair[1])
    sending.join()
    assert np.array_equal(heard, picture)


def said(words: object) -> bytes:
    text = json.dumps(words).encode()
    return struct.pack("!I", len(text)) + text


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\x00\x00",
        struct.pack("!I", 100) + b"{}",
        struct.pack("!I", LONGEST_WORDS + 1),
        said({"shapes": [[LARGEST_TENSOR, 2]]}),
        said({"shapes": [[4]]}) + b"\x00\x00",
    ],
)
def test_half_a_message_or_one_that_is_too_large_breaks_the_link(pair: Pair, wrong: bytes) -> None:
    pair[0].sendall(wrong)
    pair[0].close()
    with pytest.raises(LinkBroken):
        receive(pair[1])


def test_silence_ends_with_the_time_that_was_given(pair: Pair) -> None:
    pair[1].settimeout(0.05)
    with pytest.raises(TimeoutError):
        receive(pair[1])


class Echo:
    def get_providers(self) -> list[str]:
        return ["Echo"]

    def get_inputs(self) -> list[object]:
        raise MemoryError("no room")

    def run(self, names: None, inputs: dict[str, Float32Array]) -> list[Float32Array]:
        return list(inputs.values())


def test_an_error_is_told_and_the_next_question_answered(pair: Pair) -> None:
    child = threading.Thread(target=serve, args=(pair[1], lambda path, provider: Echo()))
    child.start()
    send(pair[0], {"do": "run", "session": 3}, [np.zeros((1, 1), np.float32)])
    assert receive(pair[0])[0]["error"].startswith("IndexError")
    send(pair[0], {"do": "load", "path": "x", "provider": "Echo"})
    assert receive(pair[0])[0] == {"session": 0, "provider": "Echo"}
    send(pair[0], {"do": "run", "session": 0}, [np.zeros((1, 1), np.float32)])
    assert receive(pair[0])[0] == {"error": "MemoryError: no room"}
    pair[0].close()
    child.join(20)
    assert not child.is_alive()
