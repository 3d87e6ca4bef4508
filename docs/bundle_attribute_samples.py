"""Put what `cowgan attributes` measured of the bundled model beside it, in four digits.

Usage: python docs/bundle_attribute_samples.py
"""

import json
from typing import Any

from cowgan.checkpoint import BUNDLED, load_bundled
from cowgan.documents import read_json
from cowgan.files import atomic_path
from cowgan.segmentation.attribute_samples import kept_samples

if __name__ == "__main__":
    kept = kept_samples(load_bundled())
    assert kept is not None
    found: dict[str, Any] = read_json(kept, dict[str, Any])
    found["values"] = {
        key: [value if value is None else float(f"{value:.4g}") for value in values]
        for key, values in found["values"].items()
    }
    with atomic_path(BUNDLED.with_name("attribute_samples.json")) as temporary:
        temporary.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
