import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** A volume plugin in this process: keeps folders below `root`, notes every call, and fails where it is told to. */
export interface FakePlugin {
  /** "Create data", "Mount data c1" … in the order they came */
  calls: string[];
  /** method → what it answers instead */
  failures: Map<string, { status: number; error: string }>;
  stop(): Promise<void>;
}

interface PluginArguments {
  Name?: string;
  ID?: string;
  Opts?: Record<string, string>;
}

export function startVolumePlugin(socket: string, root: string): FakePlugin {
  const calls: string[] = [];
  const failures: FakePlugin["failures"] = new Map();
  const known = new Map<string, Record<string, string>>();
  const place = (name: string): string => join(root, name);
  const answers: Record<string, (args: PluginArguments) => object> = {
    "Plugin.Activate": () => ({ Implements: ["VolumeDriver"] }),
    "VolumeDriver.Capabilities": () => ({ Capabilities: { Scope: "global" } }),
    "VolumeDriver.Create": ({ Name = "", Opts = {} }) => {
      known.set(Name, Opts);
      mkdirSync(place(Name), { recursive: true });
      return {};
    },
    "VolumeDriver.Remove": ({ Name = "" }) => {
      known.delete(Name);
      return {};
    },
    "VolumeDriver.Mount": ({ Name = "" }) => ({ Mountpoint: place(Name) }),
    "VolumeDriver.Path": ({ Name = "" }) => ({ Mountpoint: place(Name) }),
    "VolumeDriver.Unmount": () => ({}),
    "VolumeDriver.Get": ({ Name = "" }) =>
      known.has(Name)
        ? { Volume: { Name, Mountpoint: place(Name), Status: { options: known.get(Name) } } }
        : { Err: "no such volume" },
    "VolumeDriver.List": () => ({
      Volumes: [...known.keys()].map((Name) => ({ Name, Mountpoint: place(Name) })),
    }),
  };
  mkdirSync(dirname(socket), { recursive: true });
  const server = Bun.serve({
    unix: socket,
    async fetch(request) {
      const method = new URL(request.url).pathname.slice(1);
      const args = (await request.json()) as PluginArguments;
      const words = [method.replace("VolumeDriver.", ""), args.Name, args.ID];
      if (args.Name !== undefined && !method.endsWith(".Get")) calls.push(words.filter(Boolean).join(" "));
      const failure = failures.get(method);
      if (failure) return Response.json({ Err: failure.error }, { status: failure.status });
      return Response.json(answers[method]?.(args) ?? { Err: `no ${method}` });
    },
  });
  return {
    calls,
    failures,
    async stop() {
      await server.stop(true);
      rmSync(socket, { force: true });
    },
  };
}
