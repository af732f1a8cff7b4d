import type { Dao } from '../dao/dao.ts';
import type { Definition } from '../entities/definition.ts';
import { ok } from '../http/types.ts';
import type { Endpoint } from '../http/types.ts';
import { certificateEndpoints } from './certificates.ts';
import { clusterEndpoints } from './cluster.ts';
import { childEndpoints, entityEndpoints, parentEndpoints } from './entities.ts';
import { nodeEndpoints } from './node.ts';
import type { NodeFacts } from './node.ts';
import { schemaEndpoints } from './schemas.ts';
import { targetEndpoints } from './targets.ts';

/** All of the Admin API. Of two endpoints with the same path the later one counts. */
export function allEndpoints(dao: Dao, node: NodeFacts): Endpoint[] {
  const { definitions } = dao.registry;
  const endpoints = [
    ...nodeEndpoints(node),
    ...clusterEndpoints(node.pool, node.role),
    ...schemaEndpoints(dao),
    ...definitions.flatMap((definition) => [...entityEndpoints(dao, definition), ...parentEndpoints(dao, definition)]),
    ...definitions.flatMap((definition) => children(dao, definition)),
    ...specials(dao, node),
  ];
  const paths = [...new Set([...endpoints.map(({ path }) => path), '/endpoints'])].toSorted();
  return [...endpoints, { path: '/endpoints', methods: { GET: () => ok({ data: paths }) } }];
}

function children(dao: Dao, parent: Definition): Endpoint[] {
  return dao.registry
    .children(parent.name)
    .flatMap(({ definition, field }) => childEndpoints(dao, parent, definition, field));
}

function specials(dao: Dao, { nodeId }: NodeFacts): Endpoint[] {
  const [certificates, snis] = [dao.registry.get('certificates'), dao.registry.get('snis')];
  const [upstreams, targets] = [dao.registry.get('upstreams'), dao.registry.get('targets')];
  return [
    ...(certificates === undefined || snis === undefined ? [] : certificateEndpoints(dao, certificates, snis)),
    ...(upstreams === undefined || targets === undefined ? [] : targetEndpoints(dao, upstreams, targets, nodeId)),
  ];
}
