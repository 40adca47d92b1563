import { expect, test } from "bun:test";
import { readBody } from "../create/body.ts";
import { exposedPorts, portRequests } from "../networks/request.ts";
import { environmentOf, withVariables } from "./environment.ts";
import { tmpfsOptions } from "./mounts/tmpfs.ts";

const bodyOf = (body: object) => readBody({ Image: "i", ...body });

test("the environment has Docker's defaults first, the user's in their place, HOME last", () => {
  const env = environmentOf({
    env: ["A=1", "PATH=/bin", "A=2", "HOSTNAME"],
    hostname: "h",
    terminal: true,
    home: "/root",
  });
  expect(env).toEqual(["PATH=/bin", "TERM=xterm", "A=2", "HOME=/root"]);
  expect(withVariables(["A=1"], ["A", "B=2"])).toEqual(["B=2"]);
});

test("an exec's own variables change, and its bare names remove, the defaults as well", () => {
  const options = { env: ["A=1"], hostname: "h", terminal: false, home: "/root" };
  const env = environmentOf({ ...options, more: ["HOSTNAME", "PATH", "A=2", "HOME=/h"] });
  expect(env).toEqual(["A=2", "HOME=/h"]);
});

test("tmpfs options replace the defaults they contradict, and unknown ones are refused", () => {
  expect(tmpfsOptions("")).toEqual(["noexec", "nosuid", "nodev", "rprivate"]);
  expect(tmpfsOptions("exec,size=64k,mode=700")).toEqual([
    "nosuid",
    "nodev",
    "rprivate",
    "exec",
    "size=64k",
    "mode=700",
  ]);
  expect(() => tmpfsOptions("bogus=1")).toThrow('invalid tmpfs option "bogus"');
});

test("ports are requested as bound, and with -P what is exposed and not bound", () => {
  const { config, hostConfig } = bodyOf({
    ExposedPorts: { "80/tcp": {}, "90-91/udp": {}, zz: {} },
    HostConfig: {
      NetworkMode: "bridge",
      PublishAllPorts: true,
      PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }], "81": null },
    },
  });
  expect(exposedPorts(config).map(({ port, protocol }) => `${port}/${protocol}`)).toEqual([
    "80/tcp",
    "90/udp",
    "91/udp",
  ]);
  expect(portRequests(config, hostConfig)).toEqual([
    { port: 80, protocol: "tcp", hostIp: "127.0.0.1", hostPort: 8080, hostPortEnd: 8080 },
    { port: 90, protocol: "udp", hostIp: "", hostPort: 0, hostPortEnd: 0 },
    { port: 91, protocol: "udp", hostIp: "", hostPort: 0, hostPortEnd: 0 },
  ]);
  expect(portRequests(config, { ...hostConfig, NetworkMode: "host" })).toEqual([]);
});
