"""Settings of the training of a segmentation network."""

from dataclasses import dataclass, field
from typing import Annotated

from cowgan.segmentation.unet import NETWORKS, SegmentationNetworkConfig
from cowgan.settings import Setting, require_valid
from cowgan.training.config import TrainingPrecision
from cowgan.training.config_files import RunConfig

_OWNER = "Segmentation's"


@dataclass(frozen=True)
class SegmentationConfig(RunConfig):
    """Settings of the training of a segmentation network.

    The command line and the documentation take their texts and bounds from the fields.

    Raises
    ------
    CowganError
        A value is out of bounds.
    """

    network: SegmentationNetworkConfig = field(default_factory=lambda: NETWORKS["small"])
    """Architecture."""

    steps: Annotated[int, Setting("Optimisation steps", 1, 10**9)] = 4000
    batch: Annotated[int, Setting("Patches per pass", 1, 4096)] = 1
    accumulate: Annotated[int, Setting("Passes per step, shared by all devices", 1, 4096)] = 1
    patch_z: Annotated[int, Setting("Voxels of a patch along z", 8, 1024)] = 32
    patch_xy: Annotated[int, Setting("Voxels of a patch along x and along y", 8, 1024)] = 96
    rate: Annotated[float, Setting("AdamW's largest learning rate", 1e-8, 1.0)] = 2e-3
    weight_decay: Annotated[float, Setting("AdamW's weight decay", 0.0, 1.0)] = 1e-2
    warm_up: Annotated[
        int,
        Setting("Steps over which the learning rate rises, before it falls as a cosine", 0, 10**9),
    ] = 50
    rare_share: Annotated[
        float, Setting("Share of patches around an artery, of which each is as likely", 0, 1)
    ] = 0.5
    mirror: Annotated[
        float, Setting("Probability of mirroring a patch, with left and right labels swapped", 0, 1)
    ] = 0.5
    distortion: Annotated[float, Setting("Probability of rotating and scaling a patch", 0, 1)] = 0.3
    intensity: Annotated[
        float, Setting("Strength of random changes of contrast, shading, noise and sharpness", 0, 3)
    ] = 1.0
    cldice_weight: Annotated[
        float, Setting("Weight of the soft clDice loss of all arteries together; 0: none", 0, 1e3)
    ] = 0.0
    skeleton_weight: Annotated[
        float, Setting("Weight of the recall of the skeletons of arteries; 0: none", 0, 1e3)
    ] = 0.0
    holdout: Annotated[
        float, Setting("Share of the subjects that choose the best step", 0, 0.9)
    ] = 0.1
    validate_every: Annotated[int, Setting("Steps between validations; 0: none", 0, 10**9)] = 250
    save_every: Annotated[int, Setting("Steps between saved states", 1, 10**9)] = 100
    precision: Annotated[
        TrainingPrecision, Setting("Number format: auto takes the fastest that is safe")
    ] = "auto"
    seed: Annotated[int, Setting("Seed of weights, patches and augmentation", 0, 2**53)] = 0

    def __post_init__(self) -> None:
        require_valid(self, _OWNER)

    @property
    def images_per_step(self) -> int:
        """Patches of a step."""
        return self.batch * self.accumulate

    @property
    def patch(self) -> tuple[int, int, int]:
        """Voxels of a patch along (z, x, y)."""
        return self.patch_z, self.patch_xy, self.patch_xy
