import { randomUUID } from 'node:crypto';
import https from 'node:https';
import axios from 'axios';
import type { User } from './call.ts';
import { at, isObject, listAt, objectAt, textAt, type Json, type JsonObject } from './json.ts';
import { selects } from './metadata.ts';
import type { Resource } from './resources.ts';
import { internal, StatusError } from './status.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

/** A write that is about to be stored. Objects are in the served version. */
export interface Review {
  readonly resource: Resource;
  readonly version: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly operation: Operation;
  readonly object: JsonObject | null;
  readonly oldObject: JsonObject | null;
  readonly user: User;
  readonly dryRun: boolean;
}

/** A webhook as ValidatingWebhookConfiguration lists them, given in options. */
export interface AdmissionWebhook {
  readonly name: string;
  readonly url: string;
  /** PEM of the CA of an https address. */
  readonly ca?: string;
  /** What it is asked about; every write of every kind unless said. */
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly apiVersions: readonly string[];
    readonly resources: readonly string[];
    readonly operations: readonly (Operation | '*')[];
  }[];
  /** What a webhook that cannot be reached means for the write; `Fail` unless said, as in Kubernetes. */
  readonly failurePolicy?: 'Ignore' | 'Fail';
  /** 10 unless said. */
  readonly timeoutSeconds?: number;
}

const EVERYTHING = [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['*'] }];

/** The webhooks of the options in the form of the API. */
export function webhookObject(webhook: AdmissionWebhook): JsonObject {
  const { name, url, ca, rules = EVERYTHING, failurePolicy = 'Fail', timeoutSeconds = 10 } = webhook;
  const caBundle = ca === undefined ? {} : { caBundle: Buffer.from(ca).toString('base64') };
  return {
    name,
    clientConfig: { url, ...caBundle },
    rules: rules.map((rule): Json => ({ ...rule })),
    failurePolicy,
    timeoutSeconds,
  };
}

function includes(list: readonly Json[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function matchesRule(rule: Json, review: Review): boolean {
  const { resource, subresource } = review;
  const scope = textAt(rule, 'scope');
  const names =
    subresource === ''
      ? ['*', '*/*', resource.plural]
      : ['*/*', `${resource.plural}/*`, `*/${subresource}`, `${resource.plural}/${subresource}`];
  return (
    includes(listAt(rule, 'apiGroups'), resource.group) &&
    includes(listAt(rule, 'apiVersions'), review.version) &&
    includes(listAt(rule, 'operations'), review.operation) &&
    listAt(rule, 'resources').some((name) => typeof name === 'string' && names.includes(name)) &&
    (scope === '' || scope === '*' || (scope === 'Namespaced') === resource.namespaced)
  );
}

function labelsOf(object: JsonObject | null): JsonObject {
  return object === null ? {} : objectAt(object, 'metadata', 'labels');
}

function requestOf(review: Review): JsonObject {
  const { resource, version, operation } = review;
  const kind = { group: resource.group, version, kind: resource.kind };
  const plural = { group: resource.group, version, resource: resource.plural };
  const options = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' }[operation];
  return {
    uid: randomUUID(),
    kind,
    resource: plural,
    ...(review.subresource === '' ? {} : { subResource: review.subresource, requestSubResource: review.subresource }),
    requestKind: kind,
    requestResource: plural,
    ...(review.name === '' ? {} : { name: review.name }),
    ...(review.namespace === '' ? {} : { namespace: review.namespace }),
    operation,
    userInfo: { username: review.user.username, groups: [...review.user.groups] },
    object: review.object,
    oldObject: review.oldObject,
    dryRun: review.dryRun,
    options: { kind: options, apiVersion: 'meta.k8s.io/v1' },
  };
}

/** Sends the review and gives `response` of the answer. Rejects when there is no proper answer in time. */
async function ask(webhook: JsonObject, request: JsonObject): Promise<JsonObject> {
  const timeoutSeconds = Number(at(webhook, 'timeoutSeconds') ?? 10);
  const ca = textAt(webhook, 'clientConfig', 'caBundle');
  const url = new URL(textAt(webhook, 'clientConfig', 'url'));
  url.searchParams.set('timeout', `${timeoutSeconds}s`);
  const answer = await axios.post<unknown>(
    url.href,
    { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request },
    {
      timeout: timeoutSeconds * 1000,
      maxRedirects: 0,
      proxy: false,
      headers: { 'content-type': 'application/json', 'user-agent': 'kube-apiserver-admission' },
      ...(ca === '' ? {} : { httpsAgent: new https.Agent({ ca: Buffer.from(ca, 'base64') }) }),
    },
  );
  const response = isObject(answer.data) ? answer.data['response'] : undefined;
  if (!isObject(response) || response['uid'] !== request['uid'] || typeof response['allowed'] !== 'boolean') {
    throw new Error('webhook response is not an AdmissionReview for this request');
  }
  return response;
}

function denial(name: string, response: JsonObject): StatusError {
  const status = objectAt(response, 'status');
  const code = Number(at(status, 'code') ?? 0);
  const why = textAt(status, 'message') || textAt(status, 'reason');
  const prefix = `admission webhook ${JSON.stringify(name)} denied the request`;
  const message = why === '' ? `${prefix} without explanation` : `${prefix}: ${why}`;
  return new StatusError(code < 400 ? 400 : code, textAt(status, 'reason') || 'BadRequest', message);
}

/** Calls the validating webhooks that match a write, as the API server does before it stores. */
export class Admission {
  readonly #webhooks: () => readonly JsonObject[];
  readonly #namespaceLabels: (namespace: string) => JsonObject;

  /** `webhooks` gives those in force now, `namespaceLabels` the labels of a namespace. */
  constructor(webhooks: () => readonly JsonObject[], namespaceLabels: (namespace: string) => JsonObject) {
    this.#webhooks = webhooks;
    this.#namespaceLabels = namespaceLabels;
  }

  /** Gives the warnings of the webhooks; throws the Status of a denial or of a webhook that fails closed. */
  async admit(review: Review): Promise<readonly string[]> {
    // Otherwise a broken webhook could not be removed any more.
    if (review.resource.group === 'admissionregistration.k8s.io') return [];
    const matching = this.#webhooks().filter((webhook) => this.#matches(webhook, review));
    const warnings = await Promise.all(matching.map((webhook) => this.#call(webhook, review)));
    return warnings.flat();
  }

  #matches(webhook: JsonObject, review: Review): boolean {
    const labels = [labelsOf(review.object), labelsOf(review.oldObject)];
    const selector = objectAt(webhook, 'objectSelector');
    const namespaces = objectAt(webhook, 'namespaceSelector');
    return (
      listAt(webhook, 'rules').some((rule) => matchesRule(rule, review)) &&
      labels.some((item) => selects(selector, item)) &&
      (review.namespace === '' || selects(namespaces, this.#namespaceLabels(review.namespace)))
    );
  }

  async #call(webhook: JsonObject, review: Review): Promise<readonly string[]> {
    const name = textAt(webhook, 'name');
    try {
      const response = await ask(webhook, requestOf(review));
      if (response['allowed'] !== true) throw denial(name, response);
      return listAt(response, 'warnings').map(String);
    } catch (error) {
      if (error instanceof StatusError) throw error;
      if (textAt(webhook, 'failurePolicy') === 'Ignore') return [];
      const cause = error instanceof Error ? error.message : String(error);
      throw internal(`failed calling webhook ${JSON.stringify(name)}: failed to call webhook: ${cause}`);
    }
  }
}
