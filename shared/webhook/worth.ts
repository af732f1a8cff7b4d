import { isDeepStrictEqual } from 'node:util';
import { type JsonRecord, isRecord } from '../json.ts';
import type { Kind } from '../kubernetes/resources.ts';
import type { AdmissionWrite } from './verdict.ts';

/** A field of metadata that holds texts by name. */
function texts(object: JsonRecord, field: 'annotations' | 'labels'): JsonRecord {
  const metadata = object['metadata'];
  const found = isRecord(metadata) ? metadata[field] : undefined;
  return isRecord(found) ? found : {};
}

const always = (): boolean => true;

/** Kinds that something can be said about, and when. The others change too often to be looked at for nothing. */
export const CHECKED: { readonly [K in Kind]?: (object: JsonRecord) => boolean } = {
  Ingress: always,
  TCPIngress: always,
  UDPIngress: always,
  Gateway: always,
  HTTPRoute: always,
  GRPCRoute: always,
  TCPRoute: always,
  UDPRoute: always,
  TLSRoute: always,
  KongPlugin: always,
  KongClusterPlugin: always,
  KongConsumer: always,
  KongConsumerGroup: always,
  KongVault: always,
  KongLicense: always,
  KongCustomEntity: always,
  KongUpstreamPolicy: always,
  KongIngress: always,
  Secret: always,
  Service: (object) => texts(object, 'annotations')['konghq.com/override'] !== undefined,
  ConfigMap: (object) => texts(object, 'labels')['konghq.com/ca-cert'] !== undefined,
};

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What of an object can make it right or wrong. */
function content(object: JsonRecord): JsonRecord {
  const { metadata: _metadata, status: _status, ...rest } = object;
  const { [LAST_APPLIED]: _lastApplied, ...annotations } = texts(object, 'annotations');
  return { ...rest, annotations, labels: texts(object, 'labels') };
}

/**
 * Whether a write can make anything wrong: an object that goes, and one whose content stays (a status, a finalizer, an
 * owner), is let through whatever it holds. Pure.
 */
export function isWorthJudging({ kind, object, before }: AdmissionWrite): boolean {
  const check = CHECKED[kind];
  if (check === undefined || !(check(object) || (before !== undefined && check(before)))) return false;
  const metadata = object['metadata'];
  if (isRecord(metadata) && (metadata['deletionTimestamp'] ?? null) !== null) return false;
  return before === undefined || !isDeepStrictEqual(content(object), content(before));
}
