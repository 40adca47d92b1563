/** One line a container wrote, without its newline, as log drivers hand it on. */
export interface LogMessage {
  /** 1 = standard output, 2 = standard error */
  stream: 1 | 2;
  timeNs: bigint;
  line: Uint8Array;
  /** the line is a part of one longer than 16 KiB, or was never ended */
  partial?: { id: string; ordinal: number; last: boolean };
}

/** Who wrote it, as every message tells it. */
export interface LogSource {
  hostname: string;
  containerId: string;
  /** without a slash */
  containerName: string;
  imageId: string;
  imageName: string;
  command: string;
  /** RFC 3339 */
  created: string;
  tag: string;
  /** labels and variables that the options name */
  extra: Readonly<Record<string, string>>;
}

/** syslog(3): standard error is `err`, standard output `info`. */
export const severityOf = ({ stream }: LogMessage): number => (stream === 2 ? 3 : 6);
