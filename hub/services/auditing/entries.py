"""Everything that is asked of stored versions, in one pass over them, piece by piece."""

from __future__ import annotations

from hub.services.auditing import acceptance, notices, stored_bytes, verdicts
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.services.auditing.item import item_of
from hub.services.auditing.order import OrderCheck
from hub.services.auditing.then import Then
from hub.store import scan


def check(ground: Ground) -> Findings:
    """Find what is wrong with the stored versions, in the order of each collection's feed."""
    order, then = OrderCheck(ground), Then(ground)
    last: tuple[int, int] | None = None
    for piece in scan.pieces(ground.tx, "entry", ("collection_id", "date_added")):
        leaves = ground.leaves(row["log_index"] for row in piece)
        items = [item_of(row, leaves.get(row["log_index"])) for row in piece]
        broken: set[int] = set()
        for item in items:
            found = [*stored_bytes.check(item), *acceptance.check(ground, item)]
            if found:  # what was changed is not judged as well: one change is one finding
                broken.add(item.row["id"])
            yield from found
            index = item.row["log_index"]
            place = (item.row["collection_id"], -1 if index is None else index)
            if last is not None and last[0] == place[0] and 0 <= place[1] <= last[1] and not found:
                text = "it is dated after a version that the log has after it"
                yield Finding("entry.order", "entry.date_added", item.name, text)
            last = place
        sound = [one for one in items if one.row["id"] not in broken]
        yield from verdicts.check(ground, then, sound)
        yield from notices.check(ground, then, sound)
        yield from order.add(items)
        ground.step(len(piece))
    yield from order.end()
