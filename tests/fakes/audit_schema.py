"""What no row may say: fields outside the schema, metadata outside the profile of canonical JSON."""

from typing import Any

_ACCOUNT = {"counts": {"label_on": 2}, "total": 2, "digest": ""}
_ROTATION = {"public_key": "00" * 32, "previous_key": "00" * 32, "epoch": 4}
_PRUNING = {
    "pruned_to": 3,
    "epoch": 0,
    "number": 1,
    "root": "",
    "last_hash": "",
    "public_key": "",
    "genesis_key": "",
    "archive": "",
    "archive_sha256": "",
}
OUTSIDE_SCHEMA: dict[str, dict[str, Any]] = {
    "v is true": {"v": True},
    "v is 2": {"v": 2},
    "v is a word": {"v": "1"},
    "mono_ns is a word": {"mono_ns": "1"},
    "mono_ns below zero": {"mono_ns": -1, "boot_id": "c0" * 16},
    "mono_ns of 2^53": {"mono_ns": 2**53, "boot_id": "c0" * 16},
    "mono_ns is true": {"mono_ns": True, "boot_id": "c0" * 16},
    "timestamp is a number": {"timestamp": 5},
    "metadata is a list": {"metadata": []},
    "metadata is a word": {"metadata": "x"},
    "an unknown action": {"action": "frame.fine"},
    "an action that is a list": {"action": ["label.on"]},
    "an unknown status": {"status": "fine"},
    "a status that is an object": {"status": {}},
    "a log id in capitals": {"log_id": "A" * 32},
    "a boot id that is short": {"boot_id": "ab"},
    "a session that is none": {"session_id": "sess_1"},
    "a user in clear": {"user_id": "anna"},
    "an address in clear": {"client_ip": "192.168.0.1"},
    "a target with a blank": {"target": "camera:0 local"},
    "a target that is a path": {"target": "/home/anna"},
    "two words in one": {"user_id": "hmac:0123456789abcdef local", "client_ip": ""},
    **{
        f"audit.gap: {name}": {"action": "audit.gap", "metadata": metadata}
        for name, metadata in (
            ("no counts", {"total": 0, "digest": ""}),
            ("counts of nothing", _ACCOUNT | {"counts": {}, "total": 0}),
            ("counts are a list", _ACCOUNT | {"counts": [2]}),
            ("a count of zero", _ACCOUNT | {"counts": {"a": 0, "b": 2}}),
            ("a count below zero", _ACCOUNT | {"counts": {"a": -1, "b": 3}}),
            ("a count that is true", _ACCOUNT | {"counts": {"a": True, "b": 1}}),
            ("a count that is a word", _ACCOUNT | {"counts": {"a": "2"}}),
            ("a total that is true", _ACCOUNT | {"counts": {"a": 1}, "total": True}),
            ("another total", _ACCOUNT | {"total": 3}),
            ("no digest", {"counts": {"a": 2}, "total": 2}),
            ("a digest that is a number", _ACCOUNT | {"digest": 5}),
        )
    },
    "audit.gap: metadata are a list": {"action": "audit.gap", "metadata": []},
    "audit.suppressed that says nothing": {"action": "audit.suppressed", "metadata": {}},
    **{
        f"key.rotate: another {name}": {"action": "key.rotate", "metadata": _ROTATION | {name: value}}
        for name, value in (("epoch", True), ("epoch", "4"), ("public_key", 5), ("previous_key", None))
    },
    **{
        f"audit.prune: {name} of another kind": {"action": "audit.prune", "metadata": _PRUNING | {name: None}}
        for name in _PRUNING
    },
    "log.genesis without a reason": {"action": "log.genesis", "metadata": {"public_key": "00" * 32}},
    "log.genesis without a key": {"action": "log.genesis", "metadata": {"reason": "first"}},
}
"""Fields of a row, and values that they may not have."""


def _nested(depth: int) -> Any:
    return {"a": _nested(depth - 1)} if depth else 1


OUTSIDE_PROFILE: dict[str, dict[str, Any]] = {
    "a key in capitals": {"A": 1},
    "an empty key": {"": 1},
    "a key of other letters": {"\u00e9": 1},
    "a key within a list": {"a": [{"B": 1}]},
    "an integer of 2^53": {"a": 2**53},
    "an integer of -2^53": {"a": [-(2**53)]},
    "a fraction": {"a": 0.5},
    "a fraction within": {"a": [{"b": 1.0}]},
    "a word that is not normalised": {"a": ["e\u0301"]},
    "values nested too deeply": _nested(17),
}
"""Metadata that no row may have."""
