"""What a folder holds that cannot be taken: one function per kind, each with one message to count by."""

from plugin.domain import IntakeProblem


def unreadable(path: str, code: str, error: BaseException | None) -> IntakeProblem:
    """A folder or file the system does not let us read; what is at or below it is not taken for deleted."""
    what = "folder" if code == "folder_unreadable" else "file"
    reason = (isinstance(error, OSError) and error.strerror) or "unknown reason"
    return IntakeProblem(path, code, f"The {what} cannot be read: {reason}", hides_below=True)


def name_not_utf8(path: str, *, folder: bool) -> IntakeProblem:
    """A name in another encoding than UTF-8 (often Latin-1 from an old disk)."""
    message = "The name is not UTF-8; rename it, or convert names with convmv"
    return IntakeProblem(path, "name_not_utf8", message, hides_below=folder)


def link_loop(path: str) -> IntakeProblem:
    """A link that leads back to a folder above it or to itself."""
    return IntakeProblem(path, "link_loop", "The link leads in a circle; it was not followed")


def link_broken(path: str) -> IntakeProblem:
    """A link to something that is not there, perhaps on a disk that is not mounted."""
    return IntakeProblem(path, "link_broken", "The link leads to nothing")


def outside_root(path: str) -> IntakeProblem:
    """A link that leads out of the library's folder."""
    message = "The link leads out of the library's folder; add the place it leads to as a library of its own"
    return IntakeProblem(path, "outside_root", message)


def raw(path: str) -> IntakeProblem:
    """A raw photo without a JPEG or HEIC of the same name beside it."""
    return IntakeProblem(path, "raw_unsupported", "Raw photos are not read; put a JPEG of the same name beside it")


def not_a_file(path: str) -> IntakeProblem:
    """A pipe, socket or device under the name of a photo."""
    return IntakeProblem(path, "not_a_file", "It has the name of a photo but is a pipe, a socket or a device")
