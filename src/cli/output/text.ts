/** Cuts a text to `width` columns, the last of them an ellipsis. */
export function ellipsis(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return width <= 1 ? characters.slice(0, width).join("") : `${characters.slice(0, width - 1).join("")}…`;
}

export const joinLabels = (labels: Record<string, string> | null | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");

const pad = (value: number, width = 2): string => String(value).padStart(width, "0");

/** Go's `time.Time.String()` in the local zone: `2026-01-02 03:04:05 +0000 UTC`. Takes seconds since the epoch. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? "-" : "+";
  const zone = `${sign}${pad(Math.trunc(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())} ${zone} ${zoneName(date, zone)}`;
}

/** RFC 3339 in the local zone without a fraction. */
export function localRfc3339(seconds: number): string {
  const text = localTime(seconds);
  const zone = text.slice(20, 25);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${zone === "+0000" ? "Z" : `${zone.slice(0, 3)}:${zone.slice(3)}`}`;
}

function zoneName(date: Date, zone: string): string {
  const name = /\(([^)]+)\)/.exec(date.toString())?.[1] ?? "";
  if (zone === "+0000") return name.startsWith("Greenwich") ? "GMT" : "UTC";
  return /^[A-Z]{3,5}$/.test(name) ? name : zone;
}

/** An RFC 3339 time in UTC as Go prints it: `2026-01-02 03:04:05.123 +0000 UTC`. */
export function goTime(time: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T([\d:.]+)(Z|[+-]\d\d:\d\d)$/.exec(time);
  if (!match) return time;
  const zone = match[3] === "Z" ? "+0000 UTC" : `${match[3]?.replace(":", "")} ${match[3]?.replace(":", "")}`;
  return `${match[1]} ${match[2]} ${zone}`;
}

/** An event's moment in the local zone with nine digits of fraction. */
export function localNanoTime({ time = 0, timeNano }: { time?: number; timeNano?: number | bigint }): string {
  const nano =
    timeNano === undefined || BigInt(timeNano) === 0n ? BigInt(time) * 1_000_000_000n : BigInt(timeNano);
  const base = localRfc3339(Number(nano / 1_000_000_000n));
  return `${base.slice(0, 19)}.${String(nano % 1_000_000_000n).padStart(9, "0")}${base.slice(19)}`;
}
