"""Simulation of time-of-flight MR angiograms from vessel maps."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from cowgan.anatomy.circle_centre import circle_centre_mm
from cowgan.errors import CowganError
from cowgan.randomness import stream
from cowgan.simulate.acquisition import acquire, ghosts, receive_field
from cowgan.simulate.flow import Flow, trace_flow
from cowgan.simulate.gradient_echo import after_pulses, steady_state, t1_ms
from cowgan.simulate.grid import CircleGrid, Field
from cowgan.simulate.parameters import TofParameters
from cowgan.simulate.tissue import tissue_signal
from cowgan.skeleton import Skeleton, skeletonize_mask
from cowgan.volume import DEFAULT_SPACING_MM, Volume, default_affine
from cowgan.volume.volume import checked_spacing

_WALL = 0.85
_NEAREST = 4
_LABEL_SMOOTHING = 0.45
_WHITE_MATTER = 0.7


def simulate_tof(
    vessels: ArrayLike,
    spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM,
    params: TofParameters | None = None,
    seed: int = 0,
) -> Volume:
    """Simulate the TOF MRA of an artery tree.

    Fresh blood enters through the lowest wide ends and loses signal with every excitation pulse, so
    arteries fade with distance along the tree, and faster where flow is slow. The surrounding
    tissue is random.

    Parameters
    ----------
    vessels : array-like, shape (z, x, y)
        Axes as in `Volume.data`. Floating point: artery occupancy of each voxel, 0 to 1.
        Integer or bool: a label map, whose non-zero voxels are artery.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    params : TofParameters, optional
        By default drawn from `RANGES` with `seed`.
    seed : int
        Determines tissue, noise and, without `params`, the parameters.

    Returns
    -------
    Volume
        Intensities from 0 to 1, where 1 is the brightest voxel; marked synthetic; its
        provenance holds seed and parameters. Centred on the origin.

    Raises
    ------
    CowganError
        The array is not such a map, holds no artery, or the spacing is invalid.
    """
    occupancy, spacing = _checked(vessels, spacing_mm)
    params = params or TofParameters.sample(seed)
    mask = occupancy >= 0.5
    if not mask.any():
        mask = occupancy >= occupancy.max()
    skeleton = skeletonize_mask(mask, spacing)
    grid = CircleGrid(mask.shape, spacing, circle_centre_mm(skeleton, mask.shape))
    flip_angle, slab = _excitation(grid, params)

    random = stream("TOF surroundings", seed)
    tissue = tissue_signal(grid, mask, flip_angle, params, random)
    blood = _blood_signal(occupancy, skeleton, grid, flip_angle, slab, params)
    # Pulsation and vortices, which mean velocities neglect.
    blood *= 1 + params.flow_unevenness * grid.noise(random, 4.0)
    signal = tissue + occupancy * (blood - tissue) + ghosts(occupancy * blood, params.ghosting)
    signal *= receive_field(grid, params, random)
    white_matter = _WHITE_MATTER * steady_state(
        np.radians(params.flip_angle_deg),
        params.repetition_time_ms,
        t1_ms("white matter", params.field_strength_t),
    )
    noise_sd = params.noise * float(white_matter) * (1 - params.magnetisation_transfer)
    image = acquire(signal, grid, params, noise_sd, stream("TOF noise", seed))
    return Volume(
        image / image.max(),
        default_affine(mask.shape, spacing),
        {"synthetic": True, "simulation": {"seed": seed, "parameters": params.to_dict()}},
    )


def _checked(
    vessels: ArrayLike, spacing_mm: tuple[float, float, float]
) -> tuple[Field, tuple[float, float, float]]:
    array = np.asarray(vessels)
    if array.ndim != 3:
        raise CowganError(f"A vessel map needs 3 dimensions, but this one has {array.ndim}.")
    if array.dtype.kind not in "biuf":
        raise CowganError("A vessel map needs one real number per voxel.", f"{array.dtype}")
    spacing = checked_spacing(spacing_mm)
    if array.dtype.kind == "f":
        if not ((array >= 0) & (array <= 1)).all():
            raise CowganError("Vessel occupancies must lie between 0 and 1.")
        occupancy = array.astype(np.float32)
    else:
        # Real arteries fill edge voxels partly, unlike a label map.
        occupancy = gaussian_filter((array != 0).astype(np.float32), _LABEL_SMOOTHING, truncate=3)
    if not occupancy.any():
        raise CowganError("This map contains no vessel.")
    return occupancy, spacing


def _excitation(grid: CircleGrid, params: TofParameters) -> tuple[Field, NDArray[np.int64]]:
    """Return the flip angle in radians, shape (z, 1, 1), and each slice's slab number."""
    height = np.arange(grid.shape[0]) * grid.spacing_mm[0]
    thickness = params.slab_thickness_mm
    place = height + params.slab_offset * thickness
    slab = np.floor(place / thickness).astype(np.int64)
    inside = place / thickness - slab
    edge = np.minimum(inside, 1 - inside) * thickness / max(params.slab_edge_mm, 1e-6)
    # Neighbouring slabs overlap, so that the outermost, weakest slices are discarded.
    profile = 1 - 0.35 * np.exp(-(edge**2))
    ramp = 1 + params.flip_ramp * (inside - 0.5)
    angle = np.radians(params.flip_angle_deg) * profile * ramp
    return angle.astype(np.float32)[:, None, None], slab


def _blood_signal(
    occupancy: Field,
    skeleton: Skeleton,
    grid: CircleGrid,
    flip_angle: Field,
    slab: NDArray[np.int64],
    params: TofParameters,
) -> Field:
    """Return the signal of blood in every voxel with artery, 0 elsewhere."""
    flow = trace_flow(skeleton, params.blood_velocity_mm_s, params.velocity_exponent)
    pulses = _time_in_slab_ms(skeleton, grid, flow, slab, params) / params.repetition_time_ms
    kept = 1 - params.siphon_loss * flow.bend

    voxels = np.argwhere(occupancy > 0)
    tree = cKDTree(skeleton.points_mm)
    few = range(1, min(_NEAREST, len(skeleton)) + 1)
    from_centre, nearest = tree.query(voxels * np.array(grid.spacing_mm), k=few)
    weights = 1 / (from_centre + 0.3)
    weights /= weights.sum(axis=1, keepdims=True)
    # Laminar flow: twice the mean velocity in the middle, almost none at the wall.
    off_centre = np.minimum(from_centre[:, 0] / skeleton.radius_mm[nearest[:, 0]], _WALL)
    slowness = 1 / (2 * (1 - off_centre**2))
    at = tuple(voxels.T)
    angle = np.broadcast_to(flip_angle, grid.shape)[at]
    fresh = after_pulses(
        (pulses[nearest] * weights).sum(axis=1) * slowness,
        angle,
        params.repetition_time_ms,
        t1_ms("blood", params.field_strength_t),
    )
    blood = np.zeros(grid.shape, np.float32)
    blood[at] = fresh * (kept[nearest] * weights).sum(axis=1)
    return blood


def _time_in_slab_ms(
    skeleton: Skeleton, grid: CircleGrid, flow: Flow, slab: NDArray[np.int64], params: TofParameters
) -> NDArray[np.float64]:
    """Return how long blood has been in its present slab.

    Blood that crosses into the next slab is fresh there.
    """
    own_slab = slab[skeleton.voxels[:, 0]]
    place = (
        skeleton.voxels[:, 0] * grid.spacing_mm[0] + params.slab_offset * params.slab_thickness_mm
    )
    from_edge_ms = 1e3 * (place - own_slab * params.slab_thickness_mm) / flow.speed_mm_s
    entered = np.empty(len(skeleton))
    for i in np.argsort(flow.arrival_ms, kind="stable"):
        before = flow.upstream[i]
        if before < 0:
            entered[i] = flow.arrival_ms[i] - from_edge_ms[i]
        elif own_slab[before] != own_slab[i]:
            entered[i] = flow.arrival_ms[i]
        else:
            entered[i] = entered[before]
    return np.asarray(flow.arrival_ms - entered)
