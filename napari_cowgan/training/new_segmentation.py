"""A segmentation run to be started, and the command that starts it; touches no widget."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cowgan.progress import Progress
from cowgan.segmentation.case_source import CaseSource
from cowgan.segmentation.segmentation_config import SegmentationConfig
from napari_cowgan.training.run_settings import command_line, option_words, write_new_config


@dataclass(frozen=True)
class NewSegmentation:
    """A segmentation run to be started.

    Parameters
    ----------
    source : CaseSource
        Where the labelled cases are.
    folder : Path
        Folder of the run.
    network : str
        Name of the architecture that `config` was made from.
    config : SegmentationConfig
        Every setting.
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps".
    """

    source: CaseSource
    folder: Path
    network: str
    config: SegmentationConfig
    device: str = "auto"

    def prepare(self) -> list[str]:
        """Write ``config.toml`` to the run's folder and return the arguments that start the run.

        Raises
        ------
        CowganError
            The folder holds a run already, or cannot be written.
        """
        return self._arguments({"config": write_new_config(self.config, self.folder)})

    def train(self, progress: Progress) -> None:
        """Train in this process."""
        from cowgan.segmentation.segmentation_run import train_segmenter

        cases = self.source.read(progress)
        train_segmenter(self.folder, cases, self.config, self.device, progress, source=self.source)

    def command_line(self) -> str:
        """Return a command that starts the run without ``config.toml``, such as on a server."""
        settings = {"network": self.network, "steps": self.config.steps, "seed": self.config.seed}
        return command_line(self._arguments(settings))

    def _arguments(self, settings: dict[str, Any]) -> list[str]:
        options = {
            **asdict(self.source),
            "out": self.folder,
            **settings,
            "device": self.device,
        }
        return ["segment", "train", *option_words(options)]
