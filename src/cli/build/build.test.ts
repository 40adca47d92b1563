import { describe, expect, test } from "bun:test";
import { frame } from "../../lib/wire/multiplex.ts";
import type { LocalBuildMessage } from "../../types/local-build.ts";
import { checkIdFile, checkPlaces, parseOutputs } from "./options/outputs.ts";
import { checkAnswer, outlineAnswer, targetsAnswer } from "./report/answers.ts";
import { placeOf } from "./report/column.ts";
import { excerpt } from "./report/excerpt.ts";
import { readBuild } from "./stream.ts";

const six = "FROM busybox\nMAINTAINER x\nENV a b\nWORKDIR rel\nCOPY f /\n";

describe("an excerpt", () => {
  test("shows four lines around one, fewer at the ends", () => {
    expect(excerpt("Dockerfile", six, { start: 3, end: 3 })).toBe(`Dockerfile:3
--------------------
   1 |     FROM busybox
   2 |     MAINTAINER x
   3 | >>> ENV a b
   4 |     WORKDIR rel
   5 |     COPY f /
--------------------
`);
    expect(excerpt("Dockerfile", six, { start: 2, end: 2 }).split("\n").slice(2, -2)).toHaveLength(4);
    expect(excerpt("Dockerfile", "x", { start: 1, end: 1 })).toContain("   1 | >>> x\n");
  });

  test("shows less around several lines, and nothing of lines that are not there", () => {
    const marked = excerpt("Dockerfile", six, { start: 2, end: 4 });
    expect(marked.match(/>>>/g)).toHaveLength(3);
    expect(excerpt("Dockerfile", six, { start: 9, end: 9 })).toBe("");
  });
});

describe("the place of what is wrong", () => {
  const text = "FROM busybox\n  RUNN x\nCOPY --chwn=1 a \\\n\tno/file b b /\n";
  const at = (sentence: string, start: number, end = start) => placeOf(sentence, text, { start, end });

  test("is that of the instruction, flag or word which the sentence names", () => {
    const unknown = "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)";
    expect(at(unknown, 2)).toEqual({ line: 2, column: 3 });
    expect(at("unknown flag: --chwn (did you mean chown?)", 3, 4)).toEqual({ line: 3, column: 6 });
    expect(at('checksum of ref x::y: "/no/file": not found', 3, 4)).toEqual({ line: 4, column: 2 });
  });

  test("is not guessed", () => {
    expect(at('failed: "/b": not found', 3, 4)).toBeUndefined();
    expect(at('failed: "/file": not found', 3, 4)).toBeUndefined();
    expect(at('process "x" did not complete successfully', 2)).toBeUndefined();
    expect(at("something is wrong", 2)).toBeUndefined();
  });

  test("is marked below its line, and told in the head", () => {
    const marked = excerpt("Dockerfile", text, { start: 3, end: 4 }, { line: 4, column: 2 }).split("\n");
    expect(marked[0]).toBe("Dockerfile:4:2");
    expect(marked.slice(-5, -2)).toEqual(["   4 | >>> \tno/file b b /", "     |     \t^", "   5 |     "]);
  });
});

describe("outputs", () => {
  const parsed = (...output: string[]) => parseOutputs({ output, load: false, push: false, hasTags: true });

  test("go into the engine unless said otherwise", () => {
    expect(parsed()).toEqual([{ type: "image", attributes: {}, dest: undefined }]);
    expect(parsed("type=docker,name=x")).toEqual([
      { type: "image", attributes: { name: "x" }, dest: undefined },
    ]);
  });

  test("are folders, files, stdout or a registry", () => {
    expect(parsed("out")).toEqual([{ type: "local", attributes: {}, dest: "out" }]);
    expect(parsed("type=tar,dest=a.tar")).toEqual([{ type: "tar", attributes: {}, dest: "a.tar" }]);
    expect(parsed("type=oci,dest=x,tar=false")).toEqual([
      { type: "oci", attributes: {}, dest: "x", unpacked: true },
    ]);
    expect(parsed("type=registry,name=x")).toEqual([
      { type: "image", attributes: { push: "true", name: "x" }, dest: undefined },
    ]);
  });

  test("that cannot be are refused", () => {
    expect(() => checkIdFile(parsed("type=tar,dest=x"))).toThrow("incompatible with image ID file");
    expect(() => checkPlaces(parsed(import.meta.filename))).toThrow("is a file");
    expect(() => checkPlaces(parsed(`type=tar,dest=${import.meta.dirname}`))).toThrow("is a directory");
    expect(() => parsed("type=docker,name=a,b")).toThrow("ERROR: invalid value b");
    expect(() => parsed("type=local")).toThrow("dest is required for local exporter");
    expect(() => parseOutputs({ output: [], load: false, push: true, hasTags: false })).toThrow(
      "tag is needed",
    );
  });
});

describe("answers", () => {
  const asked = { dockerfile: { name: "Dockerfile", text: six }, shown: "sub/Dockerfile", json: false };
  const warning = (rule: string, line: number) => ({
    rule,
    short: `${rule}!`,
    detail: ["d"],
    url: "u",
    lines: [{ start: line, end: line }],
    dockerfile: "Dockerfile",
  });

  test("of a check are sorted by line and end with 1", () => {
    const { text, code } = checkAnswer([warning("B", 3), warning("A", 2)], asked);
    expect(code).toBe(1);
    expect(text).toStartWith(
      "Check complete, 2 warnings have been found!\n\nWARNING: A - u\nA!\nsub/Dockerfile:2\n",
    );
    expect(checkAnswer([], asked)).toEqual({ text: "Check complete, no warnings found.\n", code: 0 });
  });

  test("of targets and outlines are tables", () => {
    const target = { description: "", base: "b", platform: "", line: 1 };
    const targets = [
      { ...target, name: "base", default: false },
      { ...target, name: "", default: true },
    ];
    expect(targetsAnswer(targets, asked)).toBe("TARGET    DESCRIPTION\nbase      \n(default) \n");
    const outline = {
      name: "app",
      description: "",
      args: [{ name: "V", description: "d", value: "1", line: 1 }],
      secrets: [{ name: "tok", required: true, line: 1 }],
      ssh: [],
    };
    expect(outlineAnswer(outline, asked)).toBe(
      "TARGET: app\n\nBUILD ARG   VALUE   DESCRIPTION\nV           1       d\n\nSECRET   REQUIRED\ntok      true\n\n",
    );
  });
});

test("an answer's messages and outputs are taken apart wherever the pieces are cut", async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const whole = Buffer.concat([
    frame(1, encode('{"kind":"error","message":"é","lines":[]}\n{"kind":')),
    frame(5, encode("output")),
    frame(1, encode('"result","ref":"","response":{},"imageIds":[]}\n')),
  ]);
  for (let size = 1; size < 20; size++) {
    const messages: LocalBuildMessage[] = [];
    let output = "";
    async function* cut() {
      for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
    }
    await readBuild(
      cut(),
      (message) => messages.push(message),
      async (index, bytes) => {
        output += `${index}${Buffer.from(bytes).toString()}`;
      },
    );
    expect(messages.map(({ kind }) => kind)).toEqual(["error", "result"]);
    expect(output.replaceAll("1", "")).toBe("output");
  }
});
