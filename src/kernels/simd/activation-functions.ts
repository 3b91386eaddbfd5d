/**
 * The activation functions of ../activation-functions.ts on vectors of four f32, with the same bits. Those
 * that need expm1, log1p, erf or a series of their own are left to the scalar kernel.
 */
import {
  type ActivationName,
  GELU_CUBIC,
  GELU_LIMIT,
  GELU_SLOPE,
  SILU_LIMIT,
} from '../activation-functions.ts';
import { FunctionBuilder, type Local } from './assembler/index.ts';
import { mapDoubles, mapLanes } from './doubles.ts';
import { expFunction } from './exp.ts';

/** Pushes a function of the vector `x`, of which the first `lanes` lanes count. */
export type VectorFunction = (b: FunctionBuilder, x: Local, lanes: number) => void;

/** f(x), or undefined where the scalar kernel serves. */
export function forwardFunction(name: ActivationName, alpha: number): VectorFunction | undefined {
  switch (name) {
    case 'relu':
      return pushRelu;
    case 'relu6':
      return (b, x) => {
        pushRelu(b, x);
        b.f32x4(6).op('f32x4.pmin');
      };
    case 'leakyRelu':
      return (b, x) => {
        b.get(x).f32x4(alpha).op('f32x4.mul').get(x);
        b.get(x).f32x4(0).op('f32x4.lt').op('v128.bitselect');
      };
    case 'silu':
      return laneByLane(siluFunction());
    case 'sigmoid':
      return laneByLane(sigmoidFunction());
    case 'hardSigmoid':
      return inDoubles((b, x) => {
        b.get(x).f64x2(3).op('f64x2.add').f64x2(0).op('f64x2.max').f64x2(6).op('f64x2.min');
        b.f64x2(6).op('f64x2.div');
      });
    case 'hardSwish':
      return inDoubles((b, x) => {
        b.get(x).f64x2(-3).op('f64x2.max').tee(x).get(x).f64x2(3).op('f64x2.add');
        b.f64x2(6).op('f64x2.min').op('f64x2.mul').f64x2(6).op('f64x2.div');
      });
    case 'geluTanh':
      return laneByLane(geluTanhFunction());
    default:
      return undefined;
  }
}

/** f'(x) from what the function saves, or undefined where the scalar kernel serves. */
export function derivativeFunction(name: ActivationName, alpha: number): VectorFunction | undefined {
  switch (name) {
    case 'leakyRelu':
      return (b, y) => {
        b.f32x4(1).f32x4(alpha).get(y).f32x4(0).op('f32x4.gt').op('v128.bitselect');
      };
    case 'elu':
      return inDoubles((b, y) => {
        b.f64x2(1).get(y).f64x2(alpha).op('f64x2.add');
        b.get(y).f64x2(0).op('f64x2.gt').op('v128.bitselect');
      });
    case 'sigmoid':
      return inDoubles((b, y) => {
        b.get(y).f64x2(1).get(y).op('f64x2.sub').op('f64x2.mul');
      });
    case 'hardSigmoid':
      return (b, y) => {
        b.f32x4(1 / 6);
        b.get(y).f32x4(0).op('f32x4.gt').op('v128.and').get(y).f32x4(1).op('f32x4.lt').op('v128.and');
      };
    case 'hardSwish':
      return inDoubles((b, x) => {
        b.f64x2(1).f64x2(0);
        b.f64x2(2).get(x).op('f64x2.mul').f64x2(3).op('f64x2.add').f64x2(6).op('f64x2.div');
        b.get(x).f64x2(-3).op('f64x2.le').op('v128.bitselect');
        b.get(x).f64x2(3).op('f64x2.ge').op('v128.bitselect');
      });
    case 'silu':
      return laneByLane(siluDerivativeFunction());
    case 'tanh':
      return inDoubles((b, y) => {
        b.f64x2(1).get(y).get(y).op('f64x2.mul').op('f64x2.sub');
      });
    case 'softplus':
      return laneByLane(sigmoidFunction());
    default:
      return undefined;
  }
}

/** x < 0 ? 0 : x in one instruction: f32x4.pmax(a, b) is a < b ? b : a, so NaN and -0 pass. */
function pushRelu(b: FunctionBuilder, x: Local): void {
  b.get(x).f32x4(0).op('f32x4.pmax');
}

function laneByLane(target: FunctionBuilder): VectorFunction {
  return (b, x, lanes) => mapLanes(b, x, lanes, target);
}

function inDoubles(value: (b: FunctionBuilder, wide: Local) => void): VectorFunction {
  return (b, x) => mapDoubles(b, x, (wide) => value(b, wide));
}

/** (f64) -> (f64), the sigmoid of math/tanh.ts: (x < 0 ? e : 1) / (1 + e) with e = e^-|x|. */
function sigmoidFunction(): FunctionBuilder {
  const b = new FunctionBuilder('sigmoid', [['x', 'f64']], ['f64']);
  const x = b.param('x');
  const e = b.local('f64', 'e');
  b.get(x).op('f64.abs').op('f64.neg').call(expFunction()).set(e);
  b.get(e).f64(1).get(x).f64(0).op('f64.lt').select('f64');
  return b.f64(1).get(e).op('f64.add').op('f64.div');
}

/** (f64) -> (f64): x sigmoid(x), x clamped below. */
function siluFunction(): FunctionBuilder {
  const b = new FunctionBuilder('silu', [['x', 'f64']], ['f64']);
  const x = b.param('x');
  b.get(x).f64(-SILU_LIMIT).op('f64.max').tee(x).get(x).call(sigmoidFunction());
  return b.op('f64.mul');
}

/** (f64) -> (f64): s + x (s (1 - s)), s = sigmoid(x), x clamped to both sides. */
function siluDerivativeFunction(): FunctionBuilder {
  const b = new FunctionBuilder('siluDerivative', [['x', 'f64']], ['f64']);
  const x = b.param('x');
  const s = b.local('f64', 's');
  b.get(x).f64(-SILU_LIMIT).op('f64.max').f64(SILU_LIMIT).op('f64.min').set(x);
  b.get(x).call(sigmoidFunction()).set(s);
  b.get(s).get(x).get(s).f64(1).get(s).op('f64.sub').op('f64.mul').op('f64.mul');
  return b.op('f64.add');
}

/** (f64) -> (f64): x sigmoid(GELU_SLOPE (x + GELU_CUBIC x^3)), x clamped below. */
function geluTanhFunction(): FunctionBuilder {
  const b = new FunctionBuilder('geluTanh', [['x', 'f64']], ['f64']);
  const x = b.param('x');
  b.get(x).f64(-GELU_LIMIT).op('f64.max').set(x);
  b.get(x).f64(GELU_SLOPE).get(x).f64(GELU_CUBIC);
  b.get(x).get(x).op('f64.mul').get(x).op('f64.mul');
  b.op('f64.mul').op('f64.add').op('f64.mul').call(sigmoidFunction());
  return b.op('f64.mul');
}
