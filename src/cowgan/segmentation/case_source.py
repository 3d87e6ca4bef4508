"""Where the labelled cases of a run come from, which its folder states so that it can go on."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from cowgan.anatomy.label_schemes import LabelScheme, label_scheme
from cowgan.bank.bank import Bank
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.progress import Progress
from cowgan.segmentation.labelled_cases import LabelledCases, of_bank, read_folders, scheme_of

SOURCE_FILE = "cases.json"
"""In the folder of a run: where its cases come from."""


@dataclass(frozen=True)
class CaseSource:
    """A bank with labels, or folders of images and label maps.

    Parameters
    ----------
    bank : str or None
        Folder of a bank; None for folders.
    images, labels, scheme : str or None
        Folders of images and of label maps, and the meaning of these by its name in
        `LABEL_SCHEMES`; None for a bank.

    Raises
    ------
    CowganError
        It is neither of the two, or there is no such scheme.
    """

    bank: str | None = None
    images: str | None = None
    labels: str | None = None
    scheme: str | None = None

    def __post_init__(self) -> None:
        folders = (self.images, self.labels, self.scheme)
        if any(folders) if self.bank else not all(folders):
            raise CowganError("Give --images, --labels and --scheme, or a --bank with labels.")
        if self.scheme:
            label_scheme(self.scheme)

    @classmethod
    def of(
        cls,
        images: Path | None = None,
        labels: Path | None = None,
        scheme: str | None = None,
        bank: Path | None = None,
    ) -> Self:
        """Return a source whose folders are found from anywhere."""
        bank_text, images_text, labels_text = (
            None if folder is None else str(folder.absolute()) for folder in (bank, images, labels)
        )
        return cls(bank_text, images_text, labels_text, scheme)

    def open_bank(self) -> Bank | None:
        """Return the bank; None for folders."""
        return None if self.bank is None else Bank.open(Path(self.bank))

    @property
    def folders(self) -> tuple[Path, Path]:
        """Folders of images and of label maps, of a source that is no bank."""
        assert self.images and self.labels
        return Path(self.images), Path(self.labels)

    def label_scheme(self) -> LabelScheme:
        """Return the meaning of the labels.

        Raises
        ------
        CowganError
            The bank cannot be read, or has no labels.
        """
        bank = self.open_bank()
        return label_scheme(self.scheme or "") if bank is None else scheme_of(bank)

    def read(self, progress: Progress | None = None) -> LabelledCases:
        """Return the cases; see `of_bank` and `read_folders`."""
        bank = self.open_bank()
        if bank is not None:
            return of_bank(bank)
        return read_folders(*self.folders, self.label_scheme(), progress=progress)


def write_source(source: CaseSource, run: Path) -> None:
    """State in the folder of a run where its cases come from."""
    write_json(run / SOURCE_FILE, asdict(source))


def read_source(run: Path) -> CaseSource:
    """Return where the cases of a run come from.

    Raises
    ------
    CowganError
        Its folder does not say so, or the file is damaged.
    """
    path = run / SOURCE_FILE
    if not path.is_file():
        raise CowganError(
            f"The run in {run} does not say where its cases come from; give --images, --labels and "
            "--scheme, or --bank, as at its start."
        )
    return read_json(path, CaseSource)
