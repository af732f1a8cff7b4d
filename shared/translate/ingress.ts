import type { Ingress, IngressBackend } from '../kubernetes/resources.ts';
import type { KongServiceFacade } from '../kubernetes/kong-resources.ts';
import { pluginRefs } from '../kubernetes/plugin-refs.ts';
import { each } from './answers.ts';
import { annotation } from './annotations.ts';
import { type Backend, ingressPort } from './backend.ts';
import { type Context, find, fullName } from './context.ts';
import { isHost } from './host.ts';
import { ingressRouteName, ingressServiceName, ingressUpstreamName } from './identity.ts';
import { ingressExpression } from './ingress-expression.ts';
import { classParameters } from './ingress-class-parameters.ts';
import { isEnabled } from './kong-features.ts';
import { hasOurClass, isOurIngress } from './ingress-class.ts';
import { REGEX_PREFIX, type RegexRules, type RulePath, kongPaths, rulePath } from './ingress-path.ts';
import { type Bound, proposePlugins } from './plugin.ts';
import { proposeRewrite, rewriteOf } from './rewrite.ts';
import { pathProblem } from './path.ts';
import { proposeKongRoute } from './kong-route.ts';
import type { RouteFields } from './route.ts';
import { type KongService, proposeService } from './service.ts';
import { translateTls } from './tls.ts';
import type { Slot } from './types.ts';

/** The paths of an Ingress that share service, host and port: one Kong route. */
interface Group {
  readonly backend: Backend;
  readonly host: string;
  readonly paths: RulePath[];
}

const FACADE_GROUP = 'incubator.ingress-controller.konghq.com';
const INGRESS_SNI_CLASS = 0;
const RULE_CLASS = 0;
const DEFAULT_BACKEND_CLASS = 1;
const DEFAULT_BACKEND_SLOT: Slot = 'routes/@default-backend';

/** The facade that a backend names; undefined, with a finding, when it cannot be used. */
function facadeOf(
  context: Context,
  resource: NonNullable<IngressBackend['resource']>,
  field: string,
): KongServiceFacade | undefined {
  if (resource.kind !== 'KongServiceFacade' || resource.apiGroup !== FACADE_GROUP) {
    context.report(context.root, 'UnsupportedBackend', `${field} is a ${resource.kind}, which cannot be a backend`);
    return undefined;
  }
  if (!isEnabled(context.options, 'KongServiceFacade')) {
    context.report(context.root, 'FeatureGateOff', `${field} is a KongServiceFacade, whose feature gate is off`);
    return undefined;
  }
  const facade = find(context, 'KongServiceFacade', context.root.metadata.namespace ?? '', resource.name);
  if (facade !== undefined && hasOurClass(context, facade)) return facade;
  const detail = `${field} names KongServiceFacade ${resource.name}, which does not exist or has another class`;
  context.report(context.root, 'FacadeNotFound', detail);
  return undefined;
}

function toBackend(context: Context, backend: IngressBackend, field: string): Backend | undefined {
  const namespace = context.root.metadata.namespace ?? '';
  if (backend.service !== undefined) {
    return { namespace, name: backend.service.name, port: ingressPort(backend.service) };
  }
  if (backend.resource === undefined) {
    context.report(context.root, 'UnsupportedBackend', `${field} names neither a Service nor a resource`);
    return undefined;
  }
  const facade = facadeOf(context, backend.resource, field);
  if (facade?.spec === undefined) return undefined;
  const { name, port } = facade.spec.backendRef;
  return { namespace, name, port: port === undefined ? { by: 'implicit' } : { by: 'number', number: port }, facade };
}

/** One group per route name, in the order of the spec (KIC 2.2.2). */
function groupsOf(context: Context, ingress: Ingress): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const [ruleIndex, rule] of (ingress.spec?.rules ?? []).entries()) {
    const host = rule.host ?? '';
    for (const [pathIndex, path] of (rule.http?.paths ?? []).entries()) {
      const field = `spec.rules[${ruleIndex}].http.paths[${pathIndex}].backend`;
      const backend = toBackend(context, path.backend, field);
      if (backend === undefined) continue;
      const key = `${host} ${ingressRouteName(ingress.metadata.name, backend, host)}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { backend, host, paths: [rulePath(path)] });
      else group.paths.push(rulePath(path));
    }
  }
  return [...groups.values()];
}

function regexRules(context: Context, ingress: Ingress): RegexRules {
  const parameters = classParameters(context);
  return {
    prefix: annotation(ingress, 'regex-prefix') ?? REGEX_PREFIX,
    legacyDetection: parameters?.spec?.enableLegacyRegexDetection === true,
  };
}

/** The group's Kong paths without those that Kong would refuse; undefined when none is left. */
function usablePaths(context: Context, group: Group, rules: RegexRules): readonly string[] | undefined {
  const paths = group.paths.flatMap((path) => kongPaths(path, rules));
  const usable = paths.filter((path) => {
    const problem = pathProblem(path);
    if (problem !== undefined) {
      context.report(context.root, 'InvalidPath', `path ${JSON.stringify(path.slice(0, 120))} ${problem}`);
    }
    return problem === undefined;
  });
  return usable.length === 0 ? undefined : usable;
}

const INGRESS_ROUTE: RouteFields = {
  strip_path: false,
  preserve_host: true,
  request_buffering: true,
  response_buffering: true,
};

/** What a route matches, in the router's flavour; undefined, with findings, when no path can be used. */
function matchFields(context: Context, ingress: Ingress, group: Group, rules: RegexRules): RouteFields | undefined {
  const { host } = group;
  if (context.options.routerFlavor === 'expressions') {
    return ingressExpression(context, ingress, host, group.paths, rules.prefix);
  }
  const paths = usablePaths(context, group, rules);
  return paths === undefined ? undefined : { regex_priority: 0, ...(host === '' ? {} : { hosts: [host] }), paths };
}

/** What the default backend's route matches: everything. */
function matchAll(context: Context): RouteFields {
  if (context.options.routerFlavor === 'traditional') return { regex_priority: 0, paths: ['/'] };
  return { expression: 'http.path ^= "/"', priority: 0 };
}

/** Proposes a route of the Ingress with its plugins; `elected` is the slot that it stands for election in. */
function proposeRoute(
  context: Context,
  name: string,
  fields: RouteFields,
  service: KongService,
  elected?: Slot,
): Bound | undefined {
  const route = proposeKongRoute(context, context.root, {
    name,
    fields,
    service: { slot: service.slot },
    ...(elected === undefined ? {} : { elected }),
  });
  if (route !== undefined) proposePlugins(context, context.root, pluginRefs(context.root), { route });
  return route;
}

function translateGroup(context: Context, ingress: Ingress, group: Group, rules: RegexRules): Bound | undefined {
  const { backend, host } = group;
  if (host !== '' && !isHost(host)) {
    context.report(context.root, 'InvalidHost', `host ${JSON.stringify(host.slice(0, 120))} is no host name`);
    return undefined;
  }
  const match = matchFields(context, ingress, group, rules);
  if (match === undefined) return undefined;
  const service = proposeService(context, {
    name: ingressServiceName(backend),
    host: ingressUpstreamName(backend),
    protocol: 'http',
    path: '/',
    port: 80,
    timeouts: true,
    backends: [backend],
    rank: context.rank(RULE_CLASS),
  });
  if (service === undefined) return undefined;
  const routeName = ingressRouteName(ingress.metadata.name, backend, host);
  return proposeRoute(context, routeName, { ...INGRESS_ROUTE, ...match }, service);
}

/**
 * The cluster's one default backend: every Ingress that has one proposes for the same slot, and what hangs under a
 * route that lost the slot is withheld (KIC 2.2.9: the oldest Ingress wins).
 */
function translateDefaultBackend(context: Context, ingress: Ingress): void {
  const spec = ingress.spec?.defaultBackend;
  const backend = spec === undefined ? undefined : toBackend(context, spec, 'spec.defaultBackend');
  if (backend === undefined) return;
  const serviceName = ingressServiceName(backend);
  const service = context.proposed(`services/${serviceName}`)
    ? { slot: `services/${serviceName}`, name: serviceName, protocol: 'http', backends: [] }
    : proposeService(context, {
        name: serviceName,
        host: ingressUpstreamName(backend),
        protocol: 'http',
        port: 80,
        timeouts: true,
        backends: [backend],
        rank: context.rank(DEFAULT_BACKEND_CLASS),
        gate: DEFAULT_BACKEND_SLOT,
        quiet: true,
      });
  if (service === undefined) return;
  const name = fullName(ingress).replace('/', '.');
  proposeRoute(context, name, { ...INGRESS_ROUTE, ...matchAll(context) }, service, DEFAULT_BACKEND_SLOT);
}

function translateRules(context: Context, ingress: Ingress): void {
  const rewrite = rewriteOf(context, ingress);
  if (rewrite === 'invalid') return;
  const rules = regexRules(context, ingress);
  each(groupsOf(context, ingress), (group) => {
    const route = translateGroup(context, ingress, group, rules);
    if (route !== undefined && rewrite !== 'none') proposeRewrite(context, route, rewrite);
  });
}

/** Ingress → services, upstreams, targets, routes, certificates and SNIs. */
export function translateIngress(context: Context, ingress: Ingress): void {
  if (!isOurIngress(context, ingress)) return;
  translateRules(context, ingress);
  translateDefaultBackend(context, ingress);
  translateTls(context, ingress, ingress.spec?.tls ?? [], INGRESS_SNI_CLASS);
}
