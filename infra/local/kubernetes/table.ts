import { age, cell } from './columns.ts';
import { metadataOnly } from './convert.ts';
import { textAt, type Json, type JsonObject } from './json.ts';
import { column, type Resource } from './resources.ts';

const NAME = column('Name', '.metadata.name');
const AGE = column('Age', '.metadata.creationTimestamp');

function row(resource: Resource, object: JsonObject, include: string, now: number): Json {
  const cells = resource.columns.map((item) => cell(object, item, now));
  const created = textAt(object, 'metadata', 'creationTimestamp');
  const shown = include === 'None' ? {} : { object: include === 'Object' ? object : metadataOnly(object) };
  return {
    cells: [textAt(object, 'metadata', 'name'), ...cells, created === '' ? '<unknown>' : age(created, now)],
    ...shown,
  };
}

/**
 * Objects as a meta.k8s.io `Table`, which `kubectl get` prints. `include` is the query parameter `includeObject`
 * (None, Metadata, Object), `now` in ms; `headed` is false for the later events of a watch.
 */
export function table(
  resource: Resource,
  objects: readonly JsonObject[],
  listMetadata: JsonObject,
  include: string,
  now: number,
  headed = true,
): JsonObject {
  const columns = [NAME, ...resource.columns, AGE];
  const definitions = columns.map(({ name, type, priority }, index): Json => ({
    name,
    type,
    format: index === 0 ? 'name' : '',
    description: '',
    priority,
  }));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listMetadata,
    columnDefinitions: headed ? definitions : [],
    rows: objects.map((object) => row(resource, object, include, now)),
  };
}
