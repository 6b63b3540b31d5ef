"""The block of GB 45438: exactly its keys, in movies and pictures."""

import json

import pytest

from facefusion_live.domain import aigc

KEYS = ["Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"]


def test_it_has_exactly_the_keys_of_the_standard() -> None:
    made = aigc.block("42")
    assert list(made) == list(aigc.KEYS) == KEYS
    assert (made["Label"], made["ContentProducer"], made["ProduceID"]) == ("1", "FaceFusion Live", "42")


def test_it_comes_back_from_the_tags_of_a_movie_and_from_the_comment_alone() -> None:
    made = aigc.block("42")
    tags = aigc.tags(made)
    assert json.loads(tags["AIGC"]) == json.loads(tags["comment"])["AIGC"] == made
    assert aigc.from_tags(tags) == made
    assert aigc.from_tags({"COMMENT": tags["comment"], "title": "x"}) == made
    assert aigc.from_tags({"AIGC": "{", "comment": tags["comment"]}) == made


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"Label": "1"}', '{"AIGC": []}', '{"AIGC": {"Label": "1"}}', '"AIGC"']
)
def test_what_is_no_such_block_is_none(text: str) -> None:
    assert aigc.from_tags({"AIGC": text}) is None
    assert aigc.from_tags({}) is None


def test_a_block_with_a_key_more_is_none() -> None:
    assert aigc.from_tags({"AIGC": json.dumps(aigc.block("42") | {"Extra": ""})}) is None


def test_it_comes_back_from_xmp() -> None:
    made = aigc.block('4"2 <&>')
    packet = aigc.xmp(made)
    assert "&quot;Label&quot;" in packet
    assert aigc.from_xmp(packet) == made
    assert aigc.from_xmp(packet.replace("TC260:AIGC", "TC260:OTHER")) is None
    assert aigc.from_xmp(packet.replace("tc260.org.cn", "example.org")) is None
    assert aigc.from_xmp("") is None
