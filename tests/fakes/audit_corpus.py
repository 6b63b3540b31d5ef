"""Good and attacked homes and exports on disk, each with what a verifier must say: the same for both verifiers."""

from collections.abc import Sequence

from tests.fakes.audit_cases import Case
from tests.fakes.audit_cases_exports import EXPORTS
from tests.fakes.audit_cases_homes import HOMES, PACKED, PIPES
from tests.fakes.audit_cases_kept import KEPT
from tests.fakes.audit_cases_zips import BOMBS, ZIPS

CORPUS: Sequence[Case] = [*HOMES, *KEPT, *EXPORTS, *ZIPS]
HARMFUL: Sequence[Case] = [*BOMBS, *PACKED, *PIPES]
"""Made to keep whoever opens them busy for ever."""

__all__ = ["CORPUS", "HARMFUL", "HOMES", "Case"]
