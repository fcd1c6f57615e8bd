from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.painting.conditioning import BASE, CHANNELS  # noqa: E402
from generators.painting.network import Network, NetworkSettings  # noqa: E402


@pytest.fixture
def network():
    return Network(NetworkSettings(ngf=4, blocks=2), seed=3).requires_grad_(requires_grad=False)


def made(network, seed=0, size=(64, 80)):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(1, CHANNELS, *size, generator=rng), network.drawn(1, *size, rng)


def test_same_seed_same_weights(network):
    again = Network(network.settings, seed=3).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in network.state_dict().items())


def test_pictures_of_a_batch_do_not_know_of_each_other(network):
    (one, noise), (two, others) = made(network), made(network, seed=1)
    both = network(torch.cat([one, two]), [torch.cat(p) for p in zip(noise, others, strict=True)])
    assert torch.allclose(both[:1], network(one, noise), atol=1e-5)


def test_what_is_far_away_does_not_matter(network):
    """A norm over the picture would carry it everywhere."""
    maps, noise = made(network, size=(32, 256))
    changed = maps.clone()
    changed[..., 200:] += 3
    assert torch.equal(network(maps, noise)[..., :64], network(changed, noise)[..., :64])


def test_noise_of_each_size_makes_a_difference(network):
    maps, noise = made(network)
    before = network(maps, noise)
    for k in range(len(noise)):
        other = [level + (number == k) for number, level in enumerate(noise)]
        assert not torch.equal(network(maps, other), before)


def test_what_is_added_is_no_finer_than_a_lens_shows(network):
    maps, noise = made(network)
    added = (network(maps, noise) - maps[:, BASE : BASE + 1])[0, 0]
    power = torch.fft.fft2(added - added.mean()).abs().square()
    assert power[32, :].mean() < 0.02 * power[1:8, :].mean()


@pytest.mark.parametrize("bad", ['{"ngf": 0}', '{"ngf": 1.5}', '{"depth": 3}', '{"blocks": 99999}'])
def test_settings_that_are_none_are_refused(bad):
    with pytest.raises(ValueError):
        NetworkSettings.from_json(bad)
