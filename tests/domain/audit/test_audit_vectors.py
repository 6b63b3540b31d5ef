"""Published vectors, written as literals: they stand whatever our code says."""

from base64 import b64decode
from hashlib import sha256

import pytest

from facefusion_live.domain.audit.errors import NoteError
from facefusion_live.domain.audit.merkle import EMPTY_ROOT, Frontier, Tree, extends, includes, leaf_hash, node_hash
from facefusion_live.domain.audit.note import (
    MAX_NOTE_BYTES,
    Checkpoint,
    key_id,
    parse_note,
    sign_note,
    verifier_key,
)
from tests.fakes.audit import check_signature, private_key, public_bytes

# Certificate Transparency's reference tree (RFC 6962 implementations' common test data).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# index (from 0), size, path
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
# old size, new size, path
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]

# golang.org/x/mod/sumdb/note, whose format C2SP's signed-note is.
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_roots() -> None:
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == sha256(b"").digest()
    tree = Tree(leaf_hash(leaf) for leaf in LEAVES)
    assert tree.root(0) == EMPTY_ROOT
    for size, root in enumerate(ROOTS, 1):
        frontier.append(leaf_hash(LEAVES[size - 1]))
        assert frontier.root().hex() == tree.root(size).hex() == root
    assert tree.root().hex() == ROOTS[-1]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_inclusion_proofs(index: int, size: int, path: list[str]) -> None:
    tree = Tree(leaf_hash(leaf) for leaf in LEAVES)
    proof = tree.inclusion(index, size)
    assert [step.hex() for step in proof] == path
    root, leaf = bytes.fromhex(ROOTS[size - 1]), leaf_hash(LEAVES[index])
    assert includes(leaf, index, size, proof, root)
    assert not includes(leaf, index + 1, size + 1, proof, root)
    assert not includes(leaf, index, size, [*proof, root], root)
    assert not includes(leaf, size, size, proof, root)
    assert not includes(leaf, -1, size, proof, root)
    if proof:
        assert not includes(leaf, index, size, proof[:-1], root)
        assert not includes(node_hash(leaf, leaf), index, size, proof, root)


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_consistency_proofs(old: int, new: int, path: list[str]) -> None:
    proof = Tree(leaf_hash(leaf) for leaf in LEAVES).consistency(old, new)
    assert [step.hex() for step in proof] == path
    before, after = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    assert extends(old, new, proof, before, after)
    assert not extends(old, new, [*proof, before], before, after)
    assert not extends(0, new, proof, before, after)
    assert not extends(new + 1, new, proof, before, after)
    if old < new:
        assert not extends(old, new, proof[:-1], before, after)
        assert not extends(old, new, proof, after, before)
    assert not extends(6, 8, [], before, after)


def test_all_proofs_of_small_trees() -> None:
    leaves = [leaf_hash(bytes([index])) for index in range(33)]
    tree = Tree(leaves)
    for size in range(1, 34):
        for index in range(size):
            assert includes(leaves[index], index, size, tree.inclusion(index, size), tree.root(size))
        for old in range(1, size + 1):
            assert extends(old, size, tree.consistency(old, size), tree.root(old), tree.root(size))


def test_proofs_that_cannot_be() -> None:
    tree = Tree([leaf_hash(b"")])
    with pytest.raises(ValueError, match="no leaf"):
        tree.inclusion(1, 1)
    with pytest.raises(ValueError, match="no tree"):
        tree.consistency(0, 1)


def test_a_frontier_survives_as_bytes() -> None:
    frontier = Frontier()
    for leaf in LEAVES[:7]:
        frontier.append(leaf_hash(leaf))
    again = Frontier.from_bytes(frontier.to_bytes())
    again.append(leaf_hash(LEAVES[7]))
    assert (again.size, again.root().hex()) == (8, ROOTS[7])
    for data in (b"", frontier.to_bytes()[:-1], (5).to_bytes(8, "big") + bytes(32)):
        if data:
            with pytest.raises(ValueError, match="do not make a tree"):
                Frontier.from_bytes(data)
    with pytest.raises(ValueError, match="do not make a tree"):
        Frontier(-1)


def test_a_note_signed_by_another_program() -> None:
    name, _, key = GO_VERIFIER.rpartition("+")[0].rpartition("+")[0], "", b64decode(GO_VERIFIER.rpartition("+")[2])
    assert key[0] == 1
    assert key_id(name, key[1:]).hex() == "c74f20a3"
    assert verifier_key(name, key[1:]) == GO_VERIFIER
    note = parse_note(GO_NOTE)
    assert note.signed_by(name, key[1:], check_signature)
    assert not note.signed_by("Somebody", key[1:], check_signature)
    assert not note.signed_by(name, public_bytes(private_key(1)), check_signature)
    altered = parse_note(GO_NOTE.replace("answer", "question"))
    assert not altered.signed_by(name, key[1:], check_signature)


def test_a_checkpoint_is_a_c2sp_note() -> None:
    key = private_key(7)
    checkpoint = Checkpoint("ab" * 16, 8, bytes.fromhex(ROOTS[7]), 3, 57)
    note = checkpoint.signed(public_bytes(key), key.sign)
    lines = note.split("\n")
    assert lines[:6] == [
        "facefusion-live/" + "ab" * 16,
        "8",
        "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=",
        "epoch 3",
        "number 57",
        "",
    ]
    assert lines[6].startswith("— facefusion-live/" + "ab" * 16 + " ")
    assert Checkpoint.parse(parse_note(note).text) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no signature\n",
        "text\n\n",
        "text\n\nno signature line\n",
        "text\n\n— name\n",
        "text\n\n— name !!!!\n",
        "text\n\n— name QUJD\n",
        "text\n\n— name A===\n",
        "text\n\n— name AAAAAAAAAAAA",
        "\n\n— name AAAAAAAAAAAA\n",
        "x" * MAX_NOTE_BYTES + "\n\n— name AAAAAAAAAAAA\n",
    ],
)
def test_what_is_no_note(text: str) -> None:
    with pytest.raises(NoteError):
        parse_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "facefusion-live/aa\n1\n\nepoch 0\nnumber 0\n",
        "facefusion-live/aa\n01\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\nepoch 0\nnumber 0\n",
        "other/aa\n1\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\nepoch 0\nnumber 0\n",
        "facefusion-live/aa\n1\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\nepoch 0\nnumber 0\nmore",
        "facefusion-live/aa\n1\nQUJD\nepoch 0\nnumber 0\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


@pytest.mark.parametrize("text", ["no newline", "an\n\nempty line\n"])
def test_what_cannot_be_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign_note(text, "name", bytes(32), lambda _message: bytes(64))
