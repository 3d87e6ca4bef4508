"""Draw every window and panel in both themes, for visual inspection.

Usage: ``make screenshots``, or ``python tests/gui/screenshots.py [FOLDER]`` on a display.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from time import monotonic

# Before Qt and napari read it: the user's own settings must not show in the pictures.
os.environ["HOME"] = tempfile.mkdtemp()
sys.path.append(str(Path(__file__).parents[1]))

import napari
import numpy as np
from evaluation_folders import write_evaluation_of, write_people
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QMessageBox, QScrollArea
from reading_pages import free_port, start_server, started
from reading_screenshots import shoot_reading
from training_banks import LabelledTubes, make_bank
from turing_readers import observer, play, read_all

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.latent.drag_plan import DragPlan, VoxelRuns
from cowgan.latent.dragging import Pull
from cowgan.simulate import make_anatomy, make_phantom, simulate_tof
from cowgan.synthesis import LatentState
from cowgan.training.remote_control import read_status
from cowgan.volume import Volume, default_affine, write_nifti
from napari_cowgan.data import show_data_panel
from napari_cowgan.evaluation import show_evaluation_panel
from napari_cowgan.explorer import show_explorer
from napari_cowgan.explorer.last_session import LastSession
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.segmentation import show_segmentation_panel
from napari_cowgan.study import show_study_panel
from napari_cowgan.study.panel import StudyPanel
from napari_cowgan.training import show_training_panel
from napari_cowgan.viewer.camera import look_from
from napari_cowgan.viewer.legend import show_legend
from napari_cowgan.viewer.three_planes import ThreePlanes
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.docked import find_panel
from napari_cowgan.widgets.remembered import settings


def wait_for(condition, timeout_s: float = 180) -> None:
    end = monotonic() + timeout_s
    while not condition():
        assert monotonic() < end, "it did not finish in time"
        QTest.qWait(20)


def fill(explorer: LatentExplorer) -> None:
    """Put something into every group, as a user would."""
    explorer.favourites.add_current()
    explorer.compare.keep("A")
    explorer.model.step_seed(1)
    explorer.favourites.add_current()
    explorer.compare.keep("B")
    explorer.mixing.blocks[0].click()
    explorer.mixing.blocks[1].click()
    explorer.directions.rows[0].slider.setValue(1.5)


def open_window(theme: str) -> napari.Viewer:
    settings().clear()
    viewer = napari.Viewer()
    viewer.theme = theme
    viewer.window.resize(1600, 1000)
    QTest.qWait(1000)
    return viewer


def save(viewer: napari.Viewer, folder: Path, name: str) -> None:
    QTest.qWait(300)
    path = folder / f"{viewer.theme}-{name}.png"
    viewer.window.screenshot(str(path), flash=False, canvas_only=False)
    print(path)
    for dialog in QApplication.topLevelWidgets():
        if isinstance(dialog, QDialog) and dialog.isVisible():
            path = folder / f"{viewer.theme}-{name}-dialog.png"
            dialog.grab().save(str(path))
            print(path)


def shoot_explorer(folder: Path, theme: str) -> None:
    viewer = open_window(theme)
    panel = show_explorer(viewer)
    wait_for(lambda: panel.explorer)
    explorer = panel.explorer
    wait_for(lambda: explorer.showing_complete_volume and explorer.directions.rows)
    wait_for(lambda: not explorer.measurements.status.isVisible())
    QTest.qWait(1000)

    save(viewer, folder, "start")
    fill(explorer)
    sections = explorer.findChildren(Section)
    for section in sections:
        section.collapse(animate=False)
    for section in sections:
        section.expand(animate=False)
        explorer.findChild(QScrollArea).ensureWidgetVisible(section)
        wait_for(lambda: explorer.showing_complete_volume)
        save(viewer, folder, section.text()[3:].lower().replace(" ", "-"))
        section.collapse(animate=False)
    for view in ("coronal", "sagittal"):
        explorer.view.views[view].click()
        save(viewer, folder, view)
    for rendering in ("Attenuated MIP", "Isosurface"):
        explorer.view.views["axial"].click()
        choose_rendering(explorer, rendering)
        save(viewer, folder, rendering.lower().replace(" ", "-"))
    shoot_controls(explorer, viewer, folder)
    viewer.close()


def shoot_paths(folder: Path, theme: str) -> None:
    """Draw a drag with what should stay, a movie and the map beside real anatomies."""
    viewer = open_window(theme)
    panel = show_explorer(viewer)
    wait_for(lambda: panel.explorer and panel.explorer.showing_complete_volume)
    explorer = panel.explorer
    explorer.model.edit("seed", seed=1, psi=0.9)
    wait_for(lambda: explorer.showing_complete_volume)
    sections = {section.text()[3:]: section for section in explorer.findChildren(Section)}
    for section in sections.values():
        section.collapse(animate=False)

    sections["Drag vessels"].expand(animate=False)
    ball = np.indices(explorer.live.complete_volume.shape) - np.reshape((23, 61, 82), (3, 1, 1, 1))
    stays = VoxelRuns.of(np.linalg.norm(ball, axis=0) <= 8)
    explorer.drag.edit_plan(DragPlan((Pull((16, 80, 68), (16, 88, 68)),), stays), "plan")
    save(viewer, folder, "drag-planned")
    explorer.drag.go.click()
    wait_for(lambda: explorer.model.latent.w is not None)
    save(viewer, folder, "drag-running")
    wait_for(lambda: not explorer.drag.job.running and explorer.showing_complete_volume, 600)
    save(viewer, folder, "drag-done")
    explorer.drag.clear.click()
    explorer.drag.unpaint.click()
    sections["Drag vessels"].collapse(animate=False)

    sections["Movie"].expand(animate=False)
    save(viewer, folder, "movie-empty")
    for seed, view in ((1, "axial"), (2, "coronal"), (3, "sagittal")):
        explorer.model.set_seed(seed)
        explorer.view.views[view].click()
        explorer.movie.add.click()
    explorer.movie.player.go_to(30)
    wait_for(lambda: explorer.showing_complete_volume)
    save(viewer, folder, "movie-scrubbed")
    sections["Movie"].collapse(animate=False)

    explorer.view.views["axial"].click()
    sections["Map"].expand(animate=False)
    wait_for(lambda: explorer.map.map is not None and explorer.showing_complete_volume)
    save(viewer, folder, "map-opened")
    scrolled = explorer.findChild(QScrollArea)
    scrolled.ensureWidgetVisible(explorer.map.anatomies)
    save(viewer, folder, "map-lights")
    with tempfile.TemporaryDirectory() as work:
        for person in range(10):
            state = LatentState(1 if person == 3 else 500 + person)
            made = explorer.model.synthesizer.render(state)
            write_nifti(Volume(made.data, made.affine), Path(work, f"sub-{person:02}_TOF.nii.gz"))
        explorer.map.anatomies.bank.set_path(work)
        explorer.model.set_seed(1)
        explorer.map.anatomies.compare.click()
        wait_for(lambda: explorer.map.anatomies.show_nearest.isVisible(), 600)
        scrolled.ensureWidgetVisible(explorer.map.anatomies)
        save(viewer, folder, "map-compared")
        explorer.map.anatomies.bank.set_path("")
    viewer.close()


def shoot_return(folder: Path, theme: str) -> None:
    """Draw the explorer after a restart, in a small window, beside a scan."""
    LastSession._decided = False  # as in a process that has just been started
    viewer = open_window(theme)
    viewer.window.resize(1280, 800)
    panel = show_explorer(viewer)
    wait_for(lambda: panel.explorer and panel.explorer.showing_complete_volume)
    save(viewer, folder, "last-session")
    panel.explorer.last_session.resume.click()
    scan = simulate_tof(make_anatomy(3).occupancy, seed=3)
    scan = Volume(scan.data, scan.affine)  # nothing says that it is none
    with tempfile.TemporaryDirectory() as work:
        write_nifti(scan, Path(work, "scan.nii.gz"))
        viewer.open(Path(work, "scan.nii.gz"), plugin="napari-cowgan")
    viewer.canvas.grid.enabled = True
    viewer.fit_to_view()
    wait_for(lambda: panel.explorer.showing_complete_volume)
    save(viewer, folder, "caption-beside-a-scan")
    viewer.close()


def shoot_controls(explorer: LatentExplorer, viewer: napari.Viewer, folder: Path) -> None:
    """Draw slices, comparisons, planes, browsing, a refused seed and a narrow dock."""
    choose_rendering(explorer, "Slices")
    explorer.view.views["coronal"].click()
    save(viewer, folder, "coronal-slices")
    choose_rendering(explorer, "MIP")
    explorer.view.views["axial"].click()
    explorer.compare.side_by_side.click()
    wait_for(lambda: len(viewer.layers) == 3)
    save(viewer, folder, "side-by-side")
    explorer.compare.difference.click()
    wait_for(lambda: any("Brighter" in layer.name for layer in viewer.layers))
    save(viewer, folder, "difference")
    explorer.compare.difference.click()
    explorer.view.three_planes.click()
    save(viewer, folder, "three-planes")
    viewer.window.resize(1280, 800)
    save(viewer, folder, "three-planes-1280")
    viewer.window.remove_dock_widget(find_panel(viewer, ThreePlanes))
    explorer.findChildren(Section)[0].expand(animate=False)
    explorer.seed.seed.setText("-5")
    explorer.seed.seed.textEdited.emit("-5")
    save(viewer, folder, "refused-seed-1280")
    dock = explorer.parentWidget().parentWidget()
    dock.setFloating(True)
    dock.resize(300, 800)
    QTest.qWait(300)
    dock.grab().save(str(folder / f"{viewer.theme}-dock-300.png"))
    dock.setFloating(False)
    for content in ("seeds", "directions"):
        explorer.browser.browse(content)
        QTest.qWait(500)
        wait_for(lambda: not explorer.browser.job.running)
        explorer.browser.grab().save(str(folder / f"{viewer.theme}-browse-{content}.png"))
    explorer.browser.reject()


def choose_rendering(explorer: LatentExplorer, name: str) -> None:
    explorer.view.rendering.setCurrentText(name)
    explorer.view.rendering.textActivated.emit(name)


def shoot_phantom(folder: Path, theme: str) -> None:
    viewer = open_window(theme)
    viewer.open_sample("napari-cowgan", "phantom_with_labels")
    QTest.qWait(1500)
    save(viewer, folder, "phantom-3d")
    tof, arteries = viewer.layers
    tof.visible = False
    legend = show_legend(viewer)
    legend.hide_arteries([Artery.R_MCA, Artery.L_MCA])
    look_from(viewer, "coronal")
    save(viewer, folder, "phantom-some-arteries")
    legend.hide_arteries([])
    tof.visible = True
    viewer.dims.ndisplay = 2
    viewer.fit_to_view()
    QTest.qWait(500)
    # The pointer rests on the right carotid, which the status bar then names.
    middle = np.argwhere(arteries.data == Artery.R_ICA).mean(axis=0)
    viewer.dims.set_point((0, 1, 2), arteries.data_to_world(middle))
    viewer.cursor.position = arteries.data_to_world(middle)
    save(viewer, folder, "phantom-2d")
    viewer.close()


def shoot_segmentation(folder: Path, theme: str) -> None:
    viewer = open_window(theme)
    panel = show_segmentation_panel(viewer)
    save(viewer, folder, "segmentation-empty")
    explorer = show_explorer(viewer)
    wait_for(lambda: explorer.explorer is not None and explorer.explorer.showing_complete_volume)
    panel.to_front()
    panel.follow.click()
    wait_for(lambda: bool(panel.layers.followed) and not panel.measuring.running)
    save(viewer, folder, "segmentation-explorer")
    panel.follow.click()
    viewer.open_sample("napari-cowgan", "tof_on_phantom")
    panel.start.click()
    wait_for(lambda: not panel.job.running and not panel.measuring.running)
    for layer in viewer.layers[:2]:
        layer.visible = False
    save(viewer, folder, "segmentation-phantom")
    panel.pick(max(panel.layers.scheme.labels))
    save(viewer, folder, "segmentation-brush-3d")
    panel.brush.slices.click()
    panel.centre.click()
    save(viewer, folder, "segmentation-brush")
    layer = panel.layers.followed
    layer.paint([n // 2 for n in layer.data.shape], layer.selected_label)
    viewer.window._qt_window.close()
    save(viewer, folder, "segmentation-question")
    panel.unsaved.question.reject()
    layer.undo()
    viewer.close()


def make_scans(folder: Path) -> None:
    """Write heads of phantoms, one file that is damaged and one that shows nothing."""
    for seed in range(5):
        anatomy = make_anatomy(seed)
        around = np.pad(anatomy.occupancy, ((20, 20), (10, 10), (10, 10)))
        write_nifti(simulate_tof(around, seed=seed), folder / f"sub-{seed + 1:03}_TOF.nii.gz")
    (folder / "sub-901_TOF.nii.gz").write_bytes(b"not an image")
    write_nifti(simulate_tof(around, seed=9), folder / "sub-001_T1w.nii.gz")
    pointer = b"version https://git-lfs.github.com/spec/v1\n"
    (folder / "sub-006_TOF.nii.gz").write_bytes(pointer)
    flat = Volume(np.ones((8, 8, 8)), default_affine((8, 8, 8)))
    write_nifti(flat, folder / "sub-902_TOF.nii.gz")


def shoot_data(folder: Path, theme: str) -> None:
    viewer = open_window(theme)
    panel = show_data_panel(viewer)
    save(viewer, folder, "data-empty")
    with tempfile.TemporaryDirectory() as work:
        scans = Path(work, "scans")
        scans.mkdir()
        make_scans(scans)
        panel.settings.scans.set_path(scans)
        panel.settings.out.set_path(Path(work, "prepared"))
        wait_for(lambda: bool(panel.cases.rows))
        save(viewer, folder, "data-listed")
        panel.start.click()
        wait_for(lambda: any(row.outcome == "done" for row in panel.cases.rows))
        save(viewer, folder, "data-running")
        wait_for(lambda: not panel.job.running)
        panel.layers.show(panel.cases.rows[0].path)
        failed = next(row.name for row in panel.cases.rows if row.outcome == "failed")
        panel.cases.setCurrentItem(panel.cases.findItems(failed, Qt.MatchFlag.MatchExactly)[0])
        save(viewer, folder, "data-done")
        panel.build_template(Path(work, "template.nii.gz"))
        wait_for(lambda: not panel.job.running)
        panel.start.click()
        wait_for(lambda: not panel.job.running)
        save(viewer, folder, "data-template")
        viewer.close()


def shoot_training(folder: Path, theme: str) -> None:
    viewer = open_window(theme)
    training = show_training_panel(viewer)
    wait_for(lambda: training.workbench)
    panel = training.workbench
    save(viewer, folder, "training-empty")
    plan, monitor = panel.settings, panel.monitor
    with tempfile.TemporaryDirectory() as work:
        plan.folders.runs.set_path(Path(work, "runs"))
        plan.data.volumes.set_path(make_bank(Path(work, "bank")).path)
        plan.preset.choose("modern")
        for field, value in (
            (plan.advanced.capacity, 1),
            (plan.advanced.most_channels, 16),
            (plan.batch, 2),
            (plan.advanced.accumulate, 1),
            (plan.steps, 4000),
            (plan.advanced.sample_every, 20),
        ):
            field.setValue(value)
        scroll = panel.findChild(QScrollArea)
        wait_for(lambda: plan.needs.button.text() == "Cancel")
        scroll.ensureWidgetVisible(plan.start)
        save(viewer, folder, "training-measuring")
        wait_for(lambda: plan.needs.time.text().startswith("A step takes"))
        scroll.ensureWidgetVisible(plan.start)
        save(viewer, folder, "training-configured")
        plan.start.click()
        wait_for(lambda: monitor.curves.last_step > 150)
        save(viewer, folder, "training-running")
        monitor.pause.click()
        wait_for(lambda: monitor.state == "paused")
        save(viewer, folder, "training-paused")
        monitor.pause.click()
        viewer.window._qt_window.close()
        save(viewer, folder, "training-question")
        panel.closing.question.reject()
        os.kill(read_status(monitor.folder).pid, signal.SIGTERM)
        wait_for(lambda: panel.watched.watcher is None)
        save(viewer, folder, "training-stopped")
        for chart in ("anatomy", "kernel_distance", "recall", "coverage"):
            monitor.curves.add(rows_of_a_projected_run(), restarted=True)
            monitor.curves.chart.choose(chart)
            save(viewer, folder, f"training-chart-{chart.replace('_', '-')}")
        monitor.curves.chart.choose("losses")
        plan.init_from.set_path(Path(work, "no-model.pt"))
        plan.start.click()
        wait_for(lambda: panel.findChildren(QMessageBox))
        save(viewer, folder, "training-failed")
        for box in panel.findChildren(QMessageBox):
            box.close()
        panel.runs.list.select(panel.runs.list.runs[-1].folder)
        panel.runs.open.click()
        wait_for(lambda: panel.runs.list.runs[-1].models)
        save(viewer, folder, "training-list")
        plan.kind.choose("segmentation")
        plan.take(make_bank(Path(work, "labelled"), kind=LabelledTubes).path)
        wait_for(lambda: plan.ready)
        panel.new_run_section.expand(animate=False)
        scroll.ensureWidgetVisible(plan.start)
        save(viewer, folder, "training-segmentation-configured")
        plan.start.click()
        wait_for(lambda: monitor.curves.last_step > 4)
        save(viewer, folder, "training-segmentation-running")
        monitor.stop.click()
        wait_for(lambda: panel.watched.watcher is None)
        monitor.curves.add(rows_of_a_segmentation_run(), restarted=True)
        monitor.curves.chart.choose("arteries")
        save(viewer, folder, "training-segmentation-stopped")
        viewer.close()


def rows_of_a_segmentation_run() -> list[dict[str, float]]:
    """Return a log such as hours of training give."""
    random = np.random.default_rng(0)
    rows = []
    for step in range(250, 4001, 250):
        dice = {
            f"dice_{name}": 0.9 * (1 - np.exp(-step / (200 + 80 * place))) + random.normal(0, 0.01)
            for place, name in enumerate(TOPCOW_2024.labels.values())
        }
        rows.append({"step": step, "loss": 0.5 + 2 * np.exp(-step / 900), **dice})
    return rows


def rows_of_a_projected_run() -> list[dict[str, float]]:
    """Return a log such as hours of training give."""
    random = np.random.default_rng(0)
    rows = []
    for step in range(1, 4001):
        fade = np.exp(-step / 1200)
        noise = random.normal(0, 0.04, 2)
        anatomy = np.array([0.2 + 0.8 * fade, 0.3 + 0.5 * fade]) + noise
        row = {"step": step, "anchor": anatomy[0], "paired": anatomy[1]}
        if step % 100 == 0:
            few = random.normal(0, 0.02, 3)
            row |= {
                "kernel_distance": 0.1 + 8 * fade**2 + few[0],
                "recall": 0.35 * (1 - fade) + few[1],
                "coverage": 0.95 - 0.5 * fade + few[2],
                "kernel_distance_of_reals": 0.003,
                "recall_of_reals": 0.41,
                "coverage_of_reals": 0.93,
            }
        rows.append(row)
    return rows


def shoot_evaluation(folder: Path, theme: str) -> None:
    viewer = open_window(theme)
    panel = show_evaluation_panel(viewer)
    save(viewer, folder, "evaluation-empty")
    with tempfile.TemporaryDirectory() as work:
        panel.request.real.set_path(write_people(Path(work, "real"), 0))
        panel.request.folder.set_path(write_people(Path(work, "generated"), 100, 1))
        panel.request.origin.choose("folder")
        panel.start.click()
        wait_for(lambda: not panel.job.running)
        save(viewer, folder, "evaluation-refused")
        panel.request.folder.set_path(write_people(Path(work, "made"), 100))
        panel.start.click()
        wait_for(lambda: panel.stage.text() != "Starting")
        save(viewer, folder, "evaluation-running")
        viewer.window._qt_window.close()
        save(viewer, folder, "evaluation-question")
        panel.question.reject()
        panel.job.cancel()
        wait_for(lambda: not panel.job.running)
        save(viewer, folder, "evaluation-cancelled")
        found = write_evaluation_of(Path(work, "real"), Path(work, "made"), Path(work, "found"))
        panel.open_evaluation(found)
        save(viewer, folder, "evaluation-result")
        rows = panel.result.realism
        rows.itemClicked.emit(rows.topLevelItem(0), 0)
        wait_for(lambda: len(viewer.layers) == 2)
        panel.findChild(QScrollArea).ensureWidgetVisible(panel.result.lists)
        save(viewer, folder, "evaluation-pair")
        viewer.close()


def shoot_study(folder: Path, theme: str) -> None:
    viewer = open_window(theme)
    panel = show_study_panel(viewer)
    save(viewer, folder, "study-empty")
    with tempfile.TemporaryDirectory() as work:
        volumes = Path(work, "volumes")
        for seed in range(16):
            write_nifti(make_phantom(seed)[0], volumes / f"sub-{seed + 1:03}_TOF.nii.gz")
        shoot_wizard(panel, volumes, Path(work, "studies"), folder, theme)
        wait_for(lambda: panel.status and not panel.job.running)
        pictures = panel.audit.pictures
        for shown in ("mip", "slice", "histograms", "features"):
            pictures.choice.choose(shown)
            wait_for(lambda: pictures.figure_data)
            QTest.qWait(300)
            panel.findChild(QScrollArea).ensureWidgetVisible(pictures)
            save(viewer, folder, f"study-audit-{shown}")
        pictures.choice.choose("mip")
        panel.audit.freeze_requested.emit("a rehearsal on phantoms")
        wait_for(lambda: not panel.job.running)
        study = panel.status.study
        panel.audit.hide_pictures()
        save(viewer, folder, "study-frozen")
        shoot_links(
            viewer, panel, Path(shutil.copytree(study.folder, Path(work, "served"))), folder
        )
        panel.open_study(study.folder)
        wait_for(lambda: not panel.job.running)
        for reader, trials in zip(study.readers, (26, 9), strict=False):
            play(study.package_folder(reader), observer(study, reader, 0.5), trials)
        panel.open_study(study.folder)
        wait_for(lambda: not panel.job.running)
        save(viewer, folder, "study-returned")
        panel.readers.read.click()
        save(viewer, folder, "study-read-here")
        panel.local_reading.question.reject()
        panel.result.analyse.click()
        save(viewer, folder, "study-question")
        panel.result.question.reject()
        panel.collect([study.package_folder(reader) for reader in study.readers] + [volumes])
        wait_for(lambda: panel.findChildren(QMessageBox) and not panel.job.running)
        save(viewer, folder, "study-refused")
        for box in panel.findChildren(QMessageBox):
            box.close()
        read_all(study, (0.5, 0.5, 0.5))
        panel.open_study(study.folder)
        wait_for(lambda: not panel.job.running)
        save(viewer, folder, "study-collected")
        panel.result.analyse.click()
        wait_for(lambda: not panel.job.running)
        save(viewer, folder, "study-result")
        viewer.close()


def shoot_links(viewer: napari.Viewer, panel: StudyPanel, study: Path, folder: Path) -> None:
    """Show the links of a study while the first reader reads in the browser."""
    panel.open_study(study)
    wait_for(lambda: not panel.job.running)
    port = free_port()
    server = start_server(study, port)
    try:
        started(port, study).go_to("viewing")
        panel.browser.refresh()
        panel.browser.list.setCurrentItem(panel.browser.list.topLevelItem(1))
        panel.browser.renew.click()
        QTest.qWait(300)
        panel.findChild(QScrollArea).ensureWidgetVisible(panel.browser)
        save(viewer, folder, "study-links")
        panel.browser.grab().save(str(folder / f"{viewer.theme}-study-links-group.png"))
    finally:
        server.kill()
        server.wait()


def shoot_wizard(panel: StudyPanel, volumes: Path, studies: Path, folder: Path, theme: str) -> None:
    panel.new.click()
    wizard = panel.wizard

    def shoot(name: str) -> None:
        QTest.qWait(300)
        path = folder / f"{theme}-study-new-{name}.png"
        wizard.grab().save(str(path))
        print(path)

    shoot("empty")
    wizard.volumes.real.set_path(volumes)
    wait_for(wizard.volumes.isComplete)
    shoot("volumes")
    wizard.next()
    shoot("too-many")
    size = wizard.size_page
    for field, number in ((size.readers, 3), (size.cases, 20), (size.practice, 4)):
        field.setValue(number)
    wait_for(lambda: size.power.cell)
    shoot("simulating")
    wait_for(lambda: not size.power.job.running, timeout_s=600)
    shoot("size")
    wizard.next()
    shoot("reading")
    wizard.next()
    wizard.save.parent_folder.set_path(studies)
    shoot("save")
    wizard.accept()
    QTest.qWait(1500)
    shoot("making")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    target.mkdir(parents=True, exist_ok=True)
    for chosen in ("dark", "light"):
        for shoot in (
            shoot_explorer,
            shoot_paths,
            shoot_return,
            shoot_phantom,
            shoot_segmentation,
            shoot_data,
            shoot_training,
            shoot_evaluation,
            shoot_study,
        ):
            shoot(target, chosen)
    shoot_reading(target)
