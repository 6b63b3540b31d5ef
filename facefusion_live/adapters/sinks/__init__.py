"""Where pictures go: recordings, streams, snapshots, a browser, and the list of states."""

from facefusion_live.adapters.sinks.families import FAMILIES, Family, SoundSources, make_recorder, make_sink
from facefusion_live.adapters.sinks.mjpeg import MjpegSink
from facefusion_live.adapters.sinks.recorder import Recorder
from facefusion_live.adapters.sinks.snapshot import Snapshot
from facefusion_live.adapters.sinks.states import StatesSink
from facefusion_live.adapters.sinks.stream import StreamSink
from facefusion_live.adapters.sinks.virtual_camera import DriverCamera, FirstThatOpens

__all__ = [
    "FAMILIES",
    "DriverCamera",
    "Family",
    "FirstThatOpens",
    "MjpegSink",
    "Recorder",
    "Snapshot",
    "SoundSources",
    "StatesSink",
    "StreamSink",
    "make_recorder",
    "make_sink",
]
