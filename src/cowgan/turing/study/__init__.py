"""The coordinator's side of a study: creation, collection, unblinding."""

from cowgan.turing.study.collection import collect
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.study import Study
from cowgan.turing.study.unblinding import Unblinding, unblind

__all__ = ["Study", "Unblinding", "collect", "new_study", "unblind"]
