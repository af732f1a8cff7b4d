import { absent, foreign, oneOf, PROTOCOLS, record, setOf, string } from '../schema/typedefs.ts';
import type { EntityCheck, Field, Fields, RecordSchema, Shorthand, Shorthands } from '../schema/types.ts';

/** A plugin's schema: its fields beside those of every plugin, `config` among them. */
export interface PluginSchema extends RecordSchema {
  /** Kong's execution order: higher runs earlier. */
  readonly priority: number;
}

export interface PluginOptions {
  readonly priority: number;
  /** True when the plugin may not be limited to a consumer (authentication and the like). */
  readonly noConsumer?: boolean;
  /** `stream` plugins also run for TCP, TLS and UDP. */
  readonly protocols?: 'http' | 'any';
  readonly defaultProtocols?: readonly string[];
  readonly checks?: readonly EntityCheck[];
  readonly shorthands?: Shorthands;
  readonly configChecks?: readonly EntityCheck[];
}

const HTTP = ['grpc', 'grpcs', 'http', 'https'];

export function plugin(options: PluginOptions, config: Fields): PluginSchema {
  const {
    noConsumer = false,
    protocols = 'http',
    defaultProtocols = HTTP,
    checks = [],
    shorthands,
    configChecks,
  } = options;
  return {
    priority: options.priority,
    fields: {
      ...(noConsumer ? { consumer: absent(foreign('consumers')) } : {}),
      protocols: setOf(oneOf(protocols === 'any' ? PROTOCOLS : HTTP), {
        required: true,
        default: [...defaultProtocols],
      }),
      config: record(config, {
        required: true,
        ...(shorthands === undefined ? {} : { shorthand_fields: shorthands }),
        ...(configChecks === undefined ? {} : { entity_checks: configChecks }),
      }),
    },
    entity_checks: checks,
  };
}

/** An old name of a field that Kong keeps showing beside the new one. */
export function renamed(field: Field, ...path: readonly string[]): Shorthand {
  return {
    field,
    replaced_with: path,
    expand: (value) =>
      path.reduceRight<{ [name: string]: typeof value }>(
        (inner, name, i) => ({ [name]: i === path.length - 1 ? value : inner }),
        {},
      ),
  };
}

/** An old name of a field that is only understood, not shown. */
export function understood(field: Field, name: string): Shorthand {
  return { field, expand: (value) => ({ [name]: value }) };
}

/** The consumer that stands in for a request without credentials: an id or a username. */
export const anonymous: Field = string();

/** Why `config.policy: redis` cannot work without these. */
export const redisNeeds: readonly EntityCheck[] = ['host', 'port', 'timeout'].map((field) => ({
  conditional: {
    if_field: 'config.policy',
    if_match: { eq: 'redis' },
    then_field: `config.redis.${field}`,
    then_match: { required: true },
  },
}));
