/**
 * The ten classes of the synthetic images as signed distances: negative inside, positive outside, about 0 on
 * the edge, for a point (u, v) in units of the shape's radius, v downward. No shape becomes another by turning,
 * mirroring or stretching it a little, so that augmentation keeps the labels true.
 */

/** Parameters of one drawn shape, each in [0, 1). */
export interface ShapeVariation {
  /** Thickness of rings, arms and tips. */
  readonly thickness: number;
  /** Number of periods of stripes and checkers, and whether their patch is round. */
  readonly pattern: number;
  /** Where the pattern begins. */
  readonly phase: number;
}

/** A class: its name and its signed distance. */
export interface SyntheticShape {
  readonly name: string;
  distance(u: number, v: number, variation: ShapeVariation): number;
}

/** sqrt(3)/2, and the sine and cosine of 36 degrees. */
const HALF_SQRT3 = 0.8660254037844386;
const SIN36 = 0.5877852522924731;
const COS36 = 0.8090169943749475;

/** The classes in the order of their labels. */
export const SYNTHETIC_SHAPES: readonly SyntheticShape[] = [
  { name: 'disc', distance: (u, v) => length(u, v) - 0.9 },
  {
    name: 'ring',
    distance(u, v, { thickness }) {
      const half = 0.13 + 0.1 * thickness;
      return Math.abs(length(u, v) - (0.95 - half)) - half;
    },
  },
  { name: 'square', distance: (u, v) => Math.max(Math.abs(u), Math.abs(v)) - 0.8 },
  {
    name: 'triangle',
    distance: (u, v) => Math.max(v, HALF_SQRT3 * Math.abs(u) - 0.5 * v) - 0.5,
  },
  {
    name: 'cross',
    distance(u, v, { thickness }) {
      const arm = 0.2 + 0.13 * thickness;
      const a = Math.abs(u);
      const b = Math.abs(v);
      return Math.max(Math.min(a, b) - arm, Math.max(a, b) - 0.95);
    },
  },
  { name: 'star', distance: (u, v, { thickness }) => starDistance(u, v, 0.38 + 0.1 * thickness) },
  {
    name: 'crescent',
    distance(u, v, { thickness }) {
      const bite = length(u - (0.45 + 0.15 * thickness), v);
      return Math.max(length(u, v) - 0.95, 0.78 - bite);
    },
  },
  {
    name: 'stripes',
    distance: (u, v, variation) => Math.max(patch(u, v, variation), wave(u, variation)),
  },
  {
    name: 'checker',
    distance(u, v, variation) {
      const a = wave(u, variation);
      const b = wave(v, variation);
      // Inside where both waves have the same sign.
      return Math.max(patch(u, v, variation), Math.min(Math.max(a, b), Math.max(-a, -b)));
    },
  },
  {
    name: 'bowtie',
    distance(u, v) {
      const a = Math.abs(u);
      return Math.max(a - 0.85, (Math.abs(v) - 0.9 * a - 0.04) * 0.74);
    },
  },
];

function length(u: number, v: number): number {
  return Math.sqrt(u * u + v * v);
}

/** The outline of textures: a square, or a disc for every other number of periods. */
function patch(u: number, v: number, { pattern }: ShapeVariation): number {
  return pattern * 4 - Math.floor(pattern * 4) < 0.5
    ? Math.max(Math.abs(u), Math.abs(v)) - 0.85
    : length(u, v) - 0.95;
}

/** A triangle wave along one axis, 2 to 3 periods over the patch: the distance to the nearest band's edge. */
function wave(t: number, { pattern, phase }: ShapeVariation): number {
  const period = 2 / (2 + Math.floor(pattern * 4) / 3);
  const shifted = t / period + phase;
  return (0.25 - Math.abs(shifted - Math.floor(shifted) - 0.5)) * period;
}

/**
 * A five-pointed star of radius 1 with inner radius `inner`: every tip is folded onto the upper one, and that
 * onto its right half, where the edge from the tip (0, 1) to the inner corner is a straight line.
 */
function starDistance(u: number, v: number, inner: number): number {
  let x = Math.abs(u);
  let y = -v;
  // Mirrors at 36 degrees right and left of the upper tip; what lies beyond each is folded back.
  const beyondRight = Math.max(0, x * COS36 - y * SIN36);
  x -= 2 * beyondRight * COS36;
  y += 2 * beyondRight * SIN36;
  const beyondLeft = Math.max(0, -x * COS36 - y * SIN36);
  x = Math.abs(x + 2 * beyondLeft * COS36);
  y += 2 * beyondLeft * SIN36;
  const edgeX = inner * SIN36;
  const edgeY = inner * COS36 - 1;
  return (edgeX * (y - 1) - edgeY * x) / length(edgeX, edgeY);
}
