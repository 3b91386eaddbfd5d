/**
 * Reads the public interface out of the sources, with the compiler's own checker: names, signatures as they are
 * written, docstrings. TypeDoc cannot do it: it needs an older compiler.
 */
import { join } from 'node:path';
import { SyntaxKind } from 'typescript/unstable/ast';
import { API, type Checker, type Project, SymbolFlags } from 'typescript/unstable/sync';

type CompilerSymbol = ReturnType<Checker['getExportsOfModule']>[number];
type CompilerNode = NonNullable<ReturnType<CompilerSymbol['declarations'][number]['resolve']>>;

export interface ApiMember {
  readonly name: string;
  /** As it is written: `number`, `(dataset: Dataset) => Promise<Metrics>`. */
  readonly type: string;
  readonly optional: boolean;
  readonly text: string;
  readonly method: boolean;
}

export interface ApiEntry {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'value';
  /** Path of the file that declares it, from the root. */
  readonly file: string;
  /** A line or a few of TypeScript. */
  readonly signature: string;
  readonly text: string;
  readonly members: readonly ApiMember[];
}

/** The exports of each entry point (`src/index.ts`), in alphabetical order. */
export function readApi(root: string, entryPoints: readonly string[]): Map<string, ApiEntry[]> {
  const api = new API({ cwd: root });
  try {
    const [project] = api.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] }).getProjects();
    return new Map(entryPoints.map((entry) => [entry, entriesOf(project!, root, entry)]));
  } finally {
    api.close();
  }
}

function entriesOf(project: Project, root: string, entryPoint: string): ApiEntry[] {
  const { checker, program } = project;
  const file = program.getSourceFile(join(root, entryPoint));
  const module = file && checker.getSymbolAtLocation(file);
  if (module === undefined) throw new Error(`${entryPoint} is no module of the project`);
  const entries = checker.getExportsOfModule(module).map((exported) => {
    const alias = (exported.flags & SymbolFlags.Alias) !== 0;
    return entryOf(project, root, exported.name, alias ? checker.getAliasedSymbol(exported) : exported);
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function entryOf(project: Project, root: string, name: string, symbol: CompilerSymbol): ApiEntry {
  const { checker } = project;
  const handle = symbol.declarations[0];
  const node = handle?.resolve(project);
  if (handle === undefined || node === undefined) throw new Error(`${name} has no declaration`);
  const common = {
    name,
    file: handle.path.slice(root.length + 1),
    text: checker.getDocumentationCommentOfSymbol(symbol),
    members: [] as ApiMember[],
  };
  const source = node.getText();
  switch (node.kind) {
    case SyntaxKind.InterfaceDeclaration:
    case SyntaxKind.ClassDeclaration: {
      const isClass = node.kind === SyntaxKind.ClassDeclaration;
      const type = checker.getDeclaredTypeOfSymbol(symbol);
      const members = checker
        .getPropertiesOfType(type)
        .flatMap((property) => memberOf(project, root, property))
        .filter(({ name: member }) => !member.startsWith('__'));
      const head = source.slice(0, source.indexOf('{')).replace(/^export\s+/, '');
      return { ...common, kind: isClass ? 'class' : 'interface', signature: flat(head), members };
    }
    case SyntaxKind.TypeAliasDeclaration:
      return { ...common, kind: 'type', signature: source.replace(/^export\s+/, '') };
    case SyntaxKind.FunctionDeclaration:
      return { ...common, kind: 'function', signature: `${name}${headOf(node)}` };
    default: {
      const type = checker.getTypeOfSymbol(symbol);
      if (type === undefined) throw new Error(`${name} has no type`);
      const [call] = checker.getSignaturesOfType(type, 0);
      const text = checker.typeToString(type);
      const options = /^LayerFunction<(\w+)>/.exec(text)?.[1];
      if (options !== undefined) {
        return { ...common, kind: 'function', signature: `${name}(options: ${options}): CallableLayer` };
      }
      return { ...common, kind: call ? 'function' : 'value', signature: `${name}: ${text}` };
    }
  }
}

function memberOf(project: Project, root: string, symbol: CompilerSymbol): ApiMember[] {
  const handle = symbol.declarations[0];
  if (handle === undefined || !handle.path.startsWith(`${root}/src/`)) return [];
  const node = handle.resolve(project);
  if (node === undefined) return [];
  const source = node.getText();
  if (/^(?:private|protected|static)\b/.test(source)) return [];
  const method = node.kind === SyntaxKind.MethodDeclaration || node.kind === SyntaxKind.MethodSignature;
  const accessor = node.kind === SyntaxKind.GetAccessor;
  const type = method || accessor ? headOf(node) : typeOf(source);
  return [
    {
      name: symbol.name,
      type: accessor ? type.replace(/^\(\):\s*/, '') : type,
      optional: /^(?:readonly\s+)?[\w$]+\?/.test(source),
      text: project.checker.getDocumentationCommentOfSymbol(symbol),
      method,
    },
  ];
}

/** `(options?: X): Y` of a function: what stands between its name and its body. */
function headOf(node: CompilerNode): string {
  const { name, body } = node as CompilerNode & {
    readonly name?: CompilerNode;
    readonly body?: CompilerNode;
  };
  const source = node.getText();
  const start = node.end - source.length;
  const head = source.slice(
    (name?.end ?? start) - start,
    body === undefined ? source.length : body.pos - start,
  );
  return flat(head.replace(/;$/, ''))
    .replace(/\{[^{}]*\}: ([A-Z]\w*)/g, 'options: $1')
    .replace(/(\w+): ([^,()]+?) = \{\}/g, '$1?: $2');
}

/** The type of `readonly name?: Type;` */
function typeOf(source: string): string {
  return flat(source.slice(source.indexOf(':') + 1).replace(/;$/, ''));
}

function flat(text: string): string {
  return text
    .replace(/\/\*\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ')
    .replace(/,\s*([)}\]])/g, '$1')
    .replace(/^\s*\|\s*/, '')
    .replace(/([([])\s+/g, '$1')
    .replace(/\s+([)\]])/g, '$1')
    .trim();
}
