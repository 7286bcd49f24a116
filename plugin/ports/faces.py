"""The ports to faces, and to how far the embedding index is; like `plugin.ports.catalogue`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from plugin.domain import (
    AccountId,
    AssetId,
    AssignedBy,
    ExportedFace,
    Face,
    FaceId,
    FaceState,
    Float32Array,
    FoundFace,
    PersonId,
    QueueStatus,
)

IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
TimeArray: TypeAlias = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class RecognitionRows:
    """The faces of one account and pack as arrays, all of length n (row i is one face), for `plugin.faces`.

    Attributes:
        face_id: int64. embedding: float32 (n, d). person_id: int64, -1 for none. by_user: bool.
        asset_id: int64. taken_at: datetime64[s], NaT when unknown. quality: float32, 0..1.
        group_id: int64, faces of nobody with the same number are alike (`FaceRows.regroup`), -1 for none.
        waiting: bool, for recognition (pending or deferred).
    """

    face_id: IntArray
    embedding: Float32Array
    person_id: IntArray
    by_user: BoolArray
    asset_id: IntArray
    taken_at: TimeArray
    quality: Float32Array
    group_id: IntArray
    waiting: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class FacePlaces:
    """Where faces stand, as arrays of one length; like `RecognitionRows`, without what takes room."""

    face_id: IntArray
    person_id: IntArray
    group_id: IntArray
    asset_id: IntArray
    quality: Float32Array


class FaceRows(Protocol):
    """Faces, their embeddings and who they belong to."""

    def get(self, face_id: FaceId, account_id: AccountId | None = None) -> Face: ...
    def many(self, face_ids: Sequence[FaceId]) -> list[Face]:
        """Faces that exist among these, in the order given."""
        ...

    def of_asset(self, asset_id: AssetId, account_id: AccountId) -> list[Face]:
        """Every face, ignored ones included, left to right."""
        ...

    def of_person(self, person_id: PersonId, account_id: AccountId, limit: int, offset: int = 0) -> list[Face]:
        """Best quality first."""
        ...

    def embedding(self, face_id: FaceId) -> Float32Array: ...
    def embeddings(self, pack: str, after: FaceId, limit: int) -> tuple[list[FaceId], Float32Array]:
        """The next block of faces with id > `after`, ids ascending, for index rebuilds and exact search."""
        ...

    def to_recognise(self, pack: str, state: FaceState, limit: int) -> list[Face]:
        """Faces of present assets in `pending` or `deferred`, oldest id first."""
        ...

    def recognition_rows(
        self, account_id: AccountId, pack: str, face_ids: Sequence[FaceId] | None = None
    ) -> RecognitionRows:
        """Every face (among these) of present assets of the account that is not ignored, lowest id first."""
        ...

    def places(
        self,
        account_id: AccountId,
        pack: str,
        *,
        face_ids: Sequence[FaceId] = (),
        person_ids: Sequence[PersonId] = (),
        group_ids: Sequence[FaceId] = (),
    ) -> FacePlaces:
        """Those faces of `recognition_rows` that are named, or belong to one of the persons or groups; no order."""
        ...

    def samples(
        self, account_id: AccountId, pack: str, person_ids: Sequence[PersonId], largest: int
    ) -> tuple[list[FaceId], dict[PersonId, int]]:
        """Of each person all comparable faces, or about `largest` of more, always the same; and how many they are."""
        ...

    def all_places(self, account_id: AccountId, pack: str) -> FacePlaces:
        """Where every face of `recognition_rows` stands; no order."""
        ...

    def appearances(self, account_id: AccountId, asset_ids: Sequence[AssetId]) -> IntArray:
        """Who is in which of these assets: (asset, person), int64 (k, 2)."""
        ...

    def regroup(
        self, account_id: AccountId, face_ids: IntArray, persons: IntArray, groups: IntArray
    ) -> dict[int, PersonId]:
        """Store what a run of recognition found, all at once; returns who was founded for each number below -1.

        Faces a user assigned or ignored, pairs that a verdict forbids, and faces and persons that are gone are left
        alone; a face that was waiting and is left alone waits still.

        Args:
            account_id: whose faces these are.
            face_ids: int64 (n,).
            persons: int64 (n,), -1 for none; -2, -3, ... are persons to be founded.
            groups: int64 (n,), for faces of nobody: the lowest id of the faces that are alike, -1 for none.
        """
        ...

    def assign(
        self,
        assignments: Sequence[tuple[FaceId, PersonId | None]],
        by: AssignedBy,
        state: FaceState | None = None,
    ) -> None:
        """Set who faces belong to; None unassigns. `state` overrides the state that follows (assigned/unassigned).

        With `by=MACHINE`, faces a user assigned or ignored, and pairs that a verdict forbids, are left alone.
        """
        ...

    def set_state(self, face_ids: Sequence[FaceId], state: FaceState) -> None: ...
    def draw(self, account_id: AccountId, asset_id: AssetId, pack: str, face: FoundFace) -> FaceId:
        """Store a face a user drew on a photo, in one transaction; no detection and no Reset deletes it.

        Raises `Refused` for videos, and where there is a face already (IoU > 0.5).
        """
        ...

    def redraw(self, account_id: AccountId, face_id: FaceId, pack: str, face: FoundFace) -> None:
        """Another box for a face a user drew. Raises `Refused` for faces of the machine, and like `draw`."""
        ...

    def erase(self, account_id: AccountId, face_id: FaceId) -> None:
        """Delete a face a user drew, with what was said about it. Raises `Refused` for faces of the machine."""
        ...

    def unassign_machine(self, account_id: AccountId | None) -> None:
        """For Reset: faces the machine assigned become pending; unnamed persons without faces are deleted."""
        ...

    def requeue_unassigned(self, account_id: AccountId | None) -> int:
        """For Missing and the nightly run: unassigned faces become pending again."""
        ...

    def recognised_since(self, account_id: AccountId, since: datetime | None) -> list[FaceId]:
        """Faces that recognition changed at or after this time (None: ever)."""
        ...

    def recognition_status(self, account_id: AccountId | None = None) -> QueueStatus: ...
    def state_counts(self, account_id: AccountId | None) -> dict[FaceState, int]:
        """Over faces of present assets."""
        ...

    def export(self, account_id: AccountId | None) -> Iterator[ExportedFace]: ...


class IndexState(Protocol):
    """What the catalogue knows about the disposable embedding index: which faces still have to reach it."""

    def to_add(self, pack: str, limit: int) -> tuple[list[FaceId], Float32Array]:
        """Embeddings (new or changed) the index does not have yet."""
        ...

    def added(self, pack: str, face_ids: Sequence[FaceId]) -> None: ...
    def to_delete(self, limit: int) -> list[tuple[str, FaceId]]:
        """(pack, face) of deleted faces that may still be in the index."""
        ...

    def deleted(self, faces: Sequence[tuple[str, FaceId]]) -> None: ...
    def face_ids(self, pack: str) -> set[FaceId]: ...
    def packs(self) -> list[str]:
        """Every pack that has embeddings."""
        ...

    def forget(self) -> None:
        """The index was cleared: everything has to be added again."""
        ...

    def dirty(self) -> bool:
        """Whether a write to the index on disk may have been cut off."""
        ...

    def set_dirty(self, *, dirty: bool) -> None: ...
