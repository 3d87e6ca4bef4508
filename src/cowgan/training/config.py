"""Settings and presets of a training run."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, get_args

from cowgan.errors import CowganError
from cowgan.networks import PRESETS as NETWORKS
from cowgan.networks import NetworkConfig
from cowgan.settings import Setting, require_valid
from cowgan.training.config_files import RunConfig

Preset = Literal["paper", "modern", "projected"]
Architecture = Literal["published", "modern", "projected"]
Loss = Literal["hinge", "logistic"]
Penalty = Literal["one_centred", "r1"]
StartKind = Literal["published", "linear"]
TrainingPrecision = Literal["auto", "fp32", "bf16", "fp16"]

COARSE = 16
"""Columns of the finest block that a linear start fits; finer ones draw what lies between."""
FEWEST_CHANNELS = 4
"""In each block of a linear start: two carry the image, one is read and one passed on."""


@dataclass(frozen=True)
class TrainingConfig(RunConfig):
    """Settings of a training run.

    The command line, the training panel and the documentation take their texts and bounds from
    the fields.

    Raises
    ------
    CowganError
        A value is out of bounds, or settings contradict each other.
    """

    network: NetworkConfig = field(default_factory=lambda: NETWORKS["Small"])
    """Architecture of the generator, and of a published discriminator."""

    discriminator: Annotated[
        Architecture,
        Setting(
            "Discriminator: published, modern (equalised learning rates and minibatch standard "
            "deviation) or projected (features of a pretrained network)"
        ),
    ] = "modern"
    start: Annotated[
        StartKind,
        Setting(
            "Initial generator: random weights as published, or a linear function of anatomical "
            "components"
        ),
    ] = "published"
    loss: Annotated[Loss, Setting("Adversarial loss: hinge or non-saturating logistic")] = (
        "logistic"
    )
    generator_rate: Annotated[
        float, Setting("Adam's learning rate for the generator", 1e-8, 1.0)
    ] = 2e-3
    discriminator_rate: Annotated[
        float, Setting("Adam's learning rate for the discriminator", 1e-8, 1.0)
    ] = 2e-3
    beta1: Annotated[float, Setting("Decay rate of Adam's first moment", 0.0, 0.9999)] = 0.0
    beta2: Annotated[float, Setting("Decay rate of Adam's second moment", 0.0, 0.9999)] = 0.99
    penalty: Annotated[
        Penalty,
        Setting("Gradient penalty of the discriminator on real volumes: R1 or one-centred"),
    ] = "r1"
    penalty_weight: Annotated[float, Setting("Weight of the gradient penalty; 0: none", 0, 1e6)] = (
        10.0
    )
    penalty_every: Annotated[int, Setting("Steps between gradient penalties", 1, 10**9)] = 16
    penalty_scaled: Annotated[
        bool,
        Setting("Multiply the penalty's weight by its interval, which then does not weaken it"),
    ] = True
    path_weight: Annotated[
        float, Setting("Weight of path-length regularisation; 0: none", 0, 1e6)
    ] = 2.0
    path_every: Annotated[int, Setting("Steps between path-length terms", 1, 10**9)] = 8
    path_from: Annotated[int, Setting("First step with a path-length term", 0, 10**9)] = 0
    path_decay: Annotated[float, Setting("Decay of the running mean of path lengths", 0, 1)] = 0.99
    anchor_weight: Annotated[
        float,
        Setting(
            "Weight of the difference of a volume's anatomy from its latent's; "
            "linear start only, 0: none",
            0,
            1e6,
        ),
    ] = 0.0
    paired: Annotated[
        int,
        Setting(
            "Volumes per pass made from the components of real volumes; linear start only", 0, 4096
        ),
    ] = 0
    paired_weight: Annotated[
        float,
        Setting(
            "Weight of the coarse difference of paired volumes from real ones; 0: none", 0, 1e6
        ),
    ] = 0.0
    feature_weight: Annotated[
        float,
        Setting(
            "Weight of the difference of paired volumes in features of a projected "
            "discriminator; 0: none",
            0,
            1e6,
        ),
    ] = 0.0
    brightness_weight: Annotated[
        float, Setting("Weight of grey levels that real volumes do not have; 0: none", 0, 1e6)
    ] = 0.0
    moment_weight: Annotated[
        float,
        Setting(
            "Weight of the difference of projections from real ones in each pixel's mean and "
            "deviation; 0: none",
            0,
            1e6,
        ),
    ] = 0.0
    texture_weight: Annotated[
        float,
        Setting(
            "Weight of the difference of projections and slices from real ones in mean and "
            "deviation of the features of EfficientNet-Lite0; 0: none",
            0,
            1e6,
        ),
    ] = 0.0
    mixing: Annotated[
        float, Setting("Probability of taking the fine styles from a second latent", 0, 1)
    ] = 0.9
    augment: Annotated[
        float,
        Setting("Probability of each augmentation; the initial one if it adapts", 0, 1),
    ] = 0.5
    augment_target: Annotated[
        float,
        Setting(
            "Share of real volumes judged real that adaptive augmentation aims at; 0: constant "
            "augmentation",
            0,
            1,
        ),
    ] = 0.0
    augment_images: Annotated[
        int,
        Setting("Volumes over which adaptive augmentation may rise from 0 to 1", 1, 10**9),
    ] = 500_000
    discriminator_limit: Annotated[
        float,
        Setting("Loss below which the discriminator skips a step; 0: none", 0, 10),
    ] = 0.0
    flip: Annotated[
        float, Setting("Probability of mirroring a real volume left to right", 0, 1)
    ] = 0.5
    batch: Annotated[int, Setting("Volumes per pass; fewer need less memory", 1, 4096)] = 8
    accumulate: Annotated[
        int,
        Setting(
            "Passes per step, whose gradients are added up; a step sees batch × passes", 1, 4096
        ),
    ] = 4
    average_images: Annotated[
        float,
        Setting("Half-life of the weights' moving average (EMA), in volumes", 1.0, 1e9),
    ] = 10_000.0
    average_ramp: Annotated[
        float,
        Setting("Upper limit of the half-life as a share of the volumes seen; 0: none", 0, 1),
    ] = 0.05
    precision: Annotated[
        TrainingPrecision,
        Setting("Number format of convolutions; auto is the fastest that is safe on the device"),
    ] = "auto"
    steps: Annotated[
        int, Setting("Length of the run in steps; a finished run can be continued", 1, 10**9)
    ] = 100_000
    save_every: Annotated[
        int, Setting("Steps between saved states, from which a run can be resumed", 1, 10**9)
    ] = 1_000
    sample_every: Annotated[
        int, Setting("Steps between pictures of generated volumes", 1, 10**9)
    ] = 500
    metrics_every: Annotated[int, Setting("Steps between metrics; 0: none", 0, 10**9)] = 500
    seed: Annotated[
        int, Setting("Seed of every random number, so that a run can be repeated", 0, 2**63 - 1)
    ] = 0

    def __post_init__(self) -> None:
        require_valid(self, "Training's")
        if self.discriminator == "projected" and self.penalty_weight:
            raise CowganError(
                "A projected discriminator takes no slope penalty; set penalty_weight to 0."
            )
        if self.start != "linear" and (self.anchor_weight or self.paired):
            raise CowganError(
                "Latents stand for anatomies only after a linear start; choose that start, or set "
                "anchor_weight and paired to 0."
            )
        if self.start == "linear" and self.path_weight:
            raise CowganError(
                "Path lengths cannot be regularised after a linear start; set path_weight to 0, or "
                "choose the published start."
            )

    @property
    def images_per_step(self) -> int:
        """Real volumes that one step sees."""
        return self.batch * self.accumulate

    @property
    def trait_weights(self) -> dict[str, float]:
        """Weights of the errors of the moments of traits, by their columns in the log."""
        return {"moments": self.moment_weight, "textures": self.texture_weight}


def can_start_linearly(network: NetworkConfig) -> bool:
    """Return whether every block that a linear start fits has enough channels."""
    return all(
        channels >= FEWEST_CHANNELS
        for block, channels in enumerate(network.synthesis_channels)
        if network.block_shape(block)[1] <= COARSE
    )


def preset(name: str, network: NetworkConfig) -> TrainingConfig:
    """Return a recipe.

    Parameters
    ----------
    name : {"paper", "modern", "projected"}
        "paper" is the recipe of Aydin et al. 2024: hinge loss, one-centred penalty on
        reals, two learning rates, Adam (0.5, 0.9). "modern" is that of StyleGAN2 (Karras
        et al. 2020): non-saturating loss, lazy R1 at its full weight, an average of the
        weights by volumes seen from the first step on. "projected" learns from a
        pretrained network's features (Sauer et al. 2021), the quickest way without a GPU; it
        starts linearly, but with the published start where the network is too narrow for that.
    network : NetworkConfig
        What to train.
    """
    if name == "modern":
        return TrainingConfig(network=network)
    if name == "paper":
        return TrainingConfig(
            network=network,
            discriminator="published",
            loss="hinge",
            generator_rate=4e-5,
            discriminator_rate=6e-5,
            beta1=0.5,
            beta2=0.9,
            penalty="one_centred",
            penalty_weight=10.0,
            penalty_every=16,
            penalty_scaled=False,
            path_weight=1.0,
            path_every=32,
            path_from=5_000,
            # 0.995 every 10 steps of 32 volumes, as a half-life.
            average_images=44_000.0,
        )
    if name == "projected":
        published = TrainingConfig(
            network=network,
            discriminator="projected",
            loss="hinge",
            generator_rate=4e-4,
            discriminator_rate=4e-4,
            penalty_weight=0.0,
            path_weight=0.0,
            brightness_weight=0.1,
            moment_weight=10.0,
            texture_weight=10.0,
            mixing=0.0,
            discriminator_limit=0.7,
            accumulate=1,
            average_images=2_000.0,
        )
        if not can_start_linearly(network):
            return published
        return replace(
            published,
            start="linear",
            anchor_weight=8.0,
            paired=4,
            paired_weight=0.1,
            feature_weight=2.0,
        )
    known = ", ".join(get_args(Preset))
    raise CowganError(f"There is no training preset {name!r}; choose among {known}.")
