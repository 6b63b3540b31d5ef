"""Where pictures go: recordings, and the list of states."""

from facefusion_live.adapters.sinks.families import FAMILIES, Family, make_sink
from facefusion_live.adapters.sinks.recorder import Recorder
from facefusion_live.adapters.sinks.states import StatesSink

__all__ = ["FAMILIES", "Family", "Recorder", "StatesSink", "make_sink"]
