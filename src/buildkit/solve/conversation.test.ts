import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net, { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildRequest } from "../../build/contract.ts";
import { BuildError } from "../../build/failure.ts";
import { silentLogger } from "../../lib/log.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { Buildkit } from "../contract.ts";
import { GrpcClient } from "../grpc/client.ts";
import { type Method, unary } from "../grpc/method.ts";
import { GrpcServer } from "../grpc/server.ts";
import { codes, GrpcError } from "../grpc/status.ts";
import { bridgeSolveRequest, bridgeSolveResponse, returnRequest } from "../messages/bridge.ts";
import { empty, solveRequest, solveResponse, statusRequest, statusResponse } from "../messages/control.ts";
import {
  credentialsRequest,
  credentialsResponse,
  getSecretRequest,
  getSecretResponse,
  packet,
  packetType,
  sessionMethods,
} from "../messages/session.ts";
import { openBuildkit } from "../open.ts";
import { fakeBuilds, type Script } from "../testing/fake-builds.ts";

/** What a client like buildx does, against a build that is a script. */
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (of: string): Uint8Array => new TextEncoder().encode(of);
const control = "/moby.buildkit.v1.Control";
const bridge = "/moby.buildkit.v1.frontend.LLBBridge";

let folder: string;
let buildkit: Buildkit;
let listener: net.Server;
let client: GrpcClient;
let sessionServer: GrpcServer;
let script: Script;
let files: Record<string, string>;
let forgotten: string[];
let serial = 0;
let ref: string;
let sessionSocket: Socket;

/** The client's side of a file sync: a flat folder. */
const diffCopy: Method = async function* (messages, { metadata }) {
  const wanted = metadata.get("followpaths");
  const names = Object.keys(files)
    .filter((name) => !wanted || wanted.includes(name))
    .sort();
  for (const name of names)
    yield encode(packet, {
      type: packetType.stat,
      stat: { path: bytes(name), mode: 0o644, size: (files[name] ?? "").length },
    });
  yield encode(packet, { type: packetType.stat });
  for await (const message of messages) {
    const { type, id } = decode(packet, message);
    if (type === packetType.finish) {
      yield encode(packet, { type: packetType.finish });
      return;
    }
    yield encode(packet, { type: packetType.data, id, data: bytes(files[names[id] ?? ""] ?? "") });
    yield encode(packet, { type: packetType.data, id });
  }
};

const clientMethods = new Map<string, Method>([
  [sessionMethods.diffCopy, diffCopy],
  [
    sessionMethods.getSecret,
    unary(getSecretRequest, getSecretResponse, async ({ id }) => {
      if (id !== "known") throw new GrpcError(codes.notFound, "secret not found");
      return { data: bytes("hidden") };
    }),
  ],
  [
    sessionMethods.credentials,
    unary(credentialsRequest, credentialsResponse, async ({ host }) => ({ username: "me", secret: host })),
  ],
]);

const pair = async (): Promise<[Socket, Socket]> => {
  const far = new Promise<Socket>((resolve) => listener.once("connection", resolve));
  const near = net.connect(join(folder, "s"));
  const both: [Socket, Socket] = [near, await far];
  for (const socket of both) socket.on("error", () => socket.destroy());
  return both;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "berth-buildkit-"));
  listener = net.createServer();
  await new Promise<void>((resolve) => listener.listen(join(folder, "s"), () => resolve()));
  buildkit = openBuildkit({
    builds: fakeBuilds((request, tell) => script(request, tell)),
    logger: silentLogger,
    contextsFolder: join(folder, "contexts"),
    agentsFolder: join(folder, "agents"),
    facts: { id: "engine", hostGateway: undefined, platforms: [] },
    forgetImage: async (name) => void forgotten.push(name),
  });
  const [near, far] = await pair();
  buildkit.serve(far);
  client = new GrpcClient(near);
});

beforeEach(async () => {
  ref = `build${++serial}`;
  files = { Dockerfile: "FROM scratch\nCOPY a /\n", a: "content" };
  forgotten = [];
  script = async () => ({});
  const [near, far] = await pair();
  sessionServer = new GrpcServer(clientMethods, silentLogger);
  sessionServer.serve(near);
  sessionSocket = near;
  buildkit.addSession(
    { id: `session-${ref}`, sharedKey: "key", methods: new Set(clientMethods.keys()) },
    far,
  );
});

afterAll(() => {
  client.close();
  buildkit.close();
  listener.close();
  rmSync(folder, { recursive: true, force: true });
});

const frontend = "dockerfile.v0";
const direct = (attributes: Record<string, string> = {}, signal?: AbortSignal) =>
  client.unary(
    `${control}/Solve`,
    solveRequest,
    {
      ref,
      session: `session-${ref}`,
      frontend,
      frontendAttrs: new Map(Object.entries(attributes)),
      exporters: [{ type: "moby", attrs: new Map([["name", "app:1,app:2"]]) }],
    },
    solveResponse,
    signal ? { signal } : {},
  );

const ask = (method: string) => ({ metadata: { "buildkit-controlapi-buildid": ref }, method });

describe("a build as a client asks for it", () => {
  test("becomes one request: Dockerfile, context, options, outputs", async () => {
    let seen: BuildRequest | undefined;
    let context = "";
    script = async (request) => {
      seen = request;
      const open = await request.context?.open({ signal: request.signal });
      context = readFileSync(join(open?.root ?? "", "a"), "utf8");
      await open?.close();
      return { "containerimage.digest": "sha256:1" };
    };
    const answer = await direct({
      "build-arg:A": "b",
      "label:l": "m",
      target: "t",
      "no-cache": "",
      "add-hosts": "h=1.2.3.4",
      ulimit: "nofile=1:2",
    });
    expect(answer.exporterResponse).toEqual(new Map([["containerimage.digest", "sha256:1"]]));
    expect(context).toBe("content");
    expect(seen).toMatchObject({
      dockerfile: { name: "Dockerfile", text: files["Dockerfile"] },
      target: "t",
      noCache: true,
      extraHosts: ["h:1.2.3.4"],
      tags: ["app:1", "app:2"],
      resources: { ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }] },
    });
    expect(seen?.buildArgs.get("A")).toBe("b");
    expect(seen?.labels.get("l")).toBe("m");
  });

  test("has the client's secrets and credentials when a step asks", async () => {
    const found: unknown[] = [];
    script = async ({ secrets, registryAuth }) => {
      const secret = await secrets.get("known");
      found.push(secret && text(secret), await secrets.get("other"), await registryAuth("docker.io"));
      return {};
    };
    await direct();
    expect(found).toEqual(["hidden", undefined, { username: "me", password: "registry-1.docker.io" }]);
  });

  test("goes by the bridge as buildx drives it: plan, return, answer", async () => {
    script = async () => ({ "image.name": "x" });
    const solving = client.unary(
      `${control}/Solve`,
      solveRequest,
      { ref, session: `session-${ref}` },
      solveResponse,
    );
    const planned = await client.unary(
      `${bridge}/Solve`,
      bridgeSolveRequest,
      { frontend },
      bridgeSolveResponse,
      ask("Solve"),
    );
    await client.unary(`${bridge}/Return`, returnRequest, { result: planned.result }, empty, ask("Return"));
    expect((await solving).exporterResponse.get("image.name")).toBe("x");
  });

  test("ends at once where the client returns nothing, or an error of its own", async () => {
    const solve = () =>
      client.unary(`${control}/Solve`, solveRequest, { ref, session: `session-${ref}` }, solveResponse);
    const probing = solve();
    await client.unary(`${bridge}/Return`, returnRequest, { result: { ref: {} } }, empty, ask("Return"));
    expect((await probing).exporterResponse.size).toBe(0);
    ref += "b";
    const failing = client
      .unary(`${control}/Solve`, solveRequest, { ref, session: "none" }, solveResponse)
      .catch((error) => error);
    const error = { code: 2, message: "client's own" };
    await client.unary(`${bridge}/Return`, returnRequest, { error }, empty, ask("Return"));
    expect(await failing).toMatchObject({ code: 2, message: "client's own" });
  });

  test("streams its progress to watchers, late ones too", async () => {
    script = async (_request, tell) => {
      const vertex = { digest: "sha256:v", inputs: [], name: "[1/1] RUN x", cached: false, started: 1000 };
      tell({ kind: "vertex", vertex });
      tell({ kind: "log", vertex: "sha256:v", stream: 1, data: bytes("line\n"), time: 1500 });
      return {};
    };
    await direct();
    const stream = client.stream(`${control}/Status`);
    await stream.send(encode(statusRequest, { ref }));
    stream.closeSend();
    const told = [];
    for await (const message of stream.messages) told.push(decode(statusResponse, message));
    expect(told.flatMap(({ vertexes }) => vertexes.map(({ name }) => name))).toContain("[1/1] RUN x");
    expect(told.flatMap(({ logs }) => logs.map(({ msg }) => text(msg)))).toEqual(["line\n"]);
    expect(told.flatMap(({ statuses }) => statuses.map(({ id }) => id))).toContain(
      "transferring dockerfile:",
    );
  });

  test("that fails tells the sentence, and the lines and text that clients show", async () => {
    script = async () => {
      throw new BuildError("invalid", 'process "x" did not complete successfully: exit code: 3', {
        lines: [{ start: 2, end: 2 }],
        exitCode: 3,
      });
    };
    const error = await direct().catch((caught) => caught);
    expect(error).toMatchObject({
      code: 2,
      message: 'process "x" did not complete successfully: exit code: 3',
    });
    const source = error.details.find(({ typeUrl }: { typeUrl: string }) =>
      typeUrl.endsWith("errdefs.Source+json"),
    );
    const { info, ranges } = JSON.parse(text(source.value));
    expect(Buffer.from(info.data, "base64").toString()).toBe(files["Dockerfile"] ?? "");
    expect(ranges).toEqual([{ start: { line: 2 }, end: { line: 2 } }]);
  });

  test("without its Dockerfile says so in Docker's words", async () => {
    files = {};
    await expect(direct()).rejects.toMatchObject({
      message: "failed to read dockerfile: open Dockerfile: no such file or directory",
    });
  });

  test("is ended by its call's end, and by its session's", async () => {
    for (const end of ["call", "session"] as const) {
      ref = `${ref}-${end}`;
      const [near, far] = await pair();
      new GrpcServer(clientMethods, silentLogger).serve(near);
      buildkit.addSession(
        { id: `session-${ref}`, sharedKey: "", methods: new Set(clientMethods.keys()) },
        far,
      );
      const begun = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<void>();
      script = ({ signal }) =>
        new Promise((_resolve, reject) => {
          begun.resolve();
          signal.addEventListener("abort", () => {
            ended.resolve();
            reject(new Error("stopped"));
          });
        });
      const given = new AbortController();
      const call = direct({}, given.signal).catch((error) => error);
      await begun.promise;
      if (end === "call") given.abort(new Error("enough"));
      else near.destroy();
      await ended.promise;
      expect(await call).toBeInstanceOf(Error);
    }
    sessionSocket.destroy();
  });

  test("may not be asked for twice under one name", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    script = async () => {
      begun.resolve();
      await go.promise;
      return {};
    };
    const first = direct();
    await begun.promise;
    await expect(direct()).rejects.toMatchObject({ message: `job ID ${ref} exists` });
    go.resolve();
    await first;
  });

  test("of a frontend that is not there is refused", async () => {
    const asked = { ref, session: `session-${ref}`, frontend: "other.v0" };
    await expect(client.unary(`${control}/Solve`, solveRequest, asked, solveResponse)).rejects.toMatchObject({
      message: "frontend other.v0 not found",
    });
  });
});
