/**
 * Go's time.Parse for the layouts that RFC 3339 is made of. Throws its sentences, which users see:
 * `parsing time "2020-01" as "2006-01-02": cannot parse "" as "-"`.
 */
type Field = "year" | "month" | "day" | "hour" | "minute" | "second" | "fraction" | "zone";

const element = /2006|01|02|15|04|05|\.999999999|Z07:00/;
const fields: Record<string, [field: Field, shape: RegExp]> = {
  "2006": ["year", /^\d{4}/],
  "01": ["month", /^\d\d/],
  "02": ["day", /^\d\d/],
  "15": ["hour", /^\d\d?/],
  "04": ["minute", /^\d\d/],
  "05": ["second", /^\d\d/],
  ".999999999": ["fraction", /^(?:[.,]\d+)?/],
  "Z07:00": ["zone", /^(?:Z|[+-]\d\d:\d\d)/],
};
const ranges: Partial<Record<Field, [least: number, most: number]>> = {
  month: [1, 12],
  hour: [0, 23],
  minute: [0, 59],
  second: [0, 59],
};

/** Nanoseconds since the epoch; a text without a zone is of the local one. */
export function parseGoTime(layout: string, text: string): bigint {
  const found: Partial<Record<Field, string>> = {};
  const refuse = (rest: string, part: string): never => {
    const quoted = [text, layout, rest, part].map((each) => JSON.stringify(each));
    throw new Error(`parsing time ${quoted[0]} as ${quoted[1]}: cannot parse ${quoted[2]} as ${quoted[3]}`);
  };
  const outOfRange = (field: string): never => {
    throw new Error(`parsing time ${JSON.stringify(text)}: ${field} out of range`);
  };
  let rest = text;
  for (let left = layout; left !== ""; ) {
    const at = left.search(element);
    const literal = at < 0 ? left : left.slice(0, at);
    if (!rest.startsWith(literal)) refuse(rest, literal);
    rest = rest.slice(literal.length);
    const part = element.exec(left)?.[0] ?? "";
    left = left.slice(literal.length + part.length);
    const [field, shape] = fields[part] ?? [];
    if (field === undefined || shape === undefined) break;
    const value = shape.exec(rest)?.[0] ?? refuse(rest, part);
    const [least, most] = ranges[field] ?? [0, Number.MAX_VALUE];
    if (Number(value) < least || Number(value) > most) outOfRange(field);
    if (field === "zone") checkZone(value, outOfRange);
    found[field] = value;
    rest = rest.slice(value.length);
    if (field !== "second" || left.startsWith(".")) continue;
    const fraction = /^[.,]\d+/.exec(rest)?.[0] ?? "";
    if (fraction !== "") found.fraction = fraction;
    rest = rest.slice(fraction.length);
  }
  if (rest !== "")
    throw new Error(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`);
  const { year = "", month = "01", day = "01", hour = "0", minute = "00", second = "00", zone = "" } = found;
  if (Number(day) < 1 || Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate())
    outOfRange("day");
  // without a zone it is local; the offset is taken off here, for Date.parse takes none of a whole day
  const date = `${year}-${month}-${day}T${hour.padStart(2, "0")}:${minute}:${second}`;
  const milliseconds = zone === "" ? Date.parse(date) : Date.parse(`${date}Z`) - offsetMs(zone);
  const nanoseconds = (found.fraction ?? "").slice(1, 10).padEnd(9, "0");
  return BigInt(milliseconds) * 1_000_000n + BigInt(nanoseconds);
}

/** `Z`, or `+hh:mm`; Go takes 24 hours and 60 minutes too, and tells of the minutes first. */
function checkZone(zone: string, outOfRange: (field: string) => never): void {
  if (Number(zone.slice(4)) > 60) outOfRange("time zone offset minute");
  if (Number(zone.slice(1, 3)) > 24) outOfRange("time zone offset hour");
}

function offsetMs(zone: string): number {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000;
}
