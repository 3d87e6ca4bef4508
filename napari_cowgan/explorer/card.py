"""What a person should know before using a model."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from cowgan.checkpoint import Checkpoint
from cowgan.text import markup


def architecture(checkpoint: Checkpoint) -> str:
    """Return one line about size and depth of the network."""
    config = checkpoint.config
    parameters = sum(p.numel() for p in checkpoint.synthesis.parameters())
    return (
        f"{config.depth} × {config.image_size} × {config.image_size} voxels, "
        f"{config.n_blocks} blocks, {parameters / 1e6:.1f} M weights"
    )


class CardDialog(QDialog):
    """Shows a model card, however long, with text that can be copied."""

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
        # The texts come from a file of unknown origin: they are shown, not interpreted.
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
