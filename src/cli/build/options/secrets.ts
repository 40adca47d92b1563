import { readFile, stat } from "node:fs/promises";
import { fileError } from "../../run/key-value-files.ts";
import { buildError, optionError } from "../failure.ts";
import { csv, fields } from "./pairs.ts";

const secretMax = 500 << 10;

/** `--secret id=x,src=file` and `id=x,env=NAME`: their bytes in base64, by id. */
export async function readSecrets(options: readonly string[]): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const option of options) {
    const secret = parseSecret(option);
    const bytes = secret.variable === undefined ? await fromFile(secret.path) : process.env[secret.variable];
    if (bytes !== undefined) secrets[secret.id] = Buffer.from(bytes).toString("base64");
  }
  return secrets;
}

function parseSecret(option: string): { id: string; path: string; variable: string | undefined } {
  const values = fields(option);
  for (const key of values.keys())
    if (!["id", "src", "source", "env", "type"].includes(key))
      throw optionError(`unexpected key '${key}' in '${key}=${values.get(key)}'`);
  const id = values.get("id") ?? "";
  const type = values.get("type") ?? "";
  if (type !== "" && type !== "file" && type !== "env")
    throw optionError(`unsupported secret type ${JSON.stringify(type)}`);
  const source = values.get("src") ?? values.get("source") ?? "";
  const env = values.get("env") ?? (type === "env" ? source : "");
  if (id === "") throw buildError("secret missing ID");
  if (env !== "") return { id, path: "", variable: env };
  // a name alone is a variable of that name, else a file
  if (source === "" && process.env[id] !== undefined) return { id, path: "", variable: id };
  return { id, path: source || id, variable: undefined };
}

async function fromFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > secretMax) throw buildError(`invalid secret size ${size} bytes, max allowed: ${secretMax}`);
    return await readFile(path);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (typeof error.code === "number") throw error;
    throw buildError(`failed to stat ${path}: ${fileError("stat", path, error).message}`);
  }
}

/** `--ssh default`, `--ssh id=socket`, `--ssh id=key[,key]`: paths of agents' sockets, by id. */
export async function agentSockets(options: readonly string[]): Promise<Record<string, string>> {
  const sockets: Record<string, string> = {};
  for (const option of options.filter((text) => text !== "")) {
    const equals = option.indexOf("=");
    const id = equals < 0 ? option : option.slice(0, equals);
    const paths = equals < 0 ? [] : csv(option.slice(equals + 1));
    const [path = process.env["SSH_AUTH_SOCK"] ?? ""] = paths;
    const shown = `{${id} [${paths.join(" ")}] false}`;
    if (path === "")
      throw buildError(
        `failed to convert agent config ${shown}: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set`,
      );
    const failing = `failed to convert agent config ${shown}: failed to convert agent config for ID: "${id}"`;
    const found = await Promise.all(
      (paths.length > 0 ? paths : [path]).map((each) => isSocket(each, failing)),
    );
    if (found.includes(true) && found.length > 1) throw buildError(`${failing}: only single socket allowed`);
    if (!found.includes(true)) for (const each of paths) await checkKey(each, failing);
    sockets[id || "default"] = found.includes(true) ? path : await agentOf(paths);
  }
  return sockets;
}

async function agentOf(keys: readonly string[]): Promise<string> {
  const { keyAgent } = await import("./key-agent.ts");
  return await keyAgent(keys);
}

/** What is no key at all is told here: ssh-add would complain of its mode first. */
async function checkKey(path: string, failing: string): Promise<void> {
  const text = await readFile(path, "latin1");
  if (!text.includes("-----BEGIN "))
    throw buildError(`${failing}: failed to parse ${path}: ssh: no key found`);
}

async function isSocket(path: string, failing: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch (error) {
    throw buildError(`${failing}: ${fileError("stat", path, error).message}`);
  }
}
