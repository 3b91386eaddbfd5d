"""Writes tensors as a safetensors file, for a Python without the package of that name."""
import json
import struct

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
