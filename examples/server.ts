/**
 * A headless server that trains and serves predictions at the same time.
 *
 *     npx node examples/server.ts [--port 8080] [--epochs 20] [--limit N] [--data DIR]
 *
 *     curl localhost:8080                                              how training stands
 *     curl --data-binary @cat.jpg localhost:8080/predict               what a picture shows (sharp reads it)
 *     curl -H 'Content-Type: application/octet-stream' --data-binary @pixels localhost:8080/predict
 *     curl -X POST localhost:8080/stop                                 ends training, goes on serving
 *
 * The server listens on this machine alone. A page of another site in a browser here could still ask it, under a name of
 * its own (DNS rebinding) or across origins: hence only requests to a loopback name (Host) that no other page sends
 * (Origin) are answered.
 *
 * A model does one thing at a time, so there are two on one engine: one trains, the other answers with the weights of
 * the last finished epoch. Raw pixels are 3,072 bytes [32, 32, 3].
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import {
  arrayDataset,
  cifar10,
  cifarNotebook,
  createEngine,
  type EpochRecord,
  notebookAugmentation,
  type StepProgress,
  sequential,
} from 'faltung';
import sharp from 'sharp';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    epochs: { type: 'string', default: '20' },
    limit: { type: 'string', default: 'Infinity' },
    data: { type: 'string' },
  },
});
const MAX_BODY_BYTES = 8e6;
const [height, width] = cifar10.inputShape as [number, number, number];

const data = await cifar10.load({ data: values.data, limit: Number(values.limit), seed: 21 });
const engine = createEngine();
const network = () => sequential({ inputShape: cifar10.inputShape, seed: 21 }, cifarNotebook());
const learner = network();
const answerer = network();

const stop = new AbortController();
const epochs: EpochRecord[] = [];
let progress: StepProgress | undefined;
let state = 'training';

// A model that is asked twice at once refuses the second, so whoever uses the answering one waits for its turn.
let queue: Promise<unknown> = Promise.resolve();
function inTurn<T>(action: () => T | Promise<T>): Promise<T> {
  const result = queue.then(action);
  queue = result.catch(() => undefined);
  return result;
}

async function train(): Promise<void> {
  const history = await learner.fit(data.train, {
    engine,
    epochs: Number(values.epochs),
    validation: data.validation,
    augmentation: notebookAugmentation,
    signal: stop.signal,
    onStep: (step) => {
      progress = step;
    },
    async onEpoch(record) {
      await inTurn(() => answerer.setWeights(learner.getWeights()));
      epochs.push(record);
      console.log(`epoch ${record.epoch}: validation accuracy ${record.valAccuracy?.toFixed(4)}`);
    },
  });
  state = history.end;
}

/** An image of any size and format, or raw pixels, as bytes [32, 32, 3]. */
async function pixelsOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  // Only now: who is still sending would not read the answer.
  if (length > MAX_BODY_BYTES) throw Object.assign(new Error('the body is too large'), { status: 413 });
  const body = Buffer.concat(chunks);
  if (request.headers['content-type'] === 'application/octet-stream') return body;
  const image = sharp(body, { limitInputPixels: 5e7 });
  return image.resize(width, height, { fit: 'fill' }).removeAlpha().toColourspace('srgb').raw().toBuffer();
}

function predict(pixels: Uint8Array): Promise<object> {
  const { inputShape, normalization, classNames } = data.train;
  const described = { inputShape, classNames: classNames!, normalization: normalization! };
  const image = arrayDataset({ ...described, inputs: pixels, targets: [0] });
  return inTurn(async () => {
    const { data: probabilities } = await answerer.predict(image, { engine });
    const order = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]!);
    const top = order.slice(0, 3).map((i) => ({ class: data.classNames[i], probability: probabilities[i] }));
    return { afterEpoch: epochs.length, top };
  });
}

/** Names of this machine, at any port, so that tunnels work. */
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;

function checkSender({ headers: { host = '', origin } }: IncomingMessage): void {
  const own =
    LOOPBACK.test(host) && (origin === undefined || origin.toLowerCase() === `http://${host}`.toLowerCase());
  if (!own)
    throw Object.assign(new Error('only pages and programs of this machine are answered'), { status: 403 });
}

async function respond(request: IncomingMessage): Promise<object> {
  checkSender(request);
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (request.method === 'GET' && pathname === '/') return { state, data: data.source, progress, epochs };
  if (request.method === 'POST' && pathname === '/predict') return predict(await pixelsOf(request));
  if (request.method === 'POST' && pathname === '/stop') {
    stop.abort();
    return { state: 'stopping' };
  }
  throw Object.assign(new Error('there are GET /, POST /predict and POST /stop'), { status: 404 });
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const send = (status: number, body: object) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  };
  respond(request).then(
    (body) => send(200, body),
    // What sharp and arrayDataset throw is about the body that was sent.
    (error: Error & { status?: number }) => send(error.status ?? 400, { error: error.message }),
  );
});

const closed = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => closed.resolve());
server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`Listening on http://127.0.0.1:${port}`);
});
const training = train();
await Promise.race([closed.promise, training.then(() => closed.promise)]);
stop.abort();
await training;
await queue;
server.close();
server.closeAllConnections();
await learner.close();
await answerer.close();
await engine.close();
