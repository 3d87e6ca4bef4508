"""What the arms of the experiment learn from and are tested on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cowgan.bank.bank import Bank
from cowgan.checkpoint import BUNDLED, load
from cowgan.errors import CowganError
from cowgan.randomness import stream
from cowgan.segmentation.experiment_config import ExperimentConfig, PlannedArm
from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases, as_volume, of_bank
from cowgan.segmentation.patch_augmentation import change_intensities
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import load_segmenter
from cowgan.synthesis import LatentState, Synthesizer

_SEEDS_OF_A_REPETITION = 1_000_000


@dataclass(frozen=True)
class ExperimentData:
    """The real and synthetic cases of one repetition.

    Parameters
    ----------
    config : ExperimentConfig
        Settings.
    seed : int
        Number of the repetition, which decides which subjects are known and which latents are
        drawn. Smaller sets are parts of larger ones.
    """

    config: ExperimentConfig
    seed: int

    @cached_property
    def test(self) -> LabelledCases:
        """The held-out cases, the same in every repetition."""
        return self._harder(of_bank(self._bank, "holdout"))

    def real(self, count: int) -> LabelledCases:
        """Return the cases of the first subjects in the order of this repetition.

        Raises
        ------
        CowganError
            The bank has fewer training subjects.
        """
        if count > len(self._order):
            raise CowganError(
                f"The bank has {len(self._order)} subjects to learn from, fewer than {count}."
            )
        return self._pool.of_subjects(self._order[:count])

    def learned_from(self, arm: PlannedArm, teacher: Path | None, device: str) -> LabelledCases:
        """Return the cases of an arm.

        Parameters
        ----------
        arm : PlannedArm
            The arm.
        teacher : Path, optional
            Network of the arm of as many real subjects; needed by arms that learn from its labels.
        device : str
            Device of generator and teacher.
        """
        cases = list(self.real(arm.real).cases) if arm.real else []
        if teacher is not None:
            segmenter = Segmenter([load_segmenter(teacher)], device)
            images = self._generated(arm.synthetic, device) if arm.synthetic else {}
            if arm.pseudo:
                images = self._unlabelled(arm)
            cases += [_labelled(name, image, segmenter) for name, image in images.items()]
        return replace(self._pool, cases=cases)

    def _unlabelled(self, arm: PlannedArm) -> dict[str, NDArray[np.float16]]:
        """Return images of subjects beyond those that the teacher knows, in turn."""
        others = self._order[arm.teacher :]
        if not others:
            raise CowganError("The bank has no subjects beyond those of the teacher.")
        of_each = [self._pool.of_subjects([subject]).cases for subject in others]
        in_turn = [case for turn in zip_longest(*of_each) for case in turn if case is not None]
        return {f"pseudo-{case.name}": case.image for case in in_turn[: arm.pseudo]}

    def _generated(self, count: int, device: str) -> dict[str, NDArray[np.float16]]:
        model = load(Path(self.config.model) if self.config.model else BUNDLED)
        if model.config.volume_shape != self._bank.shape:
            raise CowganError("The generator's volumes and those of the bank differ in size.")
        first = self.seed * _SEEDS_OF_A_REPETITION
        states = [LatentState(first + i, psi=self.config.psi) for i in range(count)]
        volumes = Synthesizer(model, device).render_many(states)
        return {
            f"synthetic-{state.seed}": self._changed(volume.data, f"synthetic-{state.seed}")
            for state, volume in zip(states, volumes, strict=True)
        }

    def _harder(self, cases: LabelledCases) -> LabelledCases:
        if not self.config.difficulty:
            return cases
        changed = [replace(c, image=self._changed(c.image, c.name)) for c in cases.cases]
        return replace(cases, cases=changed)

    def _changed(self, image: NDArray[np.floating], name: str) -> NDArray[np.float16]:
        random = stream(f"difficulty {name}", 0)
        plain = image.astype(np.float32)
        if self.config.difficulty:
            plain = change_intensities(plain, self.config.difficulty, random)
        return plain.astype(np.float16)

    @cached_property
    def _bank(self) -> Bank:
        return Bank.open(Path(self.config.bank))

    @cached_property
    def _pool(self) -> LabelledCases:
        return self._harder(of_bank(self._bank))

    @cached_property
    def _order(self) -> Sequence[str]:
        subjects = sorted({case.subject for case in self._pool.cases})
        drawn = stream("subjects of a repetition", self.seed).permutation(len(subjects))
        return [subjects[i] for i in drawn]


def _labelled(name: str, image: NDArray[np.float16], segmenter: Segmenter) -> LabelledCase:
    labels = segmenter(as_volume(image, segmenter.spacing_mm)).labels
    return LabelledCase(name, name, image, labels)
