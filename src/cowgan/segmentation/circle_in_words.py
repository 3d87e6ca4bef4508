"""The variant of the Circle of Willis in a label map, in words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import (
    TERRITORIES,
    TOPCOW_2023,
    TOPCOW_2023_TO_2024,
    TOPCOW_2024,
    LabelScheme,
)
from cowgan.segmentation.circle_variants import variant
from cowgan.segmentation.classes import Classes

_ALWAYS_THERE = (Artery.BA, Artery.R_ICA, Artery.L_ICA, Artery.R_MCA, Artery.L_MCA)
_SIDES = ("left", "right")
_ACA = {"left": Artery.L_ACA, "right": Artery.R_ACA}
_PCA = {"left": Artery.L_PCA, "right": Artery.R_PCA}


def circle_in_words(labels: NDArray[np.integer[Any]], scheme: LabelScheme) -> str:
    """Return which segments of the circle a label map lacks, in one or two sentences.

    Parameters
    ----------
    labels : ndarray of int, shape (z, x, y)
        Label map of the scheme.
    scheme : LabelScheme
        Meaning of the labels.

    Returns
    -------
    str
        Such as ``"Anterior circle complete; left PCom absent, right fetal PCA."`` A PCA is called
        fetal if a PCom but no P1 leads to it. Which segments are there is decided by
        `cowgan.segmentation.circle_variants.variant`. For territories, which of them were found;
        empty for other schemes, which tell too little.
    """
    if scheme is TOPCOW_2023:
        return circle_in_words(TOPCOW_2023_TO_2024.apply(labels), TOPCOW_2024)
    if scheme is TERRITORIES:
        return _territories_in_words(labels)
    if scheme is not TOPCOW_2024:
        return ""
    if not labels.any():
        return "No artery found."
    parts = [
        ", ".join(remarks) or f"{name} circle complete"
        for name, remarks in (("anterior", _anterior(labels)), ("posterior", _posterior(labels)))
    ]
    if parts == ["anterior circle complete", "posterior circle complete"]:
        parts = ["complete circle"]
    sentences = [_sentence("; ".join(parts))]
    missing = [artery for artery in _ALWAYS_THERE if artery not in labels]
    if missing:
        names = _listed([f"the {artery.full_name}" for artery in missing])
        sentences.append(_sentence(f"{names} {'was' if len(missing) == 1 else 'were'} not found"))
    return " ".join(sentences)


def _anterior(labels: NDArray[np.integer[Any]]) -> list[str]:
    left_a1, acom, third_a2, right_a1 = variant(labels, "anterior")
    remarks = []
    for side, a1 in zip(_SIDES, (left_a1, right_a1), strict=True):
        if _ACA[side] not in labels:
            remarks.append(f"{side} ACA absent")
        elif not a1:
            remarks.append(f"{side} A1 absent")
    if not acom:
        remarks.append("ACom absent")
    if third_a2:
        remarks.append("third A2")
    return remarks


def _posterior(labels: NDArray[np.integer[Any]]) -> list[str]:
    left_pcom, left_p1, right_p1, right_pcom = variant(labels, "posterior")
    remarks = []
    for side, pcom, p1 in zip(_SIDES, (left_pcom, right_pcom), (left_p1, right_p1), strict=True):
        if _PCA[side] not in labels:
            remarks.append(f"{side} PCA absent")
        elif pcom and not p1:
            remarks.append(f"{side} fetal PCA")
        elif not p1:
            remarks.append(f"{side} P1 absent")
        if not pcom:
            remarks.append(f"{side} PCom absent")
    return remarks


def _territories_in_words(labels: NDArray[np.integer[Any]]) -> str:
    learned = {value: TERRITORIES.labels[value] for value in Classes.of(TERRITORIES).values}
    missing = [name for value, name in learned.items() if value not in labels]
    if len(missing) == len(learned):
        return "No artery found."
    found = (
        f"no artery of the {_listed(missing)} territory found"
        if missing
        else "arteries of all four territories found"
    )
    return f"{_sentence(found)} Territories do not tell variants of the circle."


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
