import { condition, OBJECT_REASONS, programmed } from './condition.ts';
import type { Published } from './render.ts';
import type {
  Address,
  Condition,
  Content,
  DesiredStatus,
  ListenerFacts,
  ListenerStatus,
  Progress,
  Say,
} from './types.ts';

type GatewayContent = Extract<Content, { family: 'gateway' }>;

function attachedRoutes(name: string, others: readonly Say[]): number {
  return others
    .filter(({ content }) => content.family === 'attached' && content.listeners.includes(name))
    .reduce((sum, { count }) => sum + count, 0);
}

/** The listener's conditions once it is known on which ports Kong is reached (KIC 2.8.2). */
function withPort(listener: ListenerFacts, ports: Published['ports']): readonly Condition[] {
  const { protocol, port, conditions } = listener;
  if (ports === undefined || ports.has(`${protocol === 'UDP' ? 'UDP' : 'TCP'} ${port}`)) return conditions;
  const message = `The Service before Kong has no port ${port} for ${protocol}.`;
  return conditions.map((item) =>
    item.type === 'Accepted' && item.status === 'True'
      ? condition('Accepted', 'False', 'PortUnavailable', message)
      : item,
  );
}

function isBad({ type, status }: Condition): boolean {
  return type === 'Conflicted' ? status === 'True' : type !== 'OverlappingTLSConfig' && status === 'False';
}

interface Rendered extends ListenerStatus {
  readonly valid: boolean;
}

function renderListener(
  listener: ListenerFacts,
  others: readonly Say[],
  progress: Progress,
  ports: Published['ports'],
): Rendered {
  const conditions = withPort(listener, ports);
  const bad = conditions.find(isBad);
  const failure = bad === undefined ? undefined : { reason: bad.reason, message: bad.message };
  return {
    name: listener.name,
    supportedKinds: listener.supportedKinds,
    attachedRoutes: attachedRoutes(listener.name, others),
    conditions: [...conditions, programmed(failure, progress, OBJECT_REASONS)],
    valid: bad === undefined,
  };
}

function accepted(listeners: readonly Rendered[]): Condition {
  const bad = listeners.filter(({ valid }) => !valid).map(({ name }) => name);
  if (bad.length === 0) return condition('Accepted', 'True', 'Accepted', 'The Gateway is served.');
  const status = bad.length < listeners.length ? 'True' : 'False';
  return condition('Accepted', status, 'ListenersNotValid', `See the conditions of: ${bad.join(', ')}.`);
}

function programmedOf(isAccepted: boolean, addresses: readonly Address[] | undefined, progress: Progress): Condition {
  if (!isAccepted) return condition('Programmed', 'False', 'Invalid', 'None of its listeners is valid.');
  if (addresses !== undefined && addresses.length === 0) {
    const message = 'The Service before Kong (PUBLISH_SERVICE) has no address of a load balancer yet.';
    return condition('Programmed', 'False', 'AddressNotAssigned', message);
  }
  return programmed(undefined, progress, OBJECT_REASONS);
}

/** A Gateway's status: conditions, addresses, and its listeners with the routes that are attached (Gateway API; KIC 2.8.1). */
export function renderGateway(
  own: GatewayContent,
  others: readonly Say[],
  progress: Progress,
  published: Published,
): DesiredStatus {
  const listeners = own.listeners.map((listener) => renderListener(listener, others, progress, published.ports));
  const addresses = published.gateway(own.publishServices);
  const verdict = accepted(listeners);
  return {
    uid: own.uid,
    generation: own.generation,
    conditions: [verdict, programmedOf(verdict.status === 'True', addresses, progress)],
    listeners: listeners.map(({ valid: _valid, ...status }) => status),
    ...(addresses === undefined ? {} : { addresses }),
  };
}
