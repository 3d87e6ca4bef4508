import numpy as np

from cowgan.volume.contact_sheet import contact_sheet


def test_pictures_lie_in_rows_and_the_last_row_may_be_short():
    pictures = [np.full((2, 3), n, np.uint8) for n in (1, 2, 3)]
    sheet = contact_sheet(pictures, 2, margin=1)
    assert sheet.shape == (8, 10)
    assert sheet.dtype == np.uint8
    assert (sheet[1:3, 6:9] == 2).all()
    assert (sheet[5:7, 1:4] == 3).all()
    assert sheet.sum() == 6 * (1 + 2 + 3)
