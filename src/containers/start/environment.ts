const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const nameOf = (assignment: string): string => assignment.split("=", 1)[0] ?? "";

/** Adds assignments, each in the place of one of the same name; a bare name takes the variable away. */
export function withVariables(base: readonly string[], more: readonly string[]): string[] {
  const result = [...base];
  for (const assignment of more) {
    const name = nameOf(assignment);
    const at = result.findIndex((one) => nameOf(one) === name);
    if (!assignment.includes("=")) {
      if (at >= 0) result.splice(at, 1);
    } else if (at >= 0) result[at] = assignment;
    else result.push(assignment);
  }
  return result;
}

/** The environment of a container's process: PATH, HOSTNAME and TERM by default, then its own, then HOME. */
export function environmentOf(options: {
  env: readonly string[];
  hostname: string;
  terminal: boolean;
  home: string;
  /** variables that links to other containers give */
  linked?: readonly string[];
  /** an exec's own, which change all of the others */
  more?: readonly string[];
}): string[] {
  const base = [
    defaultPath,
    `HOSTNAME=${options.hostname}`,
    ...(options.terminal ? ["TERM=xterm"] : []),
    ...(options.linked ?? []),
  ];
  // an empty HOME is none, as to runc
  const own = withVariables(withVariables(base, options.env), options.more ?? []).filter(
    (one) => one !== "HOME=",
  );
  return own.some((one) => one.startsWith("HOME=")) ? own : [...own, `HOME=${options.home}`];
}
