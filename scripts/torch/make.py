"""Makes what `npm run against:torch` compares with: a network with random parameters, and what PyTorch computes with it.

usage: /usr/bin/python3 scripts/torch/make.py FOLDER NETWORK [--batch N] [--seed N] [--step RATE]

Writes FOLDER/state.safetensors, the state_dict, and FOLDER/expected.safetensors: `images` [N, H, W, C], `logits32` and
`logits64` [N, classes], which are PyTorch's outputs in float32 and float64. With --step RATE the network, VGG16, is
trained by one step of SGD on `labels` instead: `loss`, and of each parameter `gradient/NAME` and `change/NAME`, are those
of float32, in PyTorch's layouts, and `decided/...` what float64 makes of it with the decisions of float32
(decisions.py). `loss64` is that of float64 left alone.

Parameters begin as torchvision makes them; biases, and factors and offsets of batch normalisation, are drawn, too, and
its running statistics are those of two other batches: so every number of the state matters, and activations keep their
size.
"""
import argparse
import copy
import os
import sys

sys.dont_write_bytecode = True
sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import torch  # noqa: E402
import torch.nn as nn  # noqa: E402
import torch.nn.functional as F  # noqa: E402

from decisions import decided_gradients, gradients_of, outputs_of  # noqa: E402
from definitions import NETWORKS  # noqa: E402
from safetensors_file import write_safetensors  # noqa: E402

SIZE = 224


def draw(name, seed):
    torch.manual_seed(seed)
    network = NETWORKS[name]()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
        elif isinstance(module, nn.Linear) and name == 'vgg16':
            nn.init.normal_(module.weight, 0, 0.01)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            module.momentum = None  # the running statistics are the mean over the batches
        if getattr(module, 'bias', None) is not None:
            nn.init.normal_(module.bias, 0, 0.1)
    if norms:
        with torch.no_grad():
            for _ in range(2):
                network(torch.randn(4, 3, SIZE, SIZE))
    return network.eval()  # without dropout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder')
    parser.add_argument('network', choices=NETWORKS)
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--seed', type=int, default=21)
    parser.add_argument('--step', type=float)
    args = parser.parse_args()
    network = draw(args.network, args.seed)
    images = torch.randn(args.batch, 3, SIZE, SIZE)
    labels = torch.randint(1000, (args.batch,))
    write_safetensors(os.path.join(args.folder, 'state.safetensors'), network.state_dict())
    expected = {'images': images.permute(0, 2, 3, 1), 'labels': labels.to(torch.int32)}
    if args.step is None:
        with torch.no_grad():
            expected['logits32'] = network(images)
            expected['logits64'] = network.double()(images.double())
    else:
        expected.update(steps(network, images, labels, args.step))
    write_safetensors(os.path.join(args.folder, 'expected.safetensors'), expected)


def steps(network, images, labels, rate):
    """What --step writes besides images and labels."""
    run = copy.deepcopy(network)
    loss = F.cross_entropy(run(images), labels)
    loss.backward()
    results = {'loss': loss.detach().reshape(1), **gradients_of(run)}
    torch.optim.SGD(run.parameters(), lr=rate).step()
    for (name, after), before in zip(run.named_parameters(), network.parameters()):
        results[f'change/{name}'] = (after - before).detach()
    outputs = outputs_of(network, images)
    network.double()
    with torch.no_grad():
        results['loss64'] = F.cross_entropy(network(images.double()), labels).reshape(1)
    for name, value in decided_gradients(network, images.double(), labels, outputs).items():
        results[f'decided/{name}'] = value
    return results


main()
