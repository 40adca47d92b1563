import { heredocText, parseHeredocMark } from "../../../lib/dockerfile/heredoc.ts";
import type { Run } from "../../../lib/dockerfile/instruction.ts";
import { EngineError } from "../../../lib/errors.ts";
import { UnplacedError } from "../../failure.ts";
import { classicCommand } from "../classic-history.ts";
import { type StageState, withCapitals } from "../state.ts";
import type { RunStep, StepMount } from "../steps.ts";
import { throughShell } from "./apply-commands.ts";
import { resolveMounts } from "./mounts.ts";

/** RUN: a step whose process sees the variables as they are now. */
export function applyRun(state: StageState, instruction: Run): void {
  const { source, network, security, devices } = instruction;
  if (devices.length > 0)
    throw new EngineError(
      "notImplemented",
      "device feature is only supported in Dockerfile frontend 1.14.0-labs or later",
    );
  const mounts = resolveMounts(state, instruction);
  const { words, inlineFile, summary } = heredocCommand(instruction);
  const args = throughShell(state, { ...instruction.command, words });
  const [program] = args;
  if (program === undefined)
    throw new UnplacedError("invalid", "failed to marshal LLB definition: arguments are required");
  state.add({
    kind: "run",
    args,
    env: state.variables(),
    cwd: state.config.WorkingDir || "/",
    user: state.config.User ?? "",
    mounts,
    volumes: state.isClassic ? Object.keys(state.config.Volumes ?? {}) : [],
    network,
    security,
    inlineFile,
    proxy: proxyVariables(state.plan.settings.buildArgs),
    name: state.stepName(withCapitals(shownCommand(state, instruction, mounts) + summary)),
    instruction: source.text,
    location: source.location,
    createdBy: createdBy(state, args),
  });
}

function createdBy(state: StageState, args: readonly string[]): string {
  if (!state.isClassic) return `RUN ${[...argsPrefix(state), ...args].join(" ")} # buildkit`;
  const proxies = Object.keys(proxyVariables(state.plan.settings.buildArgs)).length;
  const { args: declared, environment } = state;
  return classicCommand(args, {
    args: declared,
    environment,
    isFixed: (key) => state.isFixed(key),
    proxies,
  });
}

interface HeredocCommand {
  words: string[];
  inlineFile: RunStep["inlineFile"];
  summary: string;
}

/** One heredoc alone is the script; a `#!` in it picks what runs it. Others go to the shell as they stand. */
function heredocCommand({ command, source }: Run): HeredocCommand {
  const [first] = source.heredocs;
  const [line = ""] = command.words;
  if (first === undefined || !command.shell)
    return { words: command.words, inlineFile: undefined, summary: "" };
  if (!parseHeredocMark(line)) {
    const full = source.heredocs.reduce((text, { content, name }) => `${text}\n${content}${name}`, line);
    return { words: [full], inlineFile: undefined, summary: "" };
  }
  const summary = ` (${summarised(first.content)})`;
  const text = heredocText(first);
  if (!first.content.startsWith("#!")) return { words: [text], inlineFile: undefined, summary };
  const path = `/dev/pipes/${first.name}`;
  return { words: [path], inlineFile: { path, content: text }, summary };
}

function summarised(content: string): string {
  const [first = "", ...more] = content.trim().replaceAll("\r\n", "\n").split("\n");
  return more.length > 0 ? `${first}...` : first;
}

/** Variables that hold secrets are shown as stars. */
function shownCommand(state: StageState, { source }: Run, mounts: readonly StepMount[]): string {
  const masked = new Map(state.environment);
  for (const { type, env } of mounts) if (type === "secret" && env !== undefined) masked.set(env, "****");
  return state.shown(source.text, { escapeToken: source.escape, rawQuotes: true, keepUnset: true }, masked);
}

/** `|2 A=1 B=2`: the ARGs that the step saw. */
function argsPrefix({ args, environment }: StageState): string[] {
  const values = new Map(args.map(({ key, value }) => [key, environment.get(key) ?? value ?? ""]));
  const told = [...values].map(([key, value]) => `${key}=${value}`);
  return told.length === 0 ? [] : [`|${told.length}`, ...told];
}

const proxyNames: readonly string[] = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

function proxyVariables(buildArgs: ReadonlyMap<string, string>): Record<string, string> {
  const proxy: Record<string, string> = {};
  for (const key of [...buildArgs.keys()].toSorted()) {
    const name = key.toLowerCase();
    if (!proxyNames.includes(name)) continue;
    const value = buildArgs.get(key) ?? "";
    proxy[name] = value;
    proxy[name.toUpperCase()] = value;
  }
  return proxy;
}
