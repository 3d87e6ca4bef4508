"""The offer to continue the last session."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cowgan.synthesis import LatentState
from napari_cowgan.explorer.saved_session import ExplorerSession
from napari_cowgan.widgets.controls import breakable, hint, row, text_button


class LastSessionGroup(QWidget):
    """A line about the last session, with buttons that continue or dismiss it.

    Signals
    -------
    chosen : ExplorerSession
        The user wants to continue it.
    decided
        The user has answered the offer.
    """

    chosen = Signal(object)
    decided = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._session: ExplorerSession | None = None
        self.text = hint("")
        self.resume = text_button(
            "Continue", "Restore the volume, all settings, A and B of the last session"
        )
        self.dismiss = text_button(
            "Start afresh", "Dismiss the last session; the next change overwrites it"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(4)
        layout.addWidget(self.text)
        layout.addLayout(row(self.resume, self.dismiss, 1))
        self.resume.clicked.connect(self._on_resume)
        self.dismiss.clicked.connect(self._decide)
        self.hide()

    def offer(self, session: ExplorerSession) -> None:
        """Offer to continue a session, unless nothing in it was changed."""
        kept = sum(state is not None for state in session.slots.values())
        if session.latent == LatentState() and not kept:
            return
        self._session = session
        latent = session.latent
        edited = "" if latent == LatentState(latent.seed) else ", edited"
        self.text.setText(
            breakable(
                f"Continue where you left off? Seed {latent.seed}{edited}, model "
                f"“{session.checkpoint_name}”."
            )
        )
        self.show()

    def _on_resume(self) -> None:
        session = self._session
        self._decide()
        self.chosen.emit(session)

    def _decide(self) -> None:
        self._session = None
        self.hide()
        self.decided.emit()
