import type { Lookup } from '../kubernetes/lookup.ts';
import type { Kind, KubernetesObject, Resources } from '../kubernetes/resources.ts';
import { answered } from './answers.ts';
import { type Context, type Translated, isWellFormed, newContext } from './context.ts';
import { isResource } from '../kubernetes/object.ts';
import { isGlobal, translateClusterPlugin, translateConsumer, translateConsumerGroup } from './consumer.ts';
import { holdsCaCertificate, translateCaConfigMap, translateCaSecret } from './ca-certificate.ts';
import { translateCustomEntity } from './custom-entity.ts';
import { translateLicense, translateVault } from './vault.ts';
import { translateGrpcRoute } from './grpcroute.ts';
import { translateTcpIngress, translateUdpIngress } from './stream-ingress.ts';
import { translatePortRoute, translateTlsRoute } from './stream-route.ts';
import { translateGateway } from './tls.ts';
import { translateHttpRoute } from './httproute.ts';
import { translateIngress } from './ingress.ts';
import type { Proposal, TranslateOptions } from './types.ts';

type Translate = (context: Context, object: KubernetesObject) => void;

/** A kind's translator, called only with objects that have the kind's shape; others are findings. */
function root<K extends Kind>(
  kind: K,
  translate: (context: Context, object: Resources[K]) => void,
): readonly [kind: string, translate: Translate] {
  return [
    kind,
    (context, object) => {
      if (isWellFormed(context, kind, object) && isResource(kind, object)) translate(context, object);
    },
  ];
}

/** Every kind of root and its translator. */
const TRANSLATORS: ReadonlyMap<string, Translate> = new Map([
  root('Ingress', translateIngress),
  root('TCPIngress', translateTcpIngress),
  root('UDPIngress', translateUdpIngress),
  root('Gateway', translateGateway),
  root('HTTPRoute', translateHttpRoute),
  root('GRPCRoute', translateGrpcRoute),
  root('TCPRoute', translatePortRoute),
  root('UDPRoute', translatePortRoute),
  root('TLSRoute', translateTlsRoute),
  root('KongConsumer', translateConsumer),
  root('KongConsumerGroup', translateConsumerGroup),
  root('KongClusterPlugin', translateClusterPlugin),
  root('KongVault', translateVault),
  root('KongLicense', translateLicense),
  root('KongCustomEntity', translateCustomEntity),
  root('Secret', translateCaSecret),
  root('ConfigMap', translateCaConfigMap),
]);

/** Whether an object can produce Kong entities by itself. */
export function isRoot(object: KubernetesObject): boolean {
  if (object.kind === 'KongClusterPlugin') return isGlobal(object);
  if (object.kind === 'Secret' || object.kind === 'ConfigMap') return holdsCaCertificate(object);
  return TRANSLATORS.has(object.kind);
}

/**
 * What one root wants in Kong. A function of the root and of what `lookup` answers: no clock, no randomness. Objects that
 * cannot be translated are findings; the promise rejects only when the lookup fails.
 */
export async function translateRoot(
  object: KubernetesObject,
  lookup: Lookup,
  options: TranslateOptions,
): Promise<Translated> {
  /** What other roots proposed, kept while this one is repeated. */
  const known = new Map<KubernetesObject, Map<boolean, readonly Proposal[]>>();
  return answered(lookup, (answers) => {
    const translate = (of: KubernetesObject, plugins: boolean): Translated => {
      const context = newContext(of, answers, options, others, plugins);
      TRANSLATORS.get(of.kind)?.(context, of);
      return context.result();
    };
    const others: Context['translate'] = (other, plugins) => {
      const before = known.get(other)?.get(plugins);
      if (before !== undefined) return before;
      const { proposals } = translate(other, plugins);
      known.set(other, (known.get(other) ?? new Map<boolean, readonly Proposal[]>()).set(plugins, proposals));
      return proposals;
    };
    return translate(object, true);
  });
}
