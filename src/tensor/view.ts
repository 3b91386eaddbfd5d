/**
 * Views: how a batch of images lies in memory. All strides count f32 elements, not bytes.
 *
 * Element (n, y, x, c) of a view whose origin is at element o is at
 * o + n*imageStride + y*rowStride + x*pixelStride + c. Around each image lie `halo` rows and columns
 * of zeros, addressed by y and x from -halo to height-1+halo (width alike); nobody writes them.
 * A vector [N, F] is a view of height 1 and width 1 with F channels, a sequence [N, L, C] one of height 1 and width L.
 */

/** The layout of one batch of activations. */
export interface View {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /**
   * From a pixel to its right neighbour; at least `channels` (more for a slice of channels), or 0: one pixel stands for
   * all of its row, as one row does where `rowStride` is 0. What is added to such a view is summed in the order y, x.
   */
  readonly pixelStride: number;
  readonly rowStride: number;
  readonly imageStride: number;
  /** Rows and columns of zeros on every side. */
  readonly halo: number;
  /** 0 where the halo has columns only, as around a sequence, whose kernels are of height 1. */
  readonly haloRows?: 0;
}

/** The view of a buffer of its own: pixels contiguous, `halo` zeros on each of the four sides. */
export function denseView(height: number, width: number, channels: number, halo = 0): View {
  const rowStride = (width + 2 * halo) * channels;
  return {
    height,
    width,
    channels,
    pixelStride: channels,
    rowStride,
    imageStride: (height + 2 * halo) * rowStride,
    halo,
  };
}

/** The view of a sequence in a buffer of its own: one row, `halo` zeros before and after it, none above and below. */
export function sequenceView(length: number, channels: number, halo = 0): View {
  const rowStride = (length + 2 * halo) * channels;
  const strides = { pixelStride: channels, rowStride, imageStride: rowStride };
  return { height: 1, width: length, channels, ...strides, halo, ...(halo > 0 && { haloRows: 0 }) };
}

/** Elements before the origin that belong to the view (the halo above and to the left). */
export function viewLead({ halo, haloRows, rowStride, pixelStride }: View): number {
  return (haloRows ?? halo) * rowStride + halo * pixelStride;
}

/** Elements from the origin on that `count` images span, the halo to the right and below included. */
export function viewSpan(view: View, count: number): number {
  if (count === 0) return 0;
  const { height, width, channels, pixelStride, rowStride, imageStride, halo } = view;
  const haloRows = view.haloRows ?? halo;
  return (
    (count - 1) * imageStride +
    (height - 1 + haloRows) * rowStride +
    (width - 1 + halo) * pixelStride +
    channels
  );
}

/** Whether the pixels of a row follow each other without a gap, so that a row is one run of floats. */
export function hasContiguousRows(view: View): boolean {
  return view.pixelStride === view.channels;
}
