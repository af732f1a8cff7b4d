import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { AppError } from '../../../shared/errors.ts';
import { asObject, isObject } from './json.ts';
import type { JsonObject } from './json.ts';

interface Source {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly service: JsonObject;
  readonly files: Map<string, unknown>;
}

/** The innermost `${…}`; CloudFormation's own `${AWS::Region}` is not meant. */
const VARIABLE = /\$\{((?:[^${}:]+:(?!:)|file\()[^${}]*)\}/;

function at(value: unknown, path: string): unknown {
  let current = value;
  for (const key of path.split('.')) current = isObject(current) ? current[key] : undefined;
  return current;
}

async function fileAt(source: Source, path: string): Promise<unknown> {
  if (!source.files.has(path)) {
    source.files.set(path, parse(await readFile(join(source.directory, path), 'utf8'), { merge: true }));
  }
  return source.files.get(path);
}

async function lookUp(source: Source, address: string): Promise<unknown> {
  const quoted = /^'(.*)'$/.exec(address);
  if (quoted !== null) return quoted[1];
  const file = /^file\(([^)]+)\)(?::(.+))?$/.exec(address);
  if (file?.[1] !== undefined) {
    const content = await fileAt(source, file[1]);
    return file[2] === undefined ? content : at(content, file[2]);
  }
  const [kind = '', name = ''] = address.split(/:(.*)/s);
  if (kind === 'env') return source.environment[name];
  if (kind === 'self') return at(source.service, name);
  if (kind === 'sls' && name === 'stage') return at(source.service, 'provider.stage');
  // Options of the command line: there is none here.
  if (kind === 'opt') return undefined;
  throw new AppError('LOCAL_CLOUD_UNSUPPORTED', `variable \${${address}} is not known`);
}

async function variable(source: Source, expression: string): Promise<unknown> {
  for (const address of expression.split(/,\s*(?=(?:[^']*'[^']*')*[^']*$)/)) {
    const value = await lookUp(source, address.trim());
    if (value !== undefined) return value;
  }
  throw new AppError('LOCAL_CLOUD_UNSUPPORTED', `variable \${${expression}} has no value`);
}

async function resolveText(source: Source, text: string): Promise<unknown> {
  const match = VARIABLE.exec(text);
  if (match === null) return text;
  const value = await variable(source, match[1] ?? '');
  if (match[0] === text) return resolve(source, value);
  const inline = String(await resolve(source, value));
  return resolveText(source, text.slice(0, match.index) + inline + text.slice(match.index + match[0].length));
}

async function resolve(source: Source, value: unknown): Promise<unknown> {
  if (typeof value === 'string') return resolveText(source, value);
  if (Array.isArray(value)) return Promise.all(value.map((item) => resolve(source, item)));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(async ([key, item]) => [key, await resolve(source, item)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Reads a serverless.yml with the variables it uses resolved: `file` with a key, `env`, `self`, `sls:stage`, `opt` and
 * quoted texts, each with fallbacks. `environment` stands for the shell's. Throws LOCAL_CLOUD_UNSUPPORTED.
 */
export async function readServerless(file: string, environment: Readonly<Record<string, string>>): Promise<JsonObject> {
  const service = asObject(parse(await readFile(file, 'utf8'), { merge: true }), file);
  const source = { directory: dirname(file), environment, files: new Map<string, unknown>() };
  const provider = await resolve(
    { ...source, service: {} },
    { ...asObject(service['provider'], 'provider'), environment: {} },
  );
  // `sls:stage` and `self` need values that are final already.
  const custom = await resolve({ ...source, service }, service['custom'] ?? {});
  const merged = {
    ...service,
    custom,
    provider: { ...asObject(provider, 'provider'), environment: at(service, 'provider.environment') },
  };
  return asObject(await resolve({ ...source, service: merged }, merged), file);
}
