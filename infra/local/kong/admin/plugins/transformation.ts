import { arrayOf, boolean, flag, oneOf, record, string, strings } from '../schema/typedefs.ts';
import type { Field, Fields } from '../schema/types.ts';
import { plugin } from './plugin.ts';
import type { PluginSchema } from './plugin.ts';

const plain = strings({ default: [], required: true });
const pair = string({ match: '^[^:]+:.*$' });
const pairs = arrayOf(pair, { default: [], required: true });
const part = (fields: Fields): Field => record(fields, { required: true });

// Kong asks for the form "name:value" in headers only.
const requestPart = (more: Fields = {}): Field => part({ body: plain, headers: pairs, querystring: plain, ...more });

const requestTransformer = plugin(
  { priority: 801, protocols: 'any' },
  {
    http_method: string({ match: '^%u+$' }),
    remove: part({ body: plain, headers: plain, querystring: plain }),
    rename: requestPart(),
    replace: requestPart({ uri: string() }),
    add: requestPart(),
    append: requestPart(),
  },
);

const jsonTypes = arrayOf(oneOf(['boolean', 'number', 'string']), { default: [], required: true });
const typed = part({ json: pairs, json_types: jsonTypes, headers: pairs });

const responseTransformer = plugin(
  { priority: 800 },
  {
    remove: part({ json: plain, headers: plain }),
    rename: part({ json: pairs, headers: pairs }),
    replace: typed,
    add: typed,
    append: typed,
  },
);

const correlationId = plugin(
  { priority: 100001 },
  {
    header_name: string({ default: 'Kong-Request-ID' }),
    generator: oneOf(['uuid', 'uuid#counter', 'tracker'], { default: 'uuid#counter', required: true }),
    echo_downstream: flag(false),
  },
);

const PHASES = ['certificate', 'rewrite', 'access', 'header_filter', 'body_filter', 'log'];

function serverless(priority: number): PluginSchema {
  const code = strings({ elements: string({ required: false }), required: true, default: [] });
  return plugin(
    {
      priority,
      noConsumer: true,
      protocols: 'any',
      checks: [{ at_least_one_of: PHASES.map((phase) => `config.${phase}`) }],
    },
    Object.fromEntries(PHASES.map((phase) => [phase, code])),
  );
}

const grpcWeb = plugin(
  { priority: 3, protocols: 'any' },
  {
    proto: string({ required: false }),
    pass_stripped_path: boolean({ required: false }),
    allow_origin_header: string({ default: '*', required: false }),
  },
);

const grpcGateway = plugin({ priority: 998, protocols: 'any' }, { proto: string({ required: false }) });

export const TRANSFORMATION_PLUGINS: Readonly<Record<string, PluginSchema>> = {
  'request-transformer': requestTransformer,
  'response-transformer': responseTransformer,
  'correlation-id': correlationId,
  'pre-function': serverless(1000000),
  'post-function': serverless(-1000),
  'grpc-gateway': grpcGateway,
  'grpc-web': grpcWeb,
};
