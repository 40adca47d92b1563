import { expect, test } from "bun:test";
import type { ContainerCreateRequest } from "../../types/api.ts";
import type { ConfigFile } from "../config-types.ts";
import type { Session } from "../session.ts";
import { copyLogins, loginsFor, mountApiSocket, tellConfigFolder } from "./api-socket.ts";

const session = (url: string, config: ConfigFile = {}): Session =>
  ({ endpoint: { url }, config }) as unknown as Session;

test("the client's own socket is mounted where docker looks for it; a remote one cannot be", () => {
  const request: ContainerCreateRequest = { HostConfig: { Mounts: [] } } as ContainerCreateRequest;
  mountApiSocket(session("unix:///run/berth.sock"), request);
  expect(request.HostConfig?.Mounts).toEqual([
    { Type: "bind", Source: "/run/berth.sock", Target: "/var/run/docker.sock", BindOptions: {} },
  ]);
  expect(() => mountApiSocket(session("tcp://10.0.0.1:2375"), request)).toThrow(
    "flag --use-api-socket can only be used with unix sockets: docker endpoint tcp://10.0.0.1:2375 incompatible",
  );
});

test("logins go along as a configuration file; without any there is none", async () => {
  const auth = Buffer.from("user:pass:word").toString("base64");
  const auths = { "r.example": { auth }, empty: {}, "t.example": { identitytoken: "token" } };
  const text = await loginsFor(session("unix:///x", { auths }));
  expect(JSON.parse(text ?? "")).toEqual({
    auths: { "r.example": { auth }, "t.example": { identitytoken: "token" } },
  });
  expect(await loginsFor(session("unix:///x", { auths: { empty: {} } }))).toBeUndefined();
});

test("the container's client is sent to that file, unless the user sent it elsewhere", () => {
  const plain: ContainerCreateRequest = { Env: ["A=b"] } as ContainerCreateRequest;
  tellConfigFolder(plain);
  expect(plain.Env).toEqual(["A=b", "DOCKER_CONFIG=/run/secrets/docker"]);
  const own: ContainerCreateRequest = { Env: ["DOCKER_CONFIG=/mine"] } as ContainerCreateRequest;
  tellConfigFolder(own);
  expect(own.Env).toEqual(["DOCKER_CONFIG=/mine"]);
});

test("the file is the container's root's alone", async () => {
  const calls: { path: string; body: Buffer }[] = [];
  const client = {
    call: async (_method: string, path: string, { body }: { body: Buffer }) =>
      void calls.push({ path, body }),
  };
  await copyLogins({ client } as unknown as Session, "c1", "{}\n");
  expect(calls[0]?.path).toBe("/containers/c1/archive");
  const at = calls[0]?.body.indexOf("run/secrets/docker/config.json") ?? -1;
  expect(at % 512).toBe(0);
  expect(calls[0]?.body.toString("latin1", at + 100, at + 107)).toBe("0000600");
});
