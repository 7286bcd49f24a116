"""How values lie in columns: times in UTC, vectors as little-endian float32."""

from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from plugin.domain import Float32Array

AnyRow: TypeAlias = Any
"""A row of a query. `sqlalchemy.Row` itself takes one type argument in SQLAlchemy 2.0 and many in 2.1."""

VECTOR_TYPE = np.dtype("<f4")


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC time, also in databases that store none of it (SQLite keeps ISO text without an offset)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, its name is SQLAlchemy's
        """To UTC, so that text comparison in SQLite is comparison of times."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002, SQLAlchemy's signature
        """Always aware."""
        if value is None:
            return None
        time: datetime = value
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def to_blob(vector: Float32Array) -> bytes:
    """Float32 of any shape as little-endian bytes, the same on every machine."""
    return np.ascontiguousarray(vector, dtype=VECTOR_TYPE).tobytes()


def from_blob(blob: bytes) -> Float32Array:
    """The bytes of `to_blob` as a writable float32 array (n,)."""
    return np.frombuffer(blob, dtype=VECTOR_TYPE).astype(np.float32)


def from_blobs(blobs: list[bytes]) -> Float32Array:
    """Equally long blobs as float32 (n, d); (0, 0) for none."""
    if not blobs:
        return np.empty((0, 0), dtype=np.float32)
    return from_blob(b"".join(blobs)).reshape(len(blobs), -1)
