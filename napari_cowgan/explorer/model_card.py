"""The model card dialog."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from cowgan.checkpoint import Checkpoint
from cowgan.text import markup


def architecture(checkpoint: Checkpoint) -> str:
    """Return the size of the volumes and of the network in one line."""
    config = checkpoint.config
    parameters = sum(p.numel() for p in checkpoint.synthesis.parameters())
    return (
        f"{config.depth} × {config.image_size} × {config.image_size} voxels, "
        f"{config.n_blocks} blocks, {parameters / 1e6:.1f} M weights"
    )


class ModelCardDialog(QDialog):
    """A dialog with a model card, whose text can be scrolled and copied."""

    def __init__(self, checkpoint: Checkpoint, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Model card")
        card = checkpoint.card
        facts = {
            "About": card.description,
            "Architecture": architecture(checkpoint),
            "Training data": card.training_data,
            "Licence": card.licence,
            "File": str(checkpoint.path or "in memory"),
            "SHA-256": checkpoint.sha256 or "none",
            "Use": "For research. Synthetic volumes are not for diagnosis.",
        }
        self.text = QTextBrowser()
        # The text comes from an untrusted file, so it is escaped.
        self.text.setHtml(
            f"<h3>{markup(card.name)}</h3>"
            + "".join(
                f"<p><b>{title}</b><br>{markup(fact)}</p>" for title, fact in facts.items() if fact
            )
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(460, 420)
