"""The arteries of the Circle of Willis and their label values.

The scheme is that of the TopCoW 2024 challenge: 13 classes with values 1 to 12 and 15, the
third A2.
"""

from enum import IntEnum

LABEL_SCHEME = "TopCoW 2024"
"""Name of the scheme, for the provenance of a label map."""


class Artery(IntEnum):
    """One of the 13 TopCoW classes; its value is the voxel value in a label map."""

    BA = 1
    R_PCA = 2
    L_PCA = 3
    R_ICA = 4
    R_MCA = 5
    L_ICA = 6
    L_MCA = 7
    R_PCOM = 8
    L_PCOM = 9
    ACOM = 10
    R_ACA = 11
    L_ACA = 12
    THIRD_A2 = 15

    @property
    def abbreviation(self) -> str:
        """Short name in TopCoW's spelling, such as ``"R-PCom"``."""
        return _ABBREVIATIONS[self]

    @property
    def full_name(self) -> str:
        """Name as in a radiology report, such as ``"right posterior communicating artery"``."""
        return _FULL_NAMES[self]


_ABBREVIATIONS = {
    Artery.BA: "BA",
    Artery.R_PCA: "R-PCA",
    Artery.L_PCA: "L-PCA",
    Artery.R_ICA: "R-ICA",
    Artery.R_MCA: "R-MCA",
    Artery.L_ICA: "L-ICA",
    Artery.L_MCA: "L-MCA",
    Artery.R_PCOM: "R-PCom",
    Artery.L_PCOM: "L-PCom",
    Artery.ACOM: "ACom",
    Artery.R_ACA: "R-ACA",
    Artery.L_ACA: "L-ACA",
    Artery.THIRD_A2: "3rd-A2",
}

_FULL_NAMES = {
    Artery.BA: "basilar artery",
    Artery.R_PCA: "right posterior cerebral artery",
    Artery.L_PCA: "left posterior cerebral artery",
    Artery.R_ICA: "right internal carotid artery",
    Artery.R_MCA: "right middle cerebral artery",
    Artery.L_ICA: "left internal carotid artery",
    Artery.L_MCA: "left middle cerebral artery",
    Artery.R_PCOM: "right posterior communicating artery",
    Artery.L_PCOM: "left posterior communicating artery",
    Artery.ACOM: "anterior communicating artery",
    Artery.R_ACA: "right anterior cerebral artery",
    Artery.L_ACA: "left anterior cerebral artery",
    Artery.THIRD_A2: "third A2 segment",
}
