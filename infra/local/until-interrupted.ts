/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once, with the signal's exit code. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const signals = { SIGINT: 130, SIGTERM: 143 } as const;
    for (const [signal, code] of Object.entries(signals)) {
      process.on(signal, () => {
        if (asked) process.exit(code);
        asked = true;
        resolve();
      });
    }
  });
}
