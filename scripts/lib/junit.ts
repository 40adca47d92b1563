/** What `bun test` reports of a run in JUnit's format: how many tests did what, and how those failed that did. */
export interface Failure {
  test: string;
  /** as thrown, a line for each of its own */
  message: string;
}

export interface Report {
  passed: number;
  failed: number;
  skipped: number;
  failures: Failure[];
}

/** `text` = "" for a run that died before it could report: nothing of everything. */
export function readReport(text: string): Report {
  const head = /<testsuites[^>]*>/.exec(text)?.[0] ?? "";
  const figure = (key: string): number => Number(new RegExp(`\\b${key}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const [tests, failed, skipped] = [figure("tests"), figure("failures"), figure("skipped")];
  const cases = text.matchAll(/<testcase ([^>]*[^/>])>\s*<failure ([^>]*?)(?:\/>|>([^<]*)<\/failure>)/g);
  const failures = [...cases].map(([, test = "", failure = "", said = ""]) => ({
    test: [attribute(test, "classname"), attribute(test, "name")].filter(Boolean).join(" > "),
    message: plain(said).trim() || attribute(failure, "message") || attribute(failure, "type"),
  }));
  return { passed: tests - failed - skipped, failed, skipped, failures };
}

const attribute = (attributes: string, name: string): string =>
  plain(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

const plain = (text: string): string =>
  text.replace(/&(?:#(\d+)|(\w+));/g, (all, code?: string, name?: string) =>
    code === undefined ? (entities[name ?? ""] ?? all) : String.fromCodePoint(Number(code)),
  );

const mostLines = 14;
const mostLength = 160;

/** A failure in few lines, so that those of a whole run fit at its end; its stack's first place is its last line. */
export function compact({ test, message }: Failure): string[] {
  const lines = message
    .split("\n")
    .map((line) => printable(line).trimEnd())
    .filter((line) => line !== "");
  const places = lines.filter((line) => /^\s+at \S/.test(line));
  const said = lines.filter((line) => !places.includes(line));
  const middle = mostLines / 2;
  const cut = said.length <= mostLines ? said : [...said.slice(0, middle), "…", ...said.slice(-middle)];
  return [test, ...[...cut, ...places.slice(0, 1)].map((line) => `    ${line.slice(0, mostLength)}`)];
}

/** Without what would move a terminal's cursor or colour it. */
const printable = (line: string): string =>
  line.replace(/\x1b\[[\d;]*[A-Za-z]/g, "").replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "?");
