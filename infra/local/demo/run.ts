import path from 'node:path';
import { appendFileSync, mkdirSync } from 'node:fs';
import type { Killer } from '../aws/index.ts';
import { startStack, type Stack, type Topology } from '../stack.ts';
import { startBackend, type Backend } from './backends.ts';
import { showBroken, type BrokenResult } from './broken-ingress.ts';
import { connectCluster } from './cluster.ts';
import { showCutOff, type CutOffResult } from './cut-off.ts';
import { startJourney, type StepResult } from './journey.ts';
import { createMeter, type Meter } from './meter.ts';
import { changeOneByOne, growTo, type ScaleResult } from './scale.ts';
import { moreSteps } from './more-steps.ts';
import { runKilled, type FinalRow } from './killed.ts';
import { readState } from './state.ts';
import { shop } from './steps.ts';
import { table } from './table.ts';

export interface DemoOptions {
  readonly topology: Topology;
  /** Sizes of the cluster, in other Ingresses, among which changes are measured; growing. */
  readonly others: readonly number[];
  /** For data that is thrown away. */
  readonly directory: string;
  readonly print: (line: string) => void;
  /** Kills functions at random while the steps run, in the way of this seed, and compares with an undisturbed run. */
  readonly kill?: number;
}

/** Ingresses that are changed one by one at each size of the cluster. */
const CHANGES = 50;

const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`);

function proofText({ proofs }: StepResult): string {
  const held = proofs.filter((proof) => proof.held).length;
  return `${held === proofs.length ? '✓' : '✗'} ${held} of ${proofs.length}`;
}

function stepRow(result: StepResult): string[] {
  return [
    result.name,
    String(result.events),
    String(result.writes),
    String(result.httpRequests),
    String(result.sqlStatements),
    seconds(result.writtenMs),
    seconds(result.convergedMs),
    proofText(result),
  ];
}

function cutOffRow({
  name,
  events,
  writes,
  httpRequests,
  sqlStatements,
  state,
  afterMs,
  checks,
}: CutOffResult): string[] {
  const held = checks.filter((check) => check.held).length;
  const proof = `${held === checks.length ? '✓' : '✗'} ${held} of ${checks.length}`;
  const counts = [events, writes, httpRequests, sqlStatements].map((count) => (events === 0 ? '' : String(count)));
  return [name, ...counts, '', state === 'converged' ? seconds(afterMs) : state, proof];
}

const each = (numbers: readonly number[]): string => `${numbers.toSorted((a, b) => a - b).join('/')} each`;

function scaleRow(result: ScaleResult, same: boolean): string[] {
  const name = `${result.changes} changes, one by one, among ${result.others} other Ingresses`;
  const counts = [String(result.changes), String(result.writes), each(result.httpRequests), each(result.sqlStatements)];
  return [name, ...counts, '', '', same ? '✓ same cost' : '✗ cost differs'];
}

/** True when every change, at every size, cost the same number of requests and statements. */
function sameCost(results: readonly ScaleResult[]): boolean {
  const costs = results.map(({ httpRequests, sqlStatements }) => JSON.stringify([httpRequests, sqlStatements]));
  const single = results.every(
    ({ httpRequests, sqlStatements }) => httpRequests.length === 1 && sqlStatements.length === 1,
  );
  return single && new Set(costs).size <= 1;
}

const HEADER = ['step', '#events', '#Kong writes', '#HTTP', '#SQL', '#written', '#converged', 'proof by request'];

type Print = DemoOptions['print'];

function tell(print: Print, result: StepResult): void {
  const times = `written ${seconds(result.writtenMs)}, converged ${seconds(result.convergedMs)}`;
  print(`  ${result.name}: ${times} (${result.evidence})`);
  for (const { says, held, saw } of result.proofs)
    print(`    ${held ? '✓' : '✗'} ${says}${held ? '' : `; saw ${saw}`}`);
  for (const finding of result.findings) print(`    finding ${finding}`);
}

async function runSteps(
  stack: Stack,
  meter: Meter,
  backends: readonly Backend[],
  print: Print,
  settled?: () => Promise<void>,
): Promise<StepResult[]> {
  const cluster = connectCluster(stack.kubeconfig);
  const journey = startJourney(stack, meter, settled);
  const results: StepResult[] = [];
  for (const step of [...(await shop({ stack, cluster, backends })), ...(await moreSteps(cluster))]) {
    const result = await journey.run(step);
    tell(print, result);
    results.push(result);
  }
  return results;
}

async function runBroken(stack: Stack, meter: Meter, print: Print): Promise<BrokenResult> {
  const result = await showBroken(stack, connectCluster(stack.kubeconfig));
  meter.read();
  print(`  ${result.name}: told after ${seconds(result.toldMs)}; kubectl describe ingress broken -n shop shows`);
  print(`    ${result.held ? '✓' : '✗'} ${result.line}`);
  return result;
}

function brokenRow({ name, toldMs, held }: BrokenResult): string[] {
  const proof = held ? '✓ its Event says what to do' : '✗ no such Event';
  return [name, '1', '', '', '', seconds(toldMs), '', proof];
}

async function runScale(stack: Stack, meter: Meter, others: readonly number[], print: Print): Promise<ScaleResult[]> {
  const cluster = connectCluster(stack.kubeconfig);
  const results: ScaleResult[] = [];
  for (const [place, count] of others.entries()) {
    print(`  growing to ${count} other Ingresses …`);
    await growTo(stack, others[place - 1] ?? 0, count);
    const result = await changeOneByOne(stack, cluster, meter, CHANGES, `/size-${count}`);
    results.push({ ...result, others: count });
  }
  return results;
}

async function runCutOff(stack: Stack, meter: Meter, print: Print): Promise<readonly CutOffResult[]> {
  const results = await showCutOff(stack, connectCluster(stack.kubeconfig), meter);
  for (const { name, state, afterMs, checks } of results) {
    print(`  ${name}: ${state} after ${seconds(afterMs)}`);
    for (const { says, held, saw } of checks) print(`    ${held ? '✓' : '✗'} ${says}${held ? '' : `; saw ${saw}`}`);
  }
  return results;
}

function startDemoStack({ topology, directory }: DemoOptions, meter: Meter, killer?: Killer): Promise<Stack> {
  const log = path.join(directory, 'functions.log');
  mkdirSync(directory, { recursive: true });
  return startStack({
    topology,
    directory,
    environment: process.env,
    schedules: false,
    ...(killer === undefined ? {} : { killer }),
    log: (line) => {
      meter.feed(line);
      appendFileSync(log, `${line}\n`);
    },
  });
}

interface Running {
  readonly stack: Stack;
  readonly meter: Meter;
  readonly backends: readonly Backend[];
}

/** Starts a stack with the Services' pods, for as long as `work` takes. */
async function withStack<T>(options: DemoOptions, work: (running: Running) => Promise<T>, killer?: Killer): Promise<T> {
  const { topology, print } = options;
  const started = Date.now();
  const meter = createMeter();
  print(`Starting PostgreSQL, stand-ins for Kong (${topology}) and Kubernetes, and the functions …`);
  const stack = await startDemoStack(options, meter, killer);
  const backends = await Promise.all(['web', 'api', 'assets', 'web-new'].map(startBackend));
  try {
    const proxies = stack.kong.proxies.map((proxy) => proxy.http).join(', ');
    print(`Ready after ${seconds(Date.now() - started)}. Admin API ${stack.kong.adminUrls[0]}, proxies ${proxies}`);
    return await work({ stack, meter, backends });
  } finally {
    await Promise.all(backends.map((backend) => backend.stop()));
    await stack.stop();
  }
}

/** The steps on a stack of their own, and what Kong holds after each. */
function finalRows(options: DemoOptions, part: string, killer?: Killer): Promise<readonly FinalRow[]> {
  const own = { ...options, directory: path.join(options.directory, part) };
  const work = async ({ stack, meter, backends }: Running): Promise<readonly FinalRow[]> => {
    const state = await readState(stack);
    const states: string[] = [];
    const settle = async (): Promise<void> => void states.push(await state.settled());
    try {
      const results = await runSteps(stack, meter, backends, options.print, settle);
      return results.map((result, place) => [result.name, states[place] ?? '', proofText(result)]);
    } finally {
      await state.close();
    }
  };
  return withStack(own, work, killer);
}

/** Runs the demo and prints its table. True when every proof held. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { others, print, kill } = options;
  if (kill !== undefined) return runKilled(kill, print, (part, killer) => finalRows(options, part, killer));
  const started = Date.now();
  return withStack(options, async ({ stack, meter, backends }) => {
    const results = await runSteps(stack, meter, backends, print);
    const cutOff = await runCutOff(stack, meter, print);
    const broken = await runBroken(stack, meter, print);
    const scale = await runScale(stack, meter, others, print);
    const same = sameCost(scale);
    const scaleRows = scale.map((result) => scaleRow(result, same));
    const rows = [...results.map(stepRow), ...cutOff.map(cutOffRow), brokenRow(broken), ...scaleRows];
    print(`\n${table(HEADER, rows)}\n`);
    const proofs = [...results.flatMap((result) => result.proofs), ...cutOff.flatMap(({ checks }) => checks)];
    const held = same && broken.held && proofs.every((proof) => proof.held);
    print(`${held ? 'Every proof held' : 'A PROOF FAILED'}, after ${seconds(Date.now() - started)}.`);
    return held;
  });
}
