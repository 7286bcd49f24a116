"""What users said on a host with markers becomes verdicts here: who a face is, who it is not, that it is nobody.

Only what somebody said there by hand, never what we wrote ourselves; what the host guessed is asked about. Each marker
is taken over once (`HostPeopleRows.seen`): what is corrected here afterwards stays, until somebody changes it there
again. Everything is an event of the history and can be undone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from plugin.domain import Asset, Face, FaceId, Library, PersonId
from plugin.errors import NotFound, Refused
from plugin.people import People, clean_name
from plugin.ports.catalogue import Catalogue
from plugin.ports.writing import MarkedPhoto, Marker
from plugin.ports.written import NameKind, PersonLink, WrittenState
from plugin.sentences import Sentence
from plugin.writeback.marker_names import fold, shortened
from plugin.writeback.marker_words import MarkedFace, News, Taken, matched, word


class TakingOver:
    """Takes over what users of one library's host said.

    Args:
        catalogue: where everything is stored.
        library: whose host.
        people: carries out what they said.
    """

    def __init__(self, catalogue: Catalogue, library: Library, people: People) -> None:
        self._catalogue = catalogue
        self._library = library
        self._account_id = library.account_id
        self._people = people
        self._names: dict[str, str] = {}
        self._called: dict[str, str] = {}

    def subjects(self, names: dict[str, str]) -> Taken:
        """People were renamed there: they are renamed here, too. Call this before anything else."""
        self._names, taken = names, Taken()
        for link in self._catalogue.host_people.links(self._library.id):
            there = names.get(link.subject)
            if there is None or there == link.there:
                continue
            if link.aim and fold(there) == fold(shortened(link.aim)):
                # A rename of ours whose answer nobody heard.
                done = replace(link, name=link.aim, there=there, aim="")
                self._catalogue.host_people.agree(self._library.id, done)
            else:
                taken.renamed += self._rename(link, there)
        return taken

    def _rename(self, link: PersonLink, there: str) -> int:
        try:
            name = clean_name(there)
        except Refused:
            return 0
        if name != link.called:
            title = Sentence("Took the name %(name)s over from %(library)s", name=name, library=self._library.name)
            with self._catalogue.events.record(self._account_id, title):
                self._people.rename(self._account_id, link.person_id, name)
        agreed = PersonLink(link.subject, link.person_id, name, there, there if link.before else "")
        self._catalogue.host_people.agree(self._library.id, agreed)
        return int(name != link.called)

    def one(self, asset: Asset, photo: MarkedPhoto) -> Taken:
        """What somebody changed on one photo."""
        return self.all([(asset, photo)])

    def all(self, photos: Iterable[tuple[Asset, MarkedPhoto]]) -> Taken:
        """What somebody said on these photos, as one event."""
        taken, news = Taken(), News()
        known = self._catalogue.host_people.links(self._library.id)
        links = {link.subject: link.person_id for link in known}
        self._called = {link.subject: link.name for link in known}
        for asset, photo in photos:
            taken.unusable += photo.unusable
            self._look(asset, photo, links, news, taken)
        title = Sentence(
            "Took a name over from %(library)s",
            "Took %(num)s names over from %(library)s",
            num=sum(map(len, news.named.values())) + sum(map(len, news.not_them.values())) + len(news.nobody),
            library=self._library.name,
        )
        with self._catalogue.events.record(self._account_id, title):
            self._say(news, links, taken)
        if news.guesses:
            self._catalogue.host_people.guess(self._library.id, news.guesses)
        for asset, seen in news.seen:
            clear = {marker: said for marker, said in seen.items() if said not in news.unclear}
            self._catalogue.host_people.see(asset.id, clear)
        return taken

    def _look(self, asset: Asset, photo: MarkedPhoto, links: dict[str, PersonId], news: News, taken: Taken) -> None:
        seen = self._catalogue.host_people.seen(asset.id)
        new = [marker for marker in photo.markers if seen.get(marker.id) != word(marker)]
        if not new:
            return
        faces = [face for face in self._catalogue.faces.of_asset(asset.id, self._account_id) if face.frame_ms is None]
        _, written = self._catalogue.written.names_of(asset, NameKind.MARKERS)
        own = {row.mark: row.key.face_id for row in written if row.mark and row.state is WrittenState.WRITTEN}
        matches = matched(photo.markers, {marker.id for marker in new}, faces, own)
        remembered: dict[str, str] = {}
        for marker in new:
            face = matches.get(marker.id)
            case = MarkedFace(marker, face, seen.get(marker.id), written, links, self._is_denied_here)
            if case.is_ours(self._called):
                self._meet(case, links)
                continue
            if face is None and marker.subject and not marker.invalid:
                taken.faceless += marker.by_hand  # looked at again: a later detection may find the face
                continue
            remembered[marker.id] = word(marker)
            case.note(news, taken)
        news.seen.append((asset, remembered))

    def _meet(self, case: MarkedFace, links: dict[str, PersonId]) -> None:
        """Remember who the host's person is, where the answer that said it was lost."""
        subject, mine = case.marker.subject, case.reached()
        there = self._names.get(subject) or case.marker.name
        if mine is None or not subject or subject in links or fold(there) != fold(shortened(mine.name)):
            return
        if not self._catalogue.people.existing(self._account_id, [mine.person_id]):
            return
        # Nobody knows whether we made this person, so the name is given back in the end as if we had not.
        self._catalogue.host_people.agree(self._library.id, replace(mine, subject=subject, there=there, before=there))
        links[subject], self._called[subject] = mine.person_id, mine.name

    def _is_denied_here(self, marker: Marker, face: Face, linked: PersonId | None) -> bool:
        """Whether a user of Kinfolk said that this face is not whom the marker names."""
        rejected = self._catalogue.verdicts.rejected_persons(face.id)
        if not rejected or linked is not None:
            return linked in rejected
        try:
            there = self._names.get(marker.subject) or marker.name
            namesakes = self._people.same_name(self._account_id, there)
        except Refused:
            return False
        return any(person.id in rejected for person in namesakes)

    def _say(self, news: News, links: dict[str, PersonId], taken: Taken) -> None:
        for subject, face_ids in news.named.items():
            # A subject made while the markers were listed is known by its markers only.
            there = self._names.get(subject) or news.names.get(subject, "")
            done = self._named(subject, there, face_ids, links)
            taken.named += done
            if not done:
                taken.unclear += len(face_ids)
                news.unclear.add(subject)
        for person_id, face_ids in news.not_them.items():
            if self._catalogue.people.existing(self._account_id, [person_id]):
                self._people.reject_all(self._account_id, face_ids, person_id)
                taken.taken_back += len(face_ids)
        if news.nobody:
            self._people.ignore_all(self._account_id, news.nobody)
            taken.taken_back += len(news.nobody)

    def _named(self, subject: str, there: str, face_ids: Sequence[FaceId], links: dict[str, PersonId]) -> int:
        """These faces are this subject, who is called so there; 0 when it is unclear who that is."""
        try:
            name = clean_name(there)
            known = [person.id for person in self._people.same_name(self._account_id, name)]
            person_id = links.get(subject)
            if person_id is None:
                free = [found for found in known if found not in links.values()]
                if len(free) > 1:
                    return 0
                person_id = free[0] if free else None
            if person_id is None:
                person_id = self._people.assign_all_new(self._account_id, face_ids, name)
            else:
                self._people.assign_all(self._account_id, face_ids, person_id)
        except (Refused, NotFound):
            return 0
        if subject not in links:
            links[subject] = person_id
            self._catalogue.host_people.agree(self._library.id, PersonLink(subject, person_id, name, there, there))
        return len(face_ids)
