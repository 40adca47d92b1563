import { expect, test } from "bun:test";
import { type RuleModel, ruleset } from "../host/rules.ts";
import { differences } from "./own-rules.ts";

const model: RuleModel = {
  table: "berth-x",
  mark: "0x8000000",
  bridges: [
    {
      name: "br0",
      subnets: ["172.17.0.0/16", "fd00::/64"],
      masqueraded: ["172.17.0.0/16"],
      icc: true,
      internal: false,
      open: [],
    },
  ],
  published: [8080, 443].map((hostPort) => ({
    hostIp: "0.0.0.0",
    protocol: "tcp" as const,
    hostPort,
    containerIp: "172.17.0.2",
    containerPort: 80,
  })),
  routed: [],
};

/** As nft lists it: other spaces, elements in another order, names for priorities. */
function listed(made = model): string {
  const text = ruleset(made);
  return text
    .slice(text.lastIndexOf("table inet"))
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll("; }", "\n\t}")
    .replaceAll("; elements", "\n\t\telements")
    .replace("{ tcp . 8080 : 172.17.0.2 . 80, ", "{ ")
    .replace(
      "tcp . 443 : 172.17.0.2 . 80 }",
      "tcp . 443 : 172.17.0.2 . 80,\n\t\t\t     tcp . 8080 : 172.17.0.2 . 80 }",
    )
    .replaceAll("0x8000000", "0x08000000")
    .replace("priority -305", "priority raw - 5");
}
const compare = (text: string): string[] => differences({ list: () => text }, model);

test("what nft lists in its own spelling is what was made", () => {
  expect(compare(listed())).toEqual([]);
});

test("each thing that is not as recorded is named", () => {
  const text = listed();
  expect(compare(text.replace("tcp . 443 :", "tcp . 444 :"))).toEqual(["map published4_any"]);
  expect(compare(text.replace('elements = { "br0" }', ""))).toEqual(["set bridges"]);
  expect(
    compare(text.replace("  chain inward {", "  chain inward {\n    tcp dport { 80, 443 } drop")),
  ).toEqual(["chain inward"]);
  expect(compare(text.replace("oifname @internal drop\n", ""))).toEqual(["chain inward"]);
  expect(compare(text.replace("policy accept", "policy drop"))).toEqual(["chain raw"]);
  expect(compare(text.replace("  chain raw", "  chain theirs {\n  }\n  chain raw"))).toEqual([
    "chain theirs",
  ]);
  expect(compare(text.replace("{\n", "{\n\tflags dormant\n"))).toEqual(["the table"]);
});

test("a table that is gone is one difference", () => {
  const list = (): string => {
    throw new Error("No such file or directory");
  };
  expect(differences({ list }, model)).toEqual(["the table"]);
});
