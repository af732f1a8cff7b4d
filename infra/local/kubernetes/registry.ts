import { at, isObject, listAt, objectAt, textAt, type Json, type JsonObject } from './json.ts';
import { column, type Column, type Resource } from './resources.ts';

/** Every kind that the server serves now: a fixed table and what CustomResourceDefinitions add to it or replace. */
export class Registry {
  readonly #fixed: readonly Resource[];
  readonly #defined = new Map<string, Resource>();
  #all: readonly Resource[];
  #byPath = new Map<string, Resource>();

  constructor(fixed: readonly Resource[]) {
    this.#fixed = fixed;
    this.#all = fixed;
    this.#index();
  }

  all(): readonly Resource[] {
    return this.#all;
  }

  /** The kind that is served at this group, version and plural. */
  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** Serves the kind of a stored CustomResourceDefinition. */
  define(definition: JsonObject): void {
    const resource = fromDefinition(definition);
    this.#defined.set(textAt(definition, 'metadata', 'name'), resource);
    this.#index();
  }

  /** Forgets the kind of a deleted CustomResourceDefinition; a fixed kind of the same name is back. */
  undefine(name: string): void {
    if (this.#defined.delete(name)) this.#index();
  }

  #index(): void {
    const names = new Set([...this.#defined.values()].map((item) => `${item.group}/${item.plural}`));
    this.#all = [
      ...this.#fixed.filter((item) => !names.has(`${item.group}/${item.plural}`)),
      ...this.#defined.values(),
    ];
    this.#byPath = new Map(
      this.#all.flatMap((item) =>
        item.versions.map((version): [string, Resource] => [`${item.group}/${version}/${item.plural}`, item]),
      ),
    );
  }
}

function strings(values: readonly Json[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}

/** The storage version first, then the other served ones. */
function servedVersions(versions: readonly JsonObject[]): readonly string[] {
  const served = versions.filter((version) => version['served'] !== false);
  const storage = versions.find((version) => version['storage'] === true);
  const first = storage === undefined ? [] : [textAt(storage, 'name')];
  const others = served.map((version) => textAt(version, 'name'));
  return [...new Set([...first, ...others])];
}

function printerColumns(version: JsonObject): readonly Column[] {
  return listAt(version, 'additionalPrinterColumns')
    .filter(isObject)
    .filter((item) => textAt(item, 'jsonPath') !== '.metadata.creationTimestamp')
    .map((item) => {
      const priority = at(item, 'priority');
      const type = textAt(item, 'type');
      return column(
        textAt(item, 'name'),
        textAt(item, 'jsonPath'),
        typeof priority === 'number' ? priority : 0,
        type === 'integer' || type === 'date' ? type : 'string',
      );
    });
}

/** A CustomResourceDefinition (apiextensions.k8s.io/v1) as a kind. */
export function fromDefinition(definition: JsonObject): Resource {
  const names = objectAt(definition, 'spec', 'names');
  const versions = listAt(definition, 'spec', 'versions').filter(isObject);
  const first = versions.find((version) => version['storage'] === true) ?? versions[0] ?? {};
  return {
    group: textAt(definition, 'spec', 'group'),
    versions: servedVersions(versions),
    kind: textAt(names, 'kind'),
    plural: textAt(names, 'plural'),
    shortNames: strings(listAt(names, 'shortNames')),
    namespaced: textAt(definition, 'spec', 'scope') !== 'Cluster',
    categories: strings(listAt(names, 'categories')),
    status: at(first, 'subresources', 'status') !== undefined,
    generation: true,
    custom: true,
    fields: listAt(first, 'selectableFields').map((field) => textAt(field, 'jsonPath').replace(/^\./, '')),
    columns: printerColumns(first),
  };
}
