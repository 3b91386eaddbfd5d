"""Writes tensors as a safetensors file and reads them, for a Python without the package of that name."""
import json
import struct

import numpy
import torch

TYPES = {'float32': 'F32', 'float64': 'F64', 'int32': 'I32', 'int64': 'I64'}


def write_safetensors(file, tensors):
    """`tensors` maps names to PyTorch tensors, such as a state_dict."""
    arrays = {name: tensor.detach().contiguous().numpy() for name, tensor in tensors.items()}
    header, offset = {}, 0
    for name, array in arrays.items():
        offsets = [offset, offset + array.nbytes]
        header[name] = {'dtype': TYPES[str(array.dtype)], 'shape': list(array.shape), 'data_offsets': offsets}
        offset = offsets[1]
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(file, 'wb') as out:
        out.write(struct.pack('<Q', len(text)) + text)
        for array in arrays.values():
            out.write(memoryview(array).cast('B') if array.size else b'')


def read_safetensors(file, names=None):
    """The tensors by name, or those of `names`."""
    numpy_types = {short: long for long, short in TYPES.items()}
    tensors = {}
    with open(file, 'rb') as source:
        (length,) = struct.unpack('<Q', source.read(8))
        for name, entry in json.loads(source.read(length)).items():
            if name == '__metadata__' or (names is not None and name not in names):
                continue
            begin, end = entry['data_offsets']
            source.seek(8 + length + begin)
            array = numpy.frombuffer(bytearray(source.read(end - begin)), numpy_types[entry['dtype']])
            tensors[name] = torch.from_numpy(array).reshape(entry['shape'])
    return tensors
