/** SIMD twin of ../winograd-weights.ts: four or eight outputs at a time; where they do not lie side by side, gathered. */
import { PANEL, panelLayout } from '../conv2d-pack.ts';
import { wholeVectors } from '../winograd-geometry.ts';
import { type StepProgram, stepProgram } from '../winograd-steps.ts';
import { winogradMatrices } from '../winograd-transforms.ts';
import {
  tileDivisors,
  transformedSlab,
  type WinogradWeightsSpec,
  winogradWeights,
} from '../winograd-weights.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { fullParts, walk } from './micro-loops.ts';
import { loadLanes } from './micro-tile.ts';
import { type SimdTwin, twinFunction } from './twin.ts';
import { divided, emitNested, type Lanes } from './winograd-steps.ts';

/** What is the same for all outputs. */
interface Transform {
  readonly program: StepProgram;
  readonly divisors: readonly number[];
  /** Taps of a row of weights, and elements of a row of U. */
  readonly taps: number;
  readonly tile: number;
  /** Whether taps are taken in reverse. */
  readonly reverse: boolean;
  /** Bytes from tap to tap and from output to output of the weights, and from element to element of U. */
  readonly tapBytes: number;
  readonly outputBytes: number;
  readonly slabBytes: number;
}

export const winogradWeightsTwin: SimdTwin<WinogradWeightsSpec> = {
  kind: 'winogradWeights',
  emit(spec, target) {
    const { geometry: g, pass } = spec;
    const b = twinFunction(winogradWeights, spec);
    const { outputs, inner } = panelLayout(g, pass);
    const transform = transformOf(spec);
    const { outputBytes } = transform;
    const innerBytes = pass === 'forward' ? 4 * g.outChannels : 4;
    const together = target.pairs ? 8 : 4;
    for (const panels of fullParts(outputs, PANEL)) {
      const width = wholeVectors(panels.size);
      const overPanels = [
        { from: b.param('weight'), offset: panels.start * outputBytes, step: PANEL * outputBytes },
        { from: b.param('transformed'), offset: 4 * panels.start * inner, step: 4 * PANEL * inner },
      ];
      walk(b, panels.count, overPanels, ([weights, panel]) => {
        const overInner = [
          { from: weights!, step: innerBytes },
          { from: panel!, step: 4 * width },
        ];
        walk(b, inner, overInner, ([from, to]) => {
          for (const part of fullParts(panels.size, together)) {
            const overOutputs = [
              { from: from!, offset: part.start * outputBytes, step: together * outputBytes },
              { from: to!, offset: 4 * part.start, step: 4 * together },
            ];
            walk(b, part.count, overOutputs, ([first, target]) => {
              emitOutputs(b, transform, part.size, [first!, target!]);
            });
          }
        });
      });
    }
    return b;
  },
};

function transformOf({ geometry: g, outputTile, pass, flip }: WinogradWeightsSpec): Transform {
  const matrices = winogradMatrices(outputTile);
  return {
    program: stepProgram(matrices.weightMatrix),
    divisors: tileDivisors(matrices),
    taps: matrices.taps,
    tile: matrices.tile,
    reverse: (pass === 'forward') === flip,
    tapBytes: 4 * g.inChannels * g.outChannels,
    outputBytes: pass === 'forward' ? 4 : 4 * g.outChannels,
    slabBytes: 4 * transformedSlab(g, pass),
  };
}

/** U of one input channel and neighbouring outputs. */
function emitOutputs(
  b: FunctionBuilder,
  transform: Transform,
  outputs: number,
  [from, to]: readonly [Local, Local],
): void {
  const { program, divisors, taps, tile, reverse, tapBytes, outputBytes, slabBytes } = transform;
  const parts = Math.ceil(outputs / 4);
  const load = (i: number, j: number): Lanes => {
    const tap = reverse ? taps * taps - 1 - i * taps - j : i * taps + j;
    return Array.from({ length: parts }, (_, part) => {
      const offset = tap * tapBytes + 4 * part * outputBytes;
      return gatherLanes(b, from, offset, outputBytes, Math.min(4, outputs - 4 * part));
    });
  };
  emitNested(b, program, load, (i, j, value) => {
    const element = i * tile + j;
    const scaled = divided(b, value, divisors[element]!);
    // The higher address first, for the sake of 256-bit stores (see storeGroup).
    for (let part = parts - 1; part >= 0; part--) {
      const lanes = outputs - 4 * part;
      b.get(to).get(scaled[part]!);
      if (lanes < 4) b.i32x4(laneMask(lanes)).op('v128.and');
      b.memory('v128.store', element * slabBytes + 16 * part);
    }
  });
}

/** All ones in the first `lanes` lanes: padding is +0, whatever its divisor's sign. */
function laneMask(lanes: number): [number, number, number, number] {
  return [0, 1, 2, 3].map((lane) => (lane < lanes ? -1 : 0)) as [number, number, number, number];
}

/** A vector of `lanes` floats `step` bytes apart; the other lanes are zero. */
function gatherLanes(b: FunctionBuilder, at: Local, offset: number, step: number, lanes: number): Local {
  const vector = b.local('v128');
  if (step === 4) {
    loadLanes(b, at, offset, lanes);
    b.set(vector);
    return vector;
  }
  b.get(at).memory('v128.load32_zero', offset).set(vector);
  for (let lane = 1; lane < lanes; lane++) {
    b.get(at)
      .get(vector)
      .memoryLane('v128.load32_lane', lane, offset + lane * step)
      .set(vector);
  }
  return vector;
}
