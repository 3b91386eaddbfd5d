/** A headless browser for tests: Chromium where the system has one. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where it is; the variable FALTUNG_CHROMIUM goes first. */
const chromiumPath = [process.env.FALTUNG_CHROMIUM, ...PLACES].find(
  (path) => path !== undefined && existsSync(path),
);

/** For a test's `skip`: false, or why. */
export const withoutBrowser: string | false =
  chromiumPath === undefined
    ? 'no Chromium here (apt-get install chromium, or FALTUNG_CHROMIUM=PATH)'
    : false;

/** Starts it. Inside of a container it has no sandbox of its own. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'], timeout: 60_000 });
}
