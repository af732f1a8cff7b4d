import { X509Certificate } from 'node:crypto';
import type { ConfigMap, KubernetesObject, Secret } from '../kubernetes/resources.ts';
import { type Context, objectTags } from './context.ts';

import { secretText } from './secret.ts';

const CA_LABEL = 'konghq.com/ca-cert';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether an object holds a CA certificate for Kong. */
export function holdsCaCertificate(object: KubernetesObject): boolean {
  return object.metadata.labels?.[CA_LABEL] === 'true';
}

/** The one CA certificate of a PEM text, or what is wrong with the text. Expiry is Kong's to judge. */
function parseCa(pem: string): { readonly cert: string } | { readonly problem: string } {
  const blocks = pem.match(/-----BEGIN [^-]+-----/g) ?? [];
  if (blocks.length !== 1 || blocks[0] !== '-----BEGIN CERTIFICATE-----') {
    return { problem: 'holds not exactly one PEM certificate' };
  }
  try {
    const certificate = new X509Certificate(pem);
    return certificate.ca ? { cert: certificate.toString() } : { problem: 'holds a certificate that is no CA' };
  } catch {
    return { problem: 'holds no certificate that can be parsed' };
  }
}

function propose(context: Context, object: KubernetesObject, id: string | undefined, pem: string | undefined): void {
  if (id === undefined || !UUID.test(id)) {
    context.report(object, 'InvalidCaCertificate', 'data.id is missing or no UUID');
    return;
  }
  const parsed = parseCa(pem ?? '');
  if ('problem' in parsed) {
    context.report(object, 'InvalidCaCertificate', `data.cert or data.ca.crt ${parsed.problem}`);
    return;
  }
  context.propose({
    slot: `ca_certificates/${id}`,
    type: 'ca_certificates',
    id,
    body: { cert: parsed.cert },
    tags: objectTags(context, object),
    refs: {},
  });
}

/** Secret labelled `konghq.com/ca-cert` → CA certificate under the id that it names (KIC 2.12). */
export function translateCaSecret(context: Context, secret: Secret): void {
  if (!holdsCaCertificate(secret)) return;
  propose(context, secret, secretText(secret, 'id'), secretText(secret, 'cert') ?? secretText(secret, 'ca.crt'));
}

/** ConfigMap labelled `konghq.com/ca-cert` → CA certificate under the id that it names (KIC 2.12). */
export function translateCaConfigMap(context: Context, configMap: ConfigMap): void {
  if (!holdsCaCertificate(configMap)) return;
  const { data = {} } = configMap;
  propose(context, configMap, data['id'], data['cert'] ?? data['ca.crt']);
}
