"""Everything that decides a training run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cowgan.documents import checked, read_toml
from cowgan.errors import CowganError
from cowgan.files import atomic_path
from cowgan.networks import PRESETS as NETWORKS
from cowgan.networks import NetworkConfig

Preset = Literal["paper", "modern", "projected"]
Architecture = Literal["published", "modern", "projected"]
Loss = Literal["hinge", "logistic"]
Penalty = Literal["one_centred", "r1"]
Start = Literal["published", "linear"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]

COARSE = 16
"""Columns of the finest block that a linear start fits; finer ones draw what lies between."""
FEWEST_CHANNELS = 4
"""In each block of a linear start: two carry the image, one is read and one passed on."""


@dataclass(frozen=True)
class TrainingConfig:
    """What a run trains, and how.

    Parameters
    ----------
    network : NetworkConfig
        Architecture of the generator, and of a published discriminator.
    discriminator : {"published", "modern", "projected"}
        "modern" has equalised learning rates and a minibatch standard deviation;
        "projected" judges views by features of a pretrained network.
    start : {"published", "linear"}
        How the generator begins: with random weights, or as a linear function of anatomical
        components, see `cowgan.training.linear_start`.
    loss : {"hinge", "logistic"}
        See `cowgan.training.losses`.
    generator_rate, discriminator_rate : float
        Learning rates of Adam.
    beta1, beta2 : float
        Decay rates of Adam's moments.
    penalty : {"one_centred", "r1"}
        Penalty on the discriminator's slope at real volumes.
    penalty_weight : float
        Its weight; 0 leaves it out.
    penalty_every : int
        Steps between penalties.
    penalty_scaled : bool
        Multiply the weight by `penalty_every`, so that the interval does not weaken it.
    path_weight : float
        Weight of path-length regularisation; 0 leaves it out.
    path_every, path_from : int
        Steps between path-length terms, and the first step that has one.
    path_decay : float
        Decay of the running mean of path lengths.
    anchor_weight : float
        Weight of the generator's loss for volumes that show another anatomy than the one their
        latent stands for, see `cowgan.training.components`; 0 leaves it out.
    paired : int
        Volumes of each pass that are made of the components of real ones, and should look like
        these.
    paired_weight : float
        Weight of the generator's loss for such volumes that are not the real ones, seen
        coarsely; 0 leaves it out.
    feature_weight : float
        Weight of the generator's loss for such volumes whose features are not those of the real
        ones; 0 leaves it out. Only projected discriminators have features.
    brightness_weight : float
        Weight of the generator's loss for grey levels that real volumes do not have, see
        `cowgan.training.brightness`; 0 leaves it out.
    mixing : float
        Chance that a volume takes its fine styles from a second latent.
    augment : float
        Chance of each differentiable augmentation; the start value if it adapts.
    augment_target : float
        Share of real volumes judged real that adaptive augmentation aims at; 0 keeps
        `augment` as it is.
    augment_images : int
        Volumes over which adaptive augmentation goes from 0 to 1 at most.
    discriminator_limit : float
        The discriminator does not learn from a step in which its loss is already below this;
        0 lets it always learn.
    flip : float
        Chance that a real volume is seen with left and right swapped.
    batch, accumulate : int
        Volumes per pass, and passes per step; a step sees their product.
    average_images : float
        Half-life of the weights' moving average, in volumes seen.
    average_ramp : float
        Upper limit of the half-life as a share of the volumes seen so far; 0 for none.
    precision : {"auto", "fp32", "bf16", "fp16"}
        Number format of convolutions; "auto" is the fastest that is safe on the device.
    steps, save_every, sample_every : int
        Length of the run; steps between saved states, and between sample pictures.
    metrics_every : int
        Steps between metrics, see `cowgan.training.metrics`; 0 measures none.
    seed : int
        Decides every random number.

    Raises
    ------
    CowganError
        A value makes no sense.
    """

    network: NetworkConfig = field(default_factory=lambda: NETWORKS["Small"])
    discriminator: Architecture = "modern"
    start: Start = "published"
    loss: Loss = "logistic"
    generator_rate: float = 2e-3
    discriminator_rate: float = 2e-3
    beta1: float = 0.0
    beta2: float = 0.99
    penalty: Penalty = "r1"
    penalty_weight: float = 10.0
    penalty_every: int = 16
    penalty_scaled: bool = True
    path_weight: float = 2.0
    path_every: int = 8
    path_from: int = 0
    path_decay: float = 0.99
    anchor_weight: float = 0.0
    paired: int = 0
    paired_weight: float = 0.0
    feature_weight: float = 0.0
    brightness_weight: float = 0.0
    mixing: float = 0.9
    augment: float = 0.5
    augment_target: float = 0.0
    augment_images: int = 500_000
    discriminator_limit: float = 0.0
    flip: float = 0.5
    batch: int = 8
    accumulate: int = 4
    average_images: float = 10_000.0
    average_ramp: float = 0.05
    precision: Precision = "auto"
    steps: int = 100_000
    save_every: int = 1_000
    sample_every: int = 500
    metrics_every: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise CowganError(
                    f"Training's {name} must be one of {', '.join(known)}, not "
                    f"{getattr(self, name)!r:.40}."
                )
        for name in _WHOLE:
            if not isinstance(getattr(self, name), int):
                raise CowganError(
                    f"Training's {name} must be a whole number, not {getattr(self, name)!r:.40}."
                )
        for names, low, high in _LIMITS:
            for name in names:
                if not low <= getattr(self, name) <= high:
                    raise CowganError(
                        f"Training's {name} must lie between {low:g} and {high:g}, not "
                        f"{getattr(self, name)!r:.40}."
                    )

        if self.discriminator == "projected" and self.penalty_weight:
            raise CowganError(
                "A projected discriminator takes no slope penalty; set penalty_weight to 0."
            )
        if self.start != "linear" and (self.anchor_weight or self.paired):
            raise CowganError(
                "Latents stand for anatomies only after a linear start; choose that start, or set "
                "anchor_weight and paired to 0."
            )

    @property
    def images_per_step(self) -> int:
        """Real volumes that one step sees."""
        return self.batch * self.accumulate

    def to_dict(self) -> dict[str, Any]:
        """Return every value as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_dict(
        cls, content: Mapping[str, Any], what: str = "The description of the training"
    ) -> "TrainingConfig":
        """Return a config from what `to_dict` gave; missing values take their default.

        Raises
        ------
        CowganError
            A setting is unknown or makes no sense; `what` begins the sentence.
        """
        values = {**cls().to_dict(), **content}
        NetworkConfig.from_dict(values["network"])
        return checked(values, cls, what)


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
            discriminator_rate=1.5e-4,
            penalty_weight=0.0,
            path_weight=0.0,
            brightness_weight=0.1,
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
            anchor_weight=4.0,
            paired=4,
            paired_weight=0.3,
            feature_weight=5.0,
        )
    known = ", ".join(get_args(Preset))
    raise CowganError(f"There is no training preset {name!r}; choose among {known}.")


def write_config(config: TrainingConfig, path: Path) -> None:
    """Write every setting, defaults included, as TOML."""
    content = config.to_dict()
    network = content.pop("network")
    lines = [f"{name} = {_toml(value)}" for name, value in content.items()]
    lines += ["", "[network]", *(f"{name} = {_toml(value)}" for name, value in network.items())]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_config(path: Path, base: TrainingConfig | None = None) -> TrainingConfig:
    """Read settings from TOML; those it does not name come from `base` or are the defaults.

    Raises
    ------
    CowganError
        The file is unreadable or names unknown settings or senseless values.
    """
    content = read_toml(Path(path))
    base = base or TrainingConfig()
    network = content.pop("network", {})
    if not isinstance(network, dict):
        raise CowganError(f"{path}: network must be a table.")
    known = {*base.to_dict(), *base.network.to_dict()}
    if strange := sorted({*content, *network} - known):
        raise CowganError(
            f"{path} sets {', '.join(strange):.200}, which this version does not have; take it out "
            "to train without."
        )
    merged = {**base.to_dict(), **content, "network": {**base.network.to_dict(), **network}}
    return TrainingConfig.from_dict(merged, str(path))


def with_changes(config: TrainingConfig, **changes: Any) -> TrainingConfig:
    """Return the config with those changes that are not None."""
    wanted = {name: value for name, value in changes.items() if value is not None}
    return TrainingConfig.from_dict({**config.to_dict(), **wanted})


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else repr(value)


_HINTS = get_type_hints(TrainingConfig)
_CHOICES = {name: get_args(hint) for name, hint in _HINTS.items() if get_origin(hint) is Literal}
_WHOLE = [name for name, hint in _HINTS.items() if hint is int]
_LIMITS = (
    (("generator_rate", "discriminator_rate"), 1e-8, 1.0),
    (("beta1", "beta2"), 0.0, 0.9999),
    (("mixing", "augment", "augment_target", "flip", "path_decay", "average_ramp"), 0.0, 1.0),
    (("discriminator_limit",), 0.0, 10.0),
    (
        (
            "penalty_weight",
            "path_weight",
            "anchor_weight",
            "paired_weight",
            "feature_weight",
            "brightness_weight",
        ),
        0.0,
        1e6,
    ),
    (("penalty_every", "path_every", "augment_images", "steps", "save_every"), 1, 10**9),
    (("sample_every",), 1, 10**9),
    (("path_from", "metrics_every"), 0, 10**9),
    (("batch", "accumulate"), 1, 4096),
    (("paired",), 0, 4096),
    (("average_images",), 1.0, 1e9),
    (("seed",), 0, 2**63 - 1),
)
