/** Folders for a test's files, removed after the file's tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

/** A new empty folder. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'faltung-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
