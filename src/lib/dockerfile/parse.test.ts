// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile texts
import { describe, expect, test } from "bun:test";
import { decodeInstruction } from "./decode.ts";
import { DockerfileError } from "./error.ts";
import { parseDockerfile } from "./parse.ts";

const texts = (file: string): string[] => parseDockerfile(file).instructions.map(({ text }) => text);

/** Parses and decodes all; the sentence of what is wrong and the lines it belongs to. */
function problem(file: string): [string, ...number[]] {
  try {
    parseDockerfile(file).instructions.map(decodeInstruction);
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return [error.message, ...error.ranges.flatMap(({ start, end }) => [start.line, end.line])];
  }
  return ["nothing"];
}

describe("the lines of a Dockerfile", () => {
  test("are joined by the escape character, comments between them go, blanks before an instruction too", () => {
    const file = "   # c\nFROM b\nRUN echo a \\\n# between\n\n  # indented\n  b \\\n  c >/f\n   RUN x\n";
    const parsed = parseDockerfile(file);
    expect(parsed.instructions.map(({ text }) => text)).toEqual([
      "FROM b",
      "RUN echo a   b   c >/f",
      "RUN x",
    ]);
    expect(parsed.emptyContinuations).toEqual([8]);
    expect(parsed.instructions.map(({ location }) => [location.start.line, location.end.line])).toEqual([
      [2, 2],
      [3, 8],
      [9, 9],
    ]);
    expect(parsed.instructions[2]?.location.start.column).toBe(4);
  });

  test("may end in CRLF and begin with a byte order mark", () => {
    expect(texts("\ufeffFROM b\r\nRUN a \\\r\n  b\r\n")).toEqual(["FROM b", "RUN a   b"]);
  });

  test("continue with the escape character that the directive names", () => {
    expect(texts("# escape=`\nFROM b\nRUN a `\n b\\\n")).toEqual(["FROM b", "RUN a  b\\"]);
    expect(texts("FROM b\nRUN a \\\\\nRUN b")).toEqual(["FROM b", "RUN a \\\\", "RUN b"]);
  });

  test("of directives come first, each once", () => {
    const { directives } = parseDockerfile(
      "#Syntax = docker/dockerfile:1\n# check=skip=all\nFROM b\n# escape=x\n",
    );
    expect(directives).toEqual([
      { name: "syntax", value: "docker/dockerfile:1", line: 1 },
      { name: "check", value: "skip=all", line: 2 },
    ]);
    expect(problem("# escape=`\n# escape=`\nFROM b")).toEqual([
      "only one escape parser directive can be used",
      1,
      1,
    ]);
    expect(problem("# escape=x\nFROM b")[0]).toBe("invalid escape token 'x' does not match ` or \\");
    expect(parseDockerfile("# hello\n# escape=`\nFROM b").escape).toBe("\\");
  });

  test("of comments right above an instruction describe it", () => {
    const [, run] = parseDockerfile("FROM a\n# one\n#\n# two\nRUN b").instructions;
    expect(run?.comments).toEqual(["two"]);
  });

  test("are bounded in length and the whole in size", () => {
    expect(problem(`FROM b\nRUN ${"a".repeat(70_000)}`)).toEqual([
      "dockerfile line greater than max allowed size of 65535",
      1,
      1,
    ]);
    expect(() => parseDockerfile("a".repeat(10 << 20))).toThrow("larger than");
    expect(() => parseDockerfile("RUN a\n".repeat(4001))).toThrow("more than 4000 instructions");
  });

  test("of ONBUILD after ONBUILD after ONBUILD cost no more than their length", () => {
    const file = `FROM b\n${"ONBUILD \\\n".repeat(100_000)}RUN x`;
    expect(problem(file)[0]).toContain("Chaining ONBUILD");
  });
});

describe("heredocs", () => {
  test("belong to RUN, COPY and ADD, several to one, tabs stripped and quotes told", () => {
    const file = "FROM b\nCOPY <<a <<-'b' /d/\nx $y\na\n\tz\n\tb\nRUN <<EOF bash\necho\nEOF\nCMD <<EOF\n";
    const [, copy, run, cmd] = parseDockerfile(file).instructions;
    expect(copy?.heredocs).toEqual([
      { name: "a", content: "x $y\n", expand: true, stripTabs: false },
      { name: "b", content: "\tz\n", expand: false, stripTabs: true },
    ]);
    expect(copy?.location).toMatchObject({ start: { line: 2 }, end: { line: 6 } });
    expect(run?.heredocs).toEqual([{ name: "EOF", content: "echo\n", expand: true, stripTabs: false }]);
    expect(cmd?.text).toBe("CMD <<EOF");
  });

  test("within quotes, in JSON and after a third < are none", () => {
    for (const line of ['RUN echo "<<EOF"', 'RUN ["a", "<<EOF"]', "RUN cat <<<EOF"])
      expect(parseDockerfile(`FROM b\n${line}\n`).instructions[1]?.heredocs).toEqual([]);
  });

  test("must end", () => {
    expect(problem("FROM b\nRUN <<EOF\necho")).toEqual(["unterminated heredoc", 2, 3]);
  });

  test("in ONBUILD are part of the trigger", () => {
    const [, onbuild] = parseDockerfile("FROM b\nONBUILD COPY <<E /f\nx\nE\n").instructions.map(
      decodeInstruction,
    );
    expect(onbuild).toMatchObject({ kind: "onbuild", expression: "COPY <<E /f\nx\nE" });
  });

  test("keep comments, empty lines and line ends", () => {
    const [, run] = parseDockerfile("FROM b\nRUN <<EOF\n# no comment\n\na \\\r\nEOF\n").instructions;
    expect(run?.heredocs[0]?.content).toBe("# no comment\n\na \\\r\n");
  });
});
