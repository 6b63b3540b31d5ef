"""What is shown of an input, on a screen that others may see."""

import pytest

from facefusion_live.app.input_names import spoken


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("camera:0", "camera:0"),
        ("camera:Desk camera", "Desk camera"),
        ("/films/party.mp4", "party.mp4"),
        ("synthetic", "synthetic"),
        ("/", "/"),
        ("rtmp://live.example/app/KEY", "rtmp://live.example"),
        ("rtsp://me:secret@studio:554/cam", "rtsp://studio:554"),
        ("rtsp://me:p@ss@studio/cam", "rtsp://studio"),
        ("rtsp://me:p/ss@studio/cam", "rtsp://studio"),
        ("http://studio?token=hush@2", "http://studio"),
        ("http://studio/cam?key=a@b", "http://studio"),
    ],
)
def test_names_tell_no_secret(spec: str, name: str) -> None:
    assert spoken(spec) == name
