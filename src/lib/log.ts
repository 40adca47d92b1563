/**
 * Structured log lines of the engine: one JSON object or one logfmt line each, on standard error.
 * A component takes a `Logger` in its constructor; nothing logs through a global.
 */
export type LogLevel = "debug" | "info" | "warn" | "error";
type Fields = Record<string, string | number | boolean | undefined>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LogOptions {
  level: LogLevel;
  format: "text" | "json";
  write: (line: string) => void;
}

const quote = (value: string): string => (/^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value));

function textLine(time: string, level: LogLevel, message: string, fields: Fields): string {
  const rest = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${quote(String(value))}`],
  );
  return [`time=${time}`, `level=${level}`, `msg=${JSON.stringify(message)}`, ...rest].join(" ");
}

export function createLogger({ level, format, write }: LogOptions): Logger {
  const log =
    (at: LogLevel) =>
    (message: string, fields: Fields = {}) => {
      if (order[at] < order[level]) return;
      const time = new Date().toISOString();
      const line =
        format === "json"
          ? JSON.stringify({ time, level: at, msg: message, ...fields })
          : textLine(time, at, message, fields);
      write(`${line}\n`);
    };
  return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
}

const nothing = (): void => undefined;
/** For tests and for callers that truly want silence. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
