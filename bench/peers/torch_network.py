"""PyTorch on the notebook network.   usage: python3 torch_network.py REQUEST   (peer.ts says what a request holds)

Variants 'channels_last' and 'contiguous': how images lie in memory. What the environment sets for malloc is the
caller's choice. Prints one line of JSON."""
import json
import os
import resource
import sys
import time

import numpy as np
import torch
from torch import nn

CHECKED, SIDE = 4, 32
request = json.loads(sys.argv[1])
folder, batch, training = request['folder'], request['batchSize'], request['task'] == 'training'
layout = torch.channels_last if request['variant'] == 'channels_last' else torch.contiguous_format
torch.set_num_threads(request['threads'])
torch.manual_seed(21)


def block(inputs, outputs):
    first, second = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
    return [first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2)]


network = nn.Sequential(
    *block(3, 32), *block(32, 64), *block(64, 128),
    nn.Flatten(), nn.Dropout(0.5),
    nn.Linear(2048, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
)


def set_parameters():
    """HWIO to OIHW; dense weights transposed, and the first one's inputs from [H, W, C] to [C, H, W]."""
    values, at = np.fromfile(os.path.join(folder, 'weights.f32'), '<f4'), 0
    shapes = [entry['shape'] for entry in json.load(open(os.path.join(folder, 'weights.json')))]
    with torch.no_grad():
        for parameter, shape in zip(network.parameters(), shapes):
            size = int(np.prod(shape))
            array, at = values[at:at + size].reshape(shape), at + size
            if len(shape) == 4:
                array = array.transpose(3, 2, 0, 1)
            elif len(shape) == 2:
                if shape[0] == 2048:
                    array = array.reshape(4, 4, 128, shape[1]).transpose(2, 0, 1, 3).reshape(shape)
                array = array.transpose()
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


set_parameters()
network = network.to(memory_format=layout)
pixels = np.fromfile(os.path.join(folder, 'images.u8'), np.uint8).reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)
images = torch.from_numpy((np.ascontiguousarray(pixels).astype(np.float32) / 255 - 0.473) / 0.25)
labels = torch.from_numpy(np.fromfile(os.path.join(folder, 'labels.u8'), np.uint8).astype(np.int64))

network.eval()
with torch.no_grad():
    checked = torch.softmax(network(images[:CHECKED].to(memory_format=layout)), 1).flatten().tolist()
optimizer, loss_of = torch.optim.Adam(network.parameters(), eps=1e-7), nn.CrossEntropyLoss()
x = images[:batch].to(memory_format=layout)


def train():
    chosen = torch.randint(0, len(images), (batch,))
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(network(images[chosen].to(memory_format=layout)), labels[chosen])
    loss.backward()
    optimizer.step()
    return loss.item()


def infer():
    with torch.no_grad():
        return torch.softmax(network(x), 1)


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


network.train(training)
seconds = median_seconds(train if training else infer)
print(json.dumps({
    'imagesPerSecond': batch / seconds,
    'version': torch.__version__,
    'peakBytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    'imageBytes': images.numel() * 4 + pixels.size,
    'probabilities': checked,
}))
