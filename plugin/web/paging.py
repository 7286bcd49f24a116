"""Pages of a long list, by plain links."""

from dataclasses import dataclass

from flask import request


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is shown. `number` counts from 1 and is never beyond the last page."""

    number: int
    page_size: int
    total: int

    @property
    def pages(self) -> int:
        """At least 1."""
        return max(1, -(-self.total // self.page_size))

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.page_size

    @property
    def previous(self) -> int | None:
        """The page before, or None on the first."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The page after, or None on the last."""
        return self.number + 1 if self.number < self.pages else None


def asked_number() -> int:
    """The page the address asks for (`?page=3`), at least 1; nonsense means the first."""
    text = request.args.get("page", "1")
    return max(int(text), 1) if text.isascii() and text.isdecimal() and len(text) < 10 else 1


def asked_page(total: int, page_size: int) -> Paging:
    """The page the address asks for; too far means the last."""
    return Paging(min(asked_number(), Paging(1, page_size, total).pages), page_size, total)
