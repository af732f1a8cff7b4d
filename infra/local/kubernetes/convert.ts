import { isObject, textAt, type Json, type JsonObject } from './json.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import type { Stored } from './store.ts';

/** Fields of an Event: name in core/v1 (stored) and in events.k8s.io/v1. */
const EVENT_FIELDS: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];

function rename(object: JsonObject, pairs: readonly (readonly [string, string])[]): JsonObject {
  const names = new Map(pairs);
  return Object.fromEntries(
    Object.entries(object).map(([field, value]): [string, Json] => [names.get(field) ?? field, value]),
  );
}

function storedVersion(resource: Resource): string {
  return resource.group === 'events.k8s.io' ? 'v1' : apiVersionOf(resource.group, resource.versions[0] ?? 'v1');
}

/** An object of a served version in the version that is stored. */
export function toStored(resource: Resource, object: JsonObject): JsonObject {
  const renamed =
    resource.group === 'events.k8s.io'
      ? rename(
          object,
          EVENT_FIELDS.map(([core, events]) => [events, core]),
        )
      : object;
  return { ...renamed, apiVersion: storedVersion(resource), kind: resource.kind };
}

/** A stored object in a served version. */
export function toServed(resource: Resource, version: string, object: JsonObject): JsonObject {
  const apiVersion = apiVersionOf(resource.group, version);
  if (textAt(object, 'apiVersion') === apiVersion) return object;
  return { ...(resource.group === 'events.k8s.io' ? rename(object, EVENT_FIELDS) : object), apiVersion };
}

/** A stored object as JSON text in a served version. */
export function servedJson(resource: Resource, version: string, stored: Stored): string {
  const served = toServed(resource, version, stored.object);
  return served === stored.object ? stored.json : JSON.stringify(served);
}

/** The object as `PartialObjectMetadata`. */
export function metadataOnly(object: JsonObject): JsonObject {
  const metadata = object['metadata'];
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: isObject(metadata) ? metadata : {},
  };
}
