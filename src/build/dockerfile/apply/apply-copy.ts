import { posix } from "node:path";
import type { Add, Copy } from "../../../lib/dockerfile/instruction.ts";
import { EngineError } from "../../../lib/errors.ts";
import { digestProblem } from "../../../lib/image/digest.ts";
import { parseMode } from "../../copy/mode.ts";
import { classicNop, sourcesMark } from "../classic-history.ts";
import { sourceOf } from "../stages/source-of.ts";
import type { SourceRef } from "../stages/sources.ts";
import { type StageState, withCapitals } from "../state.ts";
import type { CopyItem } from "../steps.ts";
import { type GitSource, parseGit } from "./git-source.ts";
import { clean, resolveDestination } from "./paths.ts";

/** COPY and ADD. Errors are `invalid`. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

export function applyCopy(state: StageState, written: Copy | Add): void {
  const instruction = expanded(state, written);
  const { source, destination, chown, chmod, link, exclude } = instruction;
  const mode = chmod === "" ? undefined : parseChmod(chmod);
  if (instruction.kind === "add") checkChecksum(instruction);
  const from = copySource(state, instruction);
  if (state.isClassic) checkDestination(instruction);
  const name = withCapitals(state.shown(source.text, { escapeToken: source.escape }));
  const items: CopyItem[] = [
    ...instruction.sources.map((path) => item(state, instruction, path, from)),
    ...instruction.inlines.map(({ name, content }) => ({ kind: "inline", name, content }) as const),
  ];
  state.add({
    kind: "copy",
    add: instruction.kind === "add",
    items,
    destination: resolveDestination(state.config.WorkingDir || "/", destination),
    chown,
    chmod: mode,
    // a layer of its own has no users: their names are looked up where the step stands, as by Docker
    link: link && !namesOwner(chown),
    exclude,
    name: state.stepName(name),
    instruction: source.text,
    location: source.location,
    createdBy: state.isClassic ? classicCopy(state, instruction) : createdBy(instruction),
  });
}

const namesOwner = (chown: string): boolean => !/^\d*(?::\d*)?$/.test(chown);

function checkDestination({ kind, sources, inlines, destination }: Copy | Add): void {
  if (sources.length + inlines.length > 1 && !destination.endsWith("/"))
    throw invalid(
      `When using ${kind.toUpperCase()} with more than one source file, the destination must be a directory and end with a /`,
    );
}

/** The order is BuildKit's, so that the first of several mistakes is the one told. */
function expanded(state: StageState, instruction: Copy | Add): Copy | Add {
  const word = (text: string) => state.expand(instruction, text);
  const chown = word(instruction.chown);
  const chmod = word(instruction.chmod);
  const checksum = instruction.kind === "add" ? word(instruction.checksum) : "";
  const sources = instruction.sources.map(word);
  const destination = word(instruction.destination);
  const inlines = instruction.inlines.map((inline) => {
    if (!inline.expand) return inline;
    const expansion = state.expandQuietly(inline.content, { ignoreQuotes: true });
    state.tellUndefined(instruction, expansion);
    return { ...inline, content: expansion.text };
  });
  const common = { sources, destination, inlines, chown, chmod };
  return instruction.kind === "add" ? { ...instruction, ...common, checksum } : { ...instruction, ...common };
}

function parseChmod(text: string): { mode: number } | { symbolic: string } {
  parseMode(text); // refuses what is neither
  return /^[0-7]+$/.test(text) ? { mode: Number.parseInt(text, 8) } : { symbolic: text };
}

const isHttp = (path: string): boolean => /^https?:\/\//.test(path) && parseGit(path) === undefined;

function checkChecksum({ checksum, sources }: Add): void {
  if (checksum === "") return;
  const [only = ""] = sources;
  if (sources.length !== 1) throw invalid("checksum can't be specified for multiple sources");
  if (!isHttp(only) && parseGit(only) === undefined)
    throw invalid("checksum requires HTTP(S) or Git sources");
}

function copySource(state: StageState, instruction: Copy | Add): SourceRef {
  if (instruction.kind === "add" || instruction.from === "") return { kind: "context" };
  const source = sourceOf(state, instruction, instruction.from);
  if (source.kind === "stage" && source.index >= state.stage.index) {
    const stage = state.stage.name ?? `stage-${state.stage.index}`;
    throw invalid(
      `cannot copy from stage ${JSON.stringify(instruction.from)}, it needs to be defined before current stage ${JSON.stringify(stage)}`,
    );
  }
  return source;
}

function item(state: StageState, instruction: Copy | Add, path: string, from: SourceRef): CopyItem {
  const git = parseGit(path);
  if (git) {
    if (instruction.kind === "copy") throw invalid("source can't be a git ref for COPY");
    return { kind: "git", git: gitSource(instruction, git) };
  }
  if (isHttp(path)) {
    if (instruction.kind === "copy") throw invalid("source can't be a URL for COPY");
    return url(instruction, path);
  }
  if (state.isClassic && from.kind === "context" && clean(path).startsWith(".."))
    throw invalid(
      `${instruction.kind.toUpperCase()} failed: forbidden path outside the build context: ${path} ()`,
    );
  tellIgnored(state, instruction, path, from);
  const unpack = instruction.kind === "add" && (instruction.unpack ?? true);
  if (!instruction.parents) return { kind: "path", from, path: absolute(path), include: undefined, unpack };
  const pivot = path.indexOf("/./");
  const kept = pivot < 0 ? path : path.slice(pivot + 3);
  const root = pivot < 0 ? "/" : path.slice(0, pivot);
  return { kind: "path", from, path: absolute(root), include: absolute(kept).slice(1), unpack };
}

const absolute = (path: string): string => clean(posix.join("/", path));

function gitSource(instruction: Add, git: NonNullable<ReturnType<typeof parseGit>>): GitSource {
  const { keepGitDir, checksum } = instruction;
  if (keepGitDir !== undefined && git.keepGitDir !== undefined && keepGitDir !== git.keepGitDir)
    throw invalid("inconsistent keep-git-dir configuration");
  if (checksum !== "" && git.checksum !== "" && checksum !== git.checksum)
    throw invalid(`checksum mismatch ${JSON.stringify(checksum)} != ${JSON.stringify(git.checksum)}`);
  return {
    ...git,
    keepGitDir: git.keepGitDir ?? keepGitDir ?? false,
    checksum: git.checksum || checksum,
  };
}

function url({ checksum, unpack }: Add, address: string): CopyItem {
  const problem = checksum === "" ? undefined : digestProblem(checksum);
  if (problem !== undefined) throw invalid(problem);
  const base = URL.canParse(address) ? posix.basename(new URL(address).pathname) : "";
  const filename = base === "" ? "__unnamed__" : base;
  return { kind: "url", url: address, filename, checksum: checksum || undefined, unpack: unpack ?? false };
}

function tellIgnored(state: StageState, instruction: Copy | Add, path: string, from: SourceRef): void {
  if (from.kind !== "context" || !state.plan.settings.isIgnored?.(clean(path))) return;
  state.report("CopyIgnoredFile", instruction, instruction.kind === "add" ? "Add" : "Copy", path);
}

function classicCopy(state: StageState, { kind, chown, destination }: Copy | Add): string {
  const owner = chown === "" ? "" : `--chown=${chown} `;
  return classicNop(
    state.config.Shell,
    `${kind.toUpperCase()} ${owner}${sourcesMark} in ${resolveDestination(state.config.WorkingDir || "/", destination)} `,
  );
}

function createdBy(instruction: Copy | Add): string {
  const { kind, parents, chown, chmod, sources, inlines, destination } = instruction;
  return [
    kind.toUpperCase(),
    ...(parents ? ["--parents"] : []),
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === "" ? [] : [`--chmod=${chmod}`]),
    ...sources,
    ...inlines.map(({ name }) => `<<${name}`),
    destination,
    "# buildkit",
  ].join(" ");
}
