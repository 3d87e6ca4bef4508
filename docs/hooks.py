"""MkDocs hooks: reference pages from the code, compressed pictures and a check for offline use.

The pages ship in the package and are read without a network. So pictures are compressed, files
that nobody needs are removed, and a page that would load anything from elsewhere is an error.
"""

import re
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from PIL import Image
from typer.cli import get_docs_for_click

import cowgan
from cowgan.cli.app import app
from cowgan.networks import PRESETS, NetworkConfig
from cowgan.settings import setting_fields
from cowgan.training.config import Preset, TrainingConfig, preset

_ROOMS: dict[str, tuple[str, ...]] = {
    "segmentation": (
        "segmentation.labelled_cases",
        "segmentation.segmentation_config",
        "segmentation.unet",
        "segmentation.segmentation_run",
        "segmentation.segmenter",
        "segmentation.segmenter_files",
        "segmentation.prediction",
        "segmentation.nnunet_dataset",
        "segmentation.nnunet_interpreter",
        "segmentation.nnunet_training",
        "segmentation.nnunet_model",
        "segmentation.nnunet_segmenter",
        "segmentation.metrics",
        "segmentation.label_pairs",
        "segmentation.surfaces",
        "segmentation.average_distances",
        "segmentation.small_arteries",
        "segmentation.circle_variants",
        "segmentation.circle_in_words",
        "segmentation.artery_sizes",
        "segmentation.training_set",
        "segmentation.subject_values",
        "segmentation.bootstrap",
        "segmentation.score_summary",
        "segmentation.experiment",
        "segmentation.experiment_config",
        "segmentation.experiment_report",
        "segmentation.comparison",
        "segmentation.comparison_report",
    ),
    "training": (
        "training.config",
        "training.run",
        "training.run_export",
        "training.remote_control",
        "training.metrics",
    ),
    "turing": (
        "turing.verification",
        "turing.derivatives",
        "turing.report",
        "turing.analysis",
        "turing.study",
        "turing.study.study",
        "turing.study.creation",
        "turing.study.collection",
        "turing.study.unblinding",
        "turing.blinding",
        "turing.blinding.audit",
        "turing.serving",
        "turing.serving.links",
        "turing.serving.server",
        "turing.reading",
        "turing.reading.package",
        "turing.reading.session",
        "turing.statistics",
        "turing.design",
        "turing.design.protocol",
        "turing.design.sources",
    ),
    "evaluation": (
        "evaluation.distances",
        "evaluation.manifolds",
        "evaluation.published_recipe",
        "evaluation.similarity",
        "evaluation.vessels",
        "evaluation.subject_differences",
        "evaluation.measurement_agreement",
    ),
    "bank": (
        "bank.bank",
        "bank.from_nifti",
        "bank.from_simulation",
        "bank.writing",
        "bank.split",
        "bank.leakage",
        "bank.anatomies",
    ),
    "latent": (
        "latent.movies",
        "latent.movie_files",
        "latent.movie_frames",
        "latent.movie_export",
        "latent.inversion",
        "latent.projection_target",
        "latent.projection_quality",
        "latent.projection_files",
        "latent.tuning",
        "latent.encoder_fitting",
        "latent.encoder_files",
        "latent.anatomy_codes",
    ),
    "data": (
        "data.scans",
        "data.image_pairs",
        "data.label_maps",
        "data.preprocess",
        "data.template",
    ),
    "simulate": ("simulate.phantom_export", "simulate.deformation"),
    "synthesis": (),
    "checkpoint": (),
    "measure": ("measure.overlap",),
    "report": ("report.blocks", "report.html", "report.pdf"),
    "features": (
        "features.extractors",
        "features.store",
        "features.efficientnet",
        "features.dinov2",
        "features.inception",
        "features.medicalnet",
        "features.views",
        "features.vessel_occupancy",
    ),
    "networks": (),
    "volume": (
        "volume.intensity",
        "volume.orthographic",
        "volume.resampling",
        "volume.label_resampling",
    ),
    "anatomy": ("anatomy.arteries", "anatomy.label_schemes", "anatomy.circle_centre"),
}
"""The rooms of the engine as the import layers order them, and the modules to document in each."""
_MODULES = ("errors", "progress", "estimates")
"""Modules outside the rooms that scripts need."""
_LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*?\bsrc=[\"']?(?:https?:)?//"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|icon|preconnect|preload|prefetch))[^>]*?"
    r"\bhref=[\"']?(?:https?:)?//"
    r"|@import[^;]*//|url\([\"']?(?:https?:)?//",
    re.IGNORECASE,
)
_NOT_NEEDED = (
    "assets/javascripts/lunr",
    "404.html",
    "objects.inv",
    "sitemap.xml",
    "sitemap.xml.gz",
)
_COMMAND_LINE = """\
# Command line

Generated from the parser of the installed version.

"""


_RUN_SETTINGS = """\
# Run settings

The keys of a run's `config.toml`, and their values in each preset. Set them in a file given to
`cowgan train --config`; the common ones are also options of the command and fields of the panel.

"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Append the pages of the engine's rooms to the navigation."""
    packages = {path.parent.name for path in Path(cowgan.__file__).parent.glob("*/__init__.py")}
    missing = packages - {"cli"} - set(_ROOMS)
    if missing:
        raise PluginError(f"docs/hooks.py has no page for {', '.join(sorted(missing))}.")
    pages = [f"reference/python/{name}.md" for name in ("index", *_ROOMS, "modules")]
    config.nav[-1]["Reference"].append({"Python": pages})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and compress the pictures."""
    pages = {
        "command-line": _command_line(),
        "run-settings": _run_settings(),
        "python/modules": _page("Other modules", _MODULES),
    }
    for room, modules in _ROOMS.items():
        pages[f"python/{room}"] = _page(f"cowgan.{room}", (room, *modules))
    for name, content in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    for file in [file for file in files if file.src_uri.endswith(".png")]:
        small = File.generated(config, file.src_uri, content=_compressed(file.content_bytes))
        small.dest_uri = file.dest_uri.removesuffix(".png") + ".webp"
        files.remove(file)
        files.append(small)
    return files


def on_post_build(config: MkDocsConfig) -> None:
    """Remove unneeded files and reject pages that would load anything from a network."""
    site = Path(config.site_dir)
    for name in _NOT_NEEDED:
        path = site / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in site.rglob("*.map"):
        path.unlink()
    for path in (*site.rglob("*.html"), *site.rglob("*.css")):
        found = _LOADED.search(path.read_text("utf-8"))
        if found:
            raise PluginError(f"{path.relative_to(site)} would load {found.group()}…")


def _page(title: str, modules: tuple[str, ...]) -> str:
    parts = [f"# {title}\n"]
    for module in modules:
        if len(modules) > 1:
            parts.append(f"## cowgan.{module}\n")
        parts.append(f"::: cowgan.{module}\n")
    return "\n".join(parts)


def _command_line() -> str:
    """Return a page with a section per command and subcommand."""
    command = typer.main.get_command(app)
    _keep_whole_summaries(command)
    text = get_docs_for_click(obj=command, ctx=command.context_class(command), name="cowgan")
    # Subcommands on the level of commands, so that the table of contents lists them.
    return _COMMAND_LINE + re.sub(r"^(#{1,2})#* `(.*)`$", r"#\1 \2", text, flags=re.MULTILINE)


def _run_settings() -> str:
    """Return a page with a table of the settings of a run and of its network."""
    recipes = [preset(name, PRESETS["Small"]) for name in get_args(Preset)]
    head = ("Setting", "Meaning", "Values", *(f"`{name}`" for name in get_args(Preset)))
    lines = [_RUN_SETTINGS, _line(*head), _line(*["---"] * len(head))]
    for name, field in setting_fields(TrainingConfig).items():
        values = [_toml(getattr(recipe, name)) for recipe in recipes]
        lines.append(_line(f"`{name}`", field.setting.text, field.values, *values))
    head = ("Setting", "Meaning", "Values", *(f"`{name}`" for name in PRESETS))
    lines += ["\n## network\n", _line(*head), _line(*["---"] * len(head))]
    for name, field in setting_fields(NetworkConfig).items():
        values = [_toml(getattr(network, name)) for network in PRESETS.values()]
        lines.append(_line(f"`{name}`", field.setting.text, field.values, *values))
    return "\n".join(lines) + "\n"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _keep_whole_summaries(command: Any) -> None:
    """Keep typer from truncating the summaries in the list of commands."""
    for part in getattr(command, "commands", {}).values():
        part.short_help = (part.help or "").partition("\n\n")[0]
        _keep_whole_summaries(part)


def _compressed(png: bytes) -> bytes:
    written = BytesIO()
    Image.open(BytesIO(png)).save(written, "WEBP", quality=85, method=6)
    return written.getvalue()
