import { expect, test } from "bun:test";
import { bindingsOf, eachPort } from "../../lib/net/port-runs.ts";
import type { PortBinding, PortMap } from "../../types/api.ts";
import { foldPorts } from "./fold.ts";

const binding = (HostPort: number | "", HostIp = ""): PortBinding => ({ HostIp, HostPort: String(HostPort) });
const range = (first: number, last: number, protocol = "tcp", hostIp = ""): PortMap =>
  Object.fromEntries(
    Array.from({ length: last - first + 1 }, (_, index) => [
      `${first + index}/${protocol}`,
      [binding(first + index, hostIp)],
    ]),
  );
const bodyOf = (ports: PortMap, more: object = {}): string =>
  JSON.stringify({
    ...more,
    ExposedPorts: Object.fromEntries(Object.keys(ports).map((port) => [port, {}])),
    HostConfig: { PortBindings: ports, Privileged: false },
    Labels: { last: "one" },
  });

test("ports that are neighbours and alike become one entry, the rest of the body stays", async () => {
  const folded = await foldPorts(
    bodyOf({ ...range(1, 65535), ...range(5000, 7000, "udp", "127.0.0.1") }, { Image: "x" }),
  );
  expect(folded?.exposed).toEqual({ "1-65535/tcp": { Each: true }, "5000-7000/udp": { Each: true } });
  expect(folded?.bindings).toEqual({
    "1-65535/tcp": [{ HostIp: "", HostPort: "1-65535", Each: true }],
    "5000-7000/udp": [{ HostIp: "127.0.0.1", HostPort: "5000-7000", Each: true }],
  });
  expect(JSON.parse(folded?.rest ?? "")).toEqual({
    Image: "x",
    ExposedPorts: {},
    HostConfig: { PortBindings: {}, Privileged: false },
    Labels: { last: "one" },
  });
});

test("what is folded is told again as it was, in the order of the texts, at distances and at several addresses", async () => {
  const ports: PortMap = { ...range(3000, 6000), "80/tcp": [binding(8080)], "81/tcp": [binding("")] };
  for (let port = 20000; port < 21000; port++)
    ports[`${port}/udp`] = [binding(port + 1000, "::1"), binding(port - 5)];
  for (let port = 20000; port < 20500; port++) ports[`${port}/tcp`] = [binding("")];
  const folded = await foldPorts(bodyOf(ports));
  expect(Object.keys(folded?.bindings ?? {}).length).toBeLessThan(10);
  const told = [...eachPort<PortBinding[] | null>(folded?.bindings ?? {})].map(
    (one) => [`${one.first}/${one.protocol}`, bindingsOf(one.value ?? [], one)] as const,
  );
  expect(told.map(([key]): string => key)).toEqual(Object.keys(ports).sort());
  expect<PortMap>(Object.fromEntries(told)).toEqual(ports);
});

test("bindings may say their fields in any order, or only one of them", async () => {
  const body = bodyOf(range(1000, 4000));
  for (const one of ['{ "HostPort":"$1"\t}', '{"HostPort":"$1","HostIp":""}'])
    expect((await foldPorts(body.replace(/\{"HostIp":"","HostPort":"(\d+)"\}/g, one)))?.bindings).toEqual({
      "1000-4000/tcp": [{ HostIp: "", HostPort: "1000-4000", Each: true }],
    });
});

const many = range(1000, 4000);
const refused: [what: string, body: string][] = [
  ["few ports", bodyOf(range(1, 100))],
  ["a port beyond the last", bodyOf({ ...many, "65536/tcp": [binding(1)] })],
  ["a range of the user's", bodyOf({ ...many, "80-90/tcp": [binding(1)] })],
  ["a host port that is a range", bodyOf({ ...many, "80/tcp": [{ HostIp: "", HostPort: "80-90" }] })],
  ["a host port beyond the last", bodyOf({ ...many, "80/tcp": [binding(65536)] })],
  ["a name in other letters beside it", bodyOf(many, { portbindings: {} })],
  ["a field twice", bodyOf(many).replaceAll('"HostIp":""', '"HostPort":"5"')],
  ["space that JSON has not", bodyOf(many).replaceAll('"HostIp":', '"HostIp":\u00a0')],
  ["fields of another type", bodyOf(many).replaceAll('"HostPort":"', '"HostPort":1,"x":"')],
];
test.each(refused)("%s is read as it is: bindings are not folded", async (_what, body) => {
  expect((await foldPorts(body))?.bindings).toBeUndefined();
});

test("a text that looks like ports is not ports", async () => {
  const label = bodyOf(many);
  const folded = await foldPorts(JSON.stringify({ Labels: { label }, HostConfig: { PortBindings: {} } }));
  expect(folded).toBeUndefined();
});

test("others have their turns while many ports are read", async () => {
  const body = bodyOf(range(1, 65535));
  let turns = 0;
  let done = false;
  const turn = (): void => {
    turns++;
    if (!done) setImmediate(turn);
  };
  turn();
  await foldPorts(body);
  done = true;
  expect(turns).toBeGreaterThan(3);
});
