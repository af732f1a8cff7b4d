import { readFileSync } from 'node:fs';
import path from 'node:path';
import { grantStatements } from '../../shared/convergence/grants.ts';
import { ERRORS, type ErrorInfo } from '../../shared/errors.ts';
import { REASONS, type ReasonInfo } from '../../shared/findings.ts';
import { isKind, KINDS } from '../../shared/kubernetes/kinds.ts';
import { GATES } from '../../shared/translate/kong-features.ts';
import { changeCosts, controllerCosts, wholeCosts } from './costs.ts';
import { ANNOTATION_COVERAGE, type Coverage, KIND_COVERAGE } from './coverage.ts';
import { markdown } from './markdown.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** The README as it is in the checkout. */
export function readme(): string {
  return readFileSync(path.join(ROOT, 'README.md'), 'utf8');
}

/** The README's troubleshooting table, made from the error table. */
export function troubleshooting(): string {
  const rows = Object.entries<ErrorInfo>(ERRORS)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([code, info]) => [`\`${code}\``, info.cause, info.nextStep]);
  return markdown(['code', 'cause', 'what to do'], rows);
}

const shown = ({ golden }: Coverage): string => `[${golden}](test/golden/${golden}/in.yaml)`;

function kinds(): string {
  const rows = Object.entries<Coverage>(KIND_COVERAGE).map(([kind, coverage]) => {
    const { group, versions } = isKind(kind) ? KINDS[kind] : { group: '', versions: [] };
    return [`${kind}${group === '' ? '' : ` (${group})`}`, versions.join(', '), coverage.becomes, shown(coverage)];
  });
  return markdown(['kind', 'versions', 'becomes', 'shown by'], rows);
}

function annotations(): string {
  const rows = Object.entries(ANNOTATION_COVERAGE).map(([name, coverage]) => [
    `\`${name}\``,
    coverage.becomes,
    shown(coverage),
  ]);
  return markdown(['annotation', 'decides', 'shown by'], rows);
}

const GATE_MEANINGS: Readonly<Record<string, string>> = {
  GatewayAlpha: 'TCPRoute, UDPRoute, TLSRoute, BackendTLSPolicy',
  RewriteURIs: '`konghq.com/rewrite`',
  KongServiceFacade: 'KongServiceFacade as a backend',
  KongCustomEntity: 'KongCustomEntity',
  CombinedServicesFromDifferentHTTPRoutes: 'equal backends of several HTTPRoutes share a service',
};

function gates(): string {
  const rows = Object.entries(GATES).map(([gate, on]) => [`\`${gate}\``, on ? 'on' : 'off', GATE_MEANINGS[gate] ?? '']);
  return markdown(['gate', 'default', 'lets in'], rows);
}

function findings(): string {
  const rows = Object.entries<ReasonInfo>(REASONS)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([reason, { severity, nextStep }]) => [`\`${reason}\``, severity, nextStep]);
  return markdown(['reason', 'severity', 'what to do'], rows);
}

/** The role is the reader's to name. */
function grants(): string {
  return ['```sql', ...grantStatements('converge'), '```'].join('\n');
}

/** The tables that are generated into the README, by the name in their markers `<!-- name -->` and `<!-- /name -->`. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  kinds,
  annotations,
  gates,
  findings,
  grants,
  troubleshooting,
  costs: changeCosts,
  controller: controllerCosts,
  whole: wholeCosts,
};

/** The text between the markers of this name, or undefined when the README lacks them. */
export function section(text: string, name: string): string | undefined {
  return new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)\n<!-- /${name} -->`).exec(text)?.[1];
}

/** The README with every generated table made anew. */
export function refreshed(text: string): string {
  return Object.entries(GENERATED).reduce((current, [name, render]) => {
    const start = `<!-- ${name} -->`;
    const end = `<!-- /${name} -->`;
    const from = current.indexOf(start);
    const to = current.indexOf(end);
    if (from < 0 || to < 0) throw new Error(`README.md lacks the markers of ${name}`);
    return `${current.slice(0, from)}${start}\n${render()}\n${current.slice(to)}`;
  }, text);
}
