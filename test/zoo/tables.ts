/** What tests of networks read from a graph. */
import { type Graph, graphParameters } from '../../src/model/graph.ts';
import { summaryRows } from '../../src/model/summary.ts';

/** Numbers that optimizers move: what papers and PyTorch count. */
export function trainedCount(graph: Graph): number {
  return summaryRows(graph).reduce((sum, { trained }) => sum + trained, 0);
}

/** Multiply-adds of the forward pass, in thousands of millions with one digit behind the point. */
export function billions(graph: Graph): string {
  const total = summaryRows(graph).reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  return (total / 1e9).toFixed(1);
}

/** Of the layers whose names match, `HxWxC` of the outputs. */
export function outputsOf(graph: Graph, names: RegExp): string[] {
  const rows = summaryRows(graph).filter(({ name }) => names.test(name));
  return rows.map(({ outputShape }) => outputShape.join('x'));
}

/** Of the convolutions whose names match, `3x3 64` and, where it strides, `/2`, in order. */
export function convolutionsOf({ nodes }: Graph, names: RegExp): string[] {
  return nodes.flatMap(({ layer, name }) => {
    if (layer.type !== 'conv2d' || !names.test(name)) return [];
    const { filters, kernelSize, strides } = layer.config as Record<string, number>;
    return [`${kernelSize}x${kernelSize} ${filters}${strides === 1 ? '' : `/${strides}`}`];
  });
}

/** The tensors that a tensor is joined of, concatenations taken apart: what lies in a dense layer's input. */
export function joinedParts({ nodes }: Graph, tensor: number): number[] {
  const node = nodes.find(({ output }) => output === tensor);
  if (node?.layer.type !== 'concatenate') return [tensor];
  return node.inputs.flatMap((part) => joinedParts({ nodes } as Graph, part));
}

/** Names of all parameters. */
export function parameterNames(graph: Graph): string[] {
  return graphParameters(graph).map(({ name }) => name);
}
