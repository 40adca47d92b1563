import { stopSignal } from "../../../lib/dockerfile/changes.ts";
import type {
  Arg,
  ArgDefinition,
  Env,
  Instruction,
  Label,
  Shell,
  Word,
  Words,
} from "../../../lib/dockerfile/instruction.ts";
import { EngineError } from "../../../lib/errors.ts";
import { classicNop } from "../classic-history.ts";
import { type StageState, sbomArgs, withCapitals } from "../state.ts";
import { applyCommand, applyHealthcheck } from "./apply-commands.ts";
import { applyCopy } from "./apply-copy.ts";
import { applyExpose } from "./apply-expose.ts";
import { applyRun } from "./apply-run.ts";
import { resolvePath } from "./paths.ts";

/** Lets one instruction change a stage: its configuration, its variables, or a step more. Errors are `invalid`. */
export function applyInstruction(state: StageState, instruction: Instruction): void {
  switch (instruction.kind) {
    case "env":
      applyEnv(state, instruction);
      break;
    case "label":
      applyLabel(state, instruction);
      break;
    case "arg":
      applyArg(state, instruction);
      break;
    case "run":
      applyRun(state, instruction);
      break;
    case "copy":
    case "add":
      applyCopy(state, instruction);
      break;
    case "cmd":
    case "entrypoint":
      applyCommand(state, instruction);
      break;
    case "healthcheck":
      applyHealthcheck(state, instruction);
      break;
    case "shell":
      applyShell(state, instruction);
      break;
    case "onbuild":
      state.triggers.push(instruction.expression);
      if (state.isClassic) state.commit("", ` ONBUILD ${instruction.expression}`);
      break;
    case "expose":
    case "volume":
      if (instruction.kind === "expose") applyExpose(state, instruction);
      else applyVolume(state, instruction);
      break;
    case "from":
      break;
    default:
      applyWord(state, instruction);
  }
}

function applyShell(state: StageState, { shell }: Shell): void {
  state.config = { ...state.config, Shell: shell };
  state.commit(`SHELL [${shell.join(" ")}]`);
}

function applyWord(state: StageState, instruction: Word): void {
  const { kind } = instruction;
  const word = kind === "maintainer" ? instruction.word : state.expand(instruction, instruction.word);
  if (kind === "workdir") applyWorkdir(state, instruction, word);
  else {
    if (kind === "maintainer") state.author = word;
    else if (kind === "user") state.config = { ...state.config, User: word };
    else state.config = { ...state.config, StopSignal: stopSignal(word) };
    state.commit(`${kind.toUpperCase()} ${word}`);
  }
}

function applyEnv(state: StageState, instruction: Env): void {
  const pairs = expandPairs(state, instruction);
  for (const { key, value, legacy } of pairs) {
    if (legacy) state.report("LegacyKeyValueFormat", instruction, instruction.source.name);
    reportSecret(state, instruction, "ENV", key);
    state.setVariable(key, value);
  }
  state.commit(["ENV", ...pairs.map(({ key, value }) => `${key}=${value}`)].join(" "));
}

function applyLabel(state: StageState, instruction: Label): void {
  const pairs = expandPairs(state, instruction);
  for (const { legacy } of pairs)
    if (legacy) state.report("LegacyKeyValueFormat", instruction, instruction.source.name);
  state.setLabels(pairs);
  state.commit(["LABEL", ...pairs.map(({ key, value }) => `${key}=${value}`)].join(" "));
}

/** All pairs see the variables as they were before the instruction. */
const expandPairs = (state: StageState, instruction: Env | Label) =>
  instruction.pairs.map(({ key, value, legacy }) => ({
    key: state.expand(instruction, key),
    value: state.expand(instruction, value),
    legacy,
  }));

function applyArg(state: StageState, instruction: Arg): void {
  const told: string[] = [];
  const defaults: string[] = [];
  for (const definition of instruction.args) {
    const { key, description } = definition;
    reportSecret(state, instruction, "ARG", key);
    const { value, isGlobal } = argValue(state, instruction, key, definition.value);
    if (value !== undefined && !sbomArgs.includes(key) && !state.isFixed(key)) state.setForSteps(key, value);
    const line = instruction.source.location.start.line;
    if (!isGlobal) state.usage.args.set(key, { description, value, line });
    state.usage.usedArgs.add(key);
    state.args.push({ key, value });
    told.push(value === undefined ? key : `${key}=${value}`);
    if (state.isClassic) defaults.push(written(definition, state));
  }
  state.commit(`ARG ${told.join(" ")}`, ` ARG ${defaults.join(" ")}`);
}

/** As the file has it, whatever `--build-arg` says. */
const written = ({ key, value }: ArgDefinition, state: StageState): string =>
  value === undefined ? key : `${key}=${state.shown(value, { escapeToken: "\\" })}`;

/** What `--build-arg` says, else the default, else the global ARG of that name. */
function argValue(
  state: StageState,
  instruction: Arg,
  key: string,
  written: string | undefined,
): { value: string | undefined; isGlobal: boolean } {
  const { settings, globalArgs } = state.plan;
  const given = settings.buildArgs.get(key);
  if (given !== undefined) return { value: given, isGlobal: false };
  if (written !== undefined) return { value: state.expand(instruction, written), isGlobal: false };
  const value = globalArgs.values.get(key);
  return { value, isGlobal: value !== undefined };
}

const secretWords = "apikey|auth|credentials?|key|password|pword|passwd|secret|token";
const secretName = new RegExp(`(?:_|^)(?:${secretWords})(?:_|$)`, "i");
const publicName = /(?:_|^)public(?:_|$)/i;

function reportSecret(state: StageState, instruction: Instruction, name: string, key: string): void {
  if (secretName.test(key) && !publicName.test(key))
    state.report("SecretsUsedInArgOrEnv", instruction, name, key);
}

function applyVolume(state: StageState, instruction: Words): void {
  const paths = instruction.words.map((word) => state.expand(instruction, word));
  if (paths.includes("")) throw new EngineError("invalid", "VOLUME specified can not be an empty string");
  const added = Object.fromEntries(paths.map((path) => [path, {}]));
  state.config = { ...state.config, Volumes: { ...state.config.Volumes, ...added } };
  state.commit(`VOLUME [${paths.join(" ")}]`);
}

function applyWorkdir(state: StageState, instruction: Word, path: string): void {
  if (!state.workdirSet && !path.startsWith("/")) state.report("WorkdirRelativePath", instruction, path);
  state.workdirSet = true;
  const workdir = resolvePath(state.config.WorkingDir ?? "", path);
  state.config = { ...state.config, WorkingDir: workdir };
  const createdBy = `WORKDIR ${workdir}`;
  if (workdir === "/") {
    state.commit(createdBy, createdBy);
    return;
  }
  const { source } = instruction;
  state.add({
    kind: "workdir",
    path: workdir,
    user: state.config.User ?? "",
    name: state.stepName(withCapitals(state.shown(source.text, { escapeToken: source.escape }))),
    instruction: source.text,
    location: source.location,
    createdBy: state.isClassic ? classicNop(state.config.Shell, createdBy) : createdBy,
  });
}
