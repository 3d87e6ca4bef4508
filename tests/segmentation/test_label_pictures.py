"""Tests of pictures of label maps."""

from io import BytesIO

import numpy as np
from PIL import Image

from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.segmentation.label_pictures import label_picture


def test_the_lowest_label_is_seen_anterior_up_and_right_on_the_left():
    labels = np.zeros((3, 4, 8), np.uint8)
    labels[2, 0, 7] = 4
    labels[1, 0, 7] = 5
    labels[0, 3, 0] = 1
    # Twice as wide voxels along x make the picture square.
    picture = label_picture(labels, TOPCOW_2024, (1, 2, 1), "labels")
    pixels = np.array(Image.open(BytesIO(picture.png)))
    colours = {value: bytes.fromhex(code[1:]) for value, code in label_colours(TOPCOW_2024).items()}
    assert bytes(pixels[0, 0]) == colours[5]
    assert bytes(pixels[-1, -1]) == colours[1]
    assert (pixels.any(axis=2)).mean() == 2 / 32
    assert picture.alt == "labels"
