"""Every error Kinfolk raises on purpose, in one tree.

Each error says what happened (`str(error)`), what the user can do (`advice`), whether trying again can help
(`permanent`), and a short `code` under which it is counted and shown.

KinfolkError
├── SettingsError            a key in config.yaml, the environment or the command line is wrong
├── AlreadyRunning           another process holds this data folder
├── DiskFull                 no space left where Kinfolk writes
├── Busy                     everything that can do this is in use; try again later
├── NotFound                 no such thing, or not yours
├── Refused                  the request breaks a rule of the product (an empty name, a foreign person)
│   ├── Stale                somebody or something changed it meanwhile
│   └── NotAllowed           whose library it is lets the visitor look only
├── CatalogueError           the SQL store
│   ├── CatalogueCorrupt     the file is damaged; it was left untouched
│   └── CatalogueNewer       written by a newer Kinfolk; it was left untouched
├── HostError                the program that owns the photos
│   ├── HostUnreachable      try again later
│   │   ├── HostBusy         it asked to be left alone for a while
│   │   ├── AnswerFailed     it is there, but this one request failed inside it
│   │   ├── BadListing       what it listed is broken off or no listing
│   │   └── NoRoom           no space left here for what it sends
│   ├── HostRefused          credentials or rights
│   │   ├── LoginRefused         the password is wrong or was revoked
│   │   └── CertificateRefused   nobody vouches for its certificate
│   ├── AssetGone            the asset is no longer there
│   └── WriteError           one thing could not be written there; `permanent` tells whether to try again
│       ├── ChangedMeanwhile somebody wrote there since it was read; read it again
│       ├── WriteLocked      somebody holds it open; later
│       ├── HostFull         no space or quota left; nothing more can be written now
│       ├── WriteRefused     this one may not be written
│       └── SidecarUnusable  a sidecar file that is harmful, broken or not ours to change
├── PictureError             one photo or video cannot be used
│   ├── PictureBroken        damaged, truncated, empty, not what its name says
│   ├── PictureTooLarge      over the decode limits
│   └── PictureUnsupported   a format this installation cannot read
├── ModelError               packs and ONNX Runtime
│   ├── PackUnknown          no pack of that name
│   ├── PackUnavailable      no source could deliver a file with the right checksum
│   ├── LicenceNotAccepted   the pack needs its licence accepted first
│   ├── RuntimeClash         more than one (or no) ONNX Runtime is installed
│   └── AcceleratorFailed    a GPU provider failed; the CPU takes over
├── BrokerError              the MQTT broker of a smart home
│   ├── BrokerAway           not there, or lost; tried again
│   └── BrokerRefused        it, or the Supervisor that names it, refused the login
└── SearchIndexError         the embedding index
    └── SearchIndexDamaged   it must be rebuilt from the catalogue
"""

from plugin.sentences import Sentence


def said(text: str) -> Sentence:
    """The text as a sentence that can be translated, also inside another one."""
    return text if isinstance(text, Sentence) else Sentence(text)


class KinfolkError(Exception):
    """Base of all errors that are part of the design.

    Args:
        message: what happened, one sentence, without a trailing full stop.
        advice: what the user can do about it; empty where nothing can be done.
        values: what goes into `%(name)s` in both. Texts written this way (not as f-strings) can be translated.
    """

    code = "error"
    permanent = True

    def __init__(self, message: str, advice: str = "", **values: object) -> None:
        self.message = Sentence(message, **values) if values else message
        self.advice = Sentence(advice, **values) if values else advice
        super().__init__(self.message)

    @property
    def explanation(self) -> Sentence:
        """The message and the advice as one text for a person."""
        if self.advice:
            return Sentence("%(happened)s. %(advice)s", happened=said(self.message), advice=said(self.advice))
        return Sentence("%(happened)s.", happened=said(self.message))


class SettingsError(KinfolkError):
    """A setting is wrong; the message names key, value and allowed range."""

    code = "settings"


class AlreadyRunning(KinfolkError):
    """Another process holds the data folder."""

    code = "already_running"


class DiskFull(KinfolkError):
    """The disk that holds the data folder has no space left."""

    code = "disk_full"
    permanent = False


class Busy(KinfolkError):
    """Everything that can do this is in use."""

    code = "busy"
    permanent = False


class NotFound(KinfolkError):
    """The thing asked for does not exist or belongs to another account."""

    code = "not_found"


class Refused(KinfolkError):
    """The request breaks a rule of the product."""

    code = "refused"


class Stale(Refused):
    """The request was made for a state that is not the present one any more; nothing was changed."""

    code = "stale"


class NotAllowed(Refused):
    """The visitor may look at it, and no more."""

    code = "not_allowed"


class CatalogueError(KinfolkError):
    """The SQL store cannot be used."""

    code = "catalogue"


class CatalogueCorrupt(CatalogueError):
    """The catalogue's file is damaged; it was left untouched."""

    code = "catalogue_corrupt"


class CatalogueNewer(CatalogueError):
    """The catalogue was written by a newer Kinfolk; it was left untouched."""

    code = "catalogue_newer"


class HostError(KinfolkError):
    """The program that owns the photos did not deliver."""

    code = "host"
    permanent = False


class HostUnreachable(HostError):
    """The host is down, the folder is not mounted, the network is away."""

    code = "host_unreachable"


class HostRefused(HostError):
    """The host refused: wrong credentials, missing rights."""

    code = "host_refused"
    permanent = True


class HostBusy(HostUnreachable):
    """The host asked to be left alone: throttled, overloaded or under maintenance.

    Attributes:
        seconds: for how long.
        asked: whether it said so about this very request; else it was not asked, since that is known.
        put_off: whether it is sure that nothing was done.
        whole: whether the whole host is meant; else it may be the one thing that was asked for.
    """

    code = "host_busy"

    def __init__(self, message: str, advice: str, seconds: float) -> None:
        super().__init__(message, advice)
        self.seconds = seconds
        self.asked = True
        self.put_off = False
        self.whole = True

    def not_asked(self, seconds: float) -> "HostBusy":
        """For another request, which is not sent while the host wants to be left alone for so long."""
        error = HostBusy(self.message, self.advice, seconds)
        error.asked, error.put_off = False, True
        return error


class AnswerFailed(HostUnreachable):
    """The host is there, but this one request failed inside it, or a storage behind it is away.

    Args:
        message: as of every error.
        advice: as of every error.
        status: of HTTP; 0: not known.
    """

    code = "answer_failed"

    def __init__(self, message: str, advice: str = "", status: int = 0) -> None:
        super().__init__(message, advice, **({"status": status} if status else {}))
        self.status = status


class BadListing(HostUnreachable):
    """What the host listed is broken off, malformed or hostile; what was read must not be taken for everything."""

    code = "bad_listing"


class NoRoom(HostUnreachable):
    """There is no space left here for what the host sends, so that photo waits; others may still fit."""

    code = "no_room"


class LoginRefused(HostRefused):
    """The password is wrong, was revoked, or the user may not log in. Not `permanent`: users connect again."""

    code = "login_refused"
    permanent = False


class CertificateRefused(HostRefused):
    """The certificate is self-signed, expired, for another name, or not the one that was confirmed."""

    code = "certificate_refused"
    permanent = False


class AssetGone(HostError):
    """The asset is no longer on the host."""

    code = "asset_gone"
    permanent = True


class WriteError(HostError):
    """One thing could not be written to the host."""

    code = "write"


class ChangedMeanwhile(WriteError):
    """Somebody wrote there since it was read (HTTP 412); nothing was written."""

    code = "changed_meanwhile"


class WriteLocked(WriteError):
    """Somebody holds it open (HTTP 423)."""

    code = "write_locked"


class HostFull(WriteError):
    """No space, or no quota, is left (HTTP 507)."""

    code = "host_full"


class WriteRefused(WriteError):
    """This one may not be written, whoever asks (a read-only share, HTTP 403)."""

    code = "write_refused"
    permanent = True


class SidecarUnusable(WriteError):
    """A sidecar file that must be left as it is.

    Args:
        message: why.
        code: the reason in short: `sidecar_not_xml`, `sidecar_not_utf8`, `sidecar_not_xmp`, `sidecar_harmful`,
            `sidecar_too_large`, `sidecar_other_size`, `sidecar_elsewhere`.
    """

    permanent = True

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, "It was left as it is")
        self.code = code


class PictureError(KinfolkError):
    """One photo or video cannot be used; the others go on."""

    code = "picture"


class PictureBroken(PictureError):
    """The file is empty, damaged, truncated or not a picture at all."""

    code = "picture_broken"


class PictureTooLarge(PictureError):
    """The file exceeds the decode limits (bytes, pixels)."""

    code = "picture_too_large"


class PictureUnsupported(PictureError):
    """A real picture in a format this installation cannot read."""

    code = "picture_unsupported"


class ModelError(KinfolkError):
    """Packs and ONNX Runtime."""

    code = "model"


class PackUnknown(ModelError):
    """There is no pack of that name."""

    code = "pack_unknown"


class PackUnavailable(ModelError):
    """No source delivered a file with the expected SHA-256."""

    code = "pack_unavailable"
    permanent = False


class LicenceNotAccepted(ModelError):
    """The pack's licence must be accepted before it is fetched."""

    code = "licence_not_accepted"


class RuntimeClash(ModelError):
    """Not exactly one ONNX Runtime distribution is installed."""

    code = "runtime_clash"


class AcceleratorFailed(ModelError):
    """A GPU provider failed; the CPU takes over."""

    code = "accelerator_failed"


class BrokerError(KinfolkError):
    """The MQTT broker of a smart home cannot be used now; it is tried again by itself."""

    code = "broker"
    permanent = False


class BrokerAway(BrokerError):
    """The broker does not answer, or the connection was lost."""

    code = "broker_away"


class BrokerRefused(BrokerError):
    """The broker, or the Supervisor that names it, does not accept the login."""

    code = "broker_refused"


class SearchIndexError(KinfolkError):
    """The embedding index cannot answer."""

    code = "search_index"
    permanent = False


class SearchIndexDamaged(SearchIndexError):
    """The index on disk is damaged and must be rebuilt from the catalogue."""

    code = "search_index_damaged"
