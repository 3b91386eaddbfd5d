/** docs/api from the sources: what `npm run docs` writes and the check compares. */
import { apiPages } from './pages.ts';
import { readApi } from './read-api.ts';

const ENTRY_POINTS = ['src/index.ts', 'src/report/index.ts', 'src/ui/index.ts'];

/** Files of docs/api by name. */
export function renderApi(root: string): Map<string, string> {
  return apiPages([...readApi(root, ENTRY_POINTS).values()].flat());
}
