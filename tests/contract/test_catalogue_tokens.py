"""Contract of `TokenRows`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.domain import TokenScope
from plugin.errors import NotFound
from tests.contract.catalogue_cast import STORES, Cast, open_store

DIGEST, OTHER = b"1" * 32, b"2" * 32


@pytest.fixture(params=STORES)
def cast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cast]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def somebody_else(cast: Cast) -> int:
    found = cast.catalogue.accounts.by_name("Nora")
    return (found or cast.catalogue.accounts.add("Nora", None, is_admin=False)).id


def test_a_token_is_found_by_its_digest_only(cast: Cast) -> None:
    token = cast.catalogue.tokens.add(cast.account.id, "Dashboard", TokenScope.VERDICTS, DIGEST)
    assert (token.account_id, token.name, token.scope, token.last_used_at) == (
        cast.account.id,
        "Dashboard",
        "verdicts",
        None,
    )
    assert cast.catalogue.tokens.by_digest(DIGEST) == token
    assert cast.catalogue.tokens.by_digest(OTHER) is None
    assert cast.catalogue.tokens.by_digest(DIGEST[:31]) is None


def test_tokens_are_listed_for_their_account_the_newest_first(cast: Cast) -> None:
    first = cast.catalogue.tokens.add(cast.account.id, "First", TokenScope.READ, DIGEST)
    second = cast.catalogue.tokens.add(cast.account.id, "Second", TokenScope.ADMIN, OTHER)
    cast.catalogue.tokens.add(somebody_else(cast), "Theirs", TokenScope.READ, b"3" * 32)
    assert cast.catalogue.tokens.all(cast.account.id) == [second, first]


def test_a_use_is_remembered(cast: Cast) -> None:
    token = cast.catalogue.tokens.add(cast.account.id, "Dashboard", TokenScope.READ, DIGEST)
    cast.catalogue.tokens.used(token.id)
    (used,) = cast.catalogue.tokens.all(cast.account.id)
    assert used.last_used_at is not None
    assert used.last_used_at >= token.created_at
    cast.catalogue.tokens.used(999)


def test_a_revoked_token_is_gone_and_only_its_account_may_revoke_it(cast: Cast) -> None:
    token = cast.catalogue.tokens.add(cast.account.id, "Dashboard", TokenScope.READ, DIGEST)
    with pytest.raises(NotFound):
        cast.catalogue.tokens.revoke(token.id, somebody_else(cast))
    cast.catalogue.tokens.revoke(token.id, cast.account.id)
    assert cast.catalogue.tokens.by_digest(DIGEST) is None
    with pytest.raises(NotFound):
        cast.catalogue.tokens.revoke(token.id, cast.account.id)


def test_a_token_needs_an_account(cast: Cast) -> None:
    with pytest.raises(NotFound):
        cast.catalogue.tokens.add(999, "Nobody's", TokenScope.READ, DIGEST)
