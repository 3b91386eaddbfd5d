/** Follows the run: listens to the server's events, shows them, sends what the buttons ask for. */
import { createCharts } from './charts.mjs';

const MOST = 2000;
/** Rows of the table of epochs. */
const MOST_ROWS = 200;
const RECONNECT_MS = 2000;
/** In the address that the run printed; whoever has none may only look. */
const token = location.hash.slice(1);
const byId = (id) => document.getElementById(id);

const WORDS = {
  waiting: 'waiting',
  running: 'running',
  paused: 'paused',
  stopping: 'stopping',
  finished: 'finished',
  stopped: 'stopped early',
  aborted: 'stopped and saved',
  failed: 'failed',
  silent: 'no news of it',
};
const UNDER_WAY = ['waiting', 'running', 'paused'];

let view;
let connected = false;
let refusal = '';
const charts = createCharts();

connect();
for (const id of ['pause', 'stop']) {
  byId(id).addEventListener('click', () => {
    void ask(id === 'stop' ? 'stop' : view.status === 'paused' ? 'resume' : 'pause');
  });
}

/** EventSource comes back by itself, but not from every kind of failure. */
function connect() {
  const source = new EventSource('/events');
  source.addEventListener('view', ({ data }) => {
    view = JSON.parse(data);
    connected = true;
    show(view);
  });
  source.addEventListener('change', ({ data }) => {
    const change = JSON.parse(data);
    apply(change);
    show(change);
  });
  source.addEventListener('error', () => {
    connected = false;
    showStatus();
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RECONNECT_MS);
  });
}

/** As the server does it to its own copy (changedView), but for how long lists are thinned out. */
function apply({ points = [], records = [], ...rest }) {
  Object.assign(view, rest);
  view.points = thinned(followed(view.points, points));
  view.records = thinned(followed(view.records, records));
}

function followed(list, added) {
  return added.length === 0 ? list : [...list.filter(({ epoch }) => epoch < added[0].epoch), ...added];
}

function thinned(list) {
  return list.length > MOST ? list.filter((_, i) => i % 2 === 1 || i === list.length - 1) : list;
}

async function ask(action) {
  // A button that is disabled loses the keyboard's focus, which comes back to it below.
  const focused = document.activeElement;
  for (const id of ['pause', 'stop']) byId(id).disabled = true;
  refusal = '';
  try {
    const headers = { 'Content-Type': 'application/json', 'X-Faltung-Token': token };
    const response = await fetch('/control', { method: 'POST', headers, body: JSON.stringify({ action }) });
    if (!response.ok) refusal = (await response.text()).trim();
  } catch {
    refusal = 'the run does not answer';
  }
  showStatus();
  if (document.activeElement === document.body) focused?.focus();
}

/** Shows what changed. */
function show(change) {
  document.title = `${WORDS[view.status]} – ${view.title}`;
  byId('title').textContent = view.title;
  showStatus();
  showFigures();
  if (change.points?.length > 0 || change.records?.length > 0) charts.draw(view);
  if (change.samples) showPictures('samples', change.samples);
  if (change.filters) showPictures('filters', change.filters);
  if (change.records?.length > 0) showEpochs();
}

function showStatus() {
  const status = view?.status ?? 'waiting';
  const lost = !connected && (view === undefined || UNDER_WAY.includes(status) || status === 'stopping');
  const chip = byId('status');
  chip.textContent = lost ? (view ? 'connection lost, trying again' : 'connecting') : WORDS[status];
  chip.dataset.status = lost ? 'disconnected' : status;
  if (view === undefined) return;
  byId('message').hidden = view.message === undefined;
  byId('message').textContent = view.message ?? '';
  const underWay = view.controllable && UNDER_WAY.includes(status);
  byId('controls').hidden = !underWay || token === '';
  for (const id of ['pause', 'stop']) byId(id).disabled = !connected;
  byId('pause').textContent = status === 'paused' ? 'Resume' : 'Pause';
  const hint =
    underWay && token === '' ? 'To pause and stop it, open the address that the run printed.' : refusal;
  byId('hint').hidden = hint === '';
  byId('hint').textContent = hint;
}

function showFigures() {
  const { progress, records, epochs } = view;
  const last = records.at(-1);
  const current = progress && progress.epoch > (last?.epoch ?? 0) ? progress : last;
  if (current === undefined) return;
  const total = Math.max(epochs, current.epoch);
  const within = current === progress ? progress.step / progress.steps : 1;
  const set = (id, text) => {
    byId(id).textContent = text;
  };
  set('epoch', `${current.epoch} / ${total}`);
  set('step', progress ? `${Math.round(within * progress.steps)} / ${progress.steps}` : '–');
  set('loss', current.loss?.toFixed(4) ?? '–');
  set('accuracy', percent(current.accuracy));
  // Numbers have no accuracy: their validation is told by its loss.
  const ofClasses = Number.isFinite(current.accuracy);
  for (const element of document.querySelectorAll('.of-classes')) element.hidden = !ofClasses;
  const shown = (record) => (ofClasses ? percent(record?.valAccuracy) : (record?.valLoss?.toFixed(4) ?? '–'));
  const worth = (record) =>
    (ofClasses ? record?.valAccuracy : record && -record.valLoss) ?? Number.NEGATIVE_INFINITY;
  set('validation', shown(last));
  const best = records.reduce((a, b) => (worth(b) > worth(a) ? b : a), undefined);
  set('best', best === undefined ? '–' : `${shown(best)} (${best.epoch})`);
  const rate =
    current === progress
      ? (view.points.at(-1)?.imagesPerSecond ?? progress.imagesPerSecond)
      : last.imagesPerSecond;
  set('rate', Math.round(rate).toLocaleString('en'));
  set('left', UNDER_WAY.includes(view.status) && progress ? duration(secondsLeft(progress, total)) : '–');
  byId('run-bar').style.width = `${(100 * (current.epoch - 1 + within)) / total}%`;
  byId('epoch-bar').style.width = `${100 * within}%`;
}

/** Of the run: what is left of this epoch, and the others as long as this one would be. */
function secondsLeft({ epoch, step, steps, secondsLeft: rest }, epochs) {
  const whole = step === steps ? (view.records.at(-1)?.seconds ?? 0) : (rest * steps) / (steps - step);
  return rest + (epochs - epoch) * whole;
}

function showPictures(id, { title, epoch, pictures }) {
  const section = byId(id);
  section.hidden = pictures.length === 0;
  const when =
    epoch === 0 ? 'before training' : `after epoch ${Number.isInteger(epoch) ? epoch : epoch.toFixed(2)}`;
  section.querySelector('h2 span').textContent = `${title}, ${when}`;
  const figures = pictures.map(({ image, caption = [], right }, i) => {
    const said = caption.filter((line) => line !== '').join(', ') || `${i + 1} of ${pictures.length}`;
    const figure = document.createElement('figure');
    if (right !== undefined) figure.className = right ? 'right' : 'wrong';
    const picture = document.createElement(image === undefined ? 'div' : 'img');
    if (image === undefined) picture.className = 'empty';
    else Object.assign(picture, { src: image, alt: said });
    figure.append(picture);
    if (caption.length > 0) {
      const text = document.createElement('figcaption');
      for (const line of caption) {
        if (text.hasChildNodes()) text.append(document.createElement('br'));
        text.append(line);
      }
      figure.append(text);
    }
    return figure;
  });
  section.querySelector('.grid').replaceChildren(...figures);
}

function showEpochs() {
  const { records } = view;
  byId('epochs').hidden = records.length === 0;
  const row = (cells, tag) => {
    const line = document.createElement('tr');
    line.append(
      ...cells.map((text) => {
        const cell = document.createElement(tag);
        cell.textContent = text;
        return cell;
      }),
    );
    return line;
  };
  const number = (value) => value?.toFixed(4) ?? '–';
  const outputs = Object.keys(records.at(-1)?.outputs ?? {});
  const all = [
    ['epoch', (r) => r.epoch, String],
    ['loss', (r) => r.loss, number],
    ...outputs.map((name) => [`loss of ${name}`, (r) => r.outputs?.[name]?.loss, number]),
    ['accuracy', (r) => r.accuracy, percent],
    ['mean abs. error', (r) => r.meanAbsoluteError, number],
    ['val. loss', (r) => r.valLoss, number],
    ...outputs.map((name) => [`val. loss of ${name}`, (r) => r.valOutputs?.[name]?.loss, number]),
    ['val. accuracy', (r) => r.valAccuracy, percent],
    ['learning rate', (r) => r.learningRate, (rate) => Number(rate.toPrecision(3))],
    ['seconds', (r) => r.seconds, (seconds) => seconds.toFixed(1)],
    ['images/s', (r) => r.imagesPerSecond, Math.round],
  ];
  // What no epoch has is no column.
  const columns = all.filter(([, read]) => records.some((r) => Number.isFinite(read(r))));
  const head = columns.map(([name]) => name);
  document.querySelector('#epochs thead').replaceChildren(row(head, 'th'));
  const rows = records.slice(-MOST_ROWS).map((r) =>
    row(
      columns.map(([, read, show]) => (Number.isFinite(read(r)) ? show(read(r)) : '–')),
      'td',
    ),
  );
  document.querySelector('#epochs tbody').replaceChildren(...rows);
}

function percent(share) {
  return share === undefined || share === null ? '–' : `${(100 * share).toFixed(1)}%`;
}

/** 0:42, 12:05, 1:02:03. */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
