import type { DataPlaneState } from '../convergence/types.ts';
import type { Status } from './status.ts';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** A metric of the text format 0.0.4. Times are seconds since the epoch. */
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const STATES: readonly DataPlaneState[] = [
  'converged',
  'applying',
  'rejecting',
  'incompatible',
  'partitioned',
  'unknown',
];

/** A label's value as the format wants it. */
function quoted(value: string): string {
  return `"${value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('"', String.raw`\"`)}"`;
}

function sample(name: string, { labels: given = {}, value }: Sample): string {
  const pairs = Object.entries(given).map(([label, text]) => `${label}=${quoted(text)}`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function lines({ name, help, samples }: Metric): readonly string[] {
  if (samples.length === 0) return [];
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples.map((item) => sample(name, item))];
}

/** One sample, or none where the value is not known. */
function known(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value }];
}

function labels({ name, node }: Status['dataPlanes'][number]): Labels {
  return { data_plane: name, node };
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, samples };
}

function dataPlaneMetrics({ dataPlanes }: Status): readonly Metric[] {
  return [
    {
      name: 'kong_ingress_data_plane_state',
      help: '1 for the state that the data plane is in, 0 for the others.',
      samples: dataPlanes.flatMap((item) =>
        STATES.map((state) => ({ labels: { ...labels(item), state }, value: item.state === state ? 1 : 0 })),
      ),
    },
    {
      name: 'kong_ingress_data_plane_lag_revisions',
      help: 'Revisions that are not proven to be on the data plane.',
      samples: dataPlanes.flatMap((item) =>
        item.lag === undefined ? [] : [{ labels: labels(item), value: item.lag.revisions }],
      ),
    },
    {
      name: 'kong_ingress_data_plane_lag_seconds',
      help: 'Seconds since the oldest of them was written.',
      samples: dataPlanes.flatMap((item) =>
        item.lag === undefined ? [] : [{ labels: labels(item), value: item.lag.seconds }],
      ),
    },
  ];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function metrics(status: Status): readonly Metric[] {
  const { revisions, checkedAt, reconciledAt, findings, quarantined, withheldDeletes, overall } = status;
  const proven = revisions.find(({ convergedAt }) => convergedAt !== undefined);
  return [
    gauge('kong_ingress_served', '1 when every data plane is proven to have the newest revision.', [
      { value: overall === 'served' ? 1 : 0 },
    ]),
    ...dataPlaneMetrics(status),
    gauge('kong_ingress_revision_newest', 'Number of the newest revision.', known(numberOf(revisions[0]?.id))),
    gauge('kong_ingress_revision_proven', 'The newest one that is proven everywhere.', known(numberOf(proven?.id))),
    gauge('kong_ingress_findings', 'Objects that are not in Kong as they are written.', [{ value: findings.count }]),
    gauge('kong_ingress_quarantined_entities', 'Entities that Kong rejects.', [{ value: quarantined.count }]),
    gauge('kong_ingress_withheld_deletes', 'Deletes that the last reconcile held back.', [{ value: withheldDeletes }]),
    gauge('kong_ingress_checked_timestamp_seconds', 'The last check of the data planes.', known(seconds(checkedAt))),
    gauge('kong_ingress_reconciled_timestamp_seconds', 'The last complete reconcile.', known(seconds(reconciledAt))),
  ];
}

function numberOf(id: string | undefined): number | undefined {
  return id === undefined ? undefined : Number(id);
}

/** The status in Prometheus' text format 0.0.4; what is not known has no sample. Pure. */
export function prometheus(status: Status): string {
  return metrics(status)
    .flatMap(lines)
    .map((line) => `${line}\n`)
    .join('');
}
