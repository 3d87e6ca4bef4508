"""The offer to go on where the person was before napari was closed."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cowgan.synthesis import LatentState
from napari_cowgan.explorer.saved_session import ExplorerSession
from napari_cowgan.widgets.controls import breakable, hint, row, text_button


class LastSessionGroup(QWidget):
    """Says what the last session was, with a button to go on and one to leave it.

    Signals
    -------
    chosen : ExplorerSession
        The person wants to go on there.
    decided
        The person has chosen either.
    """

    chosen = Signal(object)
    decided = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._session: ExplorerSession | None = None
        self.text = hint("")
        self.resume = text_button(
            "Continue", "Bring back the volume, all settings, A and B of the last session"
        )
        self.dismiss = text_button(
            "Start afresh", "Leave the last session; it is forgotten with the next change"
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
        """Offer to go on with a session, unless it holds nothing to go on with."""
        kept = sum(state is not None for state in session.slots.values())
        if session.latent == LatentState() and not kept:
            return
        self._session = session
        latent = session.latent
        edited = "" if latent == LatentState(latent.seed) else ", edited"
        self.text.setText(
            breakable(
                f"Go on where you were? Seed {latent.seed}{edited}, with the model "
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
