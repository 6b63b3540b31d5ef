"""The store of models put together: which folder, which cards, which record."""

import subprocess
from pathlib import Path

from facefusion_live.adapters.onnx.container import read_graph
from facefusion_live.adapters.onnx.trial import first_run
from facefusion_live.app.audit_wiring import audit_home
from facefusion_live.app.benchmark import this_program
from facefusion_live.app.engines import open_catalog
from facefusion_live.app.environment import Home
from facefusion_live.app.model_store import ModelStore
from facefusion_live.domain.errors import ModelFileError
from facefusion_live.domain.model_card import ModelCard
from facefusion_live.engine.trail import settled

_TRIAL_S = 300.0
"""How long a first run may take: half a gigabyte on a slow disk and one old core."""

__all__ = ["first_run", "model_store"]


def model_store() -> ModelStore:
    """The store of the user, or of `FACEFUSION_LIVE_HOME`."""
    folder = Home.from_environment().models
    return ModelStore(folder, open_catalog(), look=read_graph, try_out=_try_out, accepted=_accepted, derived=_derived)


def _accepted(card: ModelCard) -> None:
    """Put on record that a licence was accepted, before the model comes.

    Raises:
        AuditStoreError: It cannot be put on record: the model must not come.
    """
    basis = {"basis": "licence", "licence": card.licence, "publisher": card.vendor}
    with audit_home().open_trail() as trail:
        settled(trail.record_durably("consent.grant", f"model:{card.id}", "success", basis))


def _derived(card: ModelCard, parent: ModelCard, sha256: str) -> None:
    """Put on record what a model was made from, before it gets its place. It has run: that is how it was measured.

    Raises:
        AuditStoreError: It cannot be put on record.
    """
    told = {"model": card.id, "model_sha256": sha256, "derived_from": parent.id}
    with audit_home().open_trail() as trail:
        settled(trail.record_durably("model.load", f"model:{card.id}", "success", told))


def _try_out(path: Path) -> None:
    """Run a model once in a process of its own.

    Raises:
        ModelFileError: It did not run.
    """
    words = [*this_program(), "models", "try", str(path)]
    try:
        done = subprocess.run(  # noqa: S603 (this program itself)
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TRIAL_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelFileError(f"it did not run within {_TRIAL_S:g} s") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        why = said[-1].removeprefix("facefusion-live: ").partition(". ")[0] if said else f"ended with {done.returncode}"
        why = why.replace(path.name, path.stem).removesuffix(".")  # it is not in its place yet
        raise ModelFileError(f"it does not run ({why})", advice="Use the publisher's own file.")
