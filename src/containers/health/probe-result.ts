export interface ProbeResult {
  /** 0 = passed */
  exitCode: number;
  output: string;
}

/** One kind of check, of one run of a container. */
export interface Probe {
  run(signal: AbortSignal): Promise<ProbeResult>;
  /** calls back when a probe is worth making now, before its time */
  onChange?(changed: () => void): void;
  close?(): void;
}

/** bytes of output that are kept */
export const outputMax = 4096;

/** Docker's mark of an output that was cut. */
export const shortened = (output: string): string =>
  output.length > outputMax ? `${output.slice(0, outputMax)}...` : output;
