"""Gradients of VGG16 in PyTorch's float64 with the decisions of a run of ours (decisions.py).

usage: /usr/bin/python3 scripts/torch/decide.py FOLDER

FOLDER is make.py's. Its outputs.safetensors has what the run's ReLUs returned, [N, H, W, C] or [N, F], the first to the
last by their names. Writes FOLDER/decided.safetensors.
"""
import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import torch  # noqa: E402

from decisions import decided_gradients  # noqa: E402
from definitions import VGG16  # noqa: E402
from safetensors_file import read_safetensors, write_safetensors  # noqa: E402


def channels_first(x):
    return x.permute(0, 3, 1, 2).contiguous() if x.dim() == 4 else x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder')
    args = parser.parse_args()
    at = lambda name: os.path.join(args.folder, name)  # noqa: E731
    network = VGG16()
    network.load_state_dict(read_safetensors(at('state.safetensors')))
    expected = read_safetensors(at('expected.safetensors'), ('images', 'labels'))
    outputs = read_safetensors(at('outputs.safetensors'))
    results = decided_gradients(
        network.double().eval(), channels_first(expected['images']).double(), expected['labels'].long(),
        [channels_first(outputs[name]) for name in sorted(outputs)])
    write_safetensors(at('decided.safetensors'), results)


main()
