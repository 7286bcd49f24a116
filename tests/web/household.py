"""Maria and her neighbour: one library is shared, one is not."""

from plugin.catalogue.store import SqlCatalogue
from plugin.domain import AccountId, AssetId, FaceId, LibraryId, PersonId, View
from plugin.sharing import Sharing
from tests.web.family import Family, add_photo, family_with_photos
from tests.web.portraits import Figure

DIARY = "Diary"


class Household:
    """One album of two libraries.

    Maria shares her family photos with the neighbour, not her diary, where Xaver is and Anna, too.
    """

    def __init__(self, catalogue: SqlCatalogue | None = None) -> None:
        self.family: Family = family_with_photos(catalogue)
        self.owner: AccountId = self.family.account.id
        rows = self.family.catalogue.libraries
        self.diary = rows.add(self.owner, "folder", DIARY, "/photos/diary")
        figures = (Figure(6, 0.1, 0.3, 0.2), Figure(0, 0.6, 0.3, 0.2))
        self.secret_face, self.anna_in_diary = add_photo(
            self.family, self.diary, "diary.jpg", None, (1200, 800), figures, rows.sync_started(self.diary.id)
        )
        rows.sync_finished(self.diary.id, None)
        self.xaver = self.family.services.people.assign_new(self.owner, self.secret_face, "Xaver")
        self.family.services.people.assign(self.owner, self.anna_in_diary, self.anna)
        self.share(may_correct=True)

    @property
    def sharing(self) -> Sharing:
        return self.family.services.sharing

    @property
    def anna(self) -> PersonId:
        return self.family.people["Anna"]

    @property
    def view(self) -> View:
        return self.sharing.view(self.family.neighbour.id, self.owner)

    @property
    def shared_library(self) -> LibraryId:
        assert self.family.library
        return self.family.library.id

    def share(self, *, may_correct: bool) -> None:
        self.sharing.share(self.owner, self.shared_library, self.family.neighbour.id, may_correct=may_correct)

    def face(self, name: str) -> FaceId:
        return self.family.face_of(name, -1)

    @property
    def secret_asset(self) -> AssetId:
        return self.family.catalogue.faces.get(self.secret_face).asset_id

    def newest(self) -> str:
        return self.family.catalogue.events.all(self.owner, 1)[0].title

    def who(self, face_id: FaceId) -> PersonId | None:
        return self.family.catalogue.faces.get(face_id).person_id
