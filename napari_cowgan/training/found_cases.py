"""Labelled cases that a segmentation network can be trained on; touches no widget."""

from dataclasses import dataclass

from cowgan.data.image_pairs import find_image_pairs
from cowgan.errors import CowganError
from cowgan.segmentation.case_source import CaseSource
from cowgan.segmentation.monai_needed import MONAI_NEEDED, monai_is_installed


@dataclass(frozen=True)
class FoundCases:
    """Labelled cases to train on.

    Parameters
    ----------
    cases : CaseSource
        Where they are.
    scheme : str
        Name of the scheme of their labels.
    sentence : str
        Description for the user.
    """

    cases: CaseSource
    scheme: str
    sentence: str


def inspect_cases(cases: CaseSource) -> FoundCases:
    """Return what a source holds, after reading the first of its images and label maps.

    Raises
    ------
    CowganError
        MONAI is not installed, the bank has no labels, an image has no label map, or the first of
        them do not fit each other or the scheme.
    """
    if not monai_is_installed():
        raise CowganError(f"{MONAI_NEEDED}.")
    scheme, bank = cases.label_scheme(), cases.open_bank()
    if bank is not None:
        found = f"Bank of {len(bank)} volumes with labels ({scheme.name})"
        return FoundCases(cases, scheme.name, f"{found}; {len(bank.training)} to train on.")
    pairs = find_image_pairs(*cases.folders)
    pairs[0].open(scheme)
    return FoundCases(cases, scheme.name, f"{len(pairs)} images with label maps ({scheme.name}).")
