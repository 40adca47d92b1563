/**
 * The patterns of a .dockerignore, in order: comments and blank lines gone, each cleaned as a path without a leading
 * slash, `!` kept (https://docs.docker.com/build/concepts/context/#dockerignore-files).
 */
export function ignoreLines(text: string): string[] {
  const patterns: string[] = [];
  for (const [at, raw] of text.split("\n").entries()) {
    const line = at === 0 ? raw.replace(/^\ufeff/, "") : raw;
    if (line.startsWith("#")) continue;
    const trimmed = line.trim();
    if (trimmed === "") continue;
    const negated = trimmed.startsWith("!");
    const path = cleanPattern(negated ? trimmed.slice(1).trim() : trimmed);
    patterns.push(negated ? `!${path}` : path);
  }
  return patterns;
}

function cleanPattern(pattern: string): string {
  if (pattern === "") return pattern;
  const kept: string[] = [];
  for (const name of pattern.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === ".." && kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (name !== ".." || !pattern.startsWith("/")) kept.push(name);
  }
  return kept.length === 0 ? (pattern.startsWith("/") ? "" : ".") : kept.join("/");
}
