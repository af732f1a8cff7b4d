import type { MetricUnit } from '@aws-lambda-powertools/metrics/types';
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

/** Data planes by state, and the revisions that this run proved. Every name is there in every run. */
export function measurements({ verdicts, converged }: Converged): readonly Measured[] {
  const states = STATES.map(([state, name]): Measured => ({
    name,
    unit: 'Count',
    value: verdicts.filter((verdict) => verdict.state === state).length,
  }));
  return [...states, { name: 'RevisionsConverged', unit: 'Count', value: converged.length }];
}
