"""What all sessions of a program share: the nets, and the engines made of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from facefusion_live.adapters.remote.server import InferenceServer
from facefusion_live.app import engines, portraits, wiring
from facefusion_live.app.disclosure import Disclosure
from facefusion_live.app.remote_nets import Served
from facefusion_live.domain.ports import EventLog, FaceSwapper, FrameSource, Portrait
from facefusion_live.domain.recognition import Roster
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.capturing import Capturing
from facefusion_live.engine.persons import NOBODY
from facefusion_live.engine.session import LiveSession, SessionParts
from facefusion_live.engine.stages import Outfit
from facefusion_live.engine.store import SettingsStore


class Workshop:
    """Nets and engines for one session after the other. Thread: loader.

    Args:
        provider: What nets run on, as the setting `inference.provider`.
        server: Runs the nets that it takes; None where all run here.
        known: Whom the user has enrolled, as a recogniser saw them.
    """

    def __init__(
        self,
        provider: str = "auto",
        server: InferenceServer | None = None,
        known: Callable[[str], Roster] = lambda _recogniser: NOBODY,
    ) -> None:
        self._server, self._known = server, known
        self._catalog = engines.open_catalog(provider, server)
        self._judges = engines.open_judges(provider)

    def engines(self) -> tuple[str, ...]:
        """Every engine that could run now; a server is asked for those that it has.

        Raises:
            InferenceError: It cannot be asked.
        """
        return engines.engines(self._catalog)

    def engine(self, name: str) -> FaceSwapper:
        """Load an engine.

        Args:
            name: One of `engines`.

        Raises:
            BadInputError: There is no such engine.
            ModelMissingError: Its files are not there.
            InferenceError: A net cannot be loaded.
        """
        return engines.make_engine(name, self._catalog, wiring.host_compute(Settings()))

    def warm(self) -> None:
        """Load all built-in nets, side by side: the first session need not wait for them.

        Raises:
            InferenceError: A net cannot be loaded.
        """
        loads: list[Callable[[], object]] = [
            lambda: self._catalog.landmarker(engines.LANDMARKER),
            lambda: self._catalog.landmarker(engines.PLAIN_LANDMARKER),
            lambda: self._catalog.recogniser(engines.RECOGNISER),
            lambda: self._judges.content_judge(engines.JUDGE),
            *(partial(self._catalog.detector, name) for name in engines.DETECTORS),
        ]
        with ThreadPoolExecutor(2, "warm") as pool:
            for done in [pool.submit(load) for load in loads]:
                done.result()

    def portrait(self, source: portraits.Source) -> Portrait:
        """The one face in a source picture.

        Raises:
            SourceFaceError: It cannot be read, or shows no face that can be used.
            InferenceError: A net cannot be loaded.
        """
        finding = engines.face_finding(self._catalog, wiring.host_compute(Settings()))
        return portraits.portrait(wiring.read_source(source), source.name, finding)

    def own_face(self, name: str) -> portraits.Source | None:
        """The face that an engine brings along; None for one that draws whoever is in the source pictures.

        Raises:
            ModelMissingError: Its file is not there.
            SourceFaceError: Its file cannot be read.
        """
        return engines.own_face(name, self._catalog, None)

    def stand_in(self) -> Portrait:
        """A built-in face, for an engine to be tried on where there is no source picture."""
        return self.portrait(portraits.source(engines.STAND_IN, None))

    def identity(self, portrait: Portrait) -> bytes:
        """Whose face it is, as consent records keep it.

        Raises:
            InferenceError: The net cannot be loaded.
        """
        return wiring.identity(self._catalog, wiring.host_compute(Settings()), portrait)

    def recogniser(self, settings: Settings) -> str:
        """Which net tells who faces are.

        Raises:
            BadInputError: There is no card of that name.
        """
        return engines.recogniser_of(settings, self._catalog)

    def opener(self, spec: str, settings: Settings) -> Callable[[], FrameSource]:
        """What opens an input for a session."""
        return wiring.source_opener(spec, settings, wiring.SystemClock(), offline=False)

    def session(
        self,
        spec: str,
        worn: Callable[[], Outfit],
        store: SettingsStore,
        events: EventLog,
        disclosure: Disclosure,
        capturing: Capturing | None = None,
        permitted: Callable[[], bool] = lambda: True,
    ) -> LiveSession:
        """A session that is not started yet, and has no outputs yet.

        Args:
            spec: The input.
            worn: Engine and source face in force, asked for every frame.
            store: The settings in force; their changes are put on record by whoever owns it.
            events: The record.
            disclosure: What pictures may leave out.
            capturing: The input, where it is open already.
            permitted: Whether the source face may still be used.

        Raises:
            BadInputError: The slate picture cannot be used.
        """
        settings = store.current
        compute = wiring.host_compute(settings)
        parts = SessionParts(
            open_source=self.opener(spec, settings),
            make_stages=engines.Inference(self._catalog, compute, worn, settings, self._known).stages,
            compute=wiring.disclosing(wiring.chosen_compute(compute, settings), disclosure),
            sinks=(),
            store=store,
            clock=wiring.SystemClock(),
            events=events,
            log_changes=False,
            facts=lambda: wiring.told_of(disclosure),
            permitted=permitted,
            content=wiring.content_check(self._judges, compute, disclosure),
            waited_ns=wiring.waiting(self._server),
            warnings=self.problems,
            machine=wiring.machine,
        )
        return LiveSession(parts, capturing=capturing)

    @property
    def models(self) -> dict[str, Path]:
        """The models opened on this machine so far, and their files."""
        return self._catalog.opened | self._judges.opened

    def problems(self) -> tuple[str, ...]:
        """Why nets on the server fail just now, in words."""
        return () if self._server is None else self._server.problems

    @property
    def served(self) -> tuple[Served, ...]:
        """Who computes the nets that were opened on the server."""
        return () if self._server is None else tuple(self._server.served.values())
