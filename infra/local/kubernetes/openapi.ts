import type { Json, JsonObject } from './json.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { VERSION } from './discovery.ts';

const INFO = { title: 'Kubernetes stand-in', version: VERSION.gitVersion };

/** A length-delimited protobuf field of less than 128 bytes. */
function bytesField(field: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), value]);
}

/**
 * `/openapi/v2` as clients before 1.27 read it (protobuf): a document without definitions. They look a kind up in it
 * and skip their own validation when it is not there.
 */
export function openapiV2Protobuf(): Buffer {
  const info = Buffer.concat([bytesField(1, Buffer.from(INFO.title)), bytesField(2, Buffer.from(INFO.version))]);
  return Buffer.concat([bytesField(1, Buffer.from('2.0')), bytesField(2, info)]);
}

export function openapiV2(): JsonObject {
  return { swagger: '2.0', info: INFO, paths: {}, definitions: {} };
}

function prefix(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** `/openapi/v3`: where the document of each group and version is. */
export function openapiV3(resources: readonly Resource[]): JsonObject {
  const prefixes = new Set(resources.flatMap((item) => item.versions.map((version) => prefix(item.group, version))));
  return {
    paths: Object.fromEntries(
      [...prefixes].map((path): [string, Json] => [path, { serverRelativeURL: `/openapi/v3/${path}` }]),
    ),
  };
}

const parameter = (name: string): Json => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });

/**
 * The document of one group and version: that PATCH takes `dryRun` and `fieldValidation`, from which clients conclude
 * that the server validates. It has no schemas; undefined when nothing is served there.
 */
export function openapiV3Document(
  resources: readonly Resource[],
  group: string,
  version: string,
): JsonObject | undefined {
  const found = resources.filter((item) => item.group === group && item.versions.includes(version));
  if (found.length === 0) return undefined;
  const paths = found.map((item): [string, Json] => {
    const place = item.namespaced ? 'namespaces/{namespace}/' : '';
    const operation = {
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group, version, kind: item.kind },
      parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map(parameter),
      responses: { '200': { description: apiVersionOf(group, version) } },
    };
    return [`/${prefix(group, version)}/${place}${item.plural}/{name}`, { patch: operation }];
  });
  return { openapi: '3.0.0', info: INFO, paths: Object.fromEntries(paths), components: { schemas: {} } };
}
