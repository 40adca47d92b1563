/** How a server wants to be authenticated, of `WWW-Authenticate` (RFC 9110, 11.6.1). */
export interface Challenge {
  /** "bearer", "basic" … */
  scheme: string;
  parameters: Readonly<Record<string, string>>;
}

const headerMax = 16 * 1024;

/** Several challenges may stand in one header, separated by commas as their parameters are. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const word = /\s*,?\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  const text = header.slice(0, headerMax);
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    const [, name = "", quoted, plain] = match;
    if (quoted === undefined && plain === undefined) {
      challenges.push({ scheme: name.toLowerCase(), parameters: {} });
      continue;
    }
    const last = challenges.at(-1);
    if (last) last.parameters[name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "";
  }
  return challenges;
}
