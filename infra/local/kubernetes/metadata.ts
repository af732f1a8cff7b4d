import { at, isObject, objectAt, text, textAt, type JsonObject } from './json.ts';
import { matchesLabels, parseLabelSelector } from './selectors.ts';
import type { Cause } from './status.ts';
import type { Resource } from './resources.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const QUALIFIED = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
const MAX_ANNOTATION_BYTES = 262_144;

/** Kinds whose names become DNS labels; Services additionally begin with a letter. */
const LABEL_KINDS = new Set(['Namespace', 'Service']);

export function wrong(field: string, message: string): Cause {
  return { reason: 'FieldValueInvalid', field, message };
}

export function missing(field: string, message = 'Required value'): Cause {
  return { reason: 'FieldValueRequired', field, message };
}

export function unsupported(field: string, value: string, supported: readonly string[]): Cause {
  const list = supported.map((item) => JSON.stringify(item)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
  return { reason: 'FieldValueNotSupported', field, message };
}

/** Names in RBAC may hold colons; everything else is a DNS label or subdomain. */
function nameProblem(resource: Resource, name: string): string | undefined {
  if (resource.group === 'rbac.authorization.k8s.io') {
    return /[/%]|^\.\.?$/.test(name) ? 'may not contain "/" or "%"' : undefined;
  }
  if (!LABEL_KINDS.has(resource.kind) || resource.custom) {
    return SUBDOMAIN.test(name) && name.length <= 253 ? undefined : 'a lowercase RFC 1123 subdomain is required';
  }
  if (!LABEL.test(name) || name.length > 63) return 'a lowercase RFC 1123 label is required';
  return resource.kind === 'Service' && /^\d/.test(name) ? 'a DNS-1035 label must begin with a letter' : undefined;
}

function mapProblems(field: string, map: unknown, value: RegExp): readonly Cause[] {
  if (map === undefined) return [];
  if (!isObject(map)) return [wrong(field, 'Invalid value: must be a map')];
  return Object.entries(map).flatMap(([key, item]) => [
    ...(QUALIFIED.test(key) && key.length <= 317
      ? []
      : [wrong(field, `Invalid value: ${JSON.stringify(key)}: not a qualified name`)]),
    ...(typeof item === 'string' && value.test(item)
      ? []
      : [wrong(`${field}[${key}]`, 'Invalid value: must be a string of the allowed characters')]),
  ]);
}

/** What is wrong with an object's metadata. */
export function metadataProblems(resource: Resource, object: JsonObject): readonly Cause[] {
  const metadata = objectAt(object, 'metadata');
  const name = textAt(metadata, 'name');
  const problem = nameProblem(resource, name);
  const annotations = JSON.stringify(objectAt(metadata, 'annotations')).length;
  return [
    ...(name === '' ? [missing('metadata.name', 'Required value: name or generateName is required')] : []),
    ...(name === '' || problem === undefined
      ? []
      : [wrong('metadata.name', `Invalid value: ${JSON.stringify(name)}: ${problem}`)]),
    ...mapProblems('metadata.labels', at(metadata, 'labels'), LABEL_VALUE),
    ...mapProblems('metadata.annotations', at(metadata, 'annotations'), /^[^]*$/),
    ...(annotations > MAX_ANNOTATION_BYTES
      ? [
          {
            reason: 'FieldValueTooLong',
            field: 'metadata.annotations',
            message: 'Too long: may not be more than 262144 bytes',
          },
        ]
      : []),
  ];
}

/** Whether a `LabelSelector` object (matchLabels, matchExpressions) selects these labels; an empty one selects all. */
export function selects(selector: JsonObject, labels: JsonObject): boolean {
  const equalities = Object.entries(objectAt(selector, 'matchLabels')).map(([key, value]) => `${key}=${text(value)}`);
  const list = at(selector, 'matchExpressions');
  const expressions = (Array.isArray(list) ? list : []).map((item) => {
    const key = textAt(item, 'key');
    const values = at(item, 'values');
    const joined = Array.isArray(values) ? values.join(',') : '';
    switch (textAt(item, 'operator')) {
      case 'In':
        return `${key} in (${joined})`;
      case 'NotIn':
        return `${key} notin (${joined})`;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return key;
    }
  });
  return matchesLabels(labels, parseLabelSelector([...equalities, ...expressions].join(',')));
}
