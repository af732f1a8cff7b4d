import { selfSigned } from '../../infra/local/certificate.ts';
import type { KubernetesObject, Secret } from '../../shared/kubernetes/resources.ts';
import { consumer, endpoints, ingress, plugin, service } from '../support/manifests.ts';

/** One of so many has a plugin of its own, and stands beside a consumer with a key. */
const RICH = 10;
/** One of so many has a certificate of its own; making one takes longer than anything else here. */
const SECURE = 100;
const certificates: Promise<{ readonly certificate: string; readonly key: string }>[] = [];

async function certificate(number: number): Promise<{ readonly certificate: string; readonly key: string }> {
  return (certificates[number] ??= selfSigned([`crowd-${number}.test`]));
}

function secret(name: string, type: string, data: Readonly<Record<string, string>>, labels = {}): Secret {
  const encoded = Object.entries(data).map(([field, text]) => [field, Buffer.from(text).toString('base64')] as const);
  const metadata = { name, namespace: 'default', labels };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type, data: Object.fromEntries(encoded) };
}

function riches(name: string, number: number): readonly KubernetesObject[] {
  return [
    plugin(name, { minute: 1 + (number % 1_000) }),
    secret(`${name}-key`, 'Opaque', { key: `key-of-${name}` }, { 'konghq.com/credential': 'key-auth' }),
    consumer(name, undefined, { credentials: [`${name}-key`] }),
  ];
}

async function tls(name: string, number: number): Promise<Secret> {
  const { certificate: pem, key } = await certificate(number);
  return secret(`${name}-tls`, 'kubernetes.io/tls', { 'tls.crt': pem, 'tls.key': key });
}

/**
 * An Ingress to a Service of its own with two endpoints: five entities in Kong. Every tenth time a plugin, a consumer and
 * its key come on top, every hundredth time a certificate and its server name too.
 */
export async function member(number: number): Promise<readonly KubernetesObject[]> {
  const name = `crowd-${number}`;
  const rich = number % RICH === 0;
  const secure = number % SECURE === 0;
  const options = {
    ...(rich ? { annotations: { 'konghq.com/plugins': name } } : {}),
    ...(secure ? { tlsSecret: `${name}-tls` } : {}),
  };
  const network = `10.${100 + (number >> 16)}.${(number >> 8) & 255}`;
  return [
    service(name),
    endpoints(name, [`${network}.${number & 255}`, `${network.replace('10.', '11.')}.${number & 255}`]),
    ingress(name, [`${name}.test / ${name} 80`], options),
    ...(rich ? riches(name, number) : []),
    ...(secure ? [await tls(name, number)] : []),
  ];
}
