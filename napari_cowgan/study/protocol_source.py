"""What the pages of a new study know of each other."""

from typing import Protocol as Interface

from cowgan.turing.protocol import Protocol
from napari_cowgan.study.plan import Found, Origins


class ProtocolSource(Interface):
    """Puts together what was chosen on all pages."""

    def protocol(self) -> Protocol:
        """Return the choices, or raise `CowganError` if they do not go together."""

    def origins(self) -> Origins | None:
        """Return where the volumes come from, None if that is not chosen yet."""

    def found(self) -> tuple[Found, Found] | None:
        """Return what there is of real and of generated volumes, None if it is not known."""
