import { checkOnly } from '../dao/admit.ts';
import type { Dao } from '../dao/dao.ts';
import { plainError } from '../dao/kong-error.ts';
import type { Definition } from '../entities/definition.ts';
import { pluginSchema } from '../entities/plugins.ts';
import { VAULTS } from '../entities/vaults-keys.ts';
import { ok } from '../http/types.ts';
import type { AdminRequest, Endpoint, Reply } from '../http/types.ts';
import { renderSchema } from '../schema/render.ts';
import { sent } from './entities.ts';

/** `/schemas/…`: what Kong takes, and whether it would take something. */
export function schemaEndpoints(dao: Dao): Endpoint[] {
  const definition = (name: string): Definition => {
    const found = dao.registry.get(name);
    if (found === undefined) throw plainError(404, `No entity named '${name}'`);
    return found;
  };
  const validate = (request: AdminRequest, name: string): Reply => {
    const of = definition(name);
    checkOnly(dao, of, sent(dao, of, request));
    return ok({ message: 'schema validation successful' });
  };
  return [
    { path: '/schemas/{schemas}', methods: { GET: (_request, name = '') => ok(renderSchema(definition(name))) } },
    { path: '/schemas/{schemas}/validate', methods: { POST: (request, name = '') => validate(request, name) } },
    {
      path: '/schemas/plugins/{plugins}',
      methods: {
        GET: (_request, name = '') => {
          const plugin = pluginSchema(name);
          if (plugin === undefined) throw plainError(404, `No plugin named '${name}'`);
          return ok(renderSchema(plugin));
        },
      },
    },
    {
      path: '/schemas/vaults/{vaults}',
      methods: {
        GET: (_request, name = '') => {
          const vault = Object.hasOwn(VAULTS, name) ? VAULTS[name] : undefined;
          if (vault === undefined) throw plainError(404, `No vault named '${name}'`);
          return ok(renderSchema(vault));
        },
      },
    },
    { path: '/schemas/plugins/validate', methods: { POST: (request) => validate(request, 'plugins') } },
    { path: '/schemas/vaults/validate', methods: { POST: (request) => validate(request, 'vaults') } },
  ];
}
