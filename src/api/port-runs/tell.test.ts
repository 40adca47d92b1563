import { expect, test } from "bun:test";
import type { ContainerInspect, ContainerSummary } from "../../types/api.ts";
import type { Reply } from "../reply.ts";
import { toldContainer, toldList } from "./tell.ts";

/** Only what is told of ports; a 64-bit number beside it. */
const container = {
  Id: "x",
  Size: 2n ** 60n,
  HostConfig: { PortBindings: { "8-11/tcp": [{ HostIp: "", HostPort: "18-21", Each: true }], "7/udp": [] } },
  Config: { ExposedPorts: { "8-11/tcp": { Each: true }, "9/udp": {} } },
  NetworkSettings: {
    Ports: { "8-11/tcp": [{ HostIp: "0.0.0.0", HostPort: "18-21", Each: true }], "100-101/udp": null },
  },
} as unknown as ContainerInspect;

async function textOf(reply: Reply): Promise<string> {
  if (reply.kind === "json") return JSON.stringify(reply.value);
  if (reply.kind !== "stream" || reply.body instanceof ReadableStream) throw new Error(reply.kind);
  let text = "";
  for await (const piece of reply.body) text += String(piece);
  return text;
}

test("runs are told port by port in every field, and nothing of the mark is seen", async () => {
  const text = await textOf(toldContainer(container));
  expect(text).not.toContain("Each");
  expect(text).toContain('"Size":1152921504606846976');
  const told = JSON.parse(text) as ContainerInspect;
  expect(told.HostConfig.PortBindings).toEqual({
    "10/tcp": [{ HostIp: "", HostPort: "20" }],
    "11/tcp": [{ HostIp: "", HostPort: "21" }],
    "7/udp": [],
    "8/tcp": [{ HostIp: "", HostPort: "18" }],
    "9/tcp": [{ HostIp: "", HostPort: "19" }],
  });
  expect(Object.keys(told.Config.ExposedPorts ?? {})).toEqual([
    "10/tcp",
    "11/tcp",
    "8/tcp",
    "9/tcp",
    "9/udp",
  ]);
  expect(told.NetworkSettings.Ports["100/udp"]).toBeNull();
  expect(told.NetworkSettings.Ports["9/tcp"]).toEqual([{ HostIp: "0.0.0.0", HostPort: "19" }]);
});

test("a list tells an entry for each address of each port, and few ports as they are", async () => {
  const few = { Ports: [{ PrivatePort: 80, Type: "tcp" }] } as ContainerSummary;
  const many = {
    Ports: [
      { IP: "0.0.0.0", PrivatePort: 9, PublicPort: 19, Type: "tcp", Count: 2 },
      { IP: "::", PrivatePort: 9, PublicPort: 19, Type: "tcp", Count: 2 },
      { PrivatePort: 5, Type: "udp", Count: 2 },
    ],
  } as ContainerSummary;
  expect(toldList([few]).kind).toBe("json");
  expect(JSON.parse(await textOf(toldList([few, many])))).toEqual([
    few,
    {
      Ports: [
        { IP: "0.0.0.0", PrivatePort: 10, PublicPort: 20, Type: "tcp" },
        { IP: "::", PrivatePort: 10, PublicPort: 20, Type: "tcp" },
        { PrivatePort: 5, Type: "udp" },
        { PrivatePort: 6, Type: "udp" },
        { IP: "0.0.0.0", PrivatePort: 9, PublicPort: 19, Type: "tcp" },
        { IP: "::", PrivatePort: 9, PublicPort: 19, Type: "tcp" },
      ],
    },
  ]);
});
