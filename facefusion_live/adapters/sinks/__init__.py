"""Where pictures go: recordings, streams, and the list of states."""

from facefusion_live.adapters.sinks.families import FAMILIES, Family, SoundSources, make_recorder, make_sink
from facefusion_live.adapters.sinks.recorder import Recorder
from facefusion_live.adapters.sinks.states import StatesSink
from facefusion_live.adapters.sinks.stream import StreamSink

__all__ = [
    "FAMILIES",
    "Family",
    "Recorder",
    "SoundSources",
    "StatesSink",
    "StreamSink",
    "make_recorder",
    "make_sink",
]
