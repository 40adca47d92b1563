import type { Command } from "../command.ts";

/*
 * The grammar is written as literals, without a call for each command: every start of the client passes here, and a
 * function called some thirty times makes the engine of the language start its compiler threads, which costs 3 ms.
 */

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
  children: () => Record<string, Leaf>;
  hidden?: boolean;
  /** a plugin of docker's of that name has the commands that are not here */
  plugin?: boolean;
}

const container = (): Record<string, Leaf> => ({
  attach: {
    summary: "Connect this terminal to a running container",
    load: () => import("../commands/container/attach.ts"),
  },
  commit: {
    summary: "Make an image of what a container changed",
    load: () => import("../commands/container/commit.ts"),
  },
  cp: {
    summary: "Copy files and folders to or from a container",
    load: () => import("../commands/container/cp.ts"),
  },
  create: {
    summary: "Create a container without starting it",
    load: () => import("../commands/container/create.ts"),
  },
  debug: {
    summary: "Run tools beside a running container",
    load: () => import("../commands/container/debug.ts"),
  },
  diff: {
    summary: "Show which files a container changed",
    load: () => import("../commands/container/diff.ts"),
  },
  exec: {
    summary: "Run a command in a running container",
    load: () => import("../commands/container/exec.ts"),
  },
  export: {
    summary: "Write a container's files as a tar archive",
    load: () => import("../commands/container/export.ts"),
  },
  inspect: {
    summary: "Show all that is known about containers",
    load: () => import("../commands/container/inspect.ts"),
  },
  kill: {
    summary: "Send a signal to containers (KILL by default)",
    load: () => import("../commands/container/kill.ts"),
  },
  logs: { summary: "Show what a container wrote", load: () => import("../commands/container/logs.ts") },
  ls: {
    summary: "List containers",
    load: () => import("../commands/container/list.ts"),
    aliases: ["list", "ps"],
  },
  pause: {
    summary: "Freeze the processes of containers",
    load: () => import("../commands/container/pause.ts"),
  },
  port: {
    summary: "Show a container's published ports",
    load: () => import("../commands/container/port.ts"),
  },
  prune: { summary: "Remove all stopped containers", load: () => import("../commands/container/prune.ts") },
  rename: { summary: "Give a container another name", load: () => import("../commands/container/rename.ts") },
  restart: {
    summary: "Stop containers and start them again",
    load: () => import("../commands/container/restart.ts"),
  },
  rm: {
    summary: "Remove containers",
    load: () => import("../commands/container/remove.ts"),
    aliases: ["remove"],
  },
  run: {
    summary: "Create a container from an image and start it",
    load: () => import("../commands/container/run.ts"),
  },
  start: { summary: "Start stopped containers", load: () => import("../commands/container/start.ts") },
  stats: {
    summary: "Show what containers use of the machine",
    load: () => import("../commands/container/stats.ts"),
  },
  stop: { summary: "Stop running containers", load: () => import("../commands/container/stop.ts") },
  top: { summary: "Show the processes of a container", load: () => import("../commands/container/top.ts") },
  unpause: {
    summary: "Thaw the processes of containers",
    load: () => import("../commands/container/unpause.ts"),
  },
  update: {
    summary: "Change the limits of containers",
    load: () => import("../commands/container/update.ts"),
  },
  wait: {
    summary: "Wait until containers end and print their exit codes",
    load: () => import("../commands/container/wait.ts"),
  },
});

const image = (): Record<string, Leaf> => ({
  build: {
    summary: "Make an image of a Dockerfile",
    load: () => import("../commands/image/build.ts"),
  },
  diff: {
    summary: "Show what differs between two images' files",
    load: () => import("../commands/image/diff.ts"),
  },
  history: { summary: "Show how an image was made", load: () => import("../commands/image/history.ts") },
  import: {
    summary: "Make an image of a tar archive of files",
    load: () => import("../commands/image/import.ts"),
  },
  inspect: {
    summary: "Show all that is known about images",
    load: () => import("../commands/image/inspect.ts"),
  },
  layers: {
    summary: "Show what each layer of an image adds, changes, hides and wastes",
    load: () => import("../commands/image/layers.ts"),
  },
  load: {
    summary: "Load images from an archive or from stdin",
    load: () => import("../commands/image/load.ts"),
  },
  ls: { summary: "List images", load: () => import("../commands/image/list.ts"), aliases: ["list"] },
  pin: {
    summary: "Keep images from every prune, or list those that are",
    load: () => import("../commands/image/pin.ts"),
  },
  prune: { summary: "Remove unused images", load: () => import("../commands/image/prune.ts") },
  pull: { summary: "Download an image from a registry", load: () => import("../commands/image/pull.ts") },
  push: { summary: "Upload an image to a registry", load: () => import("../commands/image/push.ts") },
  rm: { summary: "Remove images", load: () => import("../commands/image/remove.ts"), aliases: ["remove"] },
  save: {
    summary: "Write images to an archive (stdout by default)",
    load: () => import("../commands/image/save.ts"),
  },
  squash: {
    summary: "Make one layer of an image's layers, or of those above a base",
    load: () => import("../commands/image/squash.ts"),
  },
  tag: { summary: "Give an image another name", load: () => import("../commands/image/tag.ts") },
  tree: {
    summary: "Show which images stand on which",
    load: () => import("../commands/image/tree.ts"),
  },
  unpin: { summary: "Let prunes take pinned images again", load: () => import("../commands/image/unpin.ts") },
  verify: {
    summary: "Read images again and compare them with their digests",
    load: () => import("../commands/image/verify.ts"),
  },
});

const builder = (): Record<string, Leaf> => ({
  build: {
    summary: "Make an image of a Dockerfile",
    load: () => import("../commands/image/build.ts"),
    aliases: ["b"],
  },
  du: { summary: "Show what the build cache takes", load: () => import("../commands/builder/du.ts") },
  prune: { summary: "Remove build cache", load: () => import("../commands/builder/prune.ts") },
});

const buildHistory = (): Record<string, Leaf> => ({
  inspect: {
    summary: "Show all that is known of a build",
    load: () => import("../commands/build-history/inspect.ts"),
  },
  logs: { summary: "Show the steps of a build", load: () => import("../commands/build-history/logs.ts") },
  ls: {
    summary: "List builds, newest first",
    load: () => import("../commands/build-history/list.ts"),
    aliases: ["list"],
  },
  rm: {
    summary: "Forget builds",
    load: () => import("../commands/build-history/remove.ts"),
    aliases: ["remove"],
  },
});

const volume = (): Record<string, Leaf> => ({
  clone: { summary: "Copy a volume under a new name", load: () => import("../commands/volume/clone.ts") },
  create: { summary: "Create a volume", load: () => import("../commands/volume/create.ts") },
  inspect: {
    summary: "Show all that is known about volumes",
    load: () => import("../commands/volume/inspect.ts"),
  },
  du: { summary: "Show what volumes take on disk", load: () => import("../commands/volume/du.ts") },
  export: {
    summary: "Write a volume's files as a tar archive",
    load: () => import("../commands/volume/export.ts"),
  },
  import: {
    summary: "Make a volume of a tar archive",
    load: () => import("../commands/volume/import.ts"),
  },
  pin: { summary: "Keep a volume from every prune", load: () => import("../commands/volume/pin.ts") },
  rename: { summary: "Give a volume another name", load: () => import("../commands/volume/rename.ts") },
  restore: {
    summary: "Put a volume's data back to a snapshot",
    load: () => import("../commands/volume/restore.ts"),
  },
  snapshot: {
    summary: "Keep a volume's data as it is now",
    load: () => import("../commands/volume/snapshot.ts"),
  },
  snapshots: {
    summary: "List a volume's snapshots, or remove some",
    load: () => import("../commands/volume/snapshots.ts"),
  },
  unpin: { summary: "Let prune take a volume again", load: () => import("../commands/volume/unpin.ts") },
  ls: { summary: "List volumes", load: () => import("../commands/volume/list.ts"), aliases: ["list"] },
  prune: { summary: "Remove unused volumes", load: () => import("../commands/volume/prune.ts") },
  rm: {
    summary: "Remove volumes that no container uses",
    load: () => import("../commands/volume/remove.ts"),
    aliases: ["remove"],
  },
  update: {
    summary: "Change a cluster volume, which needs a swarm",
    load: () => import("../commands/volume/update.ts"),
  },
});

const network = (): Record<string, Leaf> => ({
  connect: {
    summary: "Connect a container to a network",
    load: () => import("../commands/network/connect.ts"),
  },
  create: { summary: "Create a network", load: () => import("../commands/network/create.ts") },
  disconnect: {
    summary: "Disconnect a container from a network",
    load: () => import("../commands/network/disconnect.ts"),
  },
  doctor: {
    summary: "Compare the host's networking with what is recorded, and repair it",
    load: () => import("../commands/network/doctor.ts"),
  },
  inspect: {
    summary: "Show all that is known about networks",
    load: () => import("../commands/network/inspect.ts"),
  },
  ls: { summary: "List networks", load: () => import("../commands/network/list.ts"), aliases: ["list"] },
  prune: { summary: "Remove unused networks", load: () => import("../commands/network/prune.ts") },
  rm: {
    summary: "Remove networks",
    load: () => import("../commands/network/remove.ts"),
    aliases: ["remove"],
  },
});

const system = (): Record<string, Leaf> => ({
  "dial-stdio": {
    summary: "Join stdin and stdout to the engine",
    load: () => import("../commands/system/dial-stdio.ts"),
    hidden: true,
  },
  df: {
    summary: "Show what images, containers and volumes take on disk",
    load: () => import("../commands/system/df.ts"),
  },
  events: { summary: "Show what happens, as it happens", load: () => import("../commands/system/events.ts") },
  gc: {
    summary: "Remove unused images by policy: size, free room, age",
    load: () => import("../commands/system/gc.ts"),
  },
  info: { summary: "Show what the engine says of itself", load: () => import("../commands/system/info.ts") },
  prune: { summary: "Remove what is not in use", load: () => import("../commands/system/prune.ts") },
});

const context = (): Record<string, Leaf> => ({
  create: { summary: "Create a context", load: () => import("../commands/context/create.ts") },
  export: {
    summary: "Write a context with its keys to a file or to stdout",
    load: () => import("../commands/context/export.ts"),
  },
  import: {
    summary: "Make a context of an exported file",
    load: () => import("../commands/context/import.ts"),
  },
  inspect: {
    summary: "Show all that is known about contexts",
    load: () => import("../commands/context/inspect.ts"),
  },
  ls: { summary: "List contexts", load: () => import("../commands/context/list.ts"), aliases: ["list"] },
  rm: {
    summary: "Remove contexts",
    load: () => import("../commands/context/remove.ts"),
    aliases: ["remove"],
  },
  show: {
    summary: "Print the name of the current context",
    load: () => import("../commands/context/show.ts"),
  },
  update: { summary: "Change a context", load: () => import("../commands/context/update.ts") },
  use: { summary: "Make a context the current one", load: () => import("../commands/context/use.ts") },
});

const plugin = (): Record<string, Leaf> => ({
  disable: { summary: "Stop using a plugin", load: () => import("../commands/plugin/disable.ts") },
  enable: { summary: "Use a plugin", load: () => import("../commands/plugin/enable.ts") },
  inspect: {
    summary: "Show all that is known about plugins",
    load: () => import("../commands/plugin/inspect.ts"),
  },
  ls: {
    summary: "List managed plugins",
    load: () => import("../commands/plugin/list.ts"),
    aliases: ["list"],
  },
  rm: { summary: "Remove plugins", load: () => import("../commands/plugin/remove.ts"), aliases: ["remove"] },
  set: { summary: "Change a plugin's settings", load: () => import("../commands/plugin/set.ts") },
});

const completion = (): Record<string, Leaf> => ({
  bash: {
    summary: "Print the completion script for bash",
    load: () => import("../commands/completion/bash.ts"),
  },
  fish: {
    summary: "Print the completion script for fish",
    load: () => import("../commands/completion/fish.ts"),
  },
  zsh: {
    summary: "Print the completion script for zsh",
    load: () => import("../commands/completion/zsh.ts"),
  },
});

const manifest = (): Record<string, Leaf> => ({
  annotate: {
    summary: "Say which platform an image of a list is for",
    load: () => import("../commands/manifest/annotate.ts"),
  },
  create: {
    summary: "Begin a list of images for several platforms",
    load: () => import("../commands/manifest/create.ts"),
  },
  inspect: {
    summary: "Show a manifest or index of a registry, or a list begun here",
    load: () => import("../commands/manifest/inspect.ts"),
  },
  push: { summary: "Push a list as an index", load: () => import("../commands/manifest/push.ts") },
  referrers: {
    summary: "List what refers to a registry's manifest: signatures, SBOMs …",
    load: () => import("../commands/manifest/referrers.ts"),
  },
  rm: { summary: "Remove lists from this machine", load: () => import("../commands/manifest/remove.ts") },
});

export const groups: Record<string, Group> = {
  /** found by `routesToHistory` alone: `build` is a command as well */
  "build history": { summary: "Look at past builds", children: buildHistory, hidden: true },
  builder: { summary: "Manage the builder and its cache", children: builder },
  buildx: { summary: "The same, as docker's plugin calls it", children: builder, hidden: true, plugin: true },
  completion: { summary: "Print a shell's completion script", children: completion, hidden: true },
  container: { summary: "Manage containers", children: container },
  context: { summary: "Manage contexts", children: context },
  image: { summary: "Manage images", children: image },
  manifest: { summary: "Manifests in registries, and lists of them", children: manifest },
  network: { summary: "Manage networks", children: network },
  plugin: { summary: "Manage plugins", children: plugin },
  system: { summary: "Manage the engine", children: system },
  volume: { summary: "Manage volumes", children: volume },
};

export const commonCommands = ["run", "exec", "ps", "build", "pull", "push", "images", "version", "info"];

/** The short forms, each another name of a group's command. */
export const shortForms: Record<string, [group: string, name: string]> = {
  attach: ["container", "attach"],
  build: ["image", "build"],
  commit: ["container", "commit"],
  cp: ["container", "cp"],
  create: ["container", "create"],
  debug: ["container", "debug"],
  diff: ["container", "diff"],
  exec: ["container", "exec"],
  export: ["container", "export"],
  kill: ["container", "kill"],
  logs: ["container", "logs"],
  pause: ["container", "pause"],
  port: ["container", "port"],
  rename: ["container", "rename"],
  restart: ["container", "restart"],
  rm: ["container", "rm"],
  remove: ["container", "rm"],
  run: ["container", "run"],
  start: ["container", "start"],
  stats: ["container", "stats"],
  stop: ["container", "stop"],
  top: ["container", "top"],
  unpause: ["container", "unpause"],
  update: ["container", "update"],
  wait: ["container", "wait"],
  history: ["image", "history"],
  import: ["image", "import"],
  load: ["image", "load"],
  pull: ["image", "pull"],
  push: ["image", "push"],
  save: ["image", "save"],
  tag: ["image", "tag"],
  ps: ["container", "ls"],
  images: ["image", "ls"],
  pin: ["image", "pin"],
  unpin: ["image", "unpin"],
  gc: ["system", "gc"],
  rmi: ["image", "rm"],
  events: ["system", "events"],
  info: ["system", "info"],
};

/** Commands of no group. */
export const ungrouped = (): Record<string, Leaf> => ({
  inspect: {
    summary: "Show all that is known about objects of any kind",
    load: () => import("../commands/inspect.ts"),
  },
  login: { summary: "Log in to a registry", load: () => import("../commands/login.ts") },
  logout: { summary: "Log out from a registry", load: () => import("../commands/logout.ts") },
  search: { summary: "Search Docker Hub for images", load: () => import("../commands/search.ts") },
  version: {
    summary: "Show the versions of client and engine",
    load: () => import("../commands/version.ts"),
  },
  ...Object.fromEntries(
    ["config", "node", "secret", "service", "stack", "swarm"].map((family) => [
      family,
      { summary: "", hidden: true, load: () => import("../commands/swarm.ts") },
    ]),
  ),
});
