"""A picture that stands still for the operator and follows every slider, while the outputs go on."""

import logging

from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Job
from facefusion_live.domain.ports import Buffers, Compute, GateState
from facefusion_live.engine.preview import Preview, View
from facefusion_live.engine.store import SettingsStore

log = logging.getLogger("facefusion_live.render")

JOBS = 1
"""Jobs kept beyond their own time."""


class Freezer:
    """Keeps one job and composes it anew whenever the look changes. Thread: render; `freeze` and `frozen` any.

    Only the preview sees these pictures. They never pass the gate, because they go nowhere.

    Args:
        compute: Composes.
        store: Whose newest look is taken.
        preview: Where the pictures go.
    """

    def __init__(self, compute: Compute, store: SettingsStore, preview: Preview) -> None:
        self._compute, self._store, self._preview = compute, store, preview
        self._wanted = False
        self._job: Job | None = None
        self._drawn = (-1, -1)
        self._redraws = 0

    def freeze(self, on: bool) -> None:  # noqa: FBT001 (a switch)
        """Keep the next job, or let the kept one go."""
        self._wanted = on

    @property
    def frozen(self) -> bool:
        """Whether the preview is to stand still."""
        return self._wanted

    @property
    def holds(self) -> bool:
        """Whether a job is kept: then the preview shows nothing else."""
        return self._job is not None

    def see(self, job: Job) -> None:
        """A job was rendered; it is kept if one is wanted."""
        if self._wanted and self._job is None:
            job.retain()
            self._job, self._drawn = job, (-1, -1)

    def redraw(self, state: GateState, buffers: Buffers) -> None:
        """Compose the kept job if the look has changed since, or somebody looks anew; let it go if wanted no more."""
        if self._job is None:
            return
        if not self._wanted:
            self.close()
            return
        due, settings = (self._store.revision, self._preview.looks), self._store.current
        if due == self._drawn or not self._preview.wanted:
            return
        self._drawn = due
        try:
            composition = self._compute.compose(self._job, settings, buffers)
        except FaceFusionLiveError as error:
            log.warning("the frozen picture could not be drawn: %s", error)
            return
        try:
            view = View.of(self._job, composition.image, state, settings, self._redraws, frozen=True)
            self._redraws += 1
            self._preview.offer(view)
        finally:
            composition.image.release()

    def close(self) -> None:
        """Let the job go."""
        job, self._job = self._job, None
        if job is not None:
            job.release()
