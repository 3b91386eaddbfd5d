/** Which page shows what, and the pages as Markdown. */
import type { ApiEntry, ApiMember } from './read-api.ts';

interface PageRule {
  readonly page: string;
  readonly title: string;
  readonly lead: string;
  /** Of the files that declare it; the longest match wins. */
  readonly places: readonly string[];
}

const PAGES: readonly PageRule[] = [
  {
    page: 'models',
    title: 'Models',
    lead: 'Making models, running them, saving and loading them. From `faltung`.',
    places: [
      ...[
        'model',
        'models',
        'objective',
        'state',
        'evaluate',
        'on-batch',
        'memory',
        'save',
        'trained-on',
      ].map((name) => `src/training/${name}.ts`),
      ...['src/training/fold', 'src/parallel/', 'src/io/', 'src/model/'],
    ],
  },
  {
    page: 'layers',
    title: 'Layers',
    lead: 'Shapes are without the batch: images [H, W, C], vectors [F]. All layers take a `name` and `trainable`. From `faltung`.',
    places: ['src/layers/', 'src/tensor/'],
  },
  {
    page: 'training',
    title: 'Training',
    lead: 'Options of `fit`, optimizers, losses, schedules, callbacks. From `faltung`.',
    places: ['src/training/'],
  },
  {
    page: 'data',
    title: 'Data',
    lead: 'Data sets and what is made of them. From `faltung`.',
    places: ['src/data/'],
  },
  {
    page: 'evaluation',
    title: 'Evaluation',
    lead: "A classifier's answers beside the truth. From `faltung`.",
    places: ['src/training/evaluation/'],
  },
  {
    page: 'networks',
    title: 'Networks',
    lead: 'The layers of published networks ([their tables and pictures](../networks.md)). From `faltung`.',
    places: ['src/zoo/'],
  },
  {
    page: 'errors',
    title: 'Errors',
    lead: 'What the library throws on purpose. From `faltung`.',
    places: ['src/errors.ts'],
  },
  { page: 'report', title: 'Pictures and reports', lead: 'From `faltung/report`.', places: ['src/report/'] },
  { page: 'ui', title: 'The page in the browser', lead: 'From `faltung/ui`.', places: ['src/ui/'] },
];

/** Where each name is described: `layers.md#conv2d`. */
type Links = ReadonlyMap<string, string>;

/** The files of docs/api by name: a page a subject, and README.md, which lists all names. */
export function apiPages(entries: readonly ApiEntry[]): Map<string, string> {
  const byPage = Map.groupBy(entries, (entry) => pageOf(entry).page);
  const pages = PAGES.filter(({ page }) => byPage.has(page)).map((rule) => ({
    ...rule,
    ...arranged(byPage.get(rule.page)!),
  }));
  const links: Links = new Map(
    pages.flatMap(({ page, called, types }) => anchorsOf(page, [...called, ...types])),
  );
  const index = pages.map(({ page, title, lead, called, types }) => {
    const list = (part: readonly ApiEntry[]) =>
      part.map(({ name }) => `[${name}](${links.get(name)})`).join(', ');
    const plain = called.filter(({ kind }) => !isType(kind));
    const others = [...called.filter(({ kind }) => isType(kind)), ...types];
    const lists = [plain, others].filter((part) => part.length > 0).map(list);
    return `## [${title}](${page}.md)\n\n${lead}\n\n${lists.join('\n\n')}\n`;
  });
  const head = `# The public interface\n\n${NOTE}\n\nThe [README](../../README.md) shows how it is used.\n`;
  const files = pages.map((page): [string, string] => [`${page.page}.md`, pageText(page, links)]);
  return new Map([['README.md', [head, ...index].join('\n')], ...files]);
}

const NOTE =
  'Rendered from the docstrings by `npm run docs`; `npm run docs:check` says when it is out of date.';

function pageOf({ name, file }: ApiEntry): PageRule {
  const matches = PAGES.flatMap((rule) =>
    rule.places.filter((place) => file.startsWith(place)).map((place) => ({ rule, place })),
  );
  const best = matches.sort((a, b) => b.place.length - a.place.length)[0];
  if (best === undefined)
    throw new Error(`no page for ${name} of ${file}: add its place to scripts/docs/pages.ts`);
  return best.rule;
}

const isType = (kind: ApiEntry['kind']) => kind === 'interface' || kind === 'type';

/** What is called comes first, each with its options behind it; other types are at the end. */
function arranged(entries: readonly ApiEntry[]): { readonly called: ApiEntry[]; readonly types: ApiEntry[] } {
  const shown = new Set<ApiEntry>();
  const called = entries
    .filter(({ kind }) => !isType(kind))
    .flatMap((entry) => {
      const options = entries.filter(
        (other) =>
          other.kind === 'interface' &&
          other.name.endsWith('Options') &&
          !shown.has(other) &&
          mentions(entry, other.name),
      );
      for (const option of options) shown.add(option);
      return [entry, ...options];
    });
  return { called, types: entries.filter((entry) => isType(entry.kind) && !shown.has(entry)) };
}

/** Names that differ in their case alone get numbers, as headings on GitHub do. */
function anchorsOf(page: string, entries: readonly ApiEntry[]): [string, string][] {
  const seen = new Map<string, number>();
  return entries.map(({ name }) => {
    const anchor = name.toLowerCase();
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return [name, `${page}.md#${anchor}${count === 0 ? '' : `-${count}`}`];
  });
}

function pageText(
  { title, lead, called, types }: PageRule & ReturnType<typeof arranged>,
  links: Links,
): string {
  const rest = types.length === 0 ? [] : ['## Types\n', ...types.map((entry) => entryText(entry, links))];
  return [`# ${title}\n\n${lead}\n`, ...called.map((entry) => entryText(entry, links)), ...rest].join('\n');
}

function mentions(entry: ApiEntry, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(entry.signature);
}

function entryText(entry: ApiEntry, links: Links): string {
  const { name, kind, signature, text, members } = entry;
  const level = kind === 'interface' || kind === 'type' ? '####' : '###';
  const short = kind === 'class' || kind === 'interface' ? '' : `\`\`\`ts\n${signature}\n\`\`\`\n`;
  const base = kind === 'interface' ? / extends (.+)$/.exec(signature)?.[1] : undefined;
  const parts = [
    `${level} ${name}\n`,
    short,
    text === '' ? '' : `${prose(text)}\n`,
    base === undefined || members.length > 0 ? '' : `As ${code(base)}.\n`,
    kind === 'class' ? members.map(methodText).join('\n') : memberTable(members, links),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** A member of a class: its own lines, since they say much. */
function methodText({ name, type, text, method }: ApiMember): string {
  const head = method ? code(`${name}${type}`) : code(`${name}: ${type}`);
  return `- ${head}\n${text === '' ? '' : `\n${prose(text).replaceAll(/^(?=.)/gm, '  ')}\n`}`;
}

function memberTable(members: readonly ApiMember[], links: Links): string {
  if (members.length === 0) return '';
  const rows = members.map(({ name, type, optional, text, method }) => {
    const shownType = method ? code(type) : typeCell(type, links);
    return `| \`${name}${optional ? '?' : ''}\` | ${shownType} | ${cell(text)} |`;
  });
  return `| | | |\n|---|---|---|\n${rows.join('\n')}\n`;
}

/** A type that is a name of the interface leads there. */
function typeCell(type: string, links: Links): string {
  const link = links.get(type.replace(/^readonly /, '').replace(/\[\]$/, ''));
  const text = code(type).replaceAll('|', '\\|');
  return link === undefined ? text : `[${text}](${link})`;
}

function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** A docstring as Markdown: indented code stays, angle brackets are no markup. */
function prose(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => (/^ {4}/.test(line) ? line : escaped(line)))
    .join('\n');
}

function cell(text: string): string {
  return escaped(text.replaceAll(/\s+/g, ' ').trim()).replaceAll('|', '\\|');
}

/** Outside of code, < is no tag and * no emphasis. */
function escaped(line: string): string {
  return line
    .split(/(`[^`]*`)/)
    .map((part, i) =>
      i % 2 === 1 ? part : part.replaceAll('<', '&lt;').replaceAll(/(?<=\S)\*|\*(?=\S)/g, '\\*'),
    )
    .join('');
}
