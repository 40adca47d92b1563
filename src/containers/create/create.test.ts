import { afterAll, describe, expect, test } from "bun:test";
import type { HostConfig } from "../../types/api.ts";
import { closeWorlds, createOne, openWorld } from "../testing/fakes.ts";
import { parseBindSpec } from "./bind-spec.ts";
import { readBody } from "./body.ts";
import { mergeImageConfig } from "./merge.ts";
import { bindPropagation } from "./propagation.ts";
import { parseList } from "./resources.ts";

afterAll(closeWorlds);

const config = (body: object) => readBody({ Image: "i", ...body }).config;

describe("the body", () => {
  test("is complete after reading, in Docker's order, with null for what was not given", () => {
    const { config, hostConfig } = readBody({ image: "busybox" });
    expect(Object.keys(config).slice(0, 4)).toEqual(["Hostname", "Domainname", "User", "AttachStdin"]);
    expect(config.Image).toBe("busybox");
    expect([config.Env, config.Labels, config.ExposedPorts]).toEqual([null, {}, undefined]);
    expect([hostConfig.Binds, hostConfig.Dns, hostConfig.PidsLimit, hostConfig.Mounts]).toEqual([
      null,
      null,
      null,
      undefined,
    ]);
  });

  test("of a wrong type is refused in the words of Go's decoder", () => {
    expect(() => readBody({ Image: 5 })).toThrow(
      "json: cannot unmarshal number into Go struct field .Image of type string",
    );
    expect(() => readBody({ Image: "i", HostConfig: { Memory: "x" } })).toThrow(
      "json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64",
    );
    expect(() => readBody({ Image: "i", Labels: { a: 5 } })).toThrow("field .Labels.a of type string");
    for (const empty of [{}, null, { HostConfig: {} }])
      expect(() => readBody(empty)).toThrow("config cannot be empty in order to create a container");
  });

  test("takes a command given as one string, and passes over what it does not know", () => {
    expect(config({ Cmd: "one string", Nonsense: [] }).Cmd).toEqual(["one string"]);
  });
});

describe("what an image gives", () => {
  const image = {
    Entrypoint: ["/e"],
    Cmd: ["c"],
    Env: ["A=1", "B=2"],
    User: "u",
    Labels: { x: "i", y: "i" },
    Volumes: { "/v": {} },
  };

  test("fills in what the user left open", () => {
    const merged = mergeImageConfig(config({ Env: ["B=3"], Labels: { y: "c" } }), image);
    expect([merged.Entrypoint, merged.Cmd, merged.User]).toEqual([["/e"], ["c"], "u"]);
    expect(merged.Env).toEqual(["B=3", "A=1"]);
    expect(merged.Labels).toEqual({ x: "i", y: "c" });
  });

  test("loses its command to the user's entrypoint, and its entrypoint to an empty one", () => {
    expect(mergeImageConfig(config({ Entrypoint: ["x"] }), image)).toMatchObject({
      Entrypoint: ["x"],
      Cmd: null,
    });
    expect(mergeImageConfig(config({ Entrypoint: [""], Cmd: ["y"] }), image)).toMatchObject({
      Entrypoint: null,
      Cmd: ["y"],
    });
    expect(mergeImageConfig(config({ Entrypoint: [] }), image)).toMatchObject({
      Entrypoint: [],
      Cmd: image.Cmd,
    });
    expect(mergeImageConfig(config({ Cmd: ["y"] }), image)).toMatchObject({ Entrypoint: ["/e"], Cmd: ["y"] });
  });
});

describe("-v", () => {
  test("is a bind, a volume, or an anonymous volume", () => {
    expect(parseBindSpec("/a/../b/:/t/")).toMatchObject({
      source: "/b",
      target: "/t",
      readOnly: false,
      propagation: undefined,
    });
    expect(parseBindSpec("v:/t:ro,nocopy")).toMatchObject({
      source: "v",
      readOnly: true,
      copy: false,
      propagation: undefined,
    });
    expect(parseBindSpec("/t")).toMatchObject({ source: "", target: "/t" });
  });

  test("that means nothing is refused in Docker's words", () => {
    const said: Record<string, string> = {
      "": "invalid volume specification: ''",
      "a:/c:/d:/e": "invalid volume specification: 'a:/c:/d:/e'",
      "/a:": "invalid volume specification: '/a:'",
      "/a:/b:zz": "invalid mode: zz",
      "/a:/b:ro,rw": "invalid mode: ro,rw",
      "/a:b": `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
      "/a:/": `invalid volume specification: '/a:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
      "x:/b:rshared": `invalid volume specification: 'x:/b:rshared': invalid mount config for type "volume": field BindOptions must not be specified`,
      "/a:/b:nocopy": `invalid volume specification: '/a:/b:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified`,
    };
    for (const [spec, sentence] of Object.entries(said)) expect(() => parseBindSpec(spec)).toThrow(sentence);
  });
});

describe("a create", () => {
  const refused: [Partial<Record<keyof HostConfig, unknown>>, string][] = [
    [{ Memory: 1024 }, "Minimum memory limit allowed is 6MB"],
    [
      { Memory: 7e7, MemorySwap: 6e7 },
      "Minimum memoryswap limit should be larger than memory limit, see usage",
    ],
    [{ NanoCpus: 1e9, CpuPeriod: 1000 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
    [{ IOMaximumIOps: 5 }, "invalid option: QoS maximum IOPs configuration is not supported on linux"],
    [{ OomScoreAdj: 5000 }, "Invalid value 5000, range for oom score adj is [-1000, 1000]"],
    [
      { RestartPolicy: { Name: "bogus" } },
      "invalid restart policy: unknown policy 'bogus'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [
      { RestartPolicy: { Name: "always" }, AutoRemove: true },
      "can't create 'AutoRemove' container with restart policy",
    ],
    [{ Binds: ["/a:/b", "/c:/b"] }, "Duplicate mount point: /b"],
    [{ Tmpfs: { "/t": "" }, Binds: ["/a:/t"] }, "Duplicate mount point: /t"],
    [
      { Memory: 1024, RestartPolicy: { Name: "bogus" } },
      "invalid restart policy: unknown policy 'bogus'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [{ Memory: 1024, CapAdd: ["nosuch"] }, 'invalid CapAdd: unknown capability: "CAP_NOSUCH"'],
    [{ Binds: ["/a:/b"], Mounts: [{ Type: "volume", Target: "/b/../b" }] }, "Duplicate mount point: /b/../b"],
    [
      { Mounts: [{ Type: "bind", Source: "/nonexistent", Target: "/b" }] },
      'invalid mount config for type "bind": bind source path does not exist: /nonexistent',
    ],
    [
      { Mounts: [{ Type: "bogus", Target: "/b" }] },
      'invalid mount config for type "bogus": mount type unknown',
    ],
    [{ CapAdd: ["nosuch"] }, 'invalid CapAdd: unknown capability: "CAP_NOSUCH"'],
    [{ PortBindings: { "80/tcp": [{ HostPort: "99999" }] } }, 'invalid port specification: "99999"'],
    [{ ExtraHosts: ["a:zz"] }, 'invalid IP address in add-host: "zz"'],
    [{ SecurityOpt: ["zz=1"] }, 'invalid --security-opt 2: "zz=1"'],
    [{ PidMode: "zz" }, "invalid PID mode: zz"],
    [{ NetworkMode: "container:" }, "invalid network mode: invalid container format container:<name|id>"],
    [{ LogConfig: { Type: "zz" } }, 'error looking up logging plugin zz: plugin "zz" not found'],
    [{ Runtime: "zz" }, "unknown or invalid runtime name: zz"],
    [{ VolumesFrom: ["none"] }, "No such container: none"],
  ];
  for (const [HostConfig, sentence] of refused)
    test(`with ${JSON.stringify(HostConfig)} is refused and leaves nothing`, async () => {
      const world = openWorld();
      await expect(createOne(world, { HostConfig }, "x1")).rejects.toThrow(sentence);
      expect(world.volumes.names.size).toBe(0);
      expect(await world.containers.list({ all: true, size: false, filters: new Map() })).toEqual([]);
      await createOne(world, {}, "x1");
    });

  test("has --mount and --tmpfs at one place, as Docker lets it", async () => {
    await createOne(openWorld(), {
      HostConfig: { Tmpfs: { "/t": "" }, Mounts: [{ Type: "tmpfs", Target: "/t" }] },
    });
  });

  test("has a bind of the engine's own files follow the host, unless another propagation is asked for", () => {
    const own = { mode: "rslave", options: ["rslave", "by-default"] };
    for (const source of ["/", "/var", "/var/lib/e", "/var/lib/e/x"])
      expect(bindPropagation(source, undefined, "/var/lib/e")).toEqual(own);
    for (const source of ["/var/lib/e2", "/tmp"])
      expect(bindPropagation(source, undefined, "/var/lib/e").mode).toBe("rprivate");
    expect(bindPropagation("/", "rshared", "/var/lib/e")).toEqual({ mode: "rshared", options: ["rshared"] });
    expect(() => bindPropagation("/", "rprivate", "/var/lib/e")).toThrow(
      'must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root',
    );
  });

  test("takes back the volume of one that fails later", async () => {
    const world = openWorld();
    world.state.db.run("DROP TABLE containers");
    await expect(createOne(world, { HostConfig: { Binds: ["v1:/v"] } })).rejects.toThrow();
    expect(world.volumes.names.size).toBe(0);
  });

  test("joins the endpoints that are named, and the mode's network only where none is", async () => {
    const world = openWorld();
    const joined = async (body: object): Promise<string[]> => {
      const { NetworkSettings } = await world.containers.inspect(await createOne(world, body), {
        size: false,
      });
      return Object.keys(NetworkSettings.Networks);
    };
    const named = (...names: string[]) => ({
      NetworkingConfig: { EndpointsConfig: Object.fromEntries(names.map((name) => [name, {}])) },
    });
    expect(await joined({})).toEqual(["bridge"]);
    expect(await joined(named("n"))).toEqual(["n"]);
    expect(await joined({ ...named("n"), HostConfig: { NetworkMode: "m" } })).toEqual(["n"]);
    expect(await joined({ ...named("default", "n") })).toEqual(["bridge", "n"]);
    await expect(createOne(world, { ...named("n"), MacAddress: "02:42:ac:11:00:09" })).rejects.toThrow(
      "HostConfig.NetworkMode must match the identity of a network",
    );
    const nothing = { NetworkingConfig: { EndpointsConfig: { n: null } } };
    await expect(createOne(world, nothing)).rejects.toThrow(
      "invalid config for network n: EndpointsConfig is nil",
    );
  });

  test("shows defaults as Docker does", async () => {
    const world = openWorld();
    const id = await createOne(world, {
      HostConfig: { Memory: 10_000_000, PidsLimit: 0, NetworkMode: "default" },
    });
    const { HostConfig, Config, Mounts, Path, Args } = await world.containers.inspect(id, { size: false });
    expect([HostConfig.NetworkMode, HostConfig.MemorySwap, HostConfig.PidsLimit]).toEqual([
      "bridge",
      20_000_000,
      null,
    ]);
    expect([HostConfig.ShmSize, HostConfig.IpcMode, HostConfig.RestartPolicy.Name]).toEqual([
      67108864,
      "private",
      "no",
    ]);
    expect([Config.Hostname, Mounts, Path, Args]).toEqual([id.slice(0, 12), [], "true", []]);
  });
});

test("a percentage of the processors is discarded with a warning", async () => {
  const world = openWorld();
  const { Id, Warnings } = await world.containers.create({
    body: { Image: "busybox", Cmd: ["true"], HostConfig: { CpuPercent: 10 } },
  });
  expect(Warnings).toEqual(["linux does not support CPU percent. Percent discarded."]);
  const { HostConfig } = await world.containers.inspect(Id, { size: false });
  expect(HostConfig.CpuPercent).toBe(0);
});

test("cgroup lists are numbers and ranges", () => {
  expect(parseList("0-2,5")).toEqual(new Set([0, 1, 2, 5]));
  for (const text of ["x", "2-1", "1-", "0,", ","]) expect(parseList(text)).toBeUndefined();
});
