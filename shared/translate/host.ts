/** KIC's rule for hosts of routes: labels of letters, digits and inner hyphens, one wildcard label at either end. */
const HOST = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(\.\*)?$/i;
const PLAIN_HOST = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i;

const LONGEST_HOST = 253;

/** A host name with at most one wildcard label, first or last. */
export function isHost(host: string): boolean {
  return host.length <= LONGEST_HOST && HOST.test(host) && !(host.startsWith('*.') && host.endsWith('.*'));
}

/** A host name without wildcards, as SNIs of routes must be. */
export function isPlainHost(host: string): boolean {
  return host.length <= LONGEST_HOST && PLAIN_HOST.test(host);
}

/** A request header's name that a route can match. */
export function isHeaderName(name: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(name);
}
