import type { KongConfig } from '../config.ts';
import { entityId } from '../translate/identity.ts';
import type { Body } from './entities.ts';

/** Whose canary it is: each index has its own. */
export type CanaryOwner = Pick<KongConfig, 'workspace' | 'filterTags'>;

/** Ids of the canary's entities. */
export interface CanaryIds {
  readonly route: string;
  readonly plugin: string;
}

/** A name that no client asks for (RFC 6761 §6.4): no route of a user takes the probe's requests, and ours takes none of theirs. */
export const CANARY_HOST = 'canary.kong-ingress-functions.invalid';

/** Carries the route's id: canaries of several clusters on one Kong stay apart. */
export const CANARY_HEADER = 'kong-ingress-functions-canary';

/** Kong's largest priority of an expression (schema of routes: 2^46 - 1). */
const HIGHEST = 2 ** 46 - 1;

/** The ids, which never change. Pure. */
export function canaryIds({ workspace, filterTags }: CanaryOwner): CanaryIds {
  const key = `kong-ingress-functions.canary.${filterTags.toSorted().join(',')}`;
  return { route: entityId('routes', key, workspace), plugin: entityId('plugins', key, workspace) };
}

/** Where a worker answers whose router has the epoch, or a later one that still lists it. Pure. */
export function canaryPath(epoch: number): string {
  return `/.kong-ingress-functions/${epoch}`;
}

function expression(id: string, paths: readonly string[]): string {
  const header = `http.headers.${CANARY_HEADER.replaceAll('-', '_')} == "${id}"`;
  const path = paths.map((item) => `(http.path == "${item}")`).join(' || ');
  return `(http.host == "${CANARY_HOST}") && (http.method == "GET") && (${header}) && (${path})`;
}

/** The bodies of the canary's route and plugin; `earlier`: epochs whose paths stay. Pure. */
export function canaryBodies(
  owner: CanaryOwner,
  flavor: 'traditional' | 'expressions',
  epoch: number,
  earlier: readonly number[],
): { readonly route: Body; readonly plugin: Body } {
  const { route } = canaryIds(owner);
  const paths = [epoch, ...earlier].map(canaryPath);
  const tags = [...owner.filterTags];
  const criteria: Body =
    flavor === 'expressions'
      ? { expression: expression(route, paths), priority: HIGHEST }
      : { hosts: [CANARY_HOST], methods: ['GET'], headers: { [CANARY_HEADER]: [route] }, paths };
  return {
    route: { ...criteria, protocols: ['http', 'https'], tags },
    plugin: {
      name: 'request-termination',
      route: { id: route },
      config: { status_code: 200, content_type: 'text/plain', body: String(epoch) },
      tags,
    },
  };
}
