/** SIMD twin of ../winograd-weights.ts: four or eight outputs at a time; where they do not lie side by side, gathered. */
import { panelLayout, panelledLength, panelWidths } from '../conv2d-pack.ts';
import { stepProgram } from '../winograd-steps.ts';
import { winogradMatrices } from '../winograd-transforms.ts';
import {
  tileDivisors,
  transformedLayout,
  type WinogradWeightsSpec,
  winogradWeights,
} from '../winograd-weights.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { walk } from './micro-loops.ts';
import { loadLanes } from './micro-tile.ts';
import { type SimdTwin, twinFunction } from './twin.ts';
import { divided, emitNested, type Lanes } from './winograd-steps.ts';

export const winogradWeightsTwin: SimdTwin<WinogradWeightsSpec> = {
  kind: 'winogradWeights',
  emit(spec, target) {
    const { geometry: g, outputTile, pass, flip } = spec;
    const b = twinFunction(winogradWeights, spec);
    const matrices = winogradMatrices(outputTile);
    const program = stepProgram(matrices.weightMatrix);
    const divisors = tileDivisors(matrices);
    const { tile, taps } = matrices;
    const { outputs, inner } = panelLayout(g, pass);
    const slab = 4 * panelledLength(transformedLayout(g, pass));
    const forward = pass === 'forward';
    const reverse = forward === flip;
    const tapBytes = 4 * g.inChannels * g.outChannels;
    const outputBytes = forward ? 4 : 4 * g.outChannels;
    const innerBytes = forward ? 4 * g.outChannels : 4;
    let first = 0;
    for (const width of panelWidths(outputs)) {
      const cursors = [
        { from: b.param('weight'), offset: first * outputBytes, step: innerBytes },
        { from: b.param('transformed'), offset: 4 * first * inner, step: 4 * width },
      ];
      const together = target.pairs ? 2 : 1;
      walk(b, inner, cursors, ([from, to]) => {
        for (let start = 0; start < width; start += 4 * together) {
          const parts = Math.min(together, (width - start) / 4);
          const load = (i: number, j: number): Lanes => {
            const tap = reverse ? taps * taps - 1 - i * taps - j : i * taps + j;
            return Array.from({ length: parts }, (_, part) => {
              const at = start + 4 * part;
              const lanes = Math.min(4, outputs - first - at);
              const offset = tap * tapBytes + at * outputBytes;
              return gatherLanes(b, from!, offset, outputBytes, lanes);
            });
          };
          emitNested(b, program, load, (i, j, value) => {
            const element = i * tile + j;
            const scaled = divided(b, value, divisors[element]!);
            // The higher address first, for the sake of 256-bit stores (see storeGroup).
            for (let part = parts - 1; part >= 0; part--) {
              const lanes = outputs - first - start - 4 * part;
              b.get(to!).get(scaled[part]!);
              if (lanes < 4) b.i32x4(laneMask(lanes)).op('v128.and');
              b.memory('v128.store', element * slab + 4 * start + 16 * part);
            }
          });
        }
      });
      first += width;
    }
    return b;
  },
};

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
