"""The port to what is held about people, and to forgetting it; like `plugin.ports.catalogue`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from plugin.domain import (
    AccountId,
    AssetId,
    ExportedFace,
    FaceId,
    Float32Array,
    Person,
    PersonId,
)


@dataclass(frozen=True, slots=True)
class HeldData:
    """How much is held of an account or of one person, as counts; `forgotten`: places that are not looked at again."""

    faces: int
    embeddings: int
    people: int
    named_people: int
    verdicts: int
    events: int
    forgotten: int


@dataclass(frozen=True, slots=True, eq=False)
class HeldFace:
    """Everything held of one face; `embedding` is float32 (d,) of unit length, None where there is none."""

    exported: ExportedFace
    embedding: Float32Array | None


class PrivacyRows(Protocol):
    """Forgetting for good, and giving out all that is held. What is forgotten here cannot be undone."""

    def held(self, account_id: AccountId, person_id: PersonId | None = None) -> HeldData:
        """What the account holds (of one person: what `forget_person` would delete)."""
        ...

    def forget_person(self, account_id: AccountId, person_id: PersonId) -> None:
        """The person with faces, embeddings, verdicts and every event about them; the faces are not found again."""
        ...

    def forget_faces(self, account_id: AccountId) -> None:
        """Every face, embedding, verdict about faces, the history and unnamed people; named people stay, faceless."""
        ...

    def forget_everything(self, account_id: AccountId) -> None:
        """As `forget_faces`, with every person and verdict."""
        ...

    def let_be_found(self, account_id: AccountId) -> list[AssetId]:
        """Lift the ban on forgotten faces; returns the assets where they were."""
        ...

    def held_faces(self, account_id: AccountId) -> Iterator[HeldFace]:
        """Faces of gone assets, too, lowest id first, read in blocks."""
        ...

    def held_people(self, account_id: AccountId) -> list[Person]:
        """Every person, hidden ones and those without a visible face, too."""
        ...

    def face_ids(self) -> set[FaceId]:
        """Every face of every account."""
        ...

    def asset_ids(self) -> set[AssetId]:
        """Every asset of every account."""
        ...

    def leftovers(self) -> str | None:
        """Names the last deletion whose files may still be there; None when all is clean."""
        ...

    def cleaned(self, leftovers: str) -> None:
        """The files of that deletion, and all before it, are gone. Nothing happens when a newer one came."""
        ...

    def scrub(self) -> None:
        """Take deleted rows out of the write-ahead log, as far as readers let it."""
        ...
