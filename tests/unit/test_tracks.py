"""A video gives one face per person: the best one of its track."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain import Box, FoundFace
from plugin.faces.tracks import one_face_per_track

ANNA, BEN = 0, 1


def face(person: int, quality: float = 0.5, x: float = 0.1, away: float = 0.0) -> FoundFace:
    """A face of a person, `away` radians from the person's direction; persons are 90 degrees apart."""
    embedding = np.zeros(16, np.float32)
    embedding[person], embedding[-1] = np.cos(away), np.sin(away)
    landmarks = np.zeros((5, 2), np.float32)
    return FoundFace(Box(x, 0.1, 0.1, 0.1), landmarks, 0.9, quality, embedding, 10.0, 100.0, 1.0, 80.0)


def test_a_person_in_every_frame_gives_the_best_face_only() -> None:
    frames = [(0, [face(ANNA, 0.3)]), (1000, [face(ANNA, 0.9)]), (2000, [face(ANNA, 0.5)])]
    assert [found.quality for found in one_face_per_track(frames, 0.5)] == [0.9]


def test_two_people_give_two_faces_in_the_order_they_appear() -> None:
    frames = [(0, [face(ANNA, 0.3)]), (1000, [face(BEN, 0.4), face(ANNA, 0.2)])]
    assert [found.quality for found in one_face_per_track(frames, 0.5)] == [0.3, 0.4]


def test_someone_who_leaves_and_comes_back_is_one_track() -> None:
    frames = [(0, [face(ANNA, 0.3)]), (1000, []), (2000, [face(BEN)]), (3000, [face(ANNA, 0.8)])]
    assert [found.quality for found in one_face_per_track(frames, 0.5)] == [0.8, 0.5]


def test_two_faces_of_one_frame_are_two_people_however_alike() -> None:
    frames = [(0, [face(ANNA, x=0.1), face(ANNA, x=0.6)]), (1000, [face(ANNA, x=0.1), face(ANNA, x=0.6)])]
    assert len(one_face_per_track(frames, 0.5)) == 2


def test_the_closest_pair_is_linked_first() -> None:
    """Anna's track could take either face of the second frame; it takes the nearer one, though that comes second."""
    frames = [(0, [face(ANNA, 0.9)]), (1000, [face(ANNA, 0.2, x=0.1, away=0.6), face(ANNA, 0.1, x=0.6)])]
    assert [found.quality for found in one_face_per_track(frames, 0.5)] == [0.9, 0.2]


def test_a_distance_of_exactly_the_maximum_is_another_person() -> None:
    frames = [(0, [face(ANNA)]), (1000, [face(BEN)])]
    assert len(one_face_per_track(frames, 1.0)) == 2
    assert len(one_face_per_track(frames, 1.01)) == 1


def test_a_track_follows_the_mean_of_its_faces() -> None:
    """0 and 1.4 radians are too far apart for a link, but the mean of 0 and 0.8 is near enough to 1.4."""
    frames = [(0, [face(ANNA)]), (1000, [face(ANNA, away=0.8)]), (2000, [face(ANNA, away=1.4)])]
    assert len(one_face_per_track(frames, 0.5)) == 1
    assert len(one_face_per_track([frames[0], frames[2]], 0.5)) == 2


def test_frames_may_come_in_any_order_and_ties_go_to_the_earliest() -> None:
    early, late = face(ANNA, x=0.1), face(ANNA, x=0.9)
    assert one_face_per_track([(5000, [late]), (100, [early])], 0.5) == [early]


def test_a_video_without_faces_gives_none() -> None:
    assert one_face_per_track([], 0.5) == []
    assert one_face_per_track([(0, []), (1000, [])], 0.5) == []


FACES = st.builds(
    face,
    person=st.integers(0, 5),
    quality=st.floats(0, 1),
    x=st.floats(0, 0.9),
    away=st.floats(0, 1.2),
)


@given(st.lists(st.lists(FACES, max_size=4), max_size=6), st.floats(0.05, 1.5), st.randoms())
def test_the_order_of_the_faces_in_a_frame_does_not_matter(
    frames: list[list[FoundFace]], maximum_distance: float, random: Random
) -> None:
    """And no face is made up, none comes twice, and there are at least as many tracks as faces in one frame."""
    timed = [(1000 * i, found) for i, found in enumerate(frames)]
    shuffled = [(at_ms, random.sample(found, len(found))) for at_ms, found in timed]
    tracks = one_face_per_track(timed, maximum_distance)
    assert [describe(found) for found in one_face_per_track(shuffled, maximum_distance)] == [
        describe(found) for found in tracks
    ]
    all_faces = {id(found) for frame in frames for found in frame}
    assert {id(found) for found in tracks} <= all_faces
    assert len({id(found) for found in tracks}) == len(tracks)
    assert len(tracks) >= max((len(frame) for frame in frames), default=0)


def describe(found: FoundFace) -> tuple[float, ...]:
    """What tells two generated faces apart."""
    return (found.box.x, found.quality, *found.embedding.tolist())
