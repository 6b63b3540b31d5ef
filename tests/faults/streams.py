"""A film as a camera on the network sends it."""

from pathlib import Path

import av

SIZE_WH = (640, 360)


def transport_stream(film: Path, path: Path, frames: int = 90) -> Path:
    """The beginning of a film as an MPEG transport stream with a key frame every half second."""
    with av.open(str(film)) as given, av.open(str(path), "w", format="mpegts") as made:
        options = {"preset": "ultrafast", "crf": "20", "g": "15", "tune": "zerolatency"}
        stream = made.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE_WH, "yuv420p"
        for number, frame in enumerate(given.decode(video=0)):
            if number == frames:
                break
            made.mux(stream.encode(frame.reformat(*SIZE_WH, format="yuv420p")))
        made.mux(stream.encode())
    return path
