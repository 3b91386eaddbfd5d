"""Gradients of a network of ReLU and max pooling in float64, with the decisions that another run has made.

A ReLU lets its argument through or not, a pooling window hands on one of its pixels. Where the argument is nearer to 0,
or two pixels to each other, than a run's rounding error, the run may decide otherwise than float64 does, and its gradient
then takes another way: a difference of the size of one gradient, however small the rounding was. With the run's own
decisions the network is multilinear, and float64 computes the very function whose rounding errors the run has.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


def decided_layers(network):
    """The layers of a VGG16 in their order, the flattening between them included."""
    return [*network.features, nn.Flatten(), *network.classifier]


def outputs_of(network, images):
    """What the ReLUs return, first to last."""
    outputs, x = [], images
    with torch.no_grad():
        for layer in decided_layers(network):
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                outputs.append(x)
    return outputs


def decided_gradients(network, images, labels, outputs):
    """Decisions are those behind `outputs`, what the run's ReLUs have returned: where they are above 0, and the first
    largest one of each window. `network` is in float64.

    Returns `loss`; `gradient/NAME` of each parameter; `error`, for each ReLU the Euclidean distance of the run's outputs
    from these; and for the ReLUs `relu/count`, `relu/apart`, `relu/gap`: how many decisions there are, how many of them
    float64 takes otherwise at the same arguments, and how far from a tie these are at most. The unit of that is the
    largest error of the layer's outputs where nothing is apart: a decision that rounding has turned is within 1. The same
    of the pooling windows, between whose pixels two errors lie, as `pool/...`, in units of twice that error.
    """
    found = {kind: {'count': 0, 'apart': 0, 'gap': 0.0} for kind in ('relu', 'pool')}
    errors, left, x, margin = [], list(outputs), images, 0.0

    def note(kind, is_apart, gaps, unit):
        own = found[kind]
        own['count'] += is_apart.numel()
        own['apart'] += int(is_apart.sum())
        if is_apart.any():
            own['gap'] = max(own['gap'], float(gaps[is_apart].max()) / unit)

    for layer in decided_layers(network):
        if isinstance(layer, nn.ReLU):
            given = left.pop(0)
            is_open = given > 0
            z = x.detach()
            is_apart = is_open != (z > 0)
            x = torch.where(is_open, x, torch.zeros((), dtype=x.dtype))
            error = (x.detach() - given).abs()
            errors.append(float(error.norm()))
            margin = float(error[~is_apart].max())
            note('relu', is_apart, z.abs(), margin)
        elif isinstance(layer, nn.MaxPool2d):
            _, indices = F.max_pool2d(given, layer.kernel_size, layer.stride, return_indices=True)
            largest = F.max_pool2d(x.detach(), layer.kernel_size, layer.stride)
            x = x.flatten(2).gather(2, indices.flatten(2)).view(indices.shape)
            note('pool', x.detach() < largest, largest - x.detach(), 2 * margin)
        else:
            x = layer(x)
    loss = F.cross_entropy(x, labels)
    loss.backward()
    results = {'loss': loss.detach().reshape(1), 'error': torch.tensor(errors, dtype=torch.float64)}
    for kind, own in found.items():
        for name, value in own.items():
            results[f'{kind}/{name}'] = torch.tensor([value], dtype=torch.float64)
    return {**results, **gradients_of(network)}


def gradients_of(network):
    return {f'gradient/{name}': value.grad for name, value in network.named_parameters()}
