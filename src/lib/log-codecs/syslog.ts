import { type LogMessage, type LogSource, severityOf } from "./message.ts";

/** `unix` is the form of syslog(3) on one's own host; the others are RFC 3164 and RFC 5424. */
export type SyslogFormat = "unix" | "rfc3164" | "rfc5424" | "rfc5424micro";

export interface SyslogOptions {
  format: SyslogFormat;
  /** 0–23 */
  facility: number;
  pid: number;
  /** length before each message, as RFC 5425 has it, instead of a newline after it */
  counted: boolean;
}

const facilities =
  "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp 12 13 14 15 local0 local1 local2 local3 local4 local5 local6 local7".split(
    " ",
  );

/** The number of a facility given by name or number; undefined = there is none such. */
export function facilityNumber(text: string): number | undefined {
  if (/^\d{1,2}$/.test(text)) return Number(text) < 24 ? Number(text) : undefined;
  const at = facilities.indexOf(text);
  return at < 0 ? undefined : at;
}

/** One message, framed. Its time is the line's own, not that of sending. */
export function encodeSyslog(message: LogMessage, source: LogSource, options: SyslogOptions): Buffer {
  const head = Buffer.from(header(message, source, options));
  if (options.counted) {
    const size = Buffer.from(`${head.length + message.line.length} `);
    return Buffer.concat([size, head, message.line]);
  }
  return Buffer.concat([head, message.line, newline]);
}

const newline = Buffer.from("\n");

function header(
  message: LogMessage,
  { hostname, tag }: LogSource,
  { format, facility, pid }: SyslogOptions,
): string {
  const priority = `<${facility * 8 + severityOf(message)}>`;
  switch (format) {
    case "unix":
      return `${priority}${stamp(message.timeNs)} ${tag}[${pid}]: `;
    case "rfc3164":
      return `${priority}${stamp(message.timeNs)} ${hostname} ${tag}[${pid}]: `;
    default: {
      const time = internetTime(message.timeNs, format === "rfc5424micro");
      return `${priority}1 ${time} ${hostname} ${tag} ${pid} ${tag} - `;
    }
  }
}

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const two = (value: number): string => String(value).padStart(2, "0");
const dateOf = (ns: bigint): Date => new Date(Number(ns / 1_000_000n));

let stampSecond = -1n;
let stampText = "";

/** `Nov  2 06:52:13`, local time; lines come many a second. */
function stamp(ns: bigint): string {
  const second = ns / 1_000_000_000n;
  if (second === stampSecond) return stampText;
  const date = dateOf(ns);
  const day = String(date.getDate()).padStart(2, " ");
  stampSecond = second;
  stampText = `${months[date.getMonth()]} ${day} ${clock(date)}`;
  return stampText;
}

const clock = (date: Date): string =>
  `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** RFC 3339 in local time, with its offset. */
function internetTime(ns: bigint, micro: boolean): string {
  const date = dateOf(ns);
  const fraction = micro ? `.${((ns / 1000n) % 1_000_000n).toString().padStart(6, "0")}` : "";
  const ahead = -date.getTimezoneOffset();
  const [sign, size] = [ahead < 0 ? "-" : "+", Math.abs(ahead)];
  const zone = ahead === 0 ? "Z" : `${sign}${two(Math.trunc(size / 60))}:${two(size % 60)}`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${clock(date)}${fraction}${zone}`;
}
