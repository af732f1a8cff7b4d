import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/** What a start without a screen, a GPU or a network needs. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser's program, and where the libraries and fonts are that it brings. */
interface Program {
  readonly executablePath: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Why there is no browser on this machine; undefined when there is one. */
export function withoutBrowser(): string | undefined {
  if (process.env['CHROMIUM_PATH'] !== undefined || (process.platform === 'linux' && process.arch === 'x64')) {
    return undefined;
  }
  return 'NO BROWSER TEST: the npm package with Chromium is for Linux on x64; set CHROMIUM_PATH to another Chromium';
}

function inDirectory(directory: string): Program {
  return {
    executablePath: path.join(directory, 'chromium'),
    env: {
      LD_LIBRARY_PATH: path.join(directory, 'al2023', 'lib'),
      FONTCONFIG_PATH: path.join(directory, 'fonts'),
      HOME: directory,
    },
  };
}

/** Unpacks the npm package's Chromium (67 MB) once, beside it; a run that is cut short leaves nothing half there. */
async function unpacked(): Promise<Program> {
  const root = path.dirname(path.dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')));
  const directory = path.join(root, '.unpacked');
  if (existsSync(directory)) return inDirectory(directory);
  const fresh = await mkdtemp(path.join(root, '.unpacking-'));
  const before = process.env['TMPDIR'];
  // Where the package unpacks to.
  process.env['TMPDIR'] = fresh;
  try {
    const { default: packed, inflate } = await import('@sparticuz/chromium');
    await packed.executablePath();
    await inflate(path.join(root, 'bin', 'al2023.tar.br'));
    await rename(fresh, directory);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  return inDirectory(directory);
}

/** Starts Chromium: the one of CHROMIUM_PATH, or that of the npm package. */
export async function startBrowser(): Promise<Browser> {
  const given = process.env['CHROMIUM_PATH'];
  const { executablePath, env } = given === undefined ? await unpacked() : { executablePath: given, env: {} };
  return chromium.launch({ executablePath, headless: true, args: FLAGS, env: { ...process.env, ...env } });
}

/** Where screenshots are kept for people to look at. */
export async function screenshotDirectory(): Promise<string> {
  const directory = path.join(import.meta.dirname, '../../.local/screenshots');
  await mkdir(directory, { recursive: true });
  return directory;
}
