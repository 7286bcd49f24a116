"""Verdicts are constraints: every run starts from them."""

from plugin.domain import AccountId, AssignedBy, Face, FaceId, FaceState, Verdict, VerdictKind
from plugin.ports.catalogue import Catalogue


def apply_verdicts(catalogue: Catalogue) -> None:
    """Make every face what a user said it is. Changes something only after a kill between a verdict and its effect."""
    for account in catalogue.accounts.all():
        _apply(catalogue, account.id)


def _apply(catalogue: Catalogue, account_id: AccountId) -> None:
    said = [verdict for verdict in catalogue.verdicts.all(account_id) if verdict.face_id is not None]
    ids = list(dict.fromkeys(verdict.face_id for verdict in said if verdict.face_id is not None))
    faces: dict[FaceId | None, Face] = {face.id: face for face in catalogue.faces.many(ids)}
    for verdict in said:
        if (face := faces.get(verdict.face_id)) and not _holds(verdict, face):
            _carry_out(catalogue, verdict, face)


def _holds(verdict: Verdict, face: Face) -> bool:
    match verdict.kind:
        case VerdictKind.IS_PERSON:
            return face.person_id == verdict.person_id and face.assigned_by is AssignedBy.USER
        case VerdictKind.IS_NOT_PERSON:
            return face.person_id != verdict.person_id
        case VerdictKind.IS_NOBODY:
            return face.state is FaceState.IGNORED
        case VerdictKind.PERSONS_DIFFER:
            return True  # about persons: it keeps them from being suggested as one, no face moves


def _carry_out(catalogue: Catalogue, verdict: Verdict, face: Face) -> None:
    match verdict.kind:
        case VerdictKind.IS_PERSON:
            catalogue.faces.assign([(face.id, verdict.person_id)], AssignedBy.USER)
        case VerdictKind.IS_NOT_PERSON:
            catalogue.faces.assign([(face.id, None)], AssignedBy.USER, FaceState.UNASSIGNED)
        case VerdictKind.IS_NOBODY:
            catalogue.faces.set_state([face.id], FaceState.IGNORED)
        case VerdictKind.PERSONS_DIFFER:
            pass
