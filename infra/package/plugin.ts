import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
  readonly #output: string;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    // The framework moves this folder to where --package says.
    this.#output = join(serverless.serviceDir, '.serverless');
    const pack = (): Promise<void> => this.#pack();
    this.hooks = {
      'before:package:createDeploymentArtifacts': pack,
      'before:deploy:function:packageFunction': pack,
    };
  }

  async #pack(): Promise<void> {
    const { service } = this.#serverless;
    const artifacts = new Map<string, string>();
    for (const name of service.getAllFunctions()) {
      const definition = service.getFunction(name);
      const file = fileOf(definition.handler);
      const artifact = artifacts.get(file) ?? (await this.#artifact(file));
      artifacts.set(file, artifact);
      definition.package = { artifact };
    }
  }

  async #artifact(file: string): Promise<string> {
    const { files } = await bundle(join(this.#serverless.serviceDir, `${file}.ts`));
    const folder = dirname(file);
    const target = join(this.#output, `${file.replaceAll('/', '-')}.zip`);
    await mkdir(this.#output, { recursive: true });
    await writeFile(target, await zip(new Map([...files].map(([name, code]) => [`${folder}/${name}`, code]))));
    return target;
  }
}
