"""Addresses as people paste them: what is read, what is shown, what is refused; their keys are told to nobody."""

import pytest

from facefusion_live.adapters.sinks import SoundSources, make_sink
from facefusion_live.adapters.sinks.addresses import Address, is_address
from facefusion_live.domain.errors import SinkOpenError
from facefusion_live.domain.settings import Settings

KEY = "live_123_s3cr3t-k3y"


@pytest.mark.parametrize(
    ("pasted", "url", "shown"),
    [
        (f"RTMP://live.example/app/{KEY}", f"rtmp://live.example/app/{KEY}", "rtmp://live.example"),
        (
            f"  rtmp://live.example:1936/app/{KEY}\r\n",
            f"rtmp://live.example:1936/app/{KEY}",
            "rtmp://live.example:1936",
        ),
        (f'"rtmp://live.example/app/{KEY}"', f"rtmp://live.example/app/{KEY}", "rtmp://live.example"),
        (f"“Rtmps://live.example/app/{KEY}”", f"rtmps://live.example/app/{KEY}", "rtmps://live.example"),
        (f"<rtsp://me:{KEY}@cam.example/path>", f"rtsp://me:{KEY}@cam.example/path", "rtsp://cam.example"),
        (f"rtmp://[::1]:1935/app/{KEY}", f"rtmp://[::1]:1935/app/{KEY}", "rtmp://[::1]:1935"),
        (f"rtmp://[2001:db8::7]/app/{KEY}", f"rtmp://[2001:db8::7]/app/{KEY}", "rtmp://[2001:db8::7]"),
        (f"rtmp://Live.Example/App/in/{KEY}?a=B", f"rtmp://Live.Example/App/in/{KEY}?a=B", "rtmp://live.example"),
        (f"rtmp://[fe80::7%eth0]/app/{KEY}", f"rtmp://[fe80::7%eth0]/app/{KEY}", "rtmp://[fe80::7%eth0]"),
        (f"rtmp://bücher_1.example/app/{KEY}", f"rtmp://bücher_1.example/app/{KEY}", "rtmp://bücher_1.example"),
        ("UDP://239.1.2.3:1234", "udp://239.1.2.3:1234?pkt_size=1316", "udp://239.1.2.3:1234"),
        ("udp://[ff02::1]:1234?ttl=2", "udp://[ff02::1]:1234?ttl=2", "udp://[ff02::1]:1234"),
        (f"WHIP+HTTPS://live.example/w?t={KEY}", f"https://live.example/w?t={KEY}", "whip+https://live.example"),
    ],
)
def test_what_is_pasted_is_read(pasted: str, url: str, shown: str) -> None:
    assert is_address(pasted)
    address = Address.parse(pasted)
    assert (address.url, address.shown) == (url, shown)
    assert make_sink(pasted, Settings(), SoundSources()).name == "stream"


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        (f"rtmp://live.example/{KEY}", "rtmp://live.example: the stream key is missing"),
        ("rtmp://live.example/app/", "rtmp://live.example: the stream key is missing"),
        (f"rtmp://live.example//{KEY}", "rtmp://live.example: the stream key is missing"),
        (f"rtmp://live.example/app {KEY}", "rtmp://…: there is a space in the address"),
        (f"rtmp://live.example/app/{KEY} backup", "rtmp://…: there is a space in the address"),
        (f"rtmp:///app/{KEY}", "rtmp://…: host or port are missing"),
        (f"rtmp://live.example\\app\\{KEY}", "rtmp://…: the host's name is none"),
        (f"rtmp://live.example;{KEY}", "rtmp://…: the host's name is none"),
        (f"rtmp://::1/app/{KEY}", "rtmp://…: the port is none"),
        (f"rtmp://[::1/app/{KEY}", "rtmp://…: the port is none"),
        (f"rtmp://live.example:http/app/{KEY}", "rtmp://…: the port is none"),
        ("udp://239.1.2.3", "udp://…: host or port are missing"),
        (f"rtmp:/live.example/app/{KEY}", "there is no output 'rtmp…'"),
        (f"live.example/app/{KEY}", "there is no output 'live…'"),
        (f"http+rtmp://live.example/app/{KEY}", "there is no output 'http+rtmp…'"),
        (KEY, "there is no output 'live…'"),
        ("virtual-camra", "there is no output 'virtual-camra'"),
        ("", "there is no output ''"),
    ],
)
def test_what_cannot_be_meant_is_told_without_its_key(pasted: str, words: str) -> None:
    with pytest.raises(SinkOpenError) as caught:
        make_sink(pasted, Settings(), SoundSources())
    assert str(caught.value) == words
    assert caught.value.advice
    assert KEY not in f"{caught.value} {caught.value.advice} {caught.value.__cause__!r}"
