/** The files of the page: its own, and those of uPlot, which draws its curves. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.ts';

/** A file as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

/** By the path of the address. Throws ConfigError where uplot is not installed. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const own = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url));
  return new Map([
    ['/', { type: HTML, body: own('index.html') }],
    ['/style.css', { type: CSS, body: own('style.css') }],
    ['/client.mjs', { type: SCRIPT, body: own('client.mjs') }],
    ['/charts.mjs', { type: SCRIPT, body: own('charts.mjs') }],
    ['/uplot.js', { type: SCRIPT, body: uplot('uPlot.iife.min.js') }],
    ['/uplot.css', { type: CSS, body: uplot('uPlot.min.css') }],
  ]);
}

function uplot(name: string): Buffer {
  try {
    return readFileSync(fileURLToPath(import.meta.resolve(`uplot/dist/${name}`)));
  } catch (cause) {
    throw new ConfigError(
      {
        operation: 'trainingUi',
        argument: 'packages',
        expected: 'uplot to be installed',
        received: cause instanceof Error ? cause.message.split('\n')[0]! : String(cause),
        hint: 'npm install uplot',
      },
      { cause },
    );
  }
}
