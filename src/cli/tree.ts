import type { Command } from "./command.ts";

/** A command's place in the grammar; its code is loaded when it is called. */
export interface Leaf {
  summary: string;
  load: () => Promise<{ command: Command }>;
  /** further names beside its own in the same group */
  aliases?: string[];
  hidden?: boolean;
}

export interface Group {
  summary: string;
  children: Record<string, Leaf>;
  hidden?: boolean;
}

const leaf = (summary: string, load: Leaf["load"], aliases: string[] = []): Leaf => ({
  summary,
  load,
  aliases,
});

const container: Record<string, Leaf> = {
  attach: leaf(
    "Connect this terminal to a running container",
    () => import("./commands/container/attach.ts"),
  ),
  commit: leaf("Make an image of what a container changed", () => import("./commands/container/commit.ts")),
  cp: leaf("Copy files and folders to or from a container", () => import("./commands/container/cp.ts")),
  create: leaf("Create a container without starting it", () => import("./commands/container/create.ts")),
  debug: leaf("Run tools beside a running container", () => import("./commands/container/debug.ts")),
  diff: leaf("Show which files a container changed", () => import("./commands/container/diff.ts")),
  exec: leaf("Run a command in a running container", () => import("./commands/container/exec.ts")),
  export: leaf("Write a container's files as a tar archive", () => import("./commands/container/export.ts")),
  inspect: leaf("Show all that is known about containers", () => import("./commands/container/inspect.ts")),
  kill: leaf("Send a signal to containers (KILL by default)", () => import("./commands/container/kill.ts")),
  logs: leaf("Show what a container wrote", () => import("./commands/container/logs.ts")),
  ls: leaf("List containers", () => import("./commands/container/list.ts"), ["list", "ps"]),
  pause: leaf("Freeze the processes of containers", () => import("./commands/container/pause.ts")),
  port: leaf("Show a container's published ports", () => import("./commands/container/port.ts")),
  prune: leaf("Remove all stopped containers", () => import("./commands/container/prune.ts")),
  rename: leaf("Give a container another name", () => import("./commands/container/rename.ts")),
  restart: leaf("Stop containers and start them again", () => import("./commands/container/restart.ts")),
  rm: leaf("Remove containers", () => import("./commands/container/remove.ts"), ["remove"]),
  run: leaf("Create a container from an image and start it", () => import("./commands/container/run.ts")),
  start: leaf("Start stopped containers", () => import("./commands/container/start.ts")),
  stats: leaf("Show what containers use of the machine", () => import("./commands/container/stats.ts")),
  stop: leaf("Stop running containers", () => import("./commands/container/stop.ts")),
  top: leaf("Show the processes of a container", () => import("./commands/container/top.ts")),
  unpause: leaf("Thaw the processes of containers", () => import("./commands/container/unpause.ts")),
  update: leaf("Change the limits of containers", () => import("./commands/container/update.ts")),
  wait: leaf(
    "Wait until containers end and print their exit codes",
    () => import("./commands/container/wait.ts"),
  ),
};

const image: Record<string, Leaf> = {
  history: leaf("Show how an image was made", () => import("./commands/image/history.ts")),
  import: leaf("Make an image of a tar archive of files", () => import("./commands/image/import.ts")),
  inspect: leaf("Show all that is known about images", () => import("./commands/image/inspect.ts")),
  load: leaf("Load images from an archive or from stdin", () => import("./commands/image/load.ts")),
  ls: leaf("List images", () => import("./commands/image/list.ts"), ["list"]),
  prune: leaf("Remove unused images", () => import("./commands/image/prune.ts")),
  pull: leaf("Download an image from a registry", () => import("./commands/image/pull.ts")),
  push: leaf("Upload an image to a registry", () => import("./commands/image/push.ts")),
  rm: leaf("Remove images", () => import("./commands/image/remove.ts"), ["remove"]),
  save: leaf("Write images to an archive (stdout by default)", () => import("./commands/image/save.ts")),
  tag: leaf("Give an image another name", () => import("./commands/image/tag.ts")),
};

const volume: Record<string, Leaf> = {
  create: leaf("Create a volume", () => import("./commands/volume/create.ts")),
  inspect: leaf("Show all that is known about volumes", () => import("./commands/volume/inspect.ts")),
  ls: leaf("List volumes", () => import("./commands/volume/list.ts"), ["list"]),
  prune: leaf("Remove unused volumes", () => import("./commands/volume/prune.ts")),
  rm: leaf("Remove volumes that no container uses", () => import("./commands/volume/remove.ts"), ["remove"]),
};

const network: Record<string, Leaf> = {
  connect: leaf("Connect a container to a network", () => import("./commands/network/connect.ts")),
  create: leaf("Create a network", () => import("./commands/network/create.ts")),
  disconnect: leaf("Disconnect a container from a network", () => import("./commands/network/disconnect.ts")),
  inspect: leaf("Show all that is known about networks", () => import("./commands/network/inspect.ts")),
  ls: leaf("List networks", () => import("./commands/network/list.ts"), ["list"]),
  prune: leaf("Remove unused networks", () => import("./commands/network/prune.ts")),
  rm: leaf("Remove networks", () => import("./commands/network/remove.ts"), ["remove"]),
};

const system: Record<string, Leaf> = {
  "dial-stdio": {
    ...leaf("Join stdin and stdout to the engine", () => import("./commands/system/dial-stdio.ts")),
    hidden: true,
  },
  df: leaf("Show what images, containers and volumes take on disk", () => import("./commands/system/df.ts")),
  events: leaf("Show what happens, as it happens", () => import("./commands/system/events.ts")),
  info: leaf("Show what the engine says of itself", () => import("./commands/system/info.ts")),
  prune: leaf("Remove what is not in use", () => import("./commands/system/prune.ts")),
};

const context: Record<string, Leaf> = {
  create: leaf("Create a context", () => import("./commands/context/create.ts")),
  inspect: leaf("Show all that is known about contexts", () => import("./commands/context/inspect.ts")),
  ls: leaf("List contexts", () => import("./commands/context/list.ts"), ["list"]),
  rm: leaf("Remove contexts", () => import("./commands/context/remove.ts"), ["remove"]),
  show: leaf("Print the name of the current context", () => import("./commands/context/show.ts")),
  use: leaf("Make a context the current one", () => import("./commands/context/use.ts")),
};

const completion: Record<string, Leaf> = {
  bash: leaf("Print the completion script for bash", () => import("./commands/completion/bash.ts")),
  fish: leaf("Print the completion script for fish", () => import("./commands/completion/fish.ts")),
  zsh: leaf("Print the completion script for zsh", () => import("./commands/completion/zsh.ts")),
};

export const groups: Record<string, Group> = {
  completion: { summary: "Print a shell's completion script", children: completion, hidden: true },
  container: { summary: "Manage containers", children: container },
  context: { summary: "Manage contexts", children: context },
  image: { summary: "Manage images", children: image },
  network: { summary: "Manage networks", children: network },
  system: { summary: "Manage the engine", children: system },
  volume: { summary: "Manage volumes", children: volume },
};

const from = (group: Record<string, Leaf>, name: string): Leaf => {
  const found = group[name];
  if (!found) throw new Error(`no such command in the tree: ${name}`);
  return { summary: found.summary, load: found.load };
};

export const commonCommands = ["run", "exec", "ps", "pull", "push", "images", "version", "info"];

/** The short forms, each another name of a group's command. */
export const shortForms: Record<string, [group: string, name: string]> = {
  ...Object.fromEntries(
    [
      "attach",
      "commit",
      "cp",
      "create",
      "debug",
      "diff",
      "exec",
      "export",
      "kill",
      "logs",
      "pause",
      "port",
      "rename",
      "restart",
      "rm",
    ].map((name) => [name, ["container", name]]),
  ),
  ...Object.fromEntries(
    ["run", "start", "stats", "stop", "top", "unpause", "update", "wait"].map((name) => [
      name,
      ["container", name],
    ]),
  ),
  ...Object.fromEntries(
    ["history", "import", "load", "pull", "push", "save", "tag"].map((name) => [name, ["image", name]]),
  ),
  ps: ["container", "ls"],
  images: ["image", "ls"],
  rmi: ["image", "rm"],
  events: ["system", "events"],
  info: ["system", "info"],
};

export const commands: Record<string, Leaf> = {
  ...Object.fromEntries(
    Object.entries(shortForms).map(([name, [group, child]]) => [
      name,
      from(groups[group]?.children ?? {}, child),
    ]),
  ),
  inspect: leaf("Show all that is known about objects of any kind", () => import("./commands/inspect.ts")),
  version: leaf("Show the versions of client and engine", () => import("./commands/version.ts")),
};

/** Every spelling of a leaf, for `--help`: `berth container ls, berth ps`. */
export function spellings(group: string, name: string): string[] {
  const leaf = groups[group]?.children[name];
  const names = [name, ...(leaf?.aliases ?? [])].map((each) => `${group} ${each}`);
  const short = Object.entries(shortForms).find(([, [g, n]]) => g === group && n === name)?.[0];
  return short ? [...names, short] : names;
}

export function findIn(
  children: Record<string, Leaf>,
  name: string,
): { name: string; leaf: Leaf } | undefined {
  const own = Object.hasOwn(children, name) ? children[name] : undefined;
  if (own) return { name, leaf: own };
  const found = Object.entries(children).find(([, leaf]) => leaf.aliases?.includes(name));
  return found && { name: found[0], leaf: found[1] };
}
