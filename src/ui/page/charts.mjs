/** The three curves, drawn by uPlot: training by step and by epoch, validation, throughput. */

const HEIGHT = 210;

/** Draws into the page's elements; `draw(view)` shows what there is. */
export function createCharts() {
  const charts = [
    chart('loss-chart', (value) => value.toPrecision(3), stepsAndEpochs('loss', 'valLoss')),
    chart(
      'accuracy-chart',
      (value) => `${Math.round(100 * value)}%`,
      stepsAndEpochs('accuracy', 'valAccuracy'),
    ),
    chart('rate-chart', (value) => Math.round(value).toLocaleString('en'), throughput, true),
  ];
  let shown;
  const redraw = () => {
    if (shown === undefined) return;
    for (const one of charts) one.draw(shown);
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const one of charts) one.forget();
    redraw();
  });
  new ResizeObserver(redraw).observe(document.querySelector('.charts'));
  return {
    draw(view) {
      shown = view;
      redraw();
    },
  };
}

/** Columns for uPlot: places in epochs, then a row a series, null where it has no value. */
function stepsAndEpochs(training, validation) {
  return ({ points, records }) => {
    const places = [...new Set([...points, ...records].map(({ epoch }) => epoch))].sort((a, b) => a - b);
    const index = new Map(places.map((place, i) => [place, i]));
    const column = (list, name) => {
      const values = new Array(places.length).fill(null);
      for (const one of list) if (Number.isFinite(one[name])) values[index.get(one.epoch)] = one[name];
      return values;
    };
    return [places, column(points, training), column(records, training), column(records, validation)];
  };
}

function throughput({ points, records }) {
  const list = points.length > 0 ? points : records;
  return [list.map(({ epoch }) => epoch), list.map(({ imagesPerSecond }) => imagesPerSecond)];
}

function chart(id, format, columns, fromZero = false) {
  const element = document.getElementById(id);
  let plot;
  return {
    forget() {
      plot?.destroy();
      plot = undefined;
    },
    draw(view) {
      // A chart that is hidden has no width to be drawn in.
      if (element.parentElement.hidden) return;
      const data = columns(view);
      const width = Math.max(120, element.clientWidth);
      if (plot === undefined) {
        plot = new globalThis.uPlot(optionsOf(width, format, data.length - 1, fromZero), data, element);
        return;
      }
      if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
      plot.setData(data);
    },
  };
}

function optionsOf(width, format, series, fromZero) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour('faint'),
    grid: { stroke: colour('edge'), width: 1 },
    ticks: { show: false },
  };
  const label = (value) => (value === null || value === undefined ? '–' : format(value));
  const line = (name, color, points) => ({
    label: name,
    stroke: colour(color),
    width: color === 'steps' ? 1.5 : 2,
    spanGaps: true,
    points: { show: points, size: 5, fill: colour(color) },
    value: (_, value) => label(value),
  });
  const lines =
    series === 1
      ? [line('images/s', 'training', false)]
      : [
          line('by step', 'steps', false),
          line('training', 'training', true),
          line('validation', 'validation', true),
        ];
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: (_, __, most) => [0, Math.max(1, most ?? 1)] },
      y: { range: (_, least, most) => rangeOf(fromZero ? 0 : least, most) },
    },
    axes: [
      { ...axis, size: 28, gap: 4, incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500], space: 40 },
      { ...axis, size: 48, gap: 4, values: (_, ticks) => ticks.map(format) },
    ],
    series: [{ label: 'epoch', value: (_, value) => label(value) }, ...lines],
  };
}

/** A little room above and below; something of nothing. */
function rangeOf(least, most) {
  if (least === null || least === undefined || most === null || most === undefined) return [0, 1];
  const room = (most - least) * 0.06 || Math.abs(most) * 0.1 || 1;
  return [least === 0 ? 0 : least - room, most + room];
}
