import { commandLimit } from "../../lib/wire/hosted-command.ts";

/**
 * What the launcher and the engine agree on: which command lines may run in the engine, and what is sent along with one.
 * Plain data, of which the launcher's tables are made when the program is built.
 */

/** The words a command line begins with; options and names follow them. */
export const hostedCommands: readonly string[] = [
  "container create",
  "container kill",
  "container list",
  "container ls",
  "container pause",
  "container port",
  "container ps",
  "container remove",
  "container rename",
  "container restart",
  "container rm",
  "container start",
  "container stop",
  "container unpause",
  "create",
  "image list",
  "image ls",
  "image remove",
  "image rm",
  "image tag",
  "images",
  "kill",
  "network connect",
  "network create",
  "network disconnect",
  "network list",
  "network ls",
  "network remove",
  "network rm",
  "pause",
  "port",
  "ps",
  "remove",
  "rename",
  "restart",
  "rm",
  "rmi",
  "start",
  "stop",
  "tag",
  "unpause",
  "version",
  "volume create",
  "volume list",
  "volume ls",
  "volume remove",
  "volume rm",
];

/** The variables of the client's environment that the engine may be told; no other one leaves the process. */
export const hostedVariables: readonly string[] = [
  "BERTH_HOST",
  "DOCKER_API_VERSION",
  "DOCKER_CONFIG",
  "DOCKER_DEFAULT_PLATFORM",
  "DOCKER_HOST",
  "HOME",
];

/** Where one of these is set and not empty, the command line runs in its own process. */
export const barringVariables: readonly string[] = [
  "BERTH_TRACE",
  "BUN_BE_BUN",
  "BUN_OPTIONS",
  "DOCKER_CERT_PATH",
  "DOCKER_CONTEXT",
  "DOCKER_CUSTOM_HEADERS",
  "DOCKER_TLS",
  "DOCKER_TLS_VERIFY",
];

/** Keys of `config.json` that hosted commands may ask for: where the file has one, they run in their own process. */
export const barringSettings: readonly string[] = [
  "HttpHeaders",
  "currentContext",
  "detachKeys",
  "imagesFormat",
  "networksFormat",
  "proxies",
  "psFormat",
  "volumesFormat",
];

/** Longest request body, in bytes. */
export const hostedBodyLimit = commandLimit;
