"""Generated albums of any size whose embeddings lie as far apart as those of real faces.

Measured on 5,122 and 2,388 labelled faces of real photos (`friends` and `families`: celebrities with strangers, and
relatives of all ages; SCRFD-500M with MobileFaceNet `w600k`, the pack `buffalo_s`, 512 numbers), cosine distances:

| pairs | mean | spread | 0.01 % | 0.1 % | 1 % | 5 % | 50 % | 95 % | 99 % |
|---|---|---|---|---|---|---|---|---|---|
| friends, one person | .459 | .135 | .002 | .038 | .172 | .253 | .450 | .694 | .806 |
| friends, two people | .994 | .067 | .705 | .766 | .831 | .883 | .995 | 1.102 | 1.146 |
| families, one person | .580 | .201 | .026 | .081 | .184 | .270 | .574 | .895 | .966 |
| families, two people | .982 | .075 | .553 | .671 | .788 | .857 | .984 | 1.099 | 1.146 |

57 % of the people in friends and 18 % of those in families were seen once; the most frequent ones had 1 % and 4 % of
all faces. 80 and 16 % of the pictures show one face, the rest mostly two or three. `distances(album(20_000))` measures
the same on a generated album, so that anybody can compare.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.domain import Float32Array
from plugin.faces.neighbours import IntArray

DIMENSION = 512

DECAY = 128.0
"""The spectrum of embeddings falls by e over this many numbers: cosines of two people then spread by .067."""

COMMON = 0.07
"""Length of what all faces have in common: the mean vector of friends is .087 long."""

LIKENESS, LIKENESS_SPREAD = 0.735, 0.125
"""Cosine of a face with its person: the square is the mean cosine of two faces of one person, .541."""

RELATIVES, RELATED = 4, 0.35
"""People come in families of this many, whose members share up to this much (squared cosine) of their looks."""

STRANGERS = 0.4
"""Share of faces that belong to people seen once. More than in the albums measured: streets, parties, concerts."""

MOST_FREQUENT = 0.05
"""Share of all faces that the most frequent person has: 5,000 of 100,000."""

RARER = 0.9
"""The k-th most frequent person has k to the minus this many times the faces of the first (Zipf), but at least two."""

FACES_PER_PICTURE = (0.5, 0.25, 0.14, 0.07, 0.04)
"""Shares of pictures with one to five faces, between friends and families."""

ROWS = 4096
"""Faces generated together, so that generating takes no memory beside the album itself."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """A generated album: embedding float32 (n, 512), person int64 (n,), picture int64 (n,); in random order."""

    embedding: Float32Array
    person: IntArray
    picture: IntArray


def album(faces: int, seed: int = 7) -> Crowd:
    """A family album of this many faces."""
    random = np.random.default_rng(seed)
    person = random.permutation(np.repeat(np.arange(len(sizes := person_sizes(faces))), sizes)).astype(np.int64)
    return Crowd(_embed(random, person), person, _pictures(random, person))


def person_sizes(faces: int) -> IntArray:
    """How many faces each person has, most first; adds up to `faces`."""
    strangers = round(STRANGERS * faces)
    zipf = MOST_FREQUENT * faces * np.arange(1, faces + 1) ** -RARER
    sizes = np.maximum(2, zipf.astype(np.int64))
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), faces - strangers, side="right"))]
    return np.concatenate([sizes, np.ones(faces - int(sizes.sum()), dtype=np.int64)])


def copies(faces: int, seed: int = 7) -> Crowd:
    """One face again and again, as a poster or a meme, each in its own picture."""
    one = _embed(np.random.default_rng(seed), np.zeros(1, dtype=np.int64))
    return Crowd(np.repeat(one, faces, axis=0), np.zeros(faces, dtype=np.int64), np.arange(faces, dtype=np.int64))


def strangers(faces: int, seed: int = 7) -> Crowd:
    """As many people as faces, each in a picture of their own."""
    everybody = np.arange(faces, dtype=np.int64)
    return Crowd(_embed(np.random.default_rng(seed), everybody), everybody, everybody)


def one_person(faces: int, seed: int = 7) -> Crowd:
    """All faces of one person, each in its own picture."""
    alone = np.zeros(faces, dtype=np.int64)
    return Crowd(_embed(np.random.default_rng(seed), alone), alone, np.arange(faces, dtype=np.int64))


def distances(crowd: Crowd, sample: int = 6_000) -> dict[str, list[float]]:
    """Mean, spread and the percentiles of the table above, for pairs of one person and of two."""
    embedding, person = crowd.embedding[:sample], crowd.person[:sample]
    upper = np.triu_indices(len(person), 1)
    apart = (1 - embedding @ embedding.T)[upper]
    same = (person[:, None] == person)[upper]
    return {name: _measures(apart[which]) for name, which in (("one person", same), ("two people", ~same))}


def _measures(apart: Float32Array) -> list[float]:
    if not len(apart):
        return []
    return [float(apart.mean()), float(apart.std()), *np.percentile(apart, [0.01, 0.1, 1, 5, 50, 95, 99]).tolist()]


def _embed(random: np.random.Generator, person: IntArray) -> Float32Array:
    """One unit vector per entry: what all have in common, the family, the person and the moment."""
    people = int(person.max(initial=-1)) + 1
    kinship = np.sqrt(random.uniform(0, RELATED, people // RELATIVES + 1)).astype(np.float32)
    family = _directions(random, len(kinship))
    centre = _directions(random, people)
    for start in range(0, people, ROWS):
        rows = np.arange(start, min(start + ROWS, people))
        shared = kinship[rows // RELATIVES, None]
        centre[rows] = shared * family[rows // RELATIVES] + np.sqrt(1 - shared**2) * centre[rows]
    embedding = np.empty((len(person), DIMENSION), dtype=np.float32)
    common = _directions(random, 1) * np.float32(COMMON)
    for start in range(0, len(person), ROWS):
        who = person[start : start + ROWS]
        alike = np.clip(random.normal(LIKENESS, LIKENESS_SPREAD, (len(who), 1)), 0.2, 0.98).astype(np.float32)
        faces = alike * centre[who] + np.sqrt(1 - alike**2) * _directions(random, len(who)) + common
        embedding[start : start + ROWS] = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    return embedding


def _directions(random: np.random.Generator, count: int) -> Float32Array:
    """Unit vectors float32 (count, 512) with a falling spectrum."""
    found: Float32Array = random.standard_normal((count, DIMENSION), dtype=np.float32)
    found *= np.exp(-np.arange(DIMENSION) / (2 * DECAY)).astype(np.float32)
    for start in range(0, count, ROWS):
        found[start : start + ROWS] /= np.linalg.norm(found[start : start + ROWS], axis=1, keepdims=True)
    return found


def _pictures(random: np.random.Generator, person: IntArray) -> IntArray:
    """Faces in random company; nobody twice in one picture."""
    per_picture = random.choice(len(FACES_PER_PICTURE), len(person), p=FACES_PER_PICTURE) + 1
    picture = np.repeat(np.arange(len(person)), per_picture)[: len(person)].astype(np.int64)
    first = np.zeros(len(person), dtype=np.bool_)
    first[np.unique(picture * np.int64(len(person)) + person, return_index=True)[1]] = True
    again: npt.NDArray[np.int64] = np.flatnonzero(~first)
    picture[again] = len(person) + again
    return picture
