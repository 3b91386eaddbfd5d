/**
 * A model at run time: its graph, its engine, its arena. Parameters live in the arena from the first use on; they
 * move along when another engine takes over.
 */
import { ConfigError, ShapeError, StateError } from '../errors.ts';
import type { Numerics } from '../layers/conv-algorithm.ts';
import { streamKey } from '../math/random.ts';
import { plainBuffer } from '../model/buffers.ts';
import { stateTensors } from '../model/contracts.ts';
import { type Graph, graphParameters } from '../model/graph.ts';
import { freezeLayers } from '../model/subgraph.ts';
import { slotBuffer } from '../model/update.ts';
import { createEngine, Engine } from '../parallel/engine.ts';
import { Runner } from '../parallel/runner.ts';
import { fillInitializer } from '../tensor/initializers.ts';
import { formatShape, type Shape, sameShape } from '../tensor/shape.ts';
import { exchangeAverages, restartAverages } from './averages.ts';
import type { Optimizer } from './optimizers.ts';
import type { TrainedOn } from './trained-on.ts';

/** The exponent of a float32: all ones in infinities and NaN alone. */
const EXPONENT = 0x7f800000;

/** Where and how to run; the results do not depend on it. */
export interface RunOptions {
  /** Number of workers; default: all processors. */
  readonly threads?: number;
  /** 'simd' (default), 'scalar', or an engine shared with other models. */
  readonly engine?: 'simd' | 'scalar' | Engine;
  /** Whether 256-bit code may be used; default true. */
  readonly wide?: boolean;
}

/** A parameter's shape and values. */
export interface Weight {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** What a model needs to run. */
export class ModelState {
  readonly graph: Graph;
  readonly seed: number;
  readonly numerics: Numerics;
  readonly memoryLimit: number | undefined;
  /** Names of the layers that training leaves alone. */
  readonly frozen: Set<string>;
  /** What is known of the data that it was trained on. */
  trainedOn: TrainedOn | undefined;
  /** Optimizer steps taken. */
  iterations = 0;
  #optimizer = '';
  /** Parameters that have changed places with their moving averages. */
  #exchanged: readonly string[] = [];
  /** Parameters of the outputs that are trained; undefined before anything was. */
  #learning: ReadonlySet<string> | undefined;
  #runner: Runner | undefined;
  #ownsEngine = false;
  #closed = false;
  #busyWith = '';

  constructor(graph: Graph, seed: number, numerics: Numerics, memoryLimit: number | undefined) {
    this.graph = graph;
    this.seed = seed;
    this.numerics = numerics;
    this.memoryLimit = memoryLimit;
    this.frozen = new Set(graph.nodes.filter(({ trainable }) => !trainable).map(({ owner }) => owner));
  }

  /** A graph, the model's or a part of it, as training sees it; what is in no part that is trained stays as it is. */
  startLearning(graph: Graph): Graph {
    this.#learning = new Set(graphParameters(graph).map(({ name }) => name));
    return freezeLayers(graph, this.frozen);
  }

  /**
   * Runs one operation at a time: a second one would rearrange the memory in which the first is at work.
   * Throws StateError while another one runs.
   */
  async exclusively<T>(operation: string, body: () => Promise<T>): Promise<T> {
    if (this.#busyWith !== '') {
      throw new StateError({
        operation,
        expected: 'one operation on a model at a time',
        received: `a call while ${this.#busyWith} is running`,
        hint: 'await the one before starting the other',
      });
    }
    this.#busyWith = operation;
    try {
      return await body();
    } finally {
      this.#busyWith = '';
    }
  }

  /** The runner for these options; makes one, or hands the model over to another engine. */
  async runner(options: RunOptions = {}): Promise<Runner> {
    this.checkOpen();
    const current = this.#runner;
    if (current !== undefined && fits(current.engine, options)) return current;
    if (current?.running) {
      throw new StateError({
        operation: 'model',
        expected: 'no change of engine while a step is running',
        received: 'another number of threads or another engine',
      });
    }
    const shared = options.engine instanceof Engine ? options.engine : undefined;
    const { threads, wide, engine } = options;
    const created =
      shared ??
      createEngine({
        ...(threads === undefined ? {} : { threads }),
        ...(wide === undefined ? {} : { wide }),
        ...(engine === undefined || engine instanceof Engine ? {} : { engine }),
      });
    const next = new Runner(created, this.memoryLimit);
    this.#moveTo(next, current);
    const left = this.#ownsEngine ? current?.engine : undefined;
    this.#ownsEngine = shared === undefined;
    this.#runner = next;
    await left?.close();
    this.checkOpen();
    return next;
  }

  /**
   * Makes the state of an optimizer, or starts it anew where another one was used before. The model has its weights
   * again, not their averages.
   */
  useOptimizer(runner: Runner, optimizer: Optimizer): void {
    const { plan } = optimizer;
    const slots = this.#slots(stateTensors(plan));
    runner.arena.reserve(slots);
    const identity = JSON.stringify(plan);
    if (identity === this.#optimizer) {
      this.showAverages(false);
      return;
    }
    for (const { name } of slots) runner.arena.floats(name).fill(plan.initialState ?? 0);
    if (plan.average !== undefined) {
      restartAverages(
        runner,
        this.#trained().map(({ name }) => name),
      );
    }
    this.#optimizer = identity;
    this.#exchanged = [];
    this.iterations = 0;
  }

  /**
   * Lets the model's weights and their moving averages change places, unless they are where they are wanted; nothing
   * where the optimizer keeps none. What is frozen stays. The optimizer must not step while averages are shown.
   */
  showAverages(wanted: boolean): void {
    if (!this.#hasAverages() || wanted === this.#exchanged.length > 0) return;
    const learning = this.#trained().filter(({ name }) => this.#learning?.has(name) ?? true);
    const moving = learning.filter(({ layer }) => !this.frozen.has(layer));
    const names = wanted ? moving.map(({ name }) => name) : this.#exchanged;
    exchangeAverages(this.#ensureRunner('fit'), names);
    this.#exchanged = wanted ? names : [];
  }

  /** Makes the averages the model's weights, for good; nothing where the optimizer keeps none. */
  keepAverages(): void {
    if (this.#closed || !this.#hasAverages()) return;
    this.showAverages(true);
    restartAverages(this.#ensureRunner('fit'), this.#exchanged);
    this.#exchanged = [];
  }

  /** Runs `body` while the model has its weights, not their averages. */
  async withOwnWeights<T>(body: () => Promise<T>): Promise<T> {
    const shown = this.#exchanged.length > 0;
    this.showAverages(false);
    try {
      return await body();
    } finally {
      if (shown && !this.#closed) this.showAverages(true);
    }
  }

  /** Lets the next use of whatever optimizer start anew. */
  forgetOptimizer(): void {
    this.#optimizer = '';
    this.#exchanged = [];
  }

  /**
   * Name of the first tensor of the model, `parameter/...` or `optimizer/...`, that has a value that is not finite;
   * undefined where all are.
   */
  firstNonFinite(): string | undefined {
    const { arena } = this.#ensureRunner('firstNonFinite');
    const isBad = (name: string) => !allFinite(arena.floats(name));
    const parameters = graphParameters(this.graph).map(({ name }) => `parameter/${name}`);
    const slots =
      this.#optimizer === '' ? [] : this.#slots(stateTensors(this.#optimizerPlan())).map(({ name }) => name);
    return parameters.find(isBad) ?? slots.find(isBad);
  }

  /**
   * All that a file of the model stores, in order, as it lies in memory: valid until the next reservation. Throws
   * StateError while a step is running. `initialize`: false where all of it will be written to.
   */
  tensors(operation: string, initialize = true): { name: string; shape: Shape; data: Float32Array }[] {
    const runner = this.#ensureRunner(operation, initialize);
    return graphParameters(this.graph).map(({ name, spec, elements }) => ({
      name,
      shape: spec.shape,
      data: runner.arena.floats(`parameter/${name}`).subarray(0, elements),
    }));
  }

  /** The state of the optimizer, likewise; undefined where another one, or none, was used last. */
  optimizerTensors(optimizer: Optimizer): { name: string; shape: Shape; data: Float32Array }[] | undefined {
    const runner = this.#ensureRunner('fit');
    if (this.#optimizer !== JSON.stringify(optimizer.plan)) return undefined;
    return this.#trained().flatMap(({ name, spec, elements }) =>
      stateTensors(optimizer.plan).map((slot) => ({
        name: `optimizer:${slot}/${name}`,
        shape: spec.shape,
        data: runner.arena.floats(slotBuffer(name, slot, elements).name).subarray(0, elements),
      })),
    );
  }

  /** To be called after `tensors` were written to: copies of weights are stale. */
  tensorsChanged(): void {
    this.#ensureRunner('load').weightsChanged();
  }

  /** Copies of all parameters by name. Throws StateError while a step is running. */
  weights(): Record<string, Weight> {
    const runner = this.#ensureRunner('getWeights');
    return Object.fromEntries(
      graphParameters(this.graph).map(({ name, spec }) => [
        name,
        { shape: spec.shape, data: runner.arena.floats(`parameter/${name}`).slice() },
      ]),
    );
  }

  /**
   * Writes parameters by name. Throws ConfigError for unknown names, ShapeError for wrong shapes or lengths, and
   * StateError while a step is running; nothing is written then.
   */
  setWeights(weights: Readonly<Record<string, Weight | ArrayLike<number>>>): void {
    const runner = this.#ensureRunner('setWeights');
    const known = new Map(graphParameters(this.graph).map((parameter) => [parameter.name, parameter]));
    const writes = Object.entries(weights).map(([name, value]) => {
      const parameter = known.get(name);
      const [data, shape] = 'data' in value ? [value.data, value.shape] : [value, undefined];
      if (parameter === undefined) {
        throw new ConfigError({
          operation: 'setWeights',
          argument: name,
          expected: `one of ${[...known.keys()].join(', ')}`,
          received: 'an unknown name',
        });
      }
      const wanted = parameter.spec.shape;
      if (data.length !== parameter.elements || !sameShape(shape ?? wanted, wanted)) {
        throw new ShapeError({
          operation: 'setWeights',
          argument: name,
          expected: `${parameter.elements} values, ${formatShape(wanted)}`,
          received:
            shape === undefined ? String(data.length) : `${data.length} values, ${formatShape(shape)}`,
        });
      }
      return { name, data };
    });
    for (const { name, data } of writes) runner.arena.floats(`parameter/${name}`).set(data);
    runner.weightsChanged();
  }

  /** Releases the arena, and the engine unless it is shared. */
  async close(): Promise<void> {
    this.#closed = true;
    const runner = this.#runner;
    this.#runner = undefined;
    if (this.#ownsEngine) await runner?.engine.close();
  }

  /** A runner without workers suffices to read and write weights. */
  #ensureRunner(operation: string, initialize = true): Runner {
    this.checkOpen();
    if (this.#runner?.running) {
      throw new StateError({
        operation,
        expected: 'no step to be running',
        received: 'a call in the middle of one',
        hint: 'await fit, or read and write weights in onStep and onEpoch',
      });
    }
    if (this.#runner === undefined) {
      const runner = new Runner(createEngine(), this.memoryLimit);
      this.#moveTo(runner, undefined, initialize);
      this.#ownsEngine = true;
      this.#runner = runner;
    }
    return this.#runner;
  }

  #moveTo(next: Runner, current: Runner | undefined, initialize = true): void {
    const parameters = graphParameters(this.graph);
    const buffers = parameters.map(({ name, elements }) =>
      plainBuffer(`parameter/${name}`, 'model', { fixedBytes: elements * 4 }),
    );
    const slots = this.#optimizer === '' ? [] : this.#slots(stateTensors(this.#optimizerPlan()));
    next.arena.reserve([...buffers, ...slots]);
    if (current !== undefined) {
      for (const { name } of [...buffers, ...slots]) next.arena.floats(name).set(current.arena.floats(name));
    } else if (initialize) {
      for (const { name, spec } of parameters) {
        const fans = { fanIn: spec.fanIn ?? 1, fanOut: spec.fanOut ?? 1 };
        const key = streamKey(this.seed, 'initializer', name);
        fillInitializer(spec.initializer, next.arena.floats(`parameter/${name}`), fans, key);
      }
    }
    next.weightsChanged();
  }

  #optimizerPlan(): Optimizer['plan'] {
    return JSON.parse(this.#optimizer) as Optimizer['plan'];
  }

  #hasAverages(): boolean {
    return this.#optimizer !== '' && this.#optimizerPlan().average !== undefined;
  }

  #slots(names: readonly string[]) {
    return this.#trained().flatMap(({ name, elements }) =>
      names.map((slot) => slotBuffer(name, slot, elements)),
    );
  }

  #trained() {
    return graphParameters(this.graph).filter(({ spec }) => spec.trained !== false);
  }

  /** Throws StateError once the model was closed. */
  checkOpen(): void {
    if (!this.#closed) return;
    throw new StateError({
      operation: 'model',
      expected: 'an open model',
      received: 'one that was closed',
      hint: 'read weights and results before close()',
    });
  }
}

/** Whether an engine is what the options ask for. */
function fits(engine: Engine, { threads, engine: wanted, wide }: RunOptions): boolean {
  if (wanted instanceof Engine) return wanted === engine;
  return (
    !engine.closed &&
    (threads === undefined || threads === engine.threads) &&
    (wanted === undefined || wanted === engine.kind) &&
    (wide === undefined || wide === engine.wide)
  );
}

/** Reads the bits: a fraction out of the array would be an object for each value until the loop is compiled. */
function allFinite(values: Float32Array): boolean {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & EXPONENT) === EXPONENT) return false;
  return true;
}
