import type { Lookup } from '../kubernetes/lookup.ts';
import type { Kind, KubernetesObject, Resources } from '../kubernetes/resources.ts';
import { type Context, isWellFormed, newContext } from './context.ts';
import { translateIngress } from './ingress.ts';
import type { Finding, Proposal, TranslateOptions } from './types.ts';

type Translator<K extends Kind> = (context: Context, object: Resources[K]) => Promise<void>;

/** Every kind of root and its translator. */
const TRANSLATORS: { readonly [K in Kind]?: Translator<K> } = {
  Ingress: translateIngress,
};

function isOfKind<K extends Kind>(kind: K, object: KubernetesObject): object is Resources[K] {
  return object.kind === kind;
}

/** Whether objects like this one can produce Kong entities by themselves. */
export function isRoot(object: KubernetesObject): boolean {
  return Object.hasOwn(TRANSLATORS, object.kind);
}

async function run<K extends Kind>(kind: K, context: Context, object: KubernetesObject): Promise<void> {
  const translator: Translator<K> | undefined = TRANSLATORS[kind];
  if (translator === undefined || !isOfKind(kind, object) || !isWellFormed(context, kind, object)) return;
  await translator(context, object);
}

/**
 * What one root wants in Kong. A function of the root and of what `lookup` answers: no clock, no randomness. Objects
 * that cannot be translated are findings; the promise rejects only when the lookup does.
 */
export async function translateRoot(
  object: KubernetesObject,
  lookup: Lookup,
  options: TranslateOptions,
): Promise<{ readonly proposals: readonly Proposal[]; readonly findings: readonly Finding[] }> {
  const context = newContext(object, lookup, options);
  if (isRootKind(object.kind)) await run(object.kind, context, object);
  return { proposals: context.proposals, findings: context.findings };
}

function isRootKind(kind: string): kind is keyof typeof TRANSLATORS {
  return Object.hasOwn(TRANSLATORS, kind);
}
