import { basename, join } from 'node:path';
import { build, type Metafile } from 'esbuild';

export interface Bundle {
  /** ESM sources, minified, by file name; the entry's first. They lie in one folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What is loaded at start: the entry and the files that it imports at once, bytes. */
  readonly size: number;
  /** With what is loaded when it is needed, bytes. */
  readonly total: number;
}

/** CommonJS packages inside an ES module still call `require` for node's own modules. */
const BANNER =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

/** Files that are loaded with `first`: its imports and theirs, but not those by `import()`. */
function loadedWith(first: string, outputs: Metafile['outputs']): ReadonlySet<string> {
  const found = new Set([first]);
  for (const path of found) {
    for (const { path: next, kind } of outputs[path]?.imports ?? []) {
      if (kind !== 'dynamic-import' && outputs[next] !== undefined) found.add(next);
    }
  }
  return found;
}

/**
 * Bundles one handler file with everything it imports (the AWS SDK too: loading it unbundled is slower) for Node 24. What
 * is imported by `import()` becomes files of its own, which cost nothing until then.
 */
export async function bundle(entry: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    splitting: true,
    outdir: 'bundle',
    chunkNames: `${basename(entry, '.ts')}-[hash]`,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: BANNER },
    external: ['pg-native'],
    alias: { 'form-data': join(import.meta.dirname, 'form-data.ts') },
    legalComments: 'none',
    logLevel: 'warning',
  });
  const first = Object.keys(metafile.outputs).find((path) =>
    metafile.outputs[path]?.entryPoint?.endsWith(basename(entry)),
  );
  if (first === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  const loaded = new Set([...loadedWith(first, metafile.outputs)].map((path) => basename(path)));
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  const sizes = [...files].map(([name, { byteLength }]) => ({ bytes: byteLength, loaded: loaded.has(name) }));
  const sum = (some: typeof sizes): number => some.reduce((all, { bytes }) => all + bytes, 0);
  return {
    files: new Map(
      [...files].toSorted(
        ([a], [b]) => Number(b === basename(first)) - Number(a === basename(first)) || (a < b ? -1 : 1),
      ),
    ),
    size: sum(sizes.filter((one) => one.loaded)),
    total: sum(sizes),
  };
}
