"""Where the network looks, against plain loops over single pictures."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from glauke.images.augmenting import _crop
from glauke.images.augmenting._crop import mirrored, parts, shifted, stretched
from glauke.images.augmenting._keyed import integers

KEY = {"seed": 5, "epoch": 2}
MANY = torch.arange(20_000)


def pictures(count=16, size=12):
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def by_hand(picture, *, down, right, mirror, pad):
    padded = torch.nn.functional.pad(picture.permute(2, 0, 1)[None].float(), (pad,) * 4, mode="reflect")[0]
    size = picture.shape[0]
    cropped = padded[:, pad + down : pad + down + size, pad + right : pad + right + size].permute(1, 2, 0)
    return (cropped.flip(1) if mirror else cropped).to(torch.uint8)


def test_a_shift_is_padding_cropping_and_mirroring_one_by_one():
    batch, samples, pad = pictures(), torch.arange(100, 116), 3
    mirror = mirrored(samples, alternate=False, **KEY)
    got = shifted(batch, samples, mirror, pad=pad, **KEY)
    down = integers(samples, high=7, **KEY, purpose="row") - pad
    right = integers(samples, high=7, **KEY, purpose="column") - pad
    assert 0 < mirror.sum() < 16 and len(set(down.tolist())) > 1
    for i in range(16):
        wanted = by_hand(batch[i], down=int(down[i]), right=int(right[i]), mirror=bool(mirror[i]), pad=pad)
        assert torch.equal(got[i], wanted)


def test_shifts_beyond_a_picture_fold_twice():
    folded = _crop._reflected(torch.arange(-7, 12), 4)
    assert folded.tolist() == [1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]
    assert _crop._reflected(torch.arange(-7, 12), 1).unique().tolist() == [0]


def test_half_are_mirrored_and_epochs_draw_anew():
    first, second = (mirrored(MANY, alternate=False, seed=0, epoch=epoch) for epoch in (0, 1))
    for drawn in (first, second, first ^ second):
        assert abs(drawn.double().mean().item() - 0.5) < 0.012  # 3.3 deviations


def test_alternating_mirrors_each_picture_in_every_other_epoch():
    drawn = [mirrored(MANY, alternate=True, seed=0, epoch=epoch) for epoch in range(4)]
    assert torch.equal(drawn[0], mirrored(MANY, alternate=False, seed=0, epoch=0))
    assert torch.equal(drawn[0], ~drawn[1]) and torch.equal(drawn[0], drawn[2]) and torch.equal(drawn[1], drawn[3])


def test_a_part_is_stretched_as_worked_by_hand(monkeypatch):
    # The left half of a row of four pixels, over all rows: pixel centres at 0.25, 0.75, 1.25 and 1.75 of the old grid.
    whole_rows = torch.tensor([[0.0], [0.0], [1.0], [0.5]], dtype=torch.float64)
    monkeypatch.setattr(_crop, "parts", lambda *args, **key: whole_rows)
    picture = torch.tensor([0, 40, 80, 200], dtype=torch.uint8).expand(4, 4)[None, :, :, None].contiguous()
    got = stretched(picture, torch.arange(1), None, area=0.5, **KEY)
    assert got[0, :, :, 0].tolist() == [[0, 10, 30, 50]] * 4
    turned = stretched(picture, torch.arange(1), torch.tensor([True]), area=0.5, **KEY)
    assert torch.equal(turned, got.flip(2)) and turned.is_contiguous()


def test_stretching_is_that_of_interpolate():
    batch, samples = pictures(8, 16), torch.arange(8)
    got = stretched(batch, samples, None, area=0.3, **KEY)
    tops, lefts, heights, widths = parts(samples, area=0.3, **KEY)
    theta = torch.zeros(8, 2, 3, dtype=torch.float64)
    theta[:, 0, 0], theta[:, 0, 2] = widths, 2 * lefts + widths - 1
    theta[:, 1, 1], theta[:, 1, 2] = heights, 2 * tops + heights - 1
    grid = torch.nn.functional.affine_grid(theta, [8, 3, 16, 16], align_corners=False)
    values = batch.permute(0, 3, 1, 2).double()
    wanted = torch.nn.functional.grid_sample(values, grid, padding_mode="border", align_corners=False)
    assert (got.permute(0, 3, 1, 2) - wanted).abs().max() < 0.501  # rounded


def test_a_whole_picture_is_left_as_it_is():
    batch = pictures()
    assert torch.equal(stretched(batch, torch.arange(16), None, area=1, **KEY), batch)


def test_parts_have_uniform_areas_and_lie_evenly():
    tops, lefts, heights, widths = parts(MANY, area=0.25, **KEY)
    areas, ratios = heights * widths, (widths / heights).log()
    counts = torch.histc(areas, bins=10, min=0.25, max=1)
    assert ((counts - 2000) ** 2 / 2000).sum() < 27.9  # 99.9 % point of chi-squared with 9 degrees of freedom
    assert ratios.abs().max() <= torch.tensor(4 / 3).log() + 1e-6 and abs(ratios.mean().item()) < 0.005
    for start, length in ((tops, heights), (lefts, widths)):
        assert start.min() >= 0 and (start + length).max() <= 1 + 1e-12
        room = 1 - length > 0.01
        places = torch.histc((start / (1 - length))[room], bins=10, min=0, max=1)
        expected = room.sum() / 10
        assert ((places - expected) ** 2 / expected).sum() < 27.9


@given(st.floats(0.01, 1.0), st.integers(0, 2**31))
def test_parts_fit_whatever_their_least_area(area, seed):
    tops, lefts, heights, widths = parts(torch.arange(50), area=area, seed=seed, epoch=1)
    assert (tops + heights).max() <= 1 + 1e-9 and (lefts + widths).max() <= 1 + 1e-9
    assert min(tops.min(), lefts.min()) >= 0 and (heights * widths).min() >= area - 1e-9
