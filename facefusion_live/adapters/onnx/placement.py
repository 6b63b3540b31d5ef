# pyright: basic
"""How many nodes of a net each provider runs, asked from the session.

A session names a provider first that may have been given one node of a hundred: what it lacks runs on the next one.
"""

from collections import Counter
from collections.abc import Mapping

import onnxruntime as ort

from facefusion_live.adapters.onnx.runs import ORT_ERRORS

_NOTED = "session.record_ep_graph_assignment_info"


def note(options: ort.SessionOptions) -> None:
    """Have a session remember who got which nodes. An ONNX Runtime that does not know the wish passes it over."""
    options.add_session_config_entry(_NOTED, "1")


def nodes_of(session: ort.InferenceSession) -> dict[str, int]:
    """Nodes by provider; empty where this ONNX Runtime cannot tell, or nobody asked it to note them."""
    try:
        parts = session.get_provider_graph_assignment_info()
    except (AttributeError, *ORT_ERRORS):
        return {}
    nodes: Counter[str] = Counter()
    for part in parts:
        nodes[part.ep_name] += len(part.get_nodes())
    return dict(nodes)


def in_words(provider: str, nodes: Mapping[str, int]) -> str:
    """A provider, and how much of a net it runs unless that is all of it."""
    if not nodes:
        return f"{provider} (this ONNX Runtime does not tell how many nodes)"
    rest = ", ".join(f"{name} {count}" for name, count in nodes.items() if name != provider)
    here, total = nodes.get(provider, 0), sum(nodes.values())
    return f"{provider} ({here} of {total} nodes; the rest: {rest})" if rest else provider
