import { join } from 'node:path';
import { build } from 'esbuild';

export interface Bundle {
  /** The ESM source, minified. */
  readonly code: Uint8Array;
  /** Its size, bytes. */
  readonly size: number;
}

/** CommonJS packages inside an ES module still call `require` for node's own modules. */
const BANNER =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

/** Bundles one handler file with everything it imports (the AWS SDK too: loading it unbundled is slower) for Node 24. */
export async function bundle(entry: string): Promise<Bundle> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
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
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return { code: output.contents, size: output.contents.byteLength };
}
