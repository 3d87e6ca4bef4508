import json
import threading
from collections import Counter
from dataclasses import replace

import checkpoint_files as files
import numpy as np
import psutil
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from latent_states import seeds, states
from skimage.measure import block_reduce

from cowgan import __version__
from cowgan.checkpoint import Checkpoint, load, save
from cowgan.errors import Cancelled, CowganError
from cowgan.networks import NetworkConfig, SynthesisNetwork
from cowgan.networks.layers import resize
from cowgan.randomness import stream
from cowgan.synthesis import BlockMix, Direction, Edit, LatentState, Synthesizer, styles

PRECISIONS = ("exact", "fast")


@pytest.fixture
def run_blocks(monkeypatch) -> list[int]:
    """Return a list that grows by the number of each block that is computed."""
    blocks: list[int] = []
    compute = SynthesisNetwork.run_block

    def counted(self, block, *rest):
        blocks.append(block)
        return compute(self, block, *rest)

    monkeypatch.setattr(SynthesisNetwork, "run_block", counted)
    return blocks


def fresh(checkpoint: Checkpoint, state: LatentState, precision: str = "exact") -> np.ndarray:
    return Synthesizer(checkpoint, "cpu", precision).render(state).data


def test_a_volume_is_what_the_networks_give(checkpoint, synthesizer):
    state = LatentState(3, psi=0.8, noise_seed=5)
    noise = torch.from_numpy(stream("noise", 5).random_sample((8, 16, 16))).float()
    expected = checkpoint.synthesis(styles(checkpoint, state)[None], noise[None])[0, 0].clamp(0, 1)
    volume = synthesizer.render(state)
    np.testing.assert_allclose(volume.data, expected, atol=1e-5)
    assert volume.data.std() > 0.05, "the comparison means something"


def test_no_noise_is_the_constant_one_half(checkpoint, synthesizer):
    state = LatentState(3, noise=False)
    half = torch.full((1, 8, 16, 16), 0.5)
    expected = checkpoint.synthesis(styles(checkpoint, state)[None], half)[0, 0].clamp(0, 1)
    np.testing.assert_allclose(synthesizer.render(state).data, expected, atol=1e-5)
    silent = replace(state, noise=True, noise_strength=(0.0,) * 3)
    np.testing.assert_array_equal(synthesizer.render(silent).data, synthesizer.render(state).data)


def test_noise_strength_scales_the_deviation_from_one_half(checkpoint, synthesizer):
    state = LatentState(3, noise_seed=5, noise_strength=(0.5, 0.5, 0.5))
    noise = torch.from_numpy(stream("noise", 5).random_sample((1, 8, 16, 16))).float()
    noise = 0.5 + 0.5 * (noise - 0.5)
    expected = checkpoint.synthesis(styles(checkpoint, state)[None], noise)[0, 0].clamp(0, 1)
    np.testing.assert_allclose(synthesizer.render(state).data, expected, atol=1e-5)


def test_psi_zero_gives_the_volume_of_the_mean_style(checkpoint, synthesizer):
    expected = checkpoint.synthesis(checkpoint.w_mean[None])[0, 0].clamp(0, 1)
    for seed in (1, 2):
        volume = synthesizer.render(LatentState(seed, psi=0, noise=False))
        np.testing.assert_allclose(volume.data, expected, atol=1e-5)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_same_seed_gives_the_same_volume(checkpoint, precision):
    state = LatentState(2**63 + 1)
    np.testing.assert_array_equal(
        fresh(checkpoint, state, precision), fresh(checkpoint, state, precision)
    )
    assert not np.array_equal(fresh(checkpoint, state), fresh(checkpoint, LatentState(1)))


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_fast_volumes_stay_near_exact_ones(checkpoint, seed):
    state = LatentState(seed)
    difference = np.abs(fresh(checkpoint, state, "fast") - fresh(checkpoint, state, "exact"))
    assert difference.mean() < 0.02


def test_bfloat16_stays_near_exact_even_where_it_is_not_the_fastest(checkpoint, monkeypatch):
    monkeypatch.setattr("cowgan.synthesis.precision._cpu_is_faster_in_bfloat16", lambda: True)
    assert Synthesizer(checkpoint, "cpu", "fast").dtype == torch.bfloat16
    for seed in range(5):
        state = LatentState(seed)
        difference = np.abs(fresh(checkpoint, state, "fast") - fresh(checkpoint, state, "exact"))
        assert 0 < difference.mean() < 0.02


few_states = st.lists(
    st.tuples(states(files.TINY), st.sampled_from([None, 0, 1, 2])), min_size=2, max_size=6
)


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sequence=few_states)
def test_the_cache_never_changes_a_volume(checkpoint, precision, sequence):
    """Unrelated states, and hence every kind of change, with previews between."""
    synthesizer = Synthesizer(checkpoint, "cpu", precision)
    for state, stop in sequence:
        cached = synthesizer.render(state, stop)
        uncached = Synthesizer(checkpoint, "cpu", precision).render(state, stop)
        np.testing.assert_array_equal(cached.data, uncached.data)


DIRECTION = Direction("d", "PCA", "w", np.linspace(-1, 1, 8), 0, 2)
small_changes = st.one_of(
    st.builds(dict, psi=st.sampled_from([0.0, 0.5, 1.0])),
    st.builds(dict, cutoff=st.sampled_from([None, 0, 1, 2])),
    st.builds(dict, seed=st.integers(0, 1)),
    st.builds(dict, noise=st.booleans()),
    st.builds(dict, noise_seed=st.sampled_from([None, 0, 1])),
    st.builds(
        dict, noise_strength=st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=3).map(tuple)
    ),
    st.builds(dict, mixing=st.integers(0, 2).map(lambda block: (BlockMix(block, 9, 0.5),))),
    st.just({"mixing": ()}),
    st.builds(
        dict,
        edits=st.tuples(
            st.builds(Edit, st.just(DIRECTION), st.floats(-2, 2), st.just(1), st.just(2))
        ),
    ),
)


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(small_changes, min_size=2, max_size=12))
def test_small_edits_never_show_a_stale_volume(checkpoint, precision, changes):
    synthesizer = Synthesizer(checkpoint, "cpu", precision)
    state = LatentState()
    for change in changes:
        state = replace(state, **change)
        np.testing.assert_array_equal(
            synthesizer.render(state).data, fresh(checkpoint, state, precision)
        )


@pytest.mark.parametrize(
    ("change", "recomputed"),
    [
        ({}, []),
        ({"seed": 2, "noise_seed": 1}, [0, 1, 2]),
        ({"noise_seed": 5}, [0, 1, 2]),
        ({"mixing": (BlockMix(2, 7),)}, [2]),
        ({"mixing": (BlockMix(1, 7),)}, [1, 2]),
        ({"mixing": (BlockMix(1, 7, 0.0),)}, []),
        ({"noise_strength": (1.0, 1.0, 0.5)}, [2]),
        ({"noise_strength": (1.0, 1.0, 1.0)}, []),
        ({"psi": 0.5}, [0, 1, 2]),
        ({"psi": 0.5, "cutoff": 0}, []),
        ({"edits": (Edit(DIRECTION, 1.0, 2, 2),)}, [2]),
        ({"edits": (Edit(DIRECTION, 0.0, 0, 2),)}, []),
    ],
)
def test_only_changed_blocks_are_computed(synthesizer, run_blocks, change, recomputed):
    state = LatentState(1)
    synthesizer.render(state)
    run_blocks.clear()
    synthesizer.render(replace(state, **change))
    assert run_blocks == recomputed


def test_a_preview_of_cached_blocks_computes_nothing_and_keeps_the_rest(synthesizer, run_blocks):
    synthesizer.render(LatentState(1))
    run_blocks.clear()
    synthesizer.render(LatentState(1), stop_block=0)
    synthesizer.render(LatentState(1))
    assert run_blocks == []


def test_a_full_render_goes_on_from_its_preview(synthesizer, run_blocks):
    synthesizer.render(LatentState(1), stop_block=1)
    synthesizer.render(LatentState(1))
    assert run_blocks == [0, 1, 2]


@pytest.mark.parametrize("stop", [0, 1, 2])
def test_a_preview_is_the_enlarged_grey_volume_of_its_block(checkpoint, synthesizer, stop):
    state = LatentState(1)
    preview = synthesizer.render(state, stop)
    network, ws = checkpoint.synthesis, styles(checkpoint, state)
    noise = torch.from_numpy(stream("noise", 1).random_sample((1, 8, 16, 16))).float()
    x, image = network.start(1), None
    for block in range(stop + 1):
        x, image = network.run_block(block, x, image, ws[None, block], noise)
    expected = resize(image, (8, 16, 16))[0, 0].clamp(0, 1)
    np.testing.assert_allclose(preview.data, expected, atol=1e-5)
    assert preview.shape == (8, 16, 16)
    assert preview.provenance["preview_block"] == (stop if stop < 2 else None)


def test_a_preview_resembles_the_coarse_content_of_a_trained_volume():
    """Only what a model has learned makes coarse blocks meaningful: needs the bundled one."""
    from cowgan.checkpoint import BUNDLED

    if not BUNDLED.exists():
        pytest.skip("this checkout has no bundled model yet")
    synthesizer = Synthesizer(load(BUNDLED), "cpu")
    last = synthesizer.checkpoint.config.n_blocks - 1
    correlations = []
    for seed in range(3):
        full = block_reduce(synthesizer.render(LatentState(seed)).data, 4, np.mean)
        coarse = block_reduce(synthesizer.render(LatentState(seed), last - 1).data, 4, np.mean)
        correlations.append(np.corrcoef(full.ravel(), coarse.ravel())[0, 1])
    assert np.mean(correlations) > 0.5


@pytest.mark.parametrize("stop", [-1, 3, 99])
def test_a_block_that_does_not_exist_is_refused(synthesizer, stop, single_sentence):
    with pytest.raises(CowganError) as refusal:
        synthesizer.render(LatentState(), stop)
    single_sentence(refusal)
    with pytest.raises(CowganError):
        next(synthesizer.render_many([LatentState()], stop))


@pytest.mark.parametrize("after", [0, 1, 2])
def test_rendering_stops_between_blocks_and_can_go_on(checkpoint, synthesizer, run_blocks, after):
    with pytest.raises(Cancelled):
        synthesizer.render(LatentState(1), cancelled=lambda: len(run_blocks) == after)
    assert run_blocks == list(range(after))
    np.testing.assert_array_equal(
        synthesizer.render(LatentState(1)).data, fresh(checkpoint, LatentState(1))
    )
    assert run_blocks[:3] == [0, 1, 2], "finished blocks were kept"


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("batch_size", [None, 1, 2, 3, 8])
def test_many_states_give_the_volumes_that_each_gives_alone(checkpoint, precision, batch_size):
    many = [
        LatentState(1),
        LatentState(2, noise=False),
        LatentState(3, noise_strength=(0.3, 0.0)),
        LatentState(4, psi=0.5, mixing=(BlockMix(1, 8),)),
        LatentState(5, noise_seed=1),
    ]
    synthesizer = Synthesizer(checkpoint, "cpu", precision)
    volumes = list(synthesizer.render_many(iter(many), batch_size=batch_size))
    assert len(volumes) == len(many)
    tolerance = {"exact": 1e-5, "fast": 0.05}[precision]
    for state, volume in zip(many, volumes, strict=True):
        np.testing.assert_allclose(volume.data, fresh(checkpoint, state, precision), atol=tolerance)
        assert volume.provenance["state"] == state.to_dict()


def test_rendering_many_leaves_the_cache_alone(synthesizer, run_blocks):
    synthesizer.render(LatentState(1))
    list(synthesizer.render_many([LatentState(2), LatentState(3)], stop_block=1))
    run_blocks.clear()
    synthesizer.render(LatentState(1))
    assert run_blocks == []


def test_many_states_of_none_are_no_volumes(synthesizer):
    assert list(synthesizer.render_many([])) == []


def test_noise_is_drawn_once_per_state_of_a_batch(synthesizer, monkeypatch):
    from cowgan.synthesis import noise

    drawn = Counter()
    monkeypatch.setattr(
        noise, "stream", lambda purpose, seed: drawn.update([seed]) or stream(purpose, seed)
    )
    noise.noise_cube.cache_clear()
    list(synthesizer.render_many([LatentState(seed) for seed in range(6)], batch_size=6))
    assert drawn == dict.fromkeys(range(6), 1)


def test_threads_share_one_synthesizer(checkpoint, synthesizer):
    expected = {seed: fresh(checkpoint, LatentState(seed)) for seed in range(4)}
    problems: list[object] = []

    def work(seed: int) -> None:
        try:
            for _ in range(5):
                volume = synthesizer.render(LatentState(seed)).data
                np.testing.assert_array_equal(volume, expected[seed])
                synthesizer.preview_block(LatentState(seed + 1))
                (many,) = synthesizer.render_many([LatentState(seed)])
                np.testing.assert_array_equal(many.data, expected[seed])
        except BaseException as problem:  # noqa: BLE001 - passed to the main thread
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems


def test_a_returned_volume_is_not_changed_by_later_ones(synthesizer):
    first = synthesizer.render(LatentState(1))
    kept = first.data.copy()
    first.data[:] = 7
    np.testing.assert_array_equal(synthesizer.render(LatentState(1)).data, kept)
    for seed in range(5):
        synthesizer.render(LatentState(seed), stop_block=seed % 3)
    assert (first.data == 7).all()


def test_the_checkpoint_is_left_as_it_was(checkpoint):
    before = {name: t.clone() for name, t in checkpoint.synthesis.state_dict().items()}
    Synthesizer(checkpoint, "cpu", "fast").render(LatentState())
    for name, tensor in checkpoint.synthesis.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize(
    "name", ["cuda:99", "meta", "tpu", "", "cpu:x", "xla", "vulkan", "many\nlines"]
)
def test_a_device_that_is_not_there_is_refused(checkpoint, name, single_sentence):
    with pytest.raises(CowganError) as refusal:
        Synthesizer(checkpoint, name)
    single_sentence(refusal)


def test_an_unknown_precision_is_refused(checkpoint, single_sentence):
    with pytest.raises(CowganError) as refusal:
        Synthesizer(checkpoint, "cpu", "float64")
    single_sentence(refusal)


def test_auto_takes_a_device_that_is_there(checkpoint):
    assert Synthesizer(checkpoint).device.type in ("cpu", "cuda", "mps")


def test_a_state_of_another_architecture_is_refused_and_harms_nothing(
    checkpoint, synthesizer, single_sentence
):
    synthesizer.render(LatentState(1))
    for render in (synthesizer.render, synthesizer.preview_block):
        with pytest.raises(CowganError) as refusal:
            render(LatentState(w=((0.0,) * 512,)))
        single_sentence(refusal)
    np.testing.assert_array_equal(
        synthesizer.render(LatentState(1)).data, fresh(checkpoint, LatentState(1))
    )


@pytest.mark.parametrize("psi", [1e20, -1e30])
def test_a_style_beyond_all_bounds_gives_a_volume_or_one_sentence(synthesizer, psi):
    try:
        data = synthesizer.render(LatentState(psi=psi)).data
    except CowganError as error:
        assert error.sentence.endswith(".")
    else:
        assert np.isfinite(data).all()


def test_a_volume_records_its_full_provenance(tmp_path):
    path = tmp_path / "model.safetensors"
    checkpoint = files.lively()
    checkpoint.spacing_mm = (0.5, 0.25, 0.75)
    save(checkpoint, path)
    stored = load(path)
    state = LatentState(5, psi=0.7, mixing=(BlockMix(1, 2, 0.5),))
    volume = Synthesizer(stored, "cpu", "exact").render(state)
    provenance = json.loads(json.dumps(volume.provenance))
    assert provenance == {
        "synthetic": True,
        "software": f"napari-cowgan {__version__}",
        "checkpoint": {
            "name": stored.card.name,
            "sha256": stored.sha256,
            "licence": stored.card.licence,
        },
        "state": state.to_dict(),
        "precision": "exact",
        "preview_block": None,
    }
    assert LatentState.from_dict(provenance["state"]) == state
    assert volume.synthetic
    assert volume.spacing_mm == (0.5, 0.25, 0.75)
    assert np.sign(np.diag(volume.affine)).tolist() == [-1, 1, 1, 1]
    assert volume.data.dtype == np.float32
    assert volume.data.flags.c_contiguous
    assert volume.data.min() >= 0
    assert volume.data.max() <= 1


def test_values_are_clamped_to_zero_and_one():
    checkpoint = files.lively()
    for name, parameter in checkpoint.synthesis.named_parameters():
        if "to_grayscale.conv" in name:
            parameter.mul_(100)
    data = fresh(checkpoint, LatentState(1))
    assert (data.min(), data.max()) == (0, 1)


class TestPreviewBlock:
    @pytest.fixture
    def timed(self, synthesizer):
        synthesizer._times.seconds[:] = [0.01, 0.02, 0.1]
        return synthesizer

    def test_goes_as_deep_as_the_budget(self, timed):
        depth = {budget: timed.preview_block(LatentState(1), budget) for budget in (1, 0.1, 0.03)}
        assert depth == {1: None, 0.1: 1, 0.03: 1}
        assert timed.preview_block(LatentState(1), 0.02) == 0
        assert timed.preview_block(LatentState(1), 0.001) == 0

    def test_counts_what_is_cached_as_free(self, timed):
        timed.render(LatentState(1), stop_block=0)
        timed._times.seconds[:] = [0.01, 0.02, 0.1]
        assert timed.preview_block(LatentState(1), 0.02) == 1

    def test_always_includes_a_block_that_changed(self, timed):
        timed.render(LatentState(1))
        timed._times.seconds[:] = [0.01, 0.02, 0.1]
        fine = LatentState(1, mixing=(BlockMix(2, 5),))
        assert timed.preview_block(fine, 0.05) is None
        middle = LatentState(1, mixing=(BlockMix(1, 5),))
        assert timed.preview_block(middle, 0.01) == 1

    def test_is_the_whole_volume_where_everything_is_cached(self, timed):
        timed.render(LatentState(1))
        assert timed.preview_block(LatentState(1), 0.0) is None

    def test_knows_the_times_after_one_volume(self, synthesizer):
        synthesizer.render(LatentState())
        assert all(seconds > 0 for seconds in synthesizer._times.seconds)
        assert synthesizer.preview_block(LatentState(1), 1e-9) == 0
        assert synthesizer.preview_block(LatentState(1), 1e9) is None


def random_edits(config: NetworkConfig, count: int):
    chosen = np.random.default_rng(0)
    state = LatentState()
    for _ in range(count):
        change = chosen.integers(5)
        block = int(chosen.integers(config.n_blocks))
        seed = int(chosen.integers(2**63))
        yield (
            state := [
                replace(state, seed=seed),
                replace(state, psi=float(chosen.random())),
                replace(state, mixing=(BlockMix(block, seed, 0.5),)),
                replace(state, noise=not state.noise),
                replace(state, noise_seed=seed),
            ][change]
        )


def growth_mb(synthesizer: Synthesizer, config: NetworkConfig, count: int) -> float:
    edits = random_edits(config, count)
    for _ in range(count // 10):
        synthesizer.render(next(edits))
    before = psutil.Process().memory_info().rss
    for state in edits:
        synthesizer.render(state)
    return (psutil.Process().memory_info().rss - before) / 1e6


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_thousand_edits_use_no_more_memory(checkpoint, precision):
    synthesizer = Synthesizer(checkpoint, "cpu", precision)
    # The activations of one state take 0.06 MB.
    assert growth_mb(synthesizer, checkpoint.config, 1000) < 25


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_thousand_edits_of_a_larger_model_use_no_more_memory():
    config = NetworkConfig(64, 32, 4, 64, 128, 4)
    synthesizer = Synthesizer(Checkpoint.random(config), "cpu", "fast")
    assert growth_mb(synthesizer, config, 2000) < 50
