/** A picture that the examples draw for themselves: sun, hills and a house, [size, size, 3] as bytes. */

type Colour = readonly [red: number, green: number, blue: number];

/** Samples a pixel and direction, so that edges are smooth. */
const SAMPLES = 3;

/** The picture, `size` pixels wide and high (128). */
export function drawScene(size = 128): Uint8Array {
  const pixels = new Uint8Array(3 * size * size);
  for (let i = 0; i < size * size; i++) {
    const sum = [0, 0, 0];
    for (let s = 0; s < SAMPLES * SAMPLES; s++) {
      const x = (i % size) + ((s % SAMPLES) + 0.5) / SAMPLES;
      const y = Math.floor(i / size) + (Math.floor(s / SAMPLES) + 0.5) / SAMPLES;
      colourAt(x / size, y / size).forEach((value, c) => {
        sum[c]! += value / (SAMPLES * SAMPLES);
      });
    }
    pixels.set(sum.map(Math.round), 3 * i);
  }
  return pixels;
}

/** The colour at a point of the unit square, what is in front first. */
function colourAt(x: number, y: number): Colour {
  if (inside(x, y, 0.6, 0.72, 0.68, 0.92)) return [92, 58, 40];
  if (inside(x, y, 0.74, 0.68, 0.84, 0.78)) {
    const bar = Math.abs(x - 0.79) < 0.008 || Math.abs(y - 0.73) < 0.008;
    return bar ? [92, 58, 40] : [250, 226, 140];
  }
  if (inside(x, y, 0.54, 0.6, 0.9, 0.92)) {
    const joint = (y * 32) % 1 < 0.18 || (x * 18 + 0.5 * Math.floor(y * 32)) % 1 < 0.1;
    return joint ? [226, 214, 200] : [190, 104, 84];
  }
  if (y > 0.42 && y < 0.6 && Math.abs(x - 0.72) < (y - 0.42) * 1.25) return [110, 48, 48];
  if (y > 0.86 + 0.02 * Math.sin(24 * x)) return (x * 40 + y * 12) % 1 < 0.3 ? [74, 122, 58] : [96, 146, 70];
  if (y > 0.62 + 0.1 * Math.sin(7 * x + 0.4)) return [122, 160, 92];
  if (y > 0.5 + 0.14 * Math.sin(4.2 * x + 2.2)) return [126, 148, 158];
  if ((x - 0.24) ** 2 + (y - 0.22) ** 2 < 0.011) return [252, 214, 92];
  const sky = y / 0.7;
  return [122 + 96 * sky, 176 + 54 * sky, 226 + 16 * sky];
}

function inside(x: number, y: number, left: number, top: number, right: number, bottom: number): boolean {
  return x >= left && x < right && y >= top && y < bottom;
}
