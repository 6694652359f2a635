import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from lineage_graph.errors import ManifestError
from lineage_graph.features import probes
from lineage_graph.features.probes import built_in, from_folder

SHAPE = (3, 24, 20)


def spectrum_slope(images: torch.Tensor) -> float:
    """The exponent by which power falls with frequency: 0 for plain noise, about -2 for photographs."""
    power = torch.fft.fft2(images.double().mean(dim=1)).abs().square().mean(dim=0)
    side = images.shape[-1]
    frequency = torch.fft.fftfreq(side) * side
    radius = (frequency[:, None] ** 2 + frequency[None, :] ** 2).sqrt()
    rings = [power[(radius >= r - 0.5) & (radius < r + 0.5)].mean() for r in range(1, side // 3)]
    slope = np.polyfit(np.log(range(1, side // 3)), np.log([float(ring) for ring in rings]), 1)[0]
    return float(slope)


def paint(folder: Path, name: str, mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image = PIL.Image.radial_gradient("L").resize(size).convert(mode)
    image.putpixel((len(name) % size[0], 0), 255 if mode == "L" else (255, 0, len(name)))
    image.save(path)
    return path


@pytest.mark.parametrize("shape", [SHAPE, (1, 16, 16), (5, 8, 8)])
def test_shape_and_scale(shape: tuple[int, int, int]) -> None:
    found = built_in(9, shape)
    assert found.shape == (9, *shape)
    assert found.dtype == torch.float32
    assert torch.allclose(found.mean(dim=(1, 2, 3)), torch.zeros(9), atol=1e-5)
    assert torch.allclose(found.var(dim=(1, 2, 3), correction=0), torch.ones(9), atol=1e-4)


def test_a_seed_names_a_set_and_more_probes_extend_it() -> None:
    first = built_in(4, SHAPE, seed=3)
    assert torch.equal(first, built_in(8, SHAPE, seed=3)[:4])
    assert not torch.allclose(first, built_in(4, SHAPE, seed=4))
    assert len({tuple(image.flatten().tolist()) for image in built_in(16, (1, 4, 4))}) == 16


def test_the_same_in_another_process() -> None:
    code = "from lineage_graph.features.probes import built_in; print(float(built_in(3, (3, 9, 9), 7).abs().sum()))"
    environment = {**os.environ, "PYTHONHASHSEED": "5"}
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert float(ran.stdout) == float(built_in(3, (3, 9, 9), 7).abs().sum())


def test_the_same_scene_at_any_size() -> None:
    large = torch.nn.functional.avg_pool2d(built_in(4, (3, 64, 64)), 4).flatten(1)
    small = built_in(4, (3, 16, 16)).flatten(1)
    alike = torch.nn.functional.cosine_similarity(large, small)
    assert alike.min() > 0.8


def test_power_falls_with_frequency_as_in_photographs() -> None:
    assert -3.5 < spectrum_slope(built_in(16, (3, 64, 64))) < -1.2
    noise = torch.randn(16, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert abs(spectrum_slope(noise)) < 0.3


def test_images_of_a_folder_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = ["b2.png", "b10.png", "deep/a.jpg", "z.bmp"]
    for name in reversed(names):
        paint(tmp_path, name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.png").write_bytes(b"")
    found = from_folder(tmp_path, SHAPE)
    assert found.shape == (4, *SHAPE)
    for row, name in zip(found, names, strict=True):
        alone = tmp_path / f"alone-{Path(name).stem}"
        alone.mkdir()
        (tmp_path / name).rename(alone / Path(name).name)
        assert torch.equal(row, from_folder(alone, SHAPE)[0]), name


def test_a_count_takes_a_seeded_part(tmp_path: Path) -> None:
    for number in range(8):
        paint(tmp_path, f"{'x' * (number + 1)}.png")
    everything = from_folder(tmp_path, SHAPE)
    few = from_folder(tmp_path, SHAPE, count=3, seed=1)
    rows = [next(i for i, image in enumerate(everything) if torch.equal(image, row)) for row in few]
    assert rows == sorted(rows)
    assert torch.equal(few, from_folder(tmp_path, SHAPE, count=3, seed=1))
    assert any(not torch.equal(few, from_folder(tmp_path, SHAPE, count=3, seed=seed)) for seed in range(2, 6))
    assert torch.equal(from_folder(tmp_path, SHAPE, count=100), everything)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_channels_follow_the_network(tmp_path: Path, mode: str) -> None:
    paint(tmp_path, "a.png", mode)
    grey = from_folder(tmp_path, (1, 8, 8))
    five = from_folder(tmp_path, (5, 8, 8))
    assert grey.shape == (1, 1, 8, 8)
    assert torch.equal(five[:, :2], five[:, 3:])


def test_a_picture_without_contrast_is_all_zeros(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (9, 9), (7, 7, 7)).save(tmp_path / "flat.png")
    assert not from_folder(tmp_path, SHAPE).any()


@pytest.mark.parametrize("damage", ["truncated", "other", "empty", "script"])
def test_an_unreadable_image_is_named(tmp_path: Path, damage: str) -> None:
    good = paint(tmp_path, "good.png").read_bytes()
    contents = {
        "truncated": good[: len(good) // 2],
        "other": b"no image",
        "empty": b"",
        "script": b"%!PS-Adobe-3.0 EPSF",
    }
    (tmp_path / "worse.png").write_bytes(contents[damage])
    with pytest.raises(ManifestError, match=r"worse\.png is no readable image") as caught:
        from_folder(tmp_path, SHAPE)
    assert "\n" not in str(caught.value)


def test_a_decompression_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    PIL.Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 1_000_000
    with pytest.raises(ManifestError, match=r"bomb\.png (has|is no readable image)"):
        from_folder(tmp_path, SHAPE)


@pytest.mark.parametrize(
    ("limit", "words"), [("MAX_PIXELS", "pixels"), ("MAX_FILE_BYTES", "bytes"), ("MAX_FILES", "more")]
)
def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, words: str) -> None:
    paint(tmp_path, "a.png")
    paint(tmp_path, "b.png")
    monkeypatch.setattr(probes, limit, 1)
    with pytest.raises(ManifestError, match=words):
        from_folder(tmp_path, SHAPE)


def test_a_folder_must_be_there_and_hold_images(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="holds no image"):
        from_folder(tmp_path, SHAPE)
    with pytest.raises(ManifestError, match="is not a folder"):
        from_folder(tmp_path / "absent", SHAPE)
