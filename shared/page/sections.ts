import { ago, counted, duration, proofText, PROOF_MEANS } from './format.ts';
import { html, type Html } from './html.ts';
import type { DataPlaneStatus, Listed, Overall, Status } from './status.ts';
import { OVERALL_TONE, sign, STATE_TONE, type Glyph } from './tone.ts';

/** Why there is nothing to show. */
export interface Failure {
  readonly code: string;
  readonly cause: string;
  readonly nextStep: string;
}

const OVERALL_GLYPH: Readonly<Record<Overall, Glyph>> = {
  served: 'converged',
  applying: 'applying',
  trouble: 'rejecting',
  unknown: 'unknown',
  empty: 'empty',
};

function inState(status: Status, ...states: readonly DataPlaneStatus['state'][]): number {
  return status.dataPlanes.filter(({ state }) => states.includes(state)).length;
}

/** The weakest proof that the data planes' verdicts rest on. */
function weakest({ dataPlanes }: Status): DataPlaneStatus['proof'] {
  const order = ['bounded', 'stored', 'serving'] as const;
  return order.find((proof) => dataPlanes.some((item) => item.proof === proof));
}

/** The answer to "is everything served?" in one line. */
export function headline(status: Status): string {
  const all = counted(status.dataPlanes.length, 'data plane');
  switch (status.overall) {
    case 'served':
      return weakest(status) === 'serving' ? 'Everything is served' : 'Every data plane has everything';
    case 'applying':
      return `A change is on its way to ${inState(status, 'applying')} of ${all}`;
    case 'trouble':
      return `${inState(status, 'partitioned', 'rejecting', 'incompatible')} of ${all} may serve an old configuration`;
    case 'empty':
      return 'Nothing has been written yet';
    default:
      return 'It is unknown what the data planes serve';
  }
}

function explanation(status: Status): string {
  const { overall, revisions, now, dataPlanes } = status;
  const [newest] = revisions;
  const revision = newest === undefined ? '' : `revision ${newest.id}, written ${ago(newest.writtenAt, now)}`;
  if (overall === 'empty') return 'As soon as an object of the cluster is translated, its way is shown here.';
  const proof = weakest(status);
  if (overall === 'served' && proof !== undefined) {
    return `${counted(dataPlanes.length, 'data plane')} at ${revision}. Proof: ${proof}, that is, ${PROOF_MEANS[proof]}.`;
  }
  if (overall === 'unknown' && dataPlanes.length === 0) return 'No data plane is known. The evidence is missing.';
  const needy = dataPlanes.find(({ state }) => state !== 'converged');
  return needy === undefined
    ? `The newest is ${revision}.`
    : `${needy.name}: ${needy.reason}. The newest is ${revision}.`;
}

/** The big answer. Pure. */
export function hero(status: Status, failure: Failure | undefined): Html {
  const text = failure === undefined ? explanation(status) : `${failure.code}: ${failure.cause} ${failure.nextStep}`;
  return html`<section class="hero ${OVERALL_TONE[status.overall]}">
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">${sign(OVERALL_GLYPH[status.overall], 0, 0, 24)}</svg>
    <div>
      <strong>${headline(status)}</strong>
      <p>${text}</p>
    </div>
  </section>`;
}

function dataPlaneRow(item: DataPlaneStatus, now: number): Html {
  const { name, state, revision, lag, reason, since } = item;
  const behind = lag === undefined || lag.revisions === 0 ? '' : `, ${lag.revisions} behind`;
  const lasting = since === undefined ? '' : duration(now - since);
  return html`<tr>
    <td><strong>${name}</strong></td>
    <td class="keep"><span class="badge ${STATE_TONE[state]}">${state}</span></td>
    <td class="keep" data-name="for">${lasting}</td>
    <td class="keep number" data-name="revision">${revision ?? '–'}${behind}</td>
    <td class="keep" data-name="proof">${proofText(item)}</td>
    <td class="keep" data-name="evidence">${item.evidence}</td>
    <td class="muted">${reason}</td>
  </tr>`;
}

/** All data planes with their verdicts. Pure. */
export function dataPlaneTable({ dataPlanes, now }: Status): Html | undefined {
  if (dataPlanes.length === 0) return undefined;
  return html`<section>
    <h2>Data planes</h2>
    <div class="scroll">
      <table class="cards">
        <thead>
          <tr>
            <th>name</th>
            <th>state</th>
            <th>for</th>
            <th>revision</th>
            <th>proof</th>
            <th>evidence</th>
            <th>why</th>
          </tr>
        </thead>
        <tbody>
          ${dataPlanes.map((item) => dataPlaneRow(item, now))}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** Deletes that wait for somebody. Pure. */
export function withheld({ withheldDeletes }: Status): Html | undefined {
  if (withheldDeletes === 0) return undefined;
  return html`<section class="callout warn">
    <h2>${counted(withheldDeletes, 'delete')} held back</h2>
    <p>The last reconcile found so much to delete that it stopped. When it is meant, run it with "force".</p>
  </section>`;
}

/** What Kong's own settings cost. Pure. */
export function advice({ warnings }: Status): Html | undefined {
  if (warnings.length === 0) return undefined;
  return html`<section>
    <h2>Settings of Kong that cost time or proof</h2>
    <ul>
      ${warnings.map((warning) => html`<li>${warning}</li>`)}
    </ul>
  </section>`;
}

function more({ count, items }: Listed<unknown>): Html | undefined {
  return count > items.length ? html`<p class="more">and ${counted(count - items.length, 'other')}</p>` : undefined;
}

/** What Kong rejected. Pure. */
export function quarantine({ quarantined, now }: Status): Html | undefined {
  if (quarantined.count === 0) return undefined;
  return html`<section>
    <h2>Rejected by Kong <small>${counted(quarantined.count, 'entity', 'entities')} in quarantine</small></h2>
    <table class="cards">
      <thead>
        <tr>
          <th>entity</th>
          <th>tried</th>
          <th>again</th>
          <th>why</th>
        </tr>
      </thead>
      <tbody>
        ${quarantined.items.map(
          ({ entity, attempts, retryAt, message }) =>
            html`<tr>
              <td><strong>${entity}</strong></td>
              <td class="keep" data-name="tried">${counted(attempts, 'time')}</td>
              <td class="keep" data-name="again">${retryAt > now ? `in ${duration(retryAt - now)}` : 'now'}</td>
              <td class="muted">${message}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${more(quarantined)}
  </section>`;
}

/** What is not translated as written. Pure. */
export function findings({ findings: found }: Status): Html | undefined {
  if (found.count === 0) return undefined;
  return html`<section>
    <h2>Findings <small>objects that are not in Kong as they are written</small></h2>
    <table class="cards">
      <thead>
        <tr>
          <th>object</th>
          <th>reason</th>
          <th>what to do</th>
        </tr>
      </thead>
      <tbody>
        ${found.items.map(
          ({ object, reason, severity, message }) =>
            html`<tr>
              <td><strong>${object}</strong></td>
              <td class="keep">
                <span class="badge ${severity === 'error' ? 'bad' : 'warn'}">${severity}: ${reason}</span>
              </td>
              <td class="muted">${message}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${more(found)}
  </section>`;
}
