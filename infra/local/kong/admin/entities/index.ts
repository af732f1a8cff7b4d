import { caCertificates, certificates, snis } from './certificates.ts';
import { CONSUMER_ENTITIES } from './consumers.ts';
import { references } from './definition.ts';
import type { Definition, SchemaContext } from './definition.ts';
import { plugins } from './plugins.ts';
import { routesFor } from './routes.ts';
import { services } from './services.ts';
import { targets, upstreams } from './upstreams.ts';
import { filterChains, keys, keySets, vaults } from './vaults-keys.ts';

/** A definition that refers to another one, with the field that does. */
export interface Child {
  readonly definition: Definition;
  readonly field: string;
  readonly cascade: boolean;
}

/** The entities of a node. */
export interface Registry {
  readonly context: SchemaContext;
  readonly definitions: readonly Definition[];
  /** By Kong's schema name. */
  get(name: string): Definition | undefined;
  /** What refers to entities of this schema. */
  children(name: string): readonly Child[];
}

export function createRegistry(context: SchemaContext): Registry {
  const definitions: readonly Definition[] = [
    certificates,
    caCertificates,
    snis,
    services,
    routesFor(context.routerFlavor),
    plugins,
    upstreams,
    targets,
    ...CONSUMER_ENTITIES,
    vaults,
    keySets,
    keys,
    filterChains,
  ];
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  return {
    context,
    definitions,
    get: (name) => byName.get(name),
    children: (name) => definitions.flatMap((definition) => childrenIn(definition, name)),
  };
}

function childrenIn(definition: Definition, parent: string): readonly Child[] {
  return references(definition)
    .filter(([, reference]) => reference === parent)
    .map(([field]) => ({ definition, field, cascade: definition.fields[field]?.on_delete === 'cascade' }));
}
