"""A picture that stands still for the operator and follows every slider, while the outputs go on."""

import logging

from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Job
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Buffers, Composition, Compute, GateState
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Candidate, Gate, frame_for_slate
from facefusion_live.engine.preview import Preview, View
from facefusion_live.engine.store import SettingsStore

log = logging.getLogger("facefusion_live.render")

JOBS = 1
"""Jobs kept beyond their own time."""


class Freezer:
    """Keeps one job and composes it anew whenever the look changes. Thread: render; `freeze` and `frozen` any.

    Only the preview sees these pictures, and whoever films the window: so what is kept went out LIVE, and what the
    gate would not let out with the look in force, or while it is shut, is shown as the slate.

    Args:
        compute: Composes.
        gate: Asked what may be seen.
        store: Whose newest look is taken.
        preview: Where the pictures go.
    """

    def __init__(self, compute: Compute, gate: Gate, store: SettingsStore, preview: Preview) -> None:
        self._compute, self._gate, self._store, self._preview = compute, gate, store, preview
        self._wanted = False
        self._job: Job | None = None
        self._drawn: object = None
        self._redraws = 0

    def freeze(self, on: bool) -> None:  # noqa: FBT001 (a switch)
        """Keep the next job that goes out LIVE, or let the kept one go."""
        self._wanted = on

    @property
    def frozen(self) -> bool:
        """Whether the preview is to stand still."""
        return self._wanted

    @property
    def holds(self) -> bool:
        """Whether a job is kept: then the preview shows nothing else."""
        return self._job is not None

    def see(self, job: Job, state: GateState) -> None:
        """A job was rendered, and what went out left in this state; it is kept if one is wanted."""
        if self._wanted and self._job is None and state is GateState.LIVE:
            job.retain()
            self._job, self._drawn = job, None

    def redraw(self, buffers: Buffers) -> None:
        """Compose the kept job if look or gate have changed since, or somebody looks anew; let it go if unwanted."""
        if self._job is None:
            return
        if not self._wanted:
            self.close()
            return
        settings = self._store.current
        due = (self._store.revision, self._preview.looks, self._gate.blocks, self._gate.armed)
        if due == self._drawn or not self._preview.wanted:
            return
        self._drawn = due
        try:
            self._draw(self._job, settings, buffers)
        except FaceFusionLiveError as error:
            log.warning("the frozen picture could not be drawn: %s", error)

    def _draw(self, job: Job, settings: Settings, buffers: Buffers) -> None:
        composition = self._compute.compose(job, settings, buffers)
        try:
            image, state = self._seen(job, composition, settings, buffers)
            try:
                self._preview.offer(View.of(job, image, state, settings, self._redraws, frozen=True))
                self._redraws += 1
            finally:
                image.release()
        finally:
            composition.image.release()

    def _seen(
        self, job: Job, composition: Composition, settings: Settings, buffers: Buffers
    ) -> tuple[Image, GateState]:
        """What of it may be seen; one share of it belongs to the caller."""
        if self._gate.lets(Candidate(job, composition)):
            composition.image.retain()
            return composition.image, GateState.LIVE
        size_wh = job.frame.image.size_wh
        return self._compute.slate(frame_for_slate(job, settings), size_wh, settings, buffers), GateState.SLATE

    def close(self) -> None:
        """Let the job go."""
        job, self._job = self._job, None
        if job is not None:
            job.release()
