import { EngineError, isKind } from "../../lib/errors.ts";
import { parsePort, parseRange } from "../../lib/net/ports.ts";
import { compilePattern } from "../../lib/text/pattern.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { exposedRanges } from "../networks/request.ts";
import { portSummaries } from "./ports.ts";
import { stateWord } from "./status.ts";

type Test = (container: Container) => boolean;
type Maker = (ctx: Context, values: string[]) => Test;

const states = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/** Each key of `GET /containers/json`'s filters, as a test of one container. */
const makers: Record<string, Maker> = {
  id: (_ctx, values) =>
    any(
      values,
      (value) =>
        ({ id }) =>
          id.startsWith(value),
    ),
  name: (_ctx, values) => any(values, nameTest),
  label: (_ctx, values) => every(values, labelTest),
  status: (_ctx, values) =>
    any(values.map(knownState), (value) => (container) => stateWord(container) === value),
  exited: (_ctx, values) =>
    any(
      values.map(exitCode),
      (code) =>
        ({ life, neverStarted }) =>
          life.status === "exited" && !neverStarted && life.exitCode === code,
    ),
  ancestor: (ctx, values) => ancestorTest(ctx, values),
  before: (ctx, values) => every(values, (value) => orderTest(ctx, value, (a, b) => a < b)),
  since: (ctx, values) => every(values, (value) => orderTest(ctx, value, (a, b) => a > b)),
  volume: (_ctx, values) =>
    any(
      values,
      (value) =>
        ({ spec }) =>
          spec.mounts.some(
            ({ point }) => point.Name === value || point.Source === value || point.Destination === value,
          ),
    ),
  network: (_ctx, values) =>
    any(values, (value) => ({ spec, life }) => {
      if (Object.keys(spec.networks).includes(value)) return true;
      return Object.values(life.sandbox?.endpoints ?? {}).some(
        ({ NetworkID }) => NetworkID !== "" && NetworkID.startsWith(value),
      );
    }),
  publish: (_ctx, values) =>
    any(
      values.flatMap((value) => portsOf("publish", value)),
      ({ port, protocol }) =>
        (container) =>
          portSummaries(container).some(
            ({ PublicPort, Type, Count = 1 }) =>
              PublicPort !== undefined &&
              PublicPort <= port &&
              port < PublicPort + Count &&
              Type === protocol,
          ),
    ),
  expose: (_ctx, values) =>
    any(
      values.flatMap((value) => portsOf("expose", value)),
      ({ port, protocol }) =>
        (container) =>
          portSummaries(container).some(
            ({ PrivatePort, Type, Count = 1 }) =>
              PrivatePort <= port && port < PrivatePort + Count && Type === protocol,
          ) ||
          (container.alive &&
            exposedRanges(container.spec.config).some(
              (one) => one.first <= port && port <= one.last && one.protocol === protocol,
            )),
    ),
  health: (ctx, values) =>
    any(values.map(knownHealth), (value) => (container) => (healthWord(ctx, container) ?? "none") === value),
  // means something on Windows only
  isolation: () => () => true,
  "is-task": (_ctx, values) => {
    const wanted = values.map((value) => {
      if (["1", "true"].includes(value)) return true;
      if (["0", "false"].includes(value)) return false;
      throw new EngineError("invalid", `invalid filter 'is-task=[${values.join(" ")}]'`);
    });
    return () => wanted.includes(false);
  },
};

const healthWord = (_ctx: Context, container: Container): string | undefined => container.health?.status;

const any = <V>(values: V[], test: (value: V) => Test): Test => {
  const tests = values.map(test);
  return (container) => tests.some((one) => one(container));
};
const every = <V>(values: V[], test: (value: V) => Test): Test => {
  const tests = values.map(test);
  return (container) => tests.every((one) => one(container));
};

/** A regular expression or substring, of the name with and without its slash. */
function nameTest(value: string): Test {
  const matches = compilePattern(value);
  // not an expression: Docker, too, falls back to plain text
  if (matches === undefined) return ({ name }) => name.includes(value);
  return ({ name }) => matches(`/${name}`) || matches(name);
}

export function labelTest(value: string): (container: Pick<Container, "spec">) => boolean {
  const at = value.indexOf("=");
  if (at < 0) return ({ spec }) => Object.hasOwn(spec.config.Labels, value);
  return ({ spec }) => spec.config.Labels[value.slice(0, at)] === value.slice(at + 1);
}

function knownState(value: string): string {
  if (states.includes(value)) return value;
  throw new EngineError(
    "invalid",
    `invalid filter 'status=${value}': invalid value for state (${value}): must be one of created, running, paused, restarting, removing, exited, dead`,
  );
}

function knownHealth(value: string): string {
  if (["starting", "healthy", "unhealthy", "none"].includes(value)) return value;
  throw new EngineError(
    "invalid",
    `invalid filter 'health=${value}': invalid value for health (${value}): must be one of none, starting, healthy, unhealthy`,
  );
}

function exitCode(value: string): number {
  if (/^[+-]?\d+$/.test(value)) return Number(value);
  throw new EngineError(
    "invalid",
    `invalid filter 'exited=${value}': strconv.Atoi: parsing "${value}": invalid syntax`,
  );
}

/** What Go's parser says of it. */
function whyNoPort(value: string): string {
  const [range = ""] = value.split("/");
  if (range === "") return "Empty string specified for ports.";
  for (const end of range.split("-")) {
    if (!/^\d+$/.test(end)) return `strconv.ParseUint: parsing ${JSON.stringify(end)}: invalid syntax`;
    if (Number(end) > 65535) return `strconv.ParseUint: parsing ${JSON.stringify(end)}: value out of range`;
  }
  return `Invalid range specified for the Port: ${range}`;
}

/** Docker's limit on a range: a filter must not become a list of 65536 tests many times over. */
function portsOf(filter: "publish" | "expose", value: string): { port: number; protocol: string }[] {
  const range = parsePort(value);
  const [ports = "", protocol] = value.split("/");
  // a protocol that nothing has is none that could be wrong
  if (!range && protocol !== undefined && parseRange(ports)) return [];
  if (!range)
    throw new EngineError("internal", `error while looking up for ${filter} ${value}: ${whyNoPort(value)}`);
  return Array.from({ length: range.last - range.first + 1 }, (_, index) => ({
    port: range.first + index,
    protocol: range.protocol,
  }));
}

/** Containers of an image, or of one that has all its layers at the bottom. */
function ancestorTest(ctx: Context, values: string[]): Test {
  const images = values.flatMap((value) => {
    try {
      return [ctx.images.resolve(value)];
    } catch (error) {
      if (isKind(error, "notFound") || isKind(error, "invalid")) return [];
      throw error;
    }
  });
  return ({ imageId, spec }) =>
    images.some(
      ({ id, layers }) =>
        id === imageId || (layers.length > 0 && layers.every((layer, index) => spec.layers[index] === layer)),
    );
}

function orderTest(ctx: Context, value: string, holds: (a: bigint, b: bigint) => boolean): Test {
  const other = ctx.store.find(value);
  return ({ createdAtNs }) => holds(createdAtNs, other.createdAtNs);
}

/** Every filter together. Throws `invalid filter 'x'` for a key there is not. */
export function filterTest(ctx: Context, filters: ReadonlyMap<string, string[]>): Test {
  const tests = [...filters].map(([key, values]) => {
    const maker = makers[key];
    if (!Object.hasOwn(makers, key) || !maker) throw new EngineError("invalid", `invalid filter '${key}'`);
    return maker(ctx, values);
  });
  return (container) => tests.every((test) => test(container));
}
