"""Mixup and CutMix: worked by hand, then their distributions."""

import pytest
import torch

from glauke.images.augmenting import _mix
from glauke.images.augmenting._mix import beta, mixed, partners_of, rectangles

KEY = {"seed": 5, "epoch": 2}
MANY = torch.arange(20_000)


def images(count=8, size=6):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_mixup_is_a_weighted_mean_with_the_partner():
    batch, samples = images(), torch.arange(8)
    got, partners, shares = mixed(batch, samples, mixup=0.4, cutmix=0, **KEY)
    assert torch.equal(shares, beta(samples, alpha=0.4, **KEY, purpose="mixup").float())
    for i in range(8):
        wanted = shares[i] * batch[i] + (1 - shares[i]) * batch[partners[i]]
        assert torch.allclose(got[i], wanted, atol=1e-6)
    assert 0 < shares.min() < shares.max() < 1


def test_cutmix_pastes_a_rectangle_and_counts_its_pixels(monkeypatch):
    inside = torch.zeros(2, 4, 4, dtype=torch.bool)
    inside[0, 1:3, 0:2] = True
    monkeypatch.setattr(_mix, "rectangles", lambda *args, **key: inside)
    batch = torch.stack([torch.zeros(1, 4, 4), torch.ones(1, 4, 4)])
    got, partners, shares = mixed(batch, torch.arange(2), mixup=0, cutmix=1, **KEY)
    assert partners.tolist() == [1, 0] and shares.tolist() == [0.75, 1.0]
    assert got[0, 0].tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    assert torch.equal(got[1], batch[1])


def test_with_both_each_picture_has_one_of_them():
    batch, samples = images(64), torch.arange(64)
    both = mixed(batch, samples, mixup=0.4, cutmix=1.0, **KEY)
    blended, pasted = (
        mixed(batch, samples, mixup=0.4, cutmix=0, **KEY),
        mixed(batch, samples, mixup=0, cutmix=1.0, **KEY),
    )
    is_blend = (both[0] == blended[0]).all(dim=(1, 2, 3))
    is_paste = (both[0] == pasted[0]).all(dim=(1, 2, 3))
    assert (is_blend | is_paste).all() and 20 < is_blend.sum() < 44
    assert torch.equal(both[2], torch.where(is_blend, blended[2], pasted[2]))


def test_shares_and_rectangles_do_not_depend_on_the_batch_but_partners_do():
    batch, samples = images(16), torch.arange(16)
    _, partners, shares = mixed(batch, samples, mixup=0.4, cutmix=1.0, **KEY)
    some = [3, 9, 4]
    _, others, same = mixed(batch[some], samples[some], mixup=0.4, cutmix=1.0, **KEY)
    assert torch.equal(same, shares[some])
    assert sorted(others.tolist()) == [0, 1, 2] and samples[some][others].tolist() != samples[partners[some]].tolist()


def test_partners_are_others_and_follow_the_samples_not_their_order():
    samples = torch.arange(32)
    partners = partners_of(samples, **KEY)
    assert sorted(partners.tolist()) == list(range(32)) and (partners != samples).all()
    turned = samples.flip(0)
    assert torch.equal(turned[partners_of(turned, **KEY)].flip(0), samples[partners])
    assert partners_of(torch.tensor([4]), **KEY).tolist() == [0]


def test_a_picture_without_a_partner_stays_as_it_is():
    alone = images(1)
    got, partners, _ = mixed(alone, torch.tensor([7]), mixup=0.4, cutmix=1.0, **KEY)
    assert torch.equal(got, alone) and partners.tolist() == [0]


@pytest.mark.parametrize("alpha", [0.1, 0.2, 1, 2.5, 50])
def test_shares_have_the_beta_distribution(alpha):
    from scipy.stats import beta as reference

    drawn = beta(MANY, alpha=alpha, **KEY, purpose="mixup")
    edges = torch.from_numpy(reference.ppf([i / 20 for i in range(1, 20)], alpha, alpha))
    counts = torch.bincount(torch.bucketize(drawn, edges), minlength=20)
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # 99.9 % point of chi-squared with 19 degrees of freedom
    assert drawn.min() >= 0 and drawn.max() <= 1


def test_rectangles_have_the_area_of_their_share_unless_they_leave_the_picture():
    inside = rectangles(MANY[:2000], (32, 32), alpha=1.0, **KEY)
    shares = beta(MANY[:2000], alpha=1.0, **KEY, purpose="cutmix")
    areas = inside.double().mean(dim=(1, 2))
    assert (areas <= 1 - shares + 1e-9).all()
    whole = ~(inside[:, 0].any(1) | inside[:, -1].any(1) | inside[:, :, 0].any(1) | inside[:, :, -1].any(1))
    sides = (1 - shares).sqrt() * 32
    assert whole.sum() > 200
    assert torch.equal(areas[whole] * 1024, ((sides.long() // 2 * 2) ** 2)[whole].double())
    covered = inside.double().mean(dim=0)
    assert covered[16, 16] > covered[0, 0] > 0  # centres lie anywhere, so the middle is covered most
