import type { MetricUnit } from '@aws-lambda-powertools/metrics/types';
import type { Status } from '../page/status.ts';
import type { Converged } from './converge.ts';
import type { DataPlaneState } from './types.ts';

/** A CloudWatch metric of a run. */
export interface Measured {
  readonly name: string;
  readonly unit: MetricUnit;
  readonly value: number;
}

const STATES: readonly (readonly [state: DataPlaneState, name: string])[] = [
  ['converged', 'DataPlanesConverged'],
  ['applying', 'DataPlanesApplying'],
  ['rejecting', 'DataPlanesRejecting'],
  ['incompatible', 'DataPlanesIncompatible'],
  ['partitioned', 'DataPlanesPartitioned'],
  ['unknown', 'DataPlanesUnknown'],
];

function count(name: string, value: number): Measured {
  return { name, unit: 'Count', value };
}

/** Data planes by state, and the revisions that this run proved. Every name is there in every run. */
export function measurements({ verdicts, converged }: Converged): readonly Measured[] {
  const states = STATES.map(([state, name]) =>
    count(name, verdicts.filter((verdict) => verdict.state === state).length),
  );
  return [...states, count('RevisionsConverged', converged.length)];
}

/** What else is wrong, and how far the slowest data plane is behind. Every name is there in every run. */
export function indexMeasurements(status: Status): readonly Measured[] {
  const lags = status.dataPlanes.flatMap(({ lag }) => lag ?? []);
  return [
    { name: 'LagSecondsMax', unit: 'Seconds', value: Math.max(0, ...lags.map(({ seconds }) => seconds)) },
    count('Findings', status.findings.count),
    count('QuarantinedEntities', status.quarantined.count),
    count('WithheldDeletes', status.withheldDeletes),
  ];
}

/** How far each data plane is behind, for the dimension `DataPlane`; none for those of which nothing is known. */
export function lagMeasurements(
  status: Status,
): readonly { readonly dataPlane: string; readonly metrics: readonly Measured[] }[] {
  return status.dataPlanes.flatMap(({ name, lag }) => {
    if (lag === undefined) return [];
    const seconds: Measured = { name: 'LagSeconds', unit: 'Seconds', value: lag.seconds };
    return [{ dataPlane: name, metrics: [count('LagRevisions', lag.revisions), seconds] }];
  });
}
