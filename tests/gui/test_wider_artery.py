"""Making one artery wider in the explorer, with the bundled model in a real window."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit

from napari_cowgan.widgets.controls import Section

SEED = 1
PCOM = "l_pcom_diameter_mm"


@pytest.mark.slow
def test_the_left_pcom_becomes_wider_by_what_was_typed_and_the_table_says_so(viewer, qtbot):
    _, panel = viewer.window.add_plugin_dock_widget("napari-cowgan", "Latent explorer")
    qtbot.waitUntil(lambda: panel.explorer is not None, timeout=120_000)
    explorer = panel.explorer
    qtbot.waitUntil(lambda: explorer.showing_complete_volume, timeout=240_000)
    explorer.model.set_seed(SEED)
    row = next(r for r in explorer.attributes.steering_rows if r.attribute.key == PCOM)
    for section in explorer.findChildren(Section):
        if section.isAncestorOf(row) or section.isAncestorOf(explorer.measurements):
            section.expand(animate=False)

    def table() -> tuple[str, str, str]:
        return explorer.measurements.text(PCOM)

    def measured() -> bool:
        latest = explorer.measurements.live.latest
        return latest is not None and latest.state == explorer.model.latent

    qtbot.waitUntil(
        lambda: measured() and row.label.text() != "Left PCom diameter", timeout=240_000
    )
    before = float(table()[0].removesuffix(" mm"))
    assert row.label.text() == f"Left PCom diameter: {before:.2f} mm"

    line = row.slider.findChild(QLineEdit)
    line.selectAll()
    QTest.keyClicks(line, f"{before + 0.3:.2f}")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert explorer.attributes.searching.running
    qtbot.waitUntil(lambda: row.message.text().startswith("Reached"), timeout=600_000)
    qtbot.waitUntil(lambda: measured() and table()[1] not in ("–", "0"), timeout=240_000)

    after, change = float(table()[0].removesuffix(" mm")), float(table()[1])
    assert change == pytest.approx(0.3, abs=0.07)
    assert after - before == pytest.approx(change, abs=0.011)
    assert row.message.text() == f"Reached: {after:.2f} mm, {change:+.2f} mm."
    explorer.model.undo_stack.undo()
    qtbot.waitUntil(lambda: measured() and table()[0] == f"{before:.2f} mm", timeout=240_000)
