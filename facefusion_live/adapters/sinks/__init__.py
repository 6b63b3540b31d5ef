"""Where pictures go: recordings, and the list of states."""

from facefusion_live.adapters.sinks.recorder import Recorder
from facefusion_live.adapters.sinks.states import StatesSink

__all__ = ["Recorder", "StatesSink"]
