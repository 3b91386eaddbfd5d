"""PyTorch on a network.   usage: python3 torch_network.py REQUEST   (peer.ts says what a request holds)

The network is made of the steps in network.json. Variants 'channels_last' and 'contiguous': how images lie in memory;
'frozen': contiguous, compiled and fused by TorchScript's optimize_for_inference, for inference only. What the
environment sets for malloc is the caller's choice. Prints one line of JSON."""
import json
import os
import resource
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

request = json.loads(sys.argv[1])
folder, batch, training = request['folder'], request['batchSize'], request['task'] == 'training'
layout = torch.channels_last if request['variant'] == 'channels_last' else torch.contiguous_format
torch.set_num_threads(request['threads'])
torch.manual_seed(21)
description = json.load(open(os.path.join(folder, 'network.json')))
channels, height, width = description['inputShape']
CHECKED = description['checked']


class Concatenate(nn.Module):
    def forward(self, *inputs):
        return torch.cat(inputs, 1)


class Add(nn.Module):
    def forward(self, first, second):
        return first + second


class Pad(nn.Module):
    def __init__(self, pads):
        super().__init__()
        top, left, bottom, right = pads
        self.pads = (left, right, top, bottom)

    def forward(self, x):
        return F.pad(x, self.pads)


class Shortcut(nn.Module):
    """Every strides-th pixel, and channels of zeros behind the input's."""

    def __init__(self, filters, strides):
        super().__init__()
        self.filters, self.strides = filters, strides

    def forward(self, x):
        more = self.filters - x.shape[1]
        return F.pad(x[:, :, ::self.strides[0], ::self.strides[1]], (0, 0, 0, 0, 0, more))


class GlobalAverage(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def padded(step, make, fill):
    """A layer with the step's padding: inside it where the sides are equal, else before it."""
    top, left, bottom, right = step['pads']
    if (top, left) == (bottom, right):
        return make((top, left))
    if fill != 0:
        raise ValueError('pooling with uneven padding')
    return nn.Sequential(Pad(step['pads']), make((0, 0)))


def module_of(step, shapes):
    op = step['op']
    if op == 'conv':
        outputs, inputs, _, _ = shapes[0]
        groups = step['groups']
        return padded(step, lambda padding: nn.Conv2d(
            inputs * groups, outputs, step['kernel'], step['strides'], padding, step['dilations'], groups,
            bias=len(shapes) > 1), 0)
    if op == 'dense':
        return nn.Linear(shapes[0][1], shapes[0][0], bias=len(shapes) > 1)
    if op == 'batchNorm':
        return nn.BatchNorm2d(shapes[0][0], step['epsilon'], 1 - step['momentum'])
    if op == 'maxPool':
        return padded(step, lambda padding: nn.MaxPool2d(step['kernel'], step['strides'], padding), -1)
    if op == 'averagePool':
        return padded(step, lambda padding: nn.AvgPool2d(
            step['kernel'], step['strides'], padding, count_include_pad=step['countPadding']), -1)
    if op == 'pad':
        return Pad(step['pads'])
    if op == 'shortcut':
        return Shortcut(step['filters'], step['strides'])
    if op == 'dropout':
        return nn.Dropout(step['rate'])
    return {'relu': nn.ReLU, 'add': Add, 'concatenate': Concatenate, 'flatten': nn.Flatten,
            'globalAveragePool': GlobalAverage}[op]()


class Network(nn.Module):
    """The steps but the softmax at the end: logits."""

    def __init__(self):
        super().__init__()
        values = np.memmap(os.path.join(folder, 'parameters.f32'), '<f4', 'r')
        entries = {entry['name']: entry for entry in description['parameters']}
        steps = description['steps']
        if steps[-1]['op'] == 'softmax':
            steps = steps[:-1]
        self.plan, self.layers = [], nn.ModuleList()
        last = {tensor: i for i, step in enumerate(steps) for tensor in step['inputs']}
        for i, step in enumerate(steps):
            own = [entries[name] for name in step['parameters']]
            module = module_of(step, [entry['shape'] for entry in own])
            targets = list(module.parameters())
            if step['op'] == 'batchNorm':
                targets += [module.running_mean, module.running_var]
            with torch.no_grad():
                for target, entry in zip(targets, own, strict=True):
                    begin = entry['offset'] // 4
                    array = values[begin:begin + target.numel()].reshape(entry['shape'])
                    target.copy_(torch.from_numpy(np.array(array)))
            self.layers.append(module)
            done = [tensor for tensor in set(step['inputs']) if last[tensor] == i]
            self.plan.append((step['inputs'], step['output'], done))

    def forward(self, x):
        tensors = {description['input']: x}
        for (inputs, output, done), layer in zip(self.plan, self.layers):
            values = [tensors[tensor] for tensor in inputs]
            for tensor in done:
                del tensors[tensor]
            tensors[output] = layer(*values)
            del values
        return tensors.popitem()[1]


network = Network().to(memory_format=layout)
pixels = np.fromfile(os.path.join(folder, 'images.u8'), np.uint8).reshape(-1, height, width, channels)
pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
images = torch.from_numpy((pixels.astype(np.float32) / 255 - 0.473) / 0.25)
labels = torch.from_numpy(np.fromfile(os.path.join(folder, 'labels.u8'), np.uint8).astype(np.int64))

network.eval()
x = images[:batch].to(memory_format=layout)
predict = network
if request['variant'] == 'frozen':
    if training:
        raise ValueError('what is frozen does not train')
    with torch.no_grad():
        predict = torch.jit.optimize_for_inference(torch.jit.trace(network, x))
with torch.no_grad():
    checked = torch.softmax(predict(images[:CHECKED].to(memory_format=layout)), 1).flatten().tolist()


def optimizer_of():
    """As in bench/networks.ts."""
    if request['optimizer'] == 'adam':
        return torch.optim.Adam(network.parameters(), eps=1e-7)
    return torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)


optimizer, loss_of = optimizer_of(), nn.CrossEntropyLoss()


def train():
    chosen = torch.randint(0, len(images), (batch,))
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(network(images[chosen].to(memory_format=layout)), labels[chosen])
    loss.backward()
    optimizer.step()
    return loss.item()


def infer():
    with torch.no_grad():
        return torch.softmax(predict(x), 1)


def median_seconds(step):
    until = time.perf_counter() + request['warmSeconds']
    while True:
        step()
        if time.perf_counter() >= until:
            break
    durations, started = [], time.perf_counter()
    while len(durations) < 3 or time.perf_counter() - started < request['seconds']:
        before = time.perf_counter()
        step()
        durations.append(time.perf_counter() - before)
    return sorted(durations)[len(durations) // 2]


if training:
    network.train()
seconds = median_seconds(train if training else infer)
print(json.dumps({
    'imagesPerSecond': batch / seconds,
    'version': torch.__version__,
    'peakBytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    'imageBytes': images.numel() * 4 + pixels.size,
    'probabilities': checked,
}))
