"""The words of the product as plain, frozen values. No behaviour that needs a store, a model or a network.

Conventions used everywhere:

* boxes and landmarks are fractions (0..1) of the *upright* picture (EXIF orientation applied), so a changed preview
  size never matters;
* embeddings are float32, unit length, only comparable within one pack;
* distances are cosine distances, 0 (same direction) .. 2;
* times are timezone-aware UTC, except `taken_at`, which is the camera's local wall-clock time (naive).
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Float32Array: TypeAlias = npt.NDArray[np.float32]
Picture: TypeAlias = npt.NDArray[np.uint8]
"""An upright picture: uint8, shape (height, width, 3), RGB."""

AccountId = int
LibraryId = int
AssetId = int
FaceId = int
PersonId = int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the upright picture; `x`, `y` is the top-left corner."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Account:
    """Who may see and correct; owns libraries and people. `password_hash` is None until a password was set."""

    id: AccountId
    name: str
    password_hash: str | None
    is_admin: bool
    session_epoch: int


@dataclass(frozen=True, slots=True)
class Library:
    """One connection to a host on behalf of an account. `address` is the host's own: for a folder, its path."""

    id: LibraryId
    account_id: AccountId
    host: str
    name: str
    address: str
    last_sync_at: datetime | None = None
    last_sync_error: str | None = None
    sync_requested_at: datetime | None = None
    asset_count: int = 0


class AssetKind(StrEnum):
    """What an asset is made of."""

    PHOTO = "photo"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class HostAsset:
    """One photo or video as a host lists it.

    Attributes:
        host_key: the host's name for it, unique within the library (folder: path relative to its root, `/` between).
        path: what a person reads; for a folder the same as `host_key`.
        content_key: changes when the pixels do (etag, hash).
        change_key: cheap to read, changes whenever `content_key` might have (folder: size and mtime);
            "" if there is none.
    """

    host_key: str
    path: str
    kind: AssetKind
    content_key: str
    change_key: str = ""
    size_bytes: int | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IntakeProblem:
    """Something a host's listing could not take: an unreadable folder, a link loop, a name that is not UTF-8.

    `path` is printable (undecodable bytes escaped). `hides_below` means assets below `path` may exist unseen, so
    nothing below it may be taken for deleted.
    """

    path: str
    code: str
    message: str
    hides_below: bool = False


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """A folder of which a host said everything there is to say; comes after all that is in and below it.

    Attributes:
        path: as in the paths of assets; "" is the whole library.
        mark: changes whenever anything at or below the folder does (an ETag).
        unchanged: nothing was listed, since all is as it was when the host gave this mark before.
    """

    path: str
    mark: str
    unchanged: bool = False


class WorkState(StrEnum):
    """Where an asset stands on its way through detection."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Asset:
    """One photo or video of a library. `width`, `height`: pixels of the upright picture, known after detection."""

    id: AssetId
    library_id: LibraryId
    account_id: AccountId
    host_key: str
    path: str
    kind: AssetKind
    content_key: str
    taken_at: datetime | None
    width: int | None
    height: int | None
    state: WorkState
    attempts: int
    error_code: str | None
    error_message: str | None
    gone: bool


@dataclass(frozen=True, slots=True, eq=False)
class FoundFace:
    """One face as detection found it, before it is stored.

    Attributes:
        box: in 0..1 of the upright picture.
        landmarks: float32 (5, 2) in 0..1: eyes (the left one in the picture first), nose tip, mouth corners.
        score: detector score 0..1.
        quality: 0..1, see `plugin.faces.quality`.
        embedding: float32 (d,), unit length.
        norm: length of the raw embedding before it was normalised; the best single quality signal.
        sharpness: variance of the Laplacian of the aligned 112x112 crop.
        pose: 0 (profile) .. 1 (frontal), from the landmarks.
        width_px: face width in pixels of the decoded picture.
        frame_ms: position of the frame in a video; None for photos.
        thumbnail: WebP bytes of the square crop, or None where a better one can be cut on demand.
    """

    box: Box
    landmarks: Float32Array
    score: float
    quality: float
    embedding: Float32Array
    norm: float
    sharpness: float
    pose: float
    width_px: float
    frame_ms: int | None = None
    thumbnail: bytes | None = None


class FaceState(StrEnum):
    """Where a face stands.

    `pending`: waits for recognition. `deferred`: looked at once, waits for all others. `assigned`: belongs to a
    person. `unassigned`: looked at, belongs to nobody (yet). `ignored`: a verdict says it is nobody.
    """

    PENDING = "pending"
    DEFERRED = "deferred"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    IGNORED = "ignored"


class AssignedBy(StrEnum):
    """Whether the machine or a user said who a face is."""

    MACHINE = "machine"
    USER = "user"


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A stored face, without its embedding (see `FaceRows.embeddings`). `drawn`: a user drew its box."""

    id: FaceId
    asset_id: AssetId
    account_id: AccountId
    box: Box
    landmarks: Float32Array
    score: float
    quality: float
    width_px: float
    pack: str
    state: FaceState
    person_id: PersonId | None
    person_name: str | None
    assigned_by: AssignedBy | None
    frame_ms: int | None
    taken_at: datetime | None = None
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who faces belong to; `name` is "" until the user gave one. Counts are over visible faces of present assets.

    `first_taken`, `last_taken`: the oldest and the newest known time of those photos, None when no time is known.
    """

    id: PersonId
    account_id: AccountId
    name: str
    birth_date: date | None
    hidden: bool
    favourite: bool
    feature_face_id: FaceId | None
    face_count: int = 0
    photo_count: int = 0
    first_taken: datetime | None = None
    last_taken: datetime | None = None


class PersonOrder(StrEnum):
    """How people are sorted; those that are equal by number of faces, then by name.

    `named`: favourites, then the named, then by faces. `name`: by name, the unnamed last. `faces`: most faces.
    `recent`: who was seen last.
    """

    NAMED = "named"
    NAME = "name"
    FACES = "faces"
    RECENT = "recent"


@dataclass(frozen=True, slots=True)
class Companion:
    """Somebody often on the same photos; `photos` they share."""

    person: Person
    photos: int


@dataclass(frozen=True, slots=True)
class MonthCount:
    """How many photos of a person a month has; `first_day` is None for those of unknown time."""

    first_day: date | None
    photos: int


class TokenScope(StrEnum):
    """What a token for programs may do: look, correct people and faces, or look after Kinfolk. Each has the former."""

    READ = "read"
    VERDICTS = "verdicts"
    ADMIN = "admin"

    def covers(self, needed: "TokenScope") -> bool:
        """Whether this scope is enough where `needed` is asked for."""
        order = list(TokenScope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """The right of a program to act for an account. The secret itself is stored nowhere, only its digest."""

    id: int
    account_id: AccountId
    name: str
    scope: TokenScope
    created_at: datetime
    last_used_at: datetime | None = None


class VerdictKind(StrEnum):
    """What a user said; never overruled by the machine."""

    IS_PERSON = "is_person"
    IS_NOT_PERSON = "is_not_person"
    IS_NOBODY = "is_nobody"
    PERSONS_DIFFER = "persons_differ"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing a user said. `face_id` is None for `persons_differ`; `person_id` is None for `is_nobody`."""

    id: int
    account_id: AccountId
    kind: VerdictKind
    face_id: FaceId | None
    person_id: PersonId | None
    other_person_id: PersonId | None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a user did to people and faces, in words (a `Sentence` unless it is old); `undone` once taken back."""

    id: int
    account_id: AccountId
    title: str
    at: datetime
    undone: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question to the user: are these faces of nobody this person, or are two people one?

    Attributes:
        key: names the question as long as it is the same question.
        person_id: who it may be.
        face_ids: the faces asked about, all of nobody; empty when two people are compared.
        other_person_id: the smaller one of the two people, or None.
        distance: mean cosine distance between the two sides, 0..2.
        gap: how much farther away the next likely person is.
        likelihood: of a yes, 0..1.
        decides: how many faces an answer decides.
        shown: the faces asked about that are most like the person, at most three.
        shown_of_person: the faces of the person that are most like them, at most three.
    """

    key: str
    person_id: PersonId
    face_ids: tuple[FaceId, ...]
    other_person_id: PersonId | None
    distance: float
    gap: float
    likelihood: float
    decides: int
    shown: tuple[FaceId, ...]
    shown_of_person: tuple[FaceId, ...]


@dataclass(frozen=True, slots=True)
class SplitProposal:
    """A person who looks like several: the faces of each part, most faces first; fewer than two parts: no proposal."""

    person_id: PersonId
    parts: tuple[tuple[FaceId, ...], ...]


@dataclass(frozen=True, slots=True)
class Preferences:
    """The values that detection and recognition run with: settings, else what the Settings page saved, else the pack's.

    Attributes:
        pack: name of the model pack.
        minimum_score: detector score a face must reach, 0.1..1 (advice 0.5..0.9).
        maximum_distance: maximum recognition distance, cosine, 0.1..1.5 (advice 0.3..0.7).
        minimum_faces: minimum recognized faces, >= 1.
        linking: the pack's, see `plugin.ports.vision.PackInfo`.
        method: how faces become people: `kinfolk` (plugin.faces.grouping) or `immich` (plugin.faces.immich).
        fixed: the names among these that config.yaml or the environment sets, so the Settings page cannot.
    """

    pack: str
    minimum_score: float
    maximum_distance: float
    minimum_faces: int
    linking: float
    method: str = "kinfolk"
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fetching:
    """A file of a model pack on its way here: bytes so far, and in all where that is known."""

    what: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """How one kind of long work stands, for the Status page and the terminal.

    `rate` is items per second over the last minutes (None when nothing was finished), `seconds_left` follows from it.
    """

    waiting: int
    running: int
    done: int
    failed: int
    rate: float | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many assets (or listed paths) failed for one reason."""

    code: str
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One answer of the embedding index: a face and its cosine distance, 0..2."""

    face_id: FaceId
    distance: float


@dataclass(frozen=True, slots=True)
class PhotoSearch:
    """Which photos are searched for by who is on them; empty values ask for nothing.

    Attributes:
        every: all of these people are on the photo.
        some: at least one of these.
        none: none of these.
        alone: nobody besides `every` and `some` is on it, strangers included; faces taken away do not count.
        first_day, last_day: when it was taken, both days included.
        at_least: so many faces, those taken away not counted.
    """

    every: tuple[PersonId, ...] = ()
    some: tuple[PersonId, ...] = ()
    none: tuple[PersonId, ...] = ()
    alone: bool = False
    first_day: date | None = None
    last_day: date | None = None
    library_id: LibraryId | None = None
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """What one pass over a host found, as counts of assets; `problems` were counted and stored, not fatal."""

    listed: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    returned: int = 0
    problems: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ExportedFace:
    """One row of `kinfolk export faces`: the face, and where its asset is."""

    library: str
    path: str
    face: Face


class ScanStage(StrEnum):
    """The three parts of a scan, in this order."""

    SYNC = "sync"
    DETECT = "detect"
    RECOGNISE = "recognise"


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a foreground scan is. `total` is None while it is not known (listing); `rate` is items per second."""

    stage: ScanStage
    done: int
    total: int | None
    failed: int = 0
    faces: int = 0
    rate: float | None = None
    seconds_left: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """What the catalogue holds after a scan; counts are over present assets."""

    assets: int
    faces: int
    people: int
    unassigned: int
    failures: tuple[FailureCount, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `kinfolk check` found: one sentence per finding; empty findings mean healthy."""

    healthy: bool
    findings: tuple[str, ...]
    repaired: bool = False
