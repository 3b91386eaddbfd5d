/**
 * The notebook network as an ONNX model, written without Python: input x [n, 3, 32, 32], output y [n, 10] after the
 * softmax, operator set 17. ONNX has images as NCHW and convolution weights as OIHW; Faltung's are NHWC and HWIO.
 */
import { foreign, type Parameter } from './peer.ts';

/** Bytes of the model. `parameters`: six convolutions and three dense layers, weight before bias. */
export async function onnxModel(parameters: readonly Parameter[]): Promise<Uint8Array> {
  const { create, toBinary } = await foreign('@bufbuild/protobuf');
  const onnx = await foreign('onnx-buf');
  const { FLOAT } = onnx.TensorProto_DataType;
  const { INT, INTS } = onnx.AttributeProto_AttributeType;
  const ints = (name: string, values: readonly number[]) =>
    create(onnx.AttributeProtoSchema, { name, type: INTS, ints: values.map(BigInt) });
  const int = (name: string, value: number) =>
    create(onnx.AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
  const nodes: unknown[] = [];
  const initializers: unknown[] = [];
  let [value, next] = ['x', 0];
  const node = (opType: string, inputs: readonly string[] = [], attributes: readonly unknown[] = []) => {
    const output = `${opType.toLowerCase()}${nodes.length}`;
    const input = [value, ...inputs];
    nodes.push(create(onnx.NodeProtoSchema, { opType, input, output: [output], attribute: attributes }));
    value = output;
  };
  const constant = ({ name, shape, data }: Parameter) => {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const dims = shape.map(BigInt);
    initializers.push(create(onnx.TensorProtoSchema, { name, dims, dataType: FLOAT, rawData }));
    return name;
  };
  const take = (arrange: (parameter: Parameter) => Parameter) => {
    const weight = constant(arrange(parameters[next]!));
    const bias = constant(parameters[next + 1]!);
    next += 2;
    return [weight, bias];
  };
  for (let pair = 0; pair < 3; pair++) {
    for (let layer = 0; layer < 2; layer++) {
      node('Conv', take(toOihw), [ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1])]);
      node('Relu');
    }
    node('MaxPool', [], [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])]);
  }
  node('Flatten');
  node('Gemm', take(fromPlanes));
  node('Relu');
  node(
    'Gemm',
    take((parameter) => parameter),
  );
  node('Relu');
  node(
    'Gemm',
    take((parameter) => parameter),
  );
  node('Softmax', [], [int('axis', 1)]);

  const dimension = (extent: number | string) =>
    create(onnx.TensorShapeProto_DimensionSchema, {
      value:
        typeof extent === 'number'
          ? { case: 'dimValue', value: BigInt(extent) }
          : { case: 'dimParam', value: extent },
    });
  const tensor = (name: string, extents: readonly (number | string)[]) => {
    const shape = create(onnx.TensorShapeProtoSchema, { dim: extents.map(dimension) });
    const type = create(onnx.TypeProto_TensorSchema, { elemType: FLOAT, shape });
    const typeProto = create(onnx.TypeProtoSchema, { value: { case: 'tensorType', value: type } });
    return create(onnx.ValueInfoProtoSchema, { name, type: typeProto });
  };
  nodes.push(create(onnx.NodeProtoSchema, { opType: 'Identity', input: [value], output: ['y'] }));
  const graph = create(onnx.GraphProtoSchema, {
    name: 'notebook',
    node: nodes,
    initializer: initializers,
    input: [tensor('x', ['n', 3, 32, 32])],
    output: [tensor('y', ['n', 10])],
  });
  const opsetImport = [create(onnx.OperatorSetIdProtoSchema, { version: 17n })];
  const model = { irVersion: 8n, producerName: 'faltung-bench', graph, opsetImport };
  return toBinary(onnx.ModelProtoSchema, create(onnx.ModelProtoSchema, model));
}

/** [kh, kw, C, K] to [K, C, kh, kw]. */
function toOihw({ name, shape, data }: Parameter): Parameter {
  const [kh, kw, inputs, outputs] = shape as [number, number, number, number];
  const taps = kh * kw;
  return {
    name,
    shape: [outputs, inputs, kh, kw],
    data: data.map((_, i) => {
      const [k, c, tap] = [Math.floor(i / taps / inputs), Math.floor(i / taps) % inputs, i % taps];
      return data[(tap * inputs + c) * outputs + k]!;
    }),
  };
}

/** The first dense layer's rows from the order of a flattened [4, 4, 128] to that of [128, 4, 4]. */
function fromPlanes({ name, shape, data }: Parameter): Parameter {
  const [rows, outputs] = shape as [number, number];
  const area = 16;
  const channels = rows / area;
  return {
    name,
    shape,
    data: data.map((_, i) => {
      const row = Math.floor(i / outputs);
      const [c, pixel] = [Math.floor(row / area), row % area];
      return data[(pixel * channels + c) * outputs + (i % outputs)]!;
    }),
  };
}
