"""What is read of a PhotoPrism."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PhotoPrismOptions:
    """What a user may choose.

    Attributes:
        private: whether photos marked as private are read too.
        videos: whether videos are listed too.
        size: of the pictures that are looked at. PhotoPrism makes all sizes up to 1920 pixels when it indexes, unless
            its own settings say otherwise; then it sends the largest it has.
        page: photos asked for at once, about 2 KB each.
        live: whether PhotoPrism's websocket is listened to.
    """

    private: bool = False
    videos: bool = True
    size: str = "fit_1920"
    page: int = 1000
    live: bool = False

    @property
    def generation(self) -> str:
        """Changes with what is chosen, and so makes everything be listed again."""
        return f"{int(self.private)}{int(self.videos)}"
