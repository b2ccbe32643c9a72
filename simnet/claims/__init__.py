"""Claims: one file for one property, with the law beside every measurement."""

from __future__ import annotations

from simnet.claims.architectures import Architectures
from simnet.claims.attribute_recovery import AttributeRecovery
from simnet.claims.base import Case, Claim, Sample
from simnet.claims.cost import Cost
from simnet.claims.coverage import Coverage
from simnet.claims.decoders import Decoders
from simnet.claims.dictionary import Dictionary
from simnet.claims.holographic import Holographic
from simnet.claims.kernel import Kernel
from simnet.claims.known_wiring import KnownWiring
from simnet.claims.linear import Linear
from simnet.claims.matrices import Matrices
from simnet.claims.similarity import Similarity
from simnet.claims.statistics import Statistics
from simnet.claims.storage import Storage
from simnet.claims.transparency import Transparency
from simnet.claims.truncation import Truncation
from simnet.claims.unrolling import Unrolling
from simnet.claims.wiring import Wiring

CLAIMS: dict[str, Claim] = {
    claim.name: claim
    for claim in (
        Matrices(),
        Kernel(),
        Similarity(),
        AttributeRecovery(),
        Statistics(),
        Truncation(),
        Coverage(),
        Linear(),
        Unrolling(),
        Storage(),
        Holographic(),
        Dictionary(),
        KnownWiring(),
        Architectures(),
        Wiring(),
    )
}

#: Claims of studies that ``verify`` does not run.
STUDY_CLAIMS: dict[str, Claim] = {claim.name: claim for claim in (Decoders(), Transparency(), Cost())}

__all__ = ["CLAIMS", "STUDY_CLAIMS", "Case", "Claim", "Sample"]
