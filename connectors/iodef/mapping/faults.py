"""Why an IODEF document, or one incident of it, cannot be read; in words, without content."""

from __future__ import annotations


class IodefFault(Exception):
    """A document or an incident cannot be read.

    :param place: the class path, such as ``Incident/GenerationTime``; empty for the document as a whole.
    :param reason: what is wrong and what to do, without content.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason
