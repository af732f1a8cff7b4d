import type { Gateway, GatewayClass } from '../kubernetes/gateway-resources.ts';
import { keyOf } from '../kubernetes/keys.ts';
import { isEnabled } from '../translate/kong-features.ts';
import type { Finding, TranslateOptions } from '../translate/types.ts';
import { listOf } from '../translate/annotations.ts';
import { supportedFeatures } from './features.ts';
import { listenerFacts } from './listener.ts';
import { aboutOf, seenObject, type Seen } from './seen.ts';
import type { StatusReport } from './types.ts';

const UNMANAGED = 'konghq.com/gatewayclass-unmanaged';
const PUBLISH_SERVICE = 'konghq.com/publish-service';

/**
 * Whether the statuses of a class and of its Gateways are ours to write: with our controller's name, and with the
 * annotation that says that nobody else manages its Gateways (KIC 2.8.1).
 */
export function isUnmanagedClass(object: GatewayClass, controller: string): boolean {
  return object.spec?.controllerName === controller && (object.metadata.annotations?.[UNMANAGED] ?? '') !== '';
}

/** The settings that statuses of Gateways and their classes depend on. */
export type GatewayOptions = Pick<TranslateOptions, 'gatewayController' | 'featureGates' | 'routerFlavor'>;

/** What a class says of itself; nothing unless it is ours. */
export function classReports(object: GatewayClass, options: GatewayOptions): readonly StatusReport[] {
  if (!isUnmanagedClass(object, options.gatewayController)) return [];
  return [
    { object: keyOf(object), content: { family: 'class', ...aboutOf(object), features: supportedFeatures(options) } },
  ];
}

/** What a Gateway's translation says of its own status, and of its class'. Nothing when they are not ours. Pure. */
export function gatewayReports(
  gateway: Gateway,
  seen: Seen,
  findings: readonly Finding[],
  empty: boolean,
  options: GatewayOptions,
): readonly StatusReport[] {
  const name = gateway.spec?.gatewayClassName ?? '';
  const gatewayClass = seenObject(seen, 'GatewayClass', '', name);
  if (gatewayClass === undefined || !isUnmanagedClass(gatewayClass, options.gatewayController)) return [];
  const alpha = isEnabled(options, 'GatewayAlpha');
  const listeners = gateway.spec?.listeners ?? [];
  return [
    {
      object: keyOf(gateway),
      content: {
        family: 'gateway',
        ...aboutOf(gateway),
        listeners: listeners.map((listener) => listenerFacts(gateway, listener, seen, findings, alpha)),
        // "true" is a placeholder for the settings' own Services (KIC §1.2.3).
        publishServices: listOf(gateway.metadata.annotations?.[PUBLISH_SERVICE] ?? '').filter(
          (item) => item !== 'true',
        ),
        empty,
      },
    },
    ...classReports(gatewayClass, options),
  ];
}
