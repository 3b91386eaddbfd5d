/**
 * A network's steps as an ONNX model, written without Python: input x [n, C, H, W], output y [n, classes], operator set
 * 17. Parameters stay in their file, parameters.f32, beside the model.
 */
import { ConfigError } from '../../src/errors.ts';
import type { Step } from './network-description.ts';
import { foreign, type NetworkFile } from './peer.ts';

/** An attribute: whole numbers, one of them, or a real number. */
type Attributes = Readonly<Record<string, number | readonly number[] | { readonly float: number }>>;

/** The operator of a step, and its attributes. Throws ConfigError where there is none in `operators`. */
function operatorOf(step: Step): [opType: string, attributes: Attributes] {
  const { kernel = [], strides = [], pads = [] } = step;
  const window = { kernel_shape: kernel, strides, pads };
  switch (step.op) {
    case 'conv':
      return ['Conv', { ...window, dilations: step.dilations!, group: step.groups! }];
    case 'dense':
      return ['Gemm', { transB: 1 }];
    case 'maxPool':
      return ['MaxPool', window];
    case 'averagePool':
      return ['AveragePool', { ...window, count_include_pad: Number(step.countPadding) }];
    case 'batchNorm':
      return ['BatchNormalization', { epsilon: { float: step.epsilon! } }];
    case 'softmax':
      return ['Softmax', { axis: 1 }];
    case 'concatenate':
      return ['Concat', { axis: 1 }];
    case 'globalAveragePool':
      return ['GlobalAveragePool', {}];
    case 'relu':
      return ['Relu', {}];
    case 'add':
      return ['Add', {}];
    case 'flatten':
      return ['Flatten', {}];
    case 'dropout':
      return ['Identity', {}];
    default:
      throw new ConfigError({
        operation: 'peers',
        argument: 'step',
        expected: 'one with an operator in onnx-model.ts',
        received: step.op,
      });
  }
}

/** Bytes of the model; ONNX Runtime finds `parameters.f32` beside it, or is given it. */
export async function onnxModel(network: NetworkFile): Promise<Uint8Array> {
  const { create, toBinary } = await foreign('@bufbuild/protobuf');
  const onnx = await foreign('onnx-buf');
  const { FLOAT: FLOATS } = onnx.TensorProto_DataType;
  const { INT, INTS, FLOAT } = onnx.AttributeProto_AttributeType;
  const attribute = ([name, value]: [string, Attributes[string]]) => {
    if (typeof value === 'number') {
      return create(onnx.AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
    }
    if ('float' in value) return create(onnx.AttributeProtoSchema, { name, type: FLOAT, f: value.float });
    return create(onnx.AttributeProtoSchema, { name, type: INTS, ints: value.map(BigInt) });
  };
  const nodes: unknown[] = [];
  const node = (opType: string, input: readonly string[], output: string, attributes: Attributes) => {
    const list = Object.entries(attributes).map(attribute);
    nodes.push(create(onnx.NodeProtoSchema, { opType, input, output: [output], attribute: list }));
  };
  const nameOf = (tensor: number) => (tensor === network.input ? 'x' : `t${tensor}`);
  for (const step of network.steps) {
    const [opType, attributes] = operatorOf(step);
    const output = nameOf(step.output);
    const inputs = [...step.inputs.map(nameOf), ...step.parameters];
    // It keeps the image's two axes, of extent 1.
    const isGlobal = step.op === 'globalAveragePool';
    node(opType, inputs, isGlobal ? `${output}_image` : output, attributes);
    if (isGlobal) node('Flatten', [`${output}_image`], output, {});
  }
  node('Identity', [nameOf(network.output)], 'y', {});

  const initializer = network.parameters.map(({ name, shape, offset }) => {
    const length = shape.reduce((product, extent) => product * extent, 4);
    const place = { location: 'parameters.f32', offset: String(offset), length: String(length) };
    const externalData = Object.entries(place).map(([key, value]) =>
      create(onnx.StringStringEntryProtoSchema, { key, value }),
    );
    const dims = shape.map(BigInt);
    const dataLocation = onnx.TensorProto_DataLocation.EXTERNAL;
    return create(onnx.TensorProtoSchema, { name, dims, dataType: FLOATS, dataLocation, externalData });
  });
  const dimension = (extent: number | string) =>
    create(onnx.TensorShapeProto_DimensionSchema, {
      value:
        typeof extent === 'number'
          ? { case: 'dimValue', value: BigInt(extent) }
          : { case: 'dimParam', value: extent },
    });
  const tensor = (name: string, extents: readonly (number | string)[]) => {
    const shape = create(onnx.TensorShapeProtoSchema, { dim: extents.map(dimension) });
    const type = create(onnx.TypeProto_TensorSchema, { elemType: FLOATS, shape });
    const typeProto = create(onnx.TypeProtoSchema, { value: { case: 'tensorType', value: type } });
    return create(onnx.ValueInfoProtoSchema, { name, type: typeProto });
  };
  const graph = create(onnx.GraphProtoSchema, {
    name: 'network',
    node: nodes,
    initializer,
    input: [tensor('x', ['n', ...network.inputShape])],
    output: [tensor('y', ['n', network.classes])],
  });
  const opsetImport = [create(onnx.OperatorSetIdProtoSchema, { version: 17n })];
  const model = { irVersion: 8n, producerName: 'faltung-bench', graph, opsetImport };
  return toBinary(onnx.ModelProtoSchema, create(onnx.ModelProtoSchema, model));
}
