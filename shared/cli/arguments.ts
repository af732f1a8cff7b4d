import { parseArgs, type ParseArgsConfig } from 'node:util';
import { AppError } from '../errors.ts';

/** An error about a command line, with the command's usage. */
export function badArguments(problem: string, usage: string, cause?: unknown): AppError {
  return new AppError('ARGUMENTS_INVALID', `${problem}\nusage: kong-ingress ${usage}`, { cause });
}

/** `parseArgs` that throws ARGUMENTS_INVALID with the command's usage. */
export function parseArguments<const Config extends ParseArgsConfig>(
  config: Config,
  usage: string,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw badArguments(error instanceof Error ? error.message : 'unknown arguments', usage, error);
  }
}
