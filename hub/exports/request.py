"""One export that is to be written: all that a format is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hub.domain.permitted_use import Use
from hub.exports.indicators import Entry, Indicator, chosen, entries, standing
from hub.exports.options import Options
from hub.exports.shared import Account, Objects, Source
from hub.exports.values import Kind
from hub.exports.warning import WarningLists


@dataclass(frozen=True, slots=True)
class Request:
    """The objects, read once in their order; where they come from; the choices; and the account to be filled."""

    objects: Objects
    source: Source
    options: Options = field(default_factory=Options)
    lists: WarningLists = field(default_factory=WarningLists)
    account: Account = field(default_factory=Account)

    def standing(self) -> Iterator[Indicator]:
        """Yield the indicators that are valid now."""
        return standing(self.objects, self.source, self.account)

    def chosen(self, need: Use, language: str) -> Iterator[Indicator]:
        """Yield the indicators in a language that may be put to a use."""
        return chosen(self.objects, self.source, self.account, self.options, need, language)

    def entries(self, need: Use, *kinds: Kind) -> Iterator[Entry]:
        """Yield the values of these kinds that may be put to a use."""
        return entries(
            self.objects,
            self.source,
            self.account,
            self.options,
            self.lists,
            need=need,
            kinds=frozenset(kinds),
        )


Write = Callable[[Request], Iterator[bytes]]
"""A format: yields the export in pieces. The first piece is its head, and only that depends on the time of making; so
two exports with equal rests are the same. The account is complete after the last piece."""
