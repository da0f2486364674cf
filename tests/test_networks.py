"""The autoencoders: shapes, gradients, architecture, and how they are built."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from deepdensity.networks import (
    Conv16Autoencoder,
    ConvAutoencoder,
    MLPAutoencoder,
    TransformerAutoencoder,
)
from deepdensity.networks.build import build_autoencoder, check_autoencoder
from deepdensity.networks.conv import resize
from deepdensity.networks.convolutions import Conv2d
from deepdensity.networks.mlp import (
    ShallowAutoencoder,
    default_hidden,
    linear_stack,
)
from deepdensity.networks.transformer import sinusoidal_positions

from . import reference
from .common import BOTH, digit_vectors

NETWORKS = [
    Conv16Autoencoder,
    ConvAutoencoder,
    MLPAutoencoder,
    TransformerAutoencoder,
]
SHAPES = [
    (1, 8, 8),
    (1, 28, 28),
    (3, 32, 32),
    (2, 15, 17),
    (1, 1, 2),
    (5, 16, 40),
    (1, 1, 1),
    (1, 3, 70),
]


@pytest.fixture(autouse=True)
def reproducible_weights():
    """torch draws weights from its global generator; put back after each test."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def images(n, shape, dtype=torch.float32):
    random = np.random.default_rng(0)
    return torch.tensor(random.uniform(size=(n, *shape)), dtype=dtype)


def same_weights(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values())
    return all(torch.equal(a, b) for a, b in pairs)


def small(network, shape, n_components=4):
    """A network of its architecture and small widths."""
    if network is TransformerAutoencoder:
        return network(shape, n_components, width=16, hidden=(24, 40))
    if issubclass(network, ConvAutoencoder):
        return network(shape, n_components, channels=(4, 6, 8, 10))
    return network(shape, n_components, hidden=(24, 40))


# -- shapes and gradients --------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n", "n_components"), [(1, 3), (5, 1)])
def test_codes_and_reconstructions_have_their_shapes(network, shape, n, n_components):
    module = small(network, shape, n_components).eval()
    x = images(n, shape)
    with torch.no_grad():
        z = module.encode(x)
        back = module.decode(z)
    assert z.shape == (n, n_components)
    assert back.shape == x.shape
    assert z.isfinite().all()
    assert back.isfinite().all()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 15, 17)])
def test_a_network_trains_on_a_batch_of_two(network, shape):
    module, x = small(network, shape).train(), images(2, shape)
    loss = (module.decode(module.encode(x)) - x).square().mean()
    loss.backward()
    assert all(p.grad.isfinite().all() for p in module.parameters())


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 1, 2)])
@pytest.mark.parametrize("network", [ConvAutoencoder, TransformerAutoencoder])
def test_an_image_network_trains_on_a_batch_of_one(network, shape):
    module, x = small(network, shape).train(), images(1, shape)
    loss = (module.decode(module.encode(x)) - x).square().mean()
    loss.backward()
    assert all(p.grad.isfinite().all() for p in module.parameters())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 15, 17), (1, 1, 2)])
def test_gradients_reach_every_parameter(network, shape):
    module, x = small(network, shape).eval(), images(6, shape)
    # a random direction: no symmetry of the loss may hide a parameter
    target = torch.tensor(np.random.default_rng(1).standard_normal(x.shape))
    (module.decode(module.encode(x)) * target.float()).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("network", NETWORKS)
def test_the_encoder_leaves_the_decoder_alone_and_the_other_way_round(network):
    module = small(network, (1, 8, 8)).eval()
    learnt = list(module.parameters())
    z = module.encode(images(3, (1, 8, 8)))
    of_code = torch.autograd.grad(z.sum(), learnt, allow_unused=True)
    back = module.decode(z.detach())
    of_image = torch.autograd.grad(back.sum(), learnt, allow_unused=True)
    for by_code, by_image in zip(of_code, of_image):
        assert (by_code is None) != (by_image is None)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 15, 17)])
def test_rows_do_not_depend_on_their_batch_in_eval_mode(network, shape):
    module = small(network, shape)
    x = images(64, shape)
    with torch.no_grad():
        module.train()
        for _ in range(3):  # running statistics unlike those of any batch
            module.decode(module.encode(3 * x + 1))
        module = module.double().eval()
        x = x.double()
        z = module.encode(x)
        back = module.decode(z)
        for rows in (slice(0, 1), slice(63, 64), slice(5, 12)):
            assert_allclose(module.encode(x[rows]), z[rows], rtol=1e-7, atol=1e-12)
            found = module.decode(z[rows])
            assert_allclose(found, back[rows], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_learns_to_tell_two_images_apart(network):
    module, x = small(network, (1, 8, 8)).train(), images(2, (1, 8, 8))
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-2)

    def error():
        return (module.decode(module.encode(x)) - x).square().mean()

    first = error().item()
    for _ in range(25):
        optimiser.zero_grad()
        loss = error()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.5 * first


# -- the fully connected network -------------------------------------------------------


@pytest.mark.parametrize(
    ("n_features", "hidden"),
    [
        (1, (64, 64, 256)),
        (16, (64, 64, 256)),
        (17, (68, 68, 272)),
        (64, (256, 256, 1024)),
        (124, (496, 496, 1984)),
        (125, (500, 500, 2000)),
        (784, (500, 500, 2000)),
    ],
)
def test_default_widths_are_those_of_dec_and_less_for_short_samples(n_features, hidden):
    assert default_hidden(n_features) == hidden
    module = MLPAutoencoder((n_features,), 10)
    there = [m for m in module.encoder.modules() if isinstance(m, nn.Linear)]
    back = [m for m in module.decoder.modules() if isinstance(m, nn.Linear)]
    widths = [there[0].in_features, *(m.out_features for m in there)]
    assert widths == [n_features, *hidden, 10]
    mirrored = [back[0].in_features, *(m.out_features for m in back)]
    assert mirrored == widths[::-1]


@pytest.mark.parametrize(
    ("shape", "width"), [((1,), 64), ((16,), 64), ((64,), 256), ((3, 32, 32), 500)]
)
def test_shallow_network_has_one_hidden_layer_either_way(shape, width):
    module = ShallowAutoencoder(shape, 10)
    widths = [
        [(m.in_features, m.out_features) for m in half.modules() if hasattr(m, "bias")]
        for half in (module.encoder, module.decoder)
    ]
    n_features = math.prod(shape)
    assert widths[0] == [(n_features, width), (width, 10)]
    assert widths[1] == [(10, width), (width, n_features)]
    x = images(3, shape)
    assert module.decode(module.encode(x)).shape == x.shape


def test_linear_stack_has_a_relu_between_two_layers_and_none_at_the_end():
    kinds = [type(layer) for layer in linear_stack((5, 4, 3, 2))]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert [type(layer) for layer in linear_stack((5, 2))] == [nn.Linear]


@pytest.mark.parametrize("shape", [(7,), (1,), (3, 4, 5)])
def test_mlp_takes_vectors_and_flattened_images(shape):
    module, x = MLPAutoencoder(shape, 2, hidden=(6,)), images(4, shape)
    assert module.encode(x).shape == (4, 2)
    assert module.decode(module.encode(x)).shape == x.shape


# -- the convolutional network ---------------------------------------------------------


def test_conv_encoder_has_the_papers_layers():
    module = ConvAutoencoder((1, 28, 28), 10)
    kinds = [type(layer) for layer in module.encoder]
    block = [Conv2d, nn.BatchNorm2d, nn.ReLU]
    pooled = [Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.ReLU]
    assert kinds == [*pooled, *pooled, *pooled, *block, nn.Flatten, nn.Linear]
    convolutions = [m for m in module.encoder if isinstance(m, nn.Conv2d)]
    assert [m.in_channels for m in convolutions] == [1, 32, 64, 128]
    assert [m.out_channels for m in convolutions] == [32, 64, 128, 256]
    assert all(m.kernel_size == (3, 3) for m in convolutions)
    normalised = [m for m in module.encoder if isinstance(m, nn.BatchNorm2d)]
    assert [m.num_features for m in normalised] == [32, 64, 128, 256]
    assert module.encoder[-1].in_features == 256 * 4 * 4


def test_conv_decoder_mirrors_the_encoder_by_transposed_convolutions():
    module = ConvAutoencoder((3, 16, 16), 10)
    ups = [m for m in module.decoder if isinstance(m, nn.ConvTranspose2d)]
    assert [m.in_channels for m in ups] == [256, 128, 64]
    assert [m.out_channels for m in ups] == [128, 64, 32]
    assert all(m.stride == (2, 2) for m in ups)
    for layer, following in zip(module.decoder, list(module.decoder)[1:]):
        if isinstance(layer, nn.ConvTranspose2d):
            assert isinstance(following, nn.BatchNorm2d)
    assert isinstance(module.decoder[-1], nn.Conv2d)
    assert module.decoder[-1].out_channels == 3


@pytest.mark.parametrize(
    ("size", "whole", "reduced"),
    [
        ((8, 8), (16, 16), (16, 16)),
        ((1, 2), (16, 16), (16, 16)),
        ((15, 17), (16, 17), (16, 17)),
        ((10, 40), (16, 40), (16, 40)),
        ((28, 28), (28, 28), (16, 16)),
        ((48, 32), (48, 32), (24, 16)),
    ],
)
def test_sides_below_sixteen_are_enlarged_and_conv16_reduces(size, whole, reduced):
    for network, inner in ((ConvAutoencoder, whole), (Conv16Autoencoder, reduced)):
        assert network((1, *size), 2, (2, 2, 2, 2)).inner_size == inner


# -- DECS's network on a reduced image -------------------------------------------------


def test_conv16_sees_means_of_what_a_pixel_covers():
    x = images(2, (3, 32, 48))
    module = small(Conv16Autoencoder, (3, 32, 48)).eval()
    seen = {}
    module.encoder.register_forward_pre_hook(lambda _, x: seen.update(x=x[0]))
    module.encode(x)
    assert seen["x"].shape == (2, 3, 16, 24)
    # weights of the triangle two pixels wide, (1, 3, 3, 1) / 8, away from the edges
    weights = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    patches = np.lib.stride_tricks.sliding_window_view(x.numpy(), (4, 4), (2, 3))
    expected = (patches * weights).sum((4, 5))[:, :, 1::2, 1::2]  # (2, 3, 14, 22)
    assert_allclose(seen["x"][:, :, 1:-1, 1:-1], expected, rtol=1e-5)


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (10, 40)])
def test_conv16_is_conv_for_images_that_are_not_larger(size):
    shape = (1, *size)
    one, other = (
        build_autoencoder(name, shape, 3, 0).eval() for name in ("conv", "conv16")
    )
    assert same_weights(one, other)
    x = images(2, shape)
    assert torch.equal(one.encode(x), other.encode(x))
    assert torch.equal(one.decode(one.encode(x)), other.decode(one.encode(x)))


# -- the Transformer -------------------------------------------------------------------


@pytest.mark.parametrize(("n", "width"), [(1, 2), (16, 64), (16, 16), (40, 10)])
def test_positions_agree_with_the_loop(n, width):
    expected = reference.sinusoidal_positions(n, width)
    assert sinusoidal_positions(n, width).shape == (n, width)
    assert_allclose(sinusoidal_positions(n, width), expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("width", [1, 7])
def test_positions_of_odd_width_raise(width):
    with pytest.raises(ValueError, match=f"width={width}.*even"):
        sinusoidal_positions(16, width)
    with pytest.raises(ValueError, match=f"width={width}.*even"):
        TransformerAutoencoder((1, 8, 8), 2, width=width, n_heads=1)


def test_transformer_cuts_mnist_into_sixteen_patches_of_32_by_32():
    module = TransformerAutoencoder((1, 28, 28), 10)
    assert module.inner_size == (32, 32)
    assert module.patch_embedding.kernel_size == (8, 8)
    assert module.patch_embedding.stride == (8, 8)
    assert module.positions.shape == (16, 64)
    there = [m for m in module.encoder_linear if isinstance(m, nn.Linear)]
    back = [m for m in module.decoder_linear if isinstance(m, nn.Linear)]
    assert [m.in_features for m in there] == [16 * 64, 512, 512, 3072]
    assert [m.out_features for m in there] == [512, 512, 3072, 10]
    assert [m.in_features for m in back] == [10, 3072, 512, 512]
    assert [m.out_features for m in back] == [3072, 512, 512, 16 * 64]
    assert isinstance(module.patch_placement, nn.ConvTranspose2d)
    x = images(2, (1, 28, 28))
    with torch.no_grad():
        assert module.decode(module.encode(x)).shape == x.shape


@pytest.mark.parametrize(
    ("size", "inner"),
    [
        ((8, 8), (8, 8)),
        ((1, 2), (8, 8)),
        ((15, 17), (16, 24)),
        ((16, 40), (16, 40)),
        ((28, 28), (32, 32)),
        ((33, 64), (40, 64)),
    ],
)
def test_transformer_enlarges_sides_to_multiples_of_eight(size, inner):
    module = TransformerAutoencoder((1, *size), 2, width=8, hidden=(4,))
    assert module.inner_size == inner
    assert all(side % 2 == 0 for side in module.patch_embedding.kernel_size)


def test_a_patch_is_put_back_where_it_was_cut():
    module = small(TransformerAutoencoder, (1, 16, 24)).eval()
    tokens = {}
    module.encoder_blocks.register_forward_pre_hook(
        lambda _, given: tokens.update(seen=given[0])
    )
    module.decoder_blocks.register_forward_hook(lambda *_: tokens["placed"])

    def seen(x):
        module.encode(x)
        return tokens["seen"]

    def decoded(placed):
        tokens["placed"] = placed
        return module.decode(torch.zeros(1, 4))

    patch = (0, 0, slice(4, 8), slice(18, 24))  # second row, last column: number 7
    nothing = torch.zeros(1, 1, 16, 24)
    x, one = nothing.clone(), torch.zeros(1, 16, 16)
    x[patch] = 1
    one[0, 7] = 1
    with torch.no_grad():
        cut = (seen(x) - seen(nothing)).abs().sum(2)[0]
        back = (decoded(one) - decoded(0 * one)).abs()
    assert cut.nonzero().flatten().tolist() == [7]
    assert back[patch].min() > 0
    assert_allclose(back.sum(), back[patch].sum(), rtol=1e-6)


def test_positions_are_added_before_the_blocks_of_encoder_and_decoder():
    module, seen = small(TransformerAutoencoder, (1, 16, 16)).eval(), []
    x = images(2, (1, 16, 16))
    with torch.no_grad():
        tokens = module.patch_embedding(x).flatten(2).transpose(1, 2)
        z = module.encode(x)
        decoded = module.decoder_linear(z).unflatten(1, (16, 16))
        for blocks in (module.encoder_blocks, module.decoder_blocks):
            blocks.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        module.decode(module.encode(x))
    assert_allclose(seen[0], tokens + module.positions, rtol=1e-6)
    assert_allclose(seen[1], decoded + module.positions, rtol=1e-6)


def test_positions_are_kept_with_the_weights_and_not_learnt():
    module = small(TransformerAutoencoder, (1, 8, 8))
    assert "positions" in module.state_dict()
    assert "positions" not in dict(module.named_parameters())


@pytest.mark.parametrize("n_blocks", [1, 3])
def test_blocks_are_pre_norm_without_dropout(n_blocks):
    module = TransformerAutoencoder((1, 8, 8), 2, width=8, n_blocks=n_blocks)
    for blocks in (module.encoder_blocks, module.decoder_blocks):
        assert len(blocks.layers) == n_blocks
        assert all(layer.norm_first for layer in blocks.layers)
    dropouts = [m.p for m in module.modules() if isinstance(m, nn.Dropout)]
    assert set(dropouts) <= {0.0}


# -- resizing --------------------------------------------------------------------------


def test_resizing_to_the_same_size_is_the_image_itself():
    x = images(2, (3, 5, 7))
    assert resize(x, (5, 7)) is x


def test_resizing_keeps_a_constant_image_and_a_ramp():
    x = torch.full((1, 2, 5, 7), 0.3)
    assert_allclose(resize(x, (16, 9)), np.full((1, 2, 16, 9), 0.3), rtol=1e-6)
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    found = resize(ramp, (8, 8))[0, 0, 3]
    assert_allclose(found, [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3], rtol=1e-6)


# -- building --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shape", "kind"),
    [
        ("auto", (5,), MLPAutoencoder),
        ("auto", (124,), MLPAutoencoder),
        ("auto", (125,), ShallowAutoencoder),
        ("auto", (1, 8, 8), Conv16Autoencoder),
        ("conv16", (1, 28, 28), Conv16Autoencoder),
        ("mlp", (5,), MLPAutoencoder),
        ("shallow", (5,), ShallowAutoencoder),
        ("shallow", (1, 8, 8), ShallowAutoencoder),
        ("mlp", (1, 8, 8), MLPAutoencoder),
        ("conv", (1, 8, 8), ConvAutoencoder),
        ("transformer", (1, 8, 8), TransformerAutoencoder),
        (MLPAutoencoder, (5,), MLPAutoencoder),
        (lambda shape, n: MLPAutoencoder(shape, n, (4,)), (5,), MLPAutoencoder),
    ],
)
def test_autoencoders_are_built_by_name_class_or_function(name, shape, kind):
    assert type(build_autoencoder(name, shape, 3, 0)) is kind


def test_weights_follow_the_seed_and_leave_the_global_generator_alone():
    state = torch.get_rng_state()
    first = build_autoencoder("mlp", (5,), 3, 1)
    torch.rand(3)
    assert same_weights(first, build_autoencoder("mlp", (5,), 3, 1))
    assert not same_weights(first, build_autoencoder("mlp", (5,), 3, 2))
    torch.set_rng_state(state)
    build_autoencoder("mlp", (5,), 3, 1)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_module_is_copied_with_its_weights():
    given = MLPAutoencoder((5,), 3, hidden=(4,)).double()
    module = build_autoencoder(given, (5,), 3, 0)
    assert module is not given
    assert all(p.dtype == torch.float32 for p in module.parameters())
    assert all(p.dtype == torch.float64 for p in given.parameters())
    assert same_weights(module, given.float())


@pytest.mark.parametrize("name", ["conv", "conv16", "transformer"])
def test_image_networks_refuse_vectors_and_name_image_shape(name):
    with pytest.raises(ValueError, match=f"{name}.*5 values.*image_shape"):
        build_autoencoder(name, (5,), 3, 0)


class Broken(nn.Module):
    """Wrong in the way that is asked for."""

    def __init__(self, code=3, back=5):
        super().__init__()
        self.code, self.back = code, back

    def encode(self, x):
        return x.new_zeros(len(x), self.code)

    def decode(self, z):
        return z.new_zeros(len(z), self.back)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Linear(5, 3), "Linear has no method 'encode'"),
        (Broken(code=4), r"\(2, 4\).*n_components=3.*\(2, 3\)"),
        (Broken(back=6), r"\(2, 6\).*\(2, 5\)"),
        (MLPAutoencoder((6,), 3, (4,)), r"batch of shape \(2, 5\)"),
    ],
)
def test_a_module_that_does_not_fit_raises_and_says_why(module, message):
    with pytest.raises(ValueError, match=message):
        check_autoencoder(module, (5,), 3)


def test_a_module_that_fits_passes():
    assert check_autoencoder(Broken(), (5,), 3) is None


def test_initial_weights_bring_the_code_near_unit_size():
    for network in NETWORKS:
        z = network((1, 16, 16), 10).eval().encode(images(32, (1, 16, 16)))
        assert 1e-4 < z.std().item() < 10
        assert math.isfinite(z.abs().max().item())


@pytest.mark.parametrize("short", BOTH)
def test_torch_may_have_float64_for_its_default(short):
    X, _ = digit_vectors(150)
    labels = short().fit_predict(X)
    torch.set_default_dtype(torch.float64)
    try:
        model = short().fit(X)
        assert_array_equal(model.predict(X), model.labels_)
        assert {p.dtype for p in model.module_.parameters()} == {torch.float32}
    finally:
        torch.set_default_dtype(torch.float32)
    assert len(labels) == len(model.labels_)
