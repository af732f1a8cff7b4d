import type { Gateway, Listener } from '../kubernetes/gateway-resources.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { each } from './answers.ts';
import { proposeCertificate, proposeSni } from './certificate.ts';
import type { Context } from './context.ts';
import { isOurGateway } from './gateway.ts';
import { isHost } from './host.ts';
import { isGranted } from './reference-grant.ts';

interface TlsEntry {
  readonly hosts?: readonly string[];
  readonly secretName?: string;
}

/** After Ingress (0) and TCPIngress (1). */
const GATEWAY_SNI_CLASS = 2;

/** Certificates and SNIs of `spec.tls`; entries without hosts or Secret mean nothing (KIC 2.2.10). */
export function translateTls(
  context: Context,
  object: KubernetesObject,
  entries: readonly TlsEntry[],
  sniClass: number,
): void {
  each(entries, ({ hosts = [], secretName = '' }, index) => {
    if (hosts.length === 0 || secretName === '') return;
    const field = `spec.tls[${index}].secretName`;
    const certificate = proposeCertificate(context, object, field, object.metadata.namespace ?? '', secretName);
    if (certificate === undefined) return;
    for (const host of hosts) {
      if (isHost(host)) proposeSni(context, host, certificate, sniClass);
      else
        context.report(object, 'InvalidHost', `spec.tls[${index}].hosts holds ${JSON.stringify(host.slice(0, 120))}`);
    }
  });
}

function translateListener(context: Context, gateway: Gateway, listener: Listener): void {
  const refs = listener.tls?.certificateRefs ?? [];
  const [ref, second] = refs;
  if (ref === undefined || listener.tls?.mode === 'Passthrough') return;
  const field = `spec.listeners ${listener.name} tls.certificateRefs`;
  if (second !== undefined || (ref.kind ?? 'Secret') !== 'Secret') {
    context.report(gateway, 'InvalidReference', `${field} names more than one Secret, or something else`);
    return;
  }
  const namespace = ref.namespace ?? gateway.metadata.namespace ?? '';
  const target = { group: '', kind: 'Secret', namespace, name: ref.name };
  if (!isGranted(context, gateway, target)) {
    const detail = `${field} names Secret ${namespace}/${ref.name}, which no ReferenceGrant there allows`;
    context.report(gateway, 'ReferenceNotGranted', detail);
    return;
  }
  const certificate = proposeCertificate(context, gateway, field, namespace, ref.name);
  if (certificate === undefined) return;
  const { hostname = '' } = listener;
  proposeSni(context, hostname === '' ? '*' : hostname, certificate, GATEWAY_SNI_CLASS);
}

/** Gateway → the certificates of its listeners (KIC 2.11); raw input has no listener that is programmed, so none. */
export function translateGateway(context: Context, gateway: Gateway): void {
  if (context.options.raw || !isOurGateway(context, gateway)) return;
  each(gateway.spec?.listeners ?? [], (listener) => translateListener(context, gateway, listener));
}
