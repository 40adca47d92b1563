/** The documented states of a container, as a table: what each operation answers in each state, and what follows. */

export type State = "absent" | "created" | "running" | "paused" | "exited";

export const operations = [
  "create",
  "start",
  "stop",
  "kill",
  "hangup",
  "pause",
  "unpause",
  "restart",
  "remove",
  "removeForced",
  "exec",
] as const;
export type Operation = (typeof operations)[number];

/** What a container's process does, and what its policy makes of that. */
export type Kind = "sleeper" | "polite" | "quick" | "stays" | "crasher";

interface KindFacts {
  command: string;
  policy: string;
  /** exit codes it can have once a user has ended it */
  codes: readonly number[];
}

export const kinds: Record<Kind, KindFacts> = {
  /** the first process of a namespace ignores SIGTERM, so it always takes SIGKILL */
  sleeper: { command: "exec sleep 4321", policy: "no", codes: [137] },
  polite: { command: 'trap "exit 7" TERM; sleep 4321 & wait', policy: "no", codes: [7, 137] },
  quick: { command: "echo said; exit 5", policy: "no", codes: [5] },
  stays: { command: "exec sleep 4321", policy: "unless-stopped", codes: [137] },
  crasher: { command: "sleep 0.3; exit 3", policy: "always", codes: [3, 137] },
};

export interface Expected {
  /** status codes it may answer, each with the state that follows; `running` of a crasher is also `restarting` */
  answers: ReadonlyMap<number, State>;
  /** states it may be found in when the engine was killed meanwhile, besides those above and the one before */
  between: readonly State[];
}

type Row = Record<State, [number, State, ...State[]]>;

const stay = (absent: number, stopped: number, running: number, paused: number): Row => ({
  absent: [absent, "absent"],
  created: [stopped, "created"],
  running: [running, "running"],
  paused: [paused, "paused"],
  exited: [stopped, "exited"],
});

const table: Record<Operation, Row> = {
  create: { ...stay(0, 409, 409, 409), absent: [201, "created"] },
  start: { ...stay(404, 0, 304, 409), created: [204, "running"], exited: [204, "running"] },
  stop: { ...stay(404, 304, 0, 0), running: [204, "exited"], paused: [204, "exited", "running"] },
  kill: { ...stay(404, 409, 0, 0), running: [204, "exited"], paused: [204, "exited", "running"] },
  hangup: { ...stay(404, 409, 204, 0), paused: [204, "running"] },
  pause: { ...stay(404, 409, 0, 409), running: [204, "paused"] },
  unpause: { ...stay(404, 500, 500, 0), paused: [204, "running"] },
  restart: {
    absent: [404, "absent"],
    created: [204, "running"],
    running: [204, "running", "exited"],
    paused: [204, "running", "exited"],
    exited: [204, "running"],
  },
  remove: { ...stay(404, 0, 409, 409), created: [204, "absent"], exited: [204, "absent"] },
  removeForced: {
    absent: [404, "absent"],
    created: [204, "absent"],
    running: [204, "absent", "exited"],
    paused: [204, "absent", "exited", "running"],
    exited: [204, "absent"],
  },
  exec: stay(404, 409, 201, 409),
};

export function expected(operation: Operation, kind: Kind, state: State): Expected {
  const [status, next, ...between] = table[operation][state];
  const answers = new Map<number, State>([[status, next]]);
  // between two runs there is nothing to freeze or to enter
  if (kind === "crasher" && state === "running" && (operation === "pause" || operation === "exec"))
    answers.set(409, "running");
  // it may have ended just before it was frozen, and then it restarts
  if (kind === "crasher" && state === "paused") {
    const [other, then] = table[operation].running;
    if (!answers.has(other)) answers.set(other, then);
    if (operation === "exec") answers.set(201, "paused");
  }
  return { answers, between };
}

/** What a new engine makes of a state: `always` comes back even where a user had stopped it. */
export const afterRestart = (kind: Kind, state: State): State =>
  kinds[kind].policy === "always" && state === "exited" ? "running" : state;
