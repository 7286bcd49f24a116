"""A catalogue whose process is killed: each call is one transaction, so before each call is every moment there is."""


class Killed(BaseException):
    """Stands for kill -9: no handler of the product catches it."""


class DyingCatalogue:
    """Any catalogue, up to a call that never happens.

    Args:
        catalogue: the catalogue, or one of its parts.
        calls: how many calls are still made, as the only entry of a list that is counted down.
    """

    def __init__(self, catalogue: object, calls: list[int]) -> None:
        self._inner = catalogue
        self._calls = calls

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if not callable(found):
            return DyingCatalogue(found, self._calls)

        def call(*args: object, **more: object) -> object:
            self._calls[0] -= 1
            if self._calls[0] < 0:
                raise Killed
            return found(*args, **more)

        return call
