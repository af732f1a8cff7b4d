import { type Key } from '../kubernetes/keys.ts';
import { compareText } from '../plan/rank.ts';
import { condition, OBJECT_REASONS, programmed, ROUTE_REASONS } from './condition.ts';
import { renderGateway } from './gateway-status.ts';
import type { Address, Content, DesiredStatus, Entry, Failure, Progress, Say } from './types.ts';

/** What is known of an object's status when it is written. */
export interface StatusFacts {
  readonly object: Key;
  /** What its own translation says; undefined for what is no root, or not ours any more. */
  readonly own: Content | undefined;
  /** What the translations of others say of it. */
  readonly others: readonly Say[];
  readonly progress: Progress;
}

/** Where Kong is reached. Undefined: nobody has configured it. */
export interface Published {
  /** Of Ingresses and TCPIngresses. */
  readonly addresses: readonly Address[] | undefined;
  /** Of UDPIngresses. */
  readonly udpAddresses: readonly Address[] | undefined;
  /** Of a Gateway that names these Services (`namespace/name`), or none. */
  gateway(services: readonly string[]): readonly Address[] | undefined;
  /** Ports of the Services before Kong, as `TCP 80`; undefined when they are not known. */
  readonly ports: ReadonlySet<string> | undefined;
}

type Of<F extends Content['family']> = Extract<Content, { family: F }>;

function ofFamily<F extends Content['family']>(family: F, contents: readonly Content[]): readonly Of<F>[] {
  return contents.filter((content): content is Of<F> => content.family === family);
}

const NO_REFERENCES = 'Found no references to this resource in Ingress or similar resources.';

/** Programmed of an object that several roots may speak of: the newest generation counts, and whoever has trouble. */
function renderProgrammed(contents: readonly Of<'programmed'>[], progress: Progress): DesiredStatus {
  const newest = contents.toSorted((a, b) => b.generation - a.generation)[0];
  const { uid, generation } = newest ?? { uid: '', generation: 0 };
  const isWhole = contents.every((content) => content.generation === generation);
  const failure = contents.find((content) => content.generation === generation && content.failure !== undefined);
  const state = isWhole ? progress : { state: 'pending' as const, adopted: false };
  return { uid, generation, conditions: [programmed(failure?.failure, state, OBJECT_REASONS)] };
}

function renderRoute({ uid, generation, parents, failure }: Of<'route'>, progress: Progress): DesiredStatus {
  const items = parents.map(({ ref, conditions, accepted }): Entry => {
    const refused: Failure = { reason: 'NotAccepted', message: 'this parent does not take the route' };
    const own = accepted
      ? programmed(failure, progress, ROUTE_REASONS)
      : programmed(refused, progress, { ...ROUTE_REASONS, invalid: 'NotAccepted' });
    return { ref, conditions: [...conditions, own] };
  });
  return { uid, generation, entries: { field: 'parents', items, limit: 32 } };
}

function renderClass({ uid, generation, features }: Of<'class'>): DesiredStatus {
  return {
    uid,
    generation,
    conditions: [
      condition('Accepted', 'True', 'Accepted', 'Its Gateways are served.'),
      condition('SupportedVersion', 'True', 'SupportedVersion', 'The Gateway API is served in versions that are read.'),
    ],
    supportedFeatures: features,
  };
}

function refText(entry: Entry): string {
  const { namespace = '', name, kind = '' } = entry.ref;
  return `${kind} ${namespace}/${name}`;
}

function isRefused(entry: Entry): boolean {
  return entry.conditions.some((item) => item.type === 'Accepted' && item.status === 'False');
}

/** One entry an ancestor; where roots differ about it, the one that refuses. */
function renderAncestors(contents: readonly Of<'ancestors'>[], progress: Progress): DesiredStatus {
  const entries = new Map<string, Entry>();
  for (const entry of contents.flatMap((content) => content.ancestors)) {
    const known = entries.get(refText(entry));
    if (known === undefined || (isRefused(entry) && !isRefused(known))) entries.set(refText(entry), entry);
  }
  const shows = contents.some((content) => content.programmed);
  const items = [...entries.values()]
    .toSorted((a, b) => compareText(refText(a), refText(b)))
    .map((entry): Entry => {
      const refused = { reason: 'NotAccepted', message: 'the policy is not accepted here' };
      const own = programmed(isRefused(entry) ? refused : undefined, progress, OBJECT_REASONS);
      return shows ? { ...entry, conditions: [...entry.conditions, own] } : entry;
    });
  const read = contents.find((content) => content.uid !== '');
  // Where nobody has read the policy, the moment of writing does.
  const about = read === undefined ? {} : { uid: read.uid, generation: read.generation };
  return { ...about, entries: { field: 'ancestors', items, limit: 16 } };
}

function renderLicense({ uid, generation, elected, failure }: Of<'license'>, progress: Progress): DesiredStatus {
  const state = programmed(failure, progress, { ...OBJECT_REASONS, yes: 'PickedAsLatest' });
  const replaced = condition('Programmed', 'False', 'ReplacedByNewer', 'Another KongLicense is newer, or this is off.');
  const conditions = [elected || failure !== undefined ? state : replaced];
  return { uid, generation, entries: { field: 'controllers', items: [{ ref: { name: '' }, conditions }], limit: 16 } };
}

function renderAddressed(kind: string, own: Of<'addressed'>, progress: Progress, published: Published): DesiredStatus {
  const addresses = kind === 'UDPIngress' ? published.udpAddresses : published.addresses;
  if (own.failure !== undefined || progress.state === 'pending' || (addresses ?? []).length === 0) return {};
  return addresses === undefined ? {} : { uid: own.uid, loadBalancer: addresses };
}

/** What becomes of a status when nobody has anything to say of it any more: entries of ours go, the rest stays. */
function renderNothing(kind: string): DesiredStatus {
  if (kind.endsWith('Route')) return { entries: { field: 'parents', items: [], limit: 32 } };
  if (kind.endsWith('Policy')) return { entries: { field: 'ancestors', items: [], limit: 16 } };
  const isRead = kind === 'KongPlugin' || kind === 'KongClusterPlugin' || kind === 'KongServiceFacade';
  return isRead ? { conditions: [condition('Programmed', 'False', 'Pending', NO_REFERENCES)] } : {};
}

/** An object's status as it has to be. Pure. */
export function render(facts: StatusFacts, published: Published): DesiredStatus {
  const desired = renderAll(facts, published);
  const keeps = facts.progress.state === 'pending' && facts.progress.adopted;
  return keeps && Object.keys(desired).length > 0 ? { ...desired, keepsProgrammed: true } : desired;
}

function renderAll(facts: StatusFacts, published: Published): DesiredStatus {
  const { object, own, others, progress } = facts;
  const kind = object.slice(0, object.indexOf('/'));
  const said = others.map((item) => item.content);
  const all = own === undefined ? said : [own, ...said];
  const programmedAll = ofFamily('programmed', all);
  const ancestors = ofFamily('ancestors', all);
  const [gatewayClass] = ofFamily('class', all);
  if (programmedAll.length > 0) return renderProgrammed(programmedAll, progress);
  if (ancestors.length > 0) return renderAncestors(ancestors, progress);
  if (gatewayClass !== undefined) return renderClass(gatewayClass);
  switch (own?.family) {
    case 'route':
      return renderRoute(own, progress);
    case 'gateway':
      return renderGateway(own, others, progress, published);
    case 'license':
      return renderLicense(own, progress);
    case 'addressed':
      return renderAddressed(kind, own, progress, published);
    default:
      return renderNothing(kind);
  }
}
