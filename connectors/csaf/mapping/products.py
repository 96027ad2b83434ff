"""The product tree of an advisory as software objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.csaf.mapping import limits
from connectors.csaf.mapping.making import Making

_CPE_23: Final = re.compile(
    r"cpe:2\.3:[aho*-](?::(?:(?:\?*|\*?)(?:[a-zA-Z0-9._-]|\\[\\*?!\"#$%&'()+,/:;<=>@\[\]^`{|}~])+(?:\?*|\*?)|[*-])){5}"
    r"(?::(?:[a-zA-Z]{2,3}(?:-(?:[a-zA-Z]{2}|[0-9]{3}))?|[*-]))"
    r"(?::(?:(?:\?*|\*?)(?:[a-zA-Z0-9._-]|\\[\\*?!\"#$%&'()+,/:;<=>@\[\]^`{|}~])+(?:\?*|\*?)|[*-])){4}"
)
_CPE_22: Final = re.compile(r"cpe:/([aho])((?::[A-Za-z0-9._-]*){1,5})")
_PARTS: Final = 5
"""Vendor, product, version, update, edition: what a CPE 2.2 URI has before the language."""

_HELPERS: Final = ("hashes", "model_numbers", "sbom_urls", "serial_numbers", "skus", "x_generic_uris")
_TREE: Final = "product_tree"


@dataclass(slots=True)
class Products:
    """The products of an advisory.

    :param software: the STIX id of each by its product id. :param names: as the advisory calls it.
    :param groups: product ids by group id. :param purls: package URLs and the name of what they stand for.
    """

    software: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    purls: list[tuple[str, str]] = field(default_factory=list)

    def of(self, entry: Mapping[str, Any]) -> list[str]:
        """Return the product ids that an entry names itself or by groups."""
        found = list(entry.get("product_ids", ()))
        for group in entry.get("group_ids", ()):
            found += self.groups.get(group, ())
        return list(dict.fromkeys(found))

    def listed(self, product_ids: list[str]) -> str:
        """Return the names of some products, as a sentence; not all of very many."""
        names = [self.names[one] for one in product_ids if one in self.names]
        more = f" and {len(names) - limits.NAMES} more" if len(names) > limits.NAMES else ""
        return f"For: {', '.join(names[: limits.NAMES])}{more}." if names else ""


def read(making: Making, tree: Mapping[str, Any]) -> Products:
    """Add every product of the tree as software."""
    products = Products()
    for place, product, branch in _all(tree):
        product_id = str(product["product_id"])
        if product_id in products.names:
            continue
        if len(products.names) >= limits.PRODUCTS:
            making.report.dropped(place, f"an advisory may bring {limits.PRODUCTS} products")
            continue
        products.names[product_id] = str(product["name"])
        products.software[product_id] = making.observe(_software(making, products, place, product, branch))
    for group in tree.get("product_groups", ()):
        products.groups[str(group["group_id"])] = [str(one) for one in group["product_ids"]]
        making.report.merged(f"{_TREE}/product_groups", "relationship", "a group is written out as its products")
    return products


def _all(tree: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, str]]]:
    """Yield every product, where it stands, and what the branches above it say."""
    for product in tree.get("full_product_names", ()):
        yield f"{_TREE}/full_product_names", product, {}
    for branch in tree.get("branches", ()):
        yield from _branch(branch, {})
    for relationship in tree.get("relationships", ()):
        yield f"{_TREE}/relationships/full_product_name", relationship["full_product_name"], {}


def _branch(
    branch: Mapping[str, Any], above: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, str]]]:
    here = {**above, str(branch["category"]): str(branch["name"])}
    if "product" in branch:
        yield f"{_TREE}/branches/product", branch["product"], here
    for inner in branch.get("branches", ()):
        yield from _branch(inner, here)


def _software(
    making: Making, products: Products, place: str, product: Mapping[str, Any], branch: Mapping[str, str]
) -> dict[str, Any]:
    report = making.report
    result: dict[str, Any] = {"type": "software", "name": str(product["name"])}
    report.kept(f"{place}/name", "software.name")
    if branch.get("vendor"):
        result["vendor"] = branch["vendor"]
        report.kept(f"{_TREE}/branches/vendor", "software.vendor")
    if branch.get("product_version"):
        result["version"] = branch["product_version"]
        report.kept(f"{_TREE}/branches/product_version", "software.version")
    elif branch.get("product_version_range"):
        reason = "STIX has no version ranges: the range stands in the name only"
        report.merged(f"{_TREE}/branches/product_version_range", "software.name", reason)
        if branch["product_version_range"] not in result["name"]:
            result["name"] = f"{result['name']} {branch['product_version_range']}"
    _other_levels(making, branch, result["name"])
    helper = product.get("product_identification_helper", {})
    if "cpe" in helper:
        cpe = str(helper["cpe"])
        formatted = cpe_name(cpe)
        if formatted is not None:
            result["cpe"] = formatted
        if formatted == cpe:
            report.kept(f"{place}/product_identification_helper/cpe", "software.cpe")
        elif formatted is not None:
            report.merged(f"{place}/product_identification_helper/cpe", "software.cpe", "a CPE 2.2 is written as 2.3")
        else:
            report.dropped(f"{place}/product_identification_helper/cpe", "it cannot be written as a CPE 2.3 name")
    if "purl" in helper:
        products.purls.append((str(helper["purl"]), result["name"]))
        reason = "a software of STIX has no place for it: it is a reference of the report"
        report.merged(f"{place}/product_identification_helper/purl", "report.external_references", reason)
    for name in _HELPERS:
        if name in helper:
            report.dropped(f"{place}/product_identification_helper/{name}", "a software of STIX has no place for it")
    return result


def _other_levels(making: Making, branch: Mapping[str, str], name: str) -> None:
    """Note the branches that a software of STIX has no property for."""
    for category in sorted(branch.keys() - {"vendor", "product_version", "product_version_range", "product_name"}):
        place_of = f"{_TREE}/branches/{category}"
        if branch[category] in name:
            making.report.merged(place_of, "software.name", "a software of STIX has no such level; its name says it")
        else:
            making.report.dropped(place_of, "a software of STIX has no such level")


def cpe_name(text: str) -> str | None:
    """Return a CPE 2.3 name, written so if it is a plain CPE 2.2 URI; None when it is neither."""
    return text if _CPE_23.fullmatch(text) else formatted_cpe(text)


def formatted_cpe(uri: str) -> str | None:
    """Return a plain CPE 2.2 URI as a CPE 2.3 formatted string; None when it has anything that needs care."""
    match = _CPE_22.fullmatch(uri)
    if match is None:
        return None
    parts = [part or "*" for part in match[2][1:].split(":")]
    parts += ["*"] * (_PARTS - len(parts))
    return f"cpe:2.3:{match[1]}:{':'.join(parts)}:*:*:*:*:*"
