"""Models of one person (.dfm): told by their form, and given a card, because nobody publishes one for them."""

from facefusion_live.domain.model_file import Graph, draws_a_person

PERSON_SUFFIX = ".dfm"
"""How their files end."""
_NAMED_BY = 8
"""Hex digits of a file's SHA-256 in the name that it is given: rows of the record must not tell who it draws."""


def card_for(graph: Graph, sha256: str, size: int, model_id: str | None = None) -> dict[str, object] | None:
    """A card for a model of one person; None where a graph is none, or leaves open how large its picture is.

    Args:
        graph: What its file says about itself.
        sha256: Of the file, in hex.
        size: Its bytes.
        model_id: What the user calls it; None for a name that tells nothing.

    Returns:
        The card as a table.
    """
    edges = [each.shape[1] for each in graph.inputs if len(each.shape) == 4]
    if not draws_a_person(graph) or edges[0] is None:
        return None
    picture = {"size_px": edges[0], "colour_order": "BGR", "layout": "NHWC", "mean": 0, "std": 1}
    name = model_id or f"person_{sha256[:_NAMED_BY]}"
    return {
        "id": name,
        "task": "swapper",
        "vendor": "whoever trained it",
        "licence": "unknown: none stated in the file",
        "file": f"{name}{PERSON_SUFFIX}",
        "sha256": sha256,
        "size": size,
        "urls": [],
        "target": {**picture, "template": "dfl_whole_face"},
        "output": picture,
        "identity": {"kind": "model", "project": "", "normalise": "none", "mix": False},
    }
