/** Listens to a run's page as a browser does, and keeps the view. */
import { changedView, type RunView } from '../../src/ui/run-view.ts';
import type { TrainingUi } from '../../src/ui/training-ui.ts';

export interface Listener {
  readonly view: RunView;
  /** Resolves when the view is as wanted. */
  until(wanted: (view: RunView) => boolean): Promise<{ readonly view: RunView }>;
  /** Resolves when the server ends it. */
  readonly closed: Promise<'closed'>;
  leave(): void;
}

/** Connects; resolves with the first view. */
export async function listen(ui: Pick<TrainingUi, 'url'>): Promise<Listener> {
  const abort = new AbortController();
  const { body } = await fetch(new URL('/events', ui.url), { signal: abort.signal });
  let view: RunView | undefined;
  const waiting = new Set<() => void>();
  const take = (message: string) => {
    const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
    if (event === 'view') view = JSON.parse(data!) as RunView;
    if (event === 'change') view = changedView(view!, JSON.parse(data!));
    for (const look of waiting) look();
  };
  const closed = (async () => {
    let rest = '';
    try {
      for await (const text of body!.pipeThrough(new TextDecoderStream())) {
        const messages = (rest + text).split('\n\n');
        rest = messages.pop()!;
        for (const message of messages) take(message);
      }
    } catch {
      // Left, or the server is gone.
    }
    return 'closed' as const;
  })();
  const until = (wanted: (view: RunView) => boolean) =>
    new Promise<{ readonly view: RunView }>((resolve) => {
      const look = () => {
        if (view === undefined || !wanted(view)) return;
        waiting.delete(look);
        resolve({ view });
      };
      waiting.add(look);
      look();
    });
  await until(() => true);
  return {
    get view() {
      return view!;
    },
    until,
    closed,
    leave: () => abort.abort(),
  };
}
