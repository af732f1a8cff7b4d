import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { zip } from './zip.ts';

/** What of the Serverless Framework's objects this plugin touches. */
interface FunctionDefinition {
  readonly handler: string;
  package?: { artifact?: string };
}

interface Serverless {
  readonly serviceDir: string;
  readonly service: {
    getAllFunctions(): string[];
    getFunction(name: string): FunctionDefinition;
  };
}

/** `functions/webhook.handler` → `functions/webhook`. */
function fileOf(handler: string): string {
  return handler.slice(0, handler.lastIndexOf('.'));
}

/** Packs each handler file into one zip; functions that share a handler file share the zip. */
export default class PackagePlugin {
  readonly hooks: Record<string, () => Promise<void>>;
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    const pack = (): Promise<void> => this.#pack();
    this.hooks = {
      'before:package:createDeploymentArtifacts': pack,
      'before:deploy:function:packageFunction': pack,
    };
  }

  async #pack(): Promise<void> {
    const { service, serviceDir } = this.#serverless;
    const definitions = service.getAllFunctions().map((name) => service.getFunction(name));
    const files = new Set(definitions.map(({ handler }) => fileOf(handler)));
    const artifacts = new Map<string, string>();
    for (const file of files) artifacts.set(file, await this.#artifact(serviceDir, file));
    for (const definition of definitions) {
      const artifact = artifacts.get(fileOf(definition.handler));
      if (artifact !== undefined) definition.package = { artifact };
    }
  }

  async #artifact(directory: string, file: string): Promise<string> {
    const { code } = await bundle(join(directory, `${file}.ts`));
    const target = join(directory, '.serverless', `${file.replaceAll('/', '-')}.zip`);
    await mkdir(join(directory, '.serverless'), { recursive: true });
    await writeFile(target, await zip(`${file}.mjs`, code));
    return target;
  }
}
