import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { connectCluster, type Cluster } from '../../infra/local/demo/cluster.ts';
import { until } from '../../infra/local/demo/meter.ts';
import { hostIngress } from '../../infra/local/demo/objects.ts';
import { shopObjects } from '../../infra/local/demo/steps.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import { isRecord } from '../../shared/json.ts';
import { screenshotDirectory, startBrowser, withoutBrowser } from '../support/browser.ts';

const skip = withoutBrowser();
if (skip !== undefined) process.stderr.write(`${skip}\n`);

const SCREENS = {
  desktop: { viewport: { width: 1200, height: 800 }, colorScheme: 'light' },
  'desktop-dark': { viewport: { width: 1200, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2 },
  'phone-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark', deviceScaleFactor: 2 },
} as const;

type Screen = keyof typeof SCREENS;

let directory: string;
let screenshots: string;
let stack: Stack;
let cluster: Cluster;
let browser: Browser;
const lines: string[] = [];

if (skip === undefined) {
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-page-'));
    await chmod(directory, 0o755);
    screenshots = await screenshotDirectory();
    stack = await startStack({
      topology: 'hybrid',
      directory,
      environment: {},
      // Nobody calls converge here: what the page shows comes of the checks that follow each write.
      schedules: true,
      log: (line) => void lines.push(line),
    });
    cluster = connectCluster(stack.kubeconfig);
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    await stack?.stop();
    await rm(directory, { recursive: true, force: true });
  });
}

/** What /status.json says is the case overall. */
async function overall(): Promise<unknown> {
  const answer = await fetch(`${stack.cloud.httpUrl}/status.json`, {
    headers: { authorization: `Bearer ${stack.status.token}` },
  });
  const value: unknown = await answer.json();
  return isRecord(value) ? value['overall'] : undefined;
}

function becomes(state: string): Promise<true> {
  return until(`the status is ${state}`, 60_000, async () => ((await overall()) === state ? true : undefined));
}

/** Opens the page as a browser without JavaScript; nothing may be blocked, missing or wider than the screen. */
async function open(options: (typeof SCREENS)[Screen]): Promise<Page> {
  const page = await browser.newPage({ ...options, javaScriptEnabled: false });
  const problems: string[] = [];
  page.on('console', (message) => void problems.push(message.text()));
  page.on('requestfailed', (request) => void problems.push(request.url()));
  const answer = await page.goto(stack.status.url);
  assert.equal(answer?.status(), 200);
  assert.deepEqual(problems, []);
  const width = await page.evaluate('document.documentElement.scrollWidth');
  assert.ok(Number(width) <= options.viewport.width, `${String(width)} wide`);
  return page;
}

/** Looks at the page on these screens; gives the text of the last one. */
async function look(name: string, screens: readonly Screen[] = ['desktop', 'phone-dark']): Promise<string> {
  let text = '';
  for (const screen of screens) {
    const page = await open(SCREENS[screen]);
    await page.screenshot({ path: path.join(screenshots, `${name}-${screen}.png`), fullPage: true });
    const shown = await page.locator('svg.flow:visible').count();
    assert.equal(shown, 1);
    text = await page.locator('body').innerText();
    await page.close();
  }
  return text;
}

test('an empty cluster: nothing has been written yet', { skip }, async () => {
  assert.match(await look('empty'), /Nothing has been written yet/);
});

test('before a change: every data plane has everything, and nobody had to ask', { skip }, async () => {
  const ports = ['web', 'api', 'assets'].map((name) => ({ name, port: 9, stop: async () => undefined }));
  await cluster.apply(...(await shopObjects(ports)));
  await becomes('served');
  const text = await look('before');
  assert.match(text, /Every data plane has everything/);
  assert.match(text, /dp1[\s\S]*converged[\s\S]*stored/);
});

test('after a change: it is on its way, then proven', { skip }, async () => {
  await cluster.apply(hostIngress('late', 'late.shop.example', '/'));
  await becomes('applying');
  await becomes('served');
  assert.match(await look('after'), /2 data planes at revision \d+/);
});

test('with a data plane cut off: the open page says so by itself, and the bus is told once', { skip }, async () => {
  const told: string[] = [];
  stack.cloud.onEvent((event) => void told.push(event['detail-type']));
  const page = await open(SCREENS.desktop);
  const node = stack.kong.standIn?.nodes[1];
  await node?.pause();
  await cluster.apply(hostIngress('later', 'later.shop.example', '/'));
  await becomes('trouble');
  await page.getByText('1 of 2 data planes may serve an old configuration').waitFor({ timeout: 15_000 });
  await page.close();
  const text = await look('cut-off', ['desktop', 'desktop-dark', 'phone', 'phone-dark']);
  assert.match(text, /dp2[\s\S]*partitioned[\s\S]*1 behind/);
  assert.equal(told.filter((type) => type === 'DataPlaneLost').length, 1);
  assert.equal(told.filter((type) => type === 'DataPlanesConverged').length, 0);
  node?.resume();
  await becomes('served');
  await until('the bus is told', 5_000, () => (told.includes('DataPlanesConverged') ? true : undefined));
});

test('no token is in what the functions log', { skip }, () => {
  assert.ok(lines.length > 0);
  assert.ok(!lines.some((line) => line.includes(stack.status.token)));
});
