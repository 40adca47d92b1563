// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile texts
import { describe, expect, test } from "bun:test";
import { applyChanges } from "./changes.ts";

/** What a Docker Engine 28.5 made of each `--change`; `only` are the fields it set. */
const taken: [changes: string[], only: Record<string, unknown>][] = [
  [["CMD"], { Cmd: ["/bin/sh", "-c"] }],
  [["CMD []"], { Cmd: null }],
  [["ENTRYPOINT"], { Entrypoint: null }],
  [["ENTRYPOINT []"], { Entrypoint: null }],
  [["CMD [a]"], { Cmd: ["/bin/sh", "-c", "[a]"] }],
  [['CMD ["a",]'], { Cmd: ["/bin/sh", "-c", '["a",]'] }],
  [['CMD ["a"] x'], { Cmd: ["/bin/sh", "-c", '["a"] x'] }],
  [['CMD a "b" $c'], { Cmd: ["/bin/sh", "-c", 'a "b" $c'] }],
  [["  CMD   a   b  "], { Cmd: ["/bin/sh", "-c", "a   b"] }],
  [['CMD ["a\\u0041"]'], { Cmd: ["aA"] }],
  [["CMD b", "ENTRYPOINT a"], { Cmd: ["/bin/sh", "-c", "b"], Entrypoint: ["/bin/sh", "-c", "a"] }],
  [["CMD a \\", "b"], { Cmd: ["/bin/sh", "-c", "a b"] }],
  [["CMD a\nCMD b"], { Cmd: ["/bin/sh", "-c", "b"] }],
  [["ENV A b c"], { Env: ["A=b c"] }],
  [["ENV A=b c=d A=$A"], { Env: ["A=", "c=d"] }],
  [
    ["ENV A=1", "ENV B=$A", `ENV C=\${A}x D=\${Z:-def} E=\${A:+alt} F="q $A" G='q $A' H=a\\ b`],
    { Env: ["A=1", "B=1", "C=1x", "D=def", "E=alt", "F=q 1", "G=q $A", "H=a b"] },
  ],
  [["ENV a=1", "ENV a=2", "ENV A=3"], { Env: ["a=2", "A=3"] }],
  [["ENV a=$1$?$$"], { Env: ["a="] }],
  [["ENV a=\\$x"], { Env: ["a=$x"] }],
  [['ENV a b "c" $d \\e'], { Env: ["a=b c  e"] }],
  [["ENV a  'x'  y"], { Env: ["a=x  y"] }],
  [["ENV a=<<EOF"], { Env: ["a=<<EOF"] }],
  [["# escape=`", "ENV a=b`c d=e\\f"], { Env: ["a=bc", "d=e\\f"] }],
  [["ENV a=b\\c d=\"b\\c\" e='b\\c'"], { Env: ["a=bc", "d=b\\c", "e=b\\c"] }],
  [
    ["ENV a=abc", "ENV b=${a#a} c=${a%c} d=${a/b/X} e=${a//b/X} f=${a##*b}"],
    { Env: ["a=abc", "b=bc", "c=ab", "d=aXc", "e=aXc", "f=c"] },
  ],
  [["LABEL a b"], { Labels: { a: "b" } }],
  [["LABEL a b c"], { Labels: { a: "b c" } }],
  [['LABEL "a b"="c d" e=f'], { Labels: { "a b": "c d", e: "f" } }],
  [["LABEL a=$A"], { Labels: { a: "" } }],
  [['LABEL a="x\\\ny"'], { Labels: { a: "xy" } }],
  [[`LABEL a="b"c d=e\\"f g='h"i'`], { Labels: { a: "bc", d: 'e"f', g: 'h"i' } }],
  [["LABEL a="], { Labels: { a: "" } }],
  [['LABEL a="$"'], { Labels: { a: "$" } }],
  [
    ["EXPOSE 80 81/udp 90-92"],
    { ExposedPorts: { "80/tcp": {}, "81/udp": {}, "90/tcp": {}, "91/tcp": {}, "92/tcp": {} } },
  ],
  [["EXPOSE 0"], { ExposedPorts: { "0/tcp": {} } }],
  [["EXPOSE 127.0.0.1:10:20"], { ExposedPorts: { "20/tcp": {} } }],
  [["EXPOSE 80/TCP 80/"], { ExposedPorts: { "80/tcp": {} } }],
  [["EXPOSE 080"], { ExposedPorts: { "80/tcp": {} } }],
  [["ENV X=7", "EXPOSE $X"], { Env: ["X=7"], ExposedPorts: { "7/tcp": {} } }],
  [["ENV X='7 8'", "EXPOSE $X"], { Env: ["X=7 8"], ExposedPorts: { "7/tcp": {}, "8/tcp": {} } }],
  [["onbuild run x  y"], { OnBuild: ["run x  y"] }],
  [['ONBUILD CMD ["x"]'], { OnBuild: ['CMD ["x"]'] }],
  [["STOPSIGNAL 9"], { StopSignal: "9" }],
  [["STOPSIGNAL 99"], { StopSignal: "99" }],
  [["USER a b"], { User: "a b" }],
  [["USER $X"], { User: "" }],
  [["VOLUME a b"], { Volumes: { a: {}, b: {} } }],
  [['VOLUME ["a","b c"]'], { Volumes: { a: {}, "b c": {} } }],
  [["WORKDIR a"], { WorkingDir: "/a" }],
  [["WORKDIR /a", "WORKDIR b/../c"], { WorkingDir: "/a/c" }],
  [["WORKDIR /a b"], { WorkingDir: "/a b" }],
  [["HEALTHCHECK none"], { Healthcheck: { Test: ["NONE"] } }],
  [["HEALTHCHECK CMD a b"], { Healthcheck: { Test: ["CMD-SHELL", "a b"] } }],
  [['HEALTHCHECK CMD ["a","b"]'], { Healthcheck: { Test: ["CMD", "a", "b"] } }],
  [
    ["HEALTHCHECK --interval=1s --timeout=1m30s --start-period=2h --start-interval=5ms --retries=3 CMD a"],
    {
      Healthcheck: {
        Test: ["CMD-SHELL", "a"],
        Interval: 1e9,
        Timeout: 90e9,
        StartPeriod: 7200e9,
        StartInterval: 5e6,
        Retries: 3,
      },
    },
  ],
  [
    ["HEALTHCHECK --interval=1.5s --timeout=1h2m3.5s CMD a"],
    { Healthcheck: { Test: ["CMD-SHELL", "a"], Interval: 1.5e9, Timeout: 3723.5e9 } },
  ],
  [["HEALTHCHECK --interval=0 --retries=0 CMD a"], { Healthcheck: { Test: ["CMD-SHELL", "a"] } }],
];

const refused: [changes: string[], sentence: string][] = [
  [['SHELL ["/bin/x"]'], "SHELL is not a valid change command"],
  [["foo x"], "foo is not a valid change command"],
  [["CMD <<EOF", "x", "EOF"], "x is not a valid change command"],
  [['CMD ["a", 1]'], "when using JSON array syntax, arrays must be comprised of strings only"],
  [["CMD --x a"], "unknown flag: --x"],
  [["ENV --x=1 a=b"], "unknown flag: --x"],
  [["ENV A"], "ENV must have two arguments"],
  [["ENV"], "ENV requires at least one argument"],
  [["ENV A=b c"], 'Syntax error - can\'t find = in "c". Must be of the form: name=value'],
  [["ENV A=1 =x"], "ENV names can not be blank"],
  [
    ['ENV a="b'],
    'failed to process "\\"b": unexpected end of statement while looking for matching double-quote',
  ],
  [["ENV a=${"], "failed to process \"${\": syntax error: missing '}'"],
  [["ENV a=${x"], 'failed to process "${x": unsupported modifier (\ufffd) in substitution'],
  [["ENV a=${x:?err}"], 'failed to process "${x:?err}": x: err'],
  [["ENV a=${x?}"], 'failed to process "${x?}": x: is not allowed to be unset'],
  [["ENV a=${a:1}"], 'failed to process "${a:1}": unsupported modifier (:1) in substitution'],
  [["LABEL"], "LABEL requires at least one argument"],
  [["EXPOSE"], "EXPOSE requires at least one argument"],
  [["EXPOSE a"], "Invalid containerPort: a"],
  [["EXPOSE 80/foo"], "Invalid proto: foo"],
  [["EXPOSE 70000"], "Invalid containerPort: 70000"],
  [["EXPOSE 5-3"], "Invalid containerPort: 5-3"],
  [["EXPOSE /tcp"], "No port specified: /tcp<empty>"],
  [["ONBUILD"], "ONBUILD requires at least one argument"],
  [["ONBUILD ONBUILD x"], "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  [["ONBUILD FROM x"], "FROM isn't allowed as an ONBUILD trigger"],
  [["STOPSIGNAL"], "STOPSIGNAL requires exactly one argument"],
  [["STOPSIGNAL SIGKILL x"], "invalid signal: SIGKILL x"],
  [["STOPSIGNAL $X"], "invalid signal: "],
  [["USER"], "USER requires exactly one argument"],
  [["VOLUME []"], "VOLUME requires at least one argument"],
  [['VOLUME [" "]'], "VOLUME specified can not be an empty string"],
  [["WORKDIR $X"], "cannot normalize nothing"],
  [["HEALTHCHECK"], "HEALTHCHECK requires at least one argument"],
  [["HEALTHCHECK x"], 'Unknown type "X" in HEALTHCHECK (try CMD)'],
  [["HEALTHCHECK NONE x"], "HEALTHCHECK NONE takes no arguments"],
  [["HEALTHCHECK CMD []"], "Missing command after HEALTHCHECK CMD"],
  [["HEALTHCHECK --interval=1us CMD a"], 'Interval "interval" cannot be less than 1ms'],
  [["HEALTHCHECK --interval=x CMD a"], 'time: invalid duration "x"'],
  [["HEALTHCHECK --interval=5 CMD a"], 'time: missing unit in duration "5"'],
  [["HEALTHCHECK --interval=5y CMD a"], 'time: unknown unit "y" in duration "5y"'],
  [["HEALTHCHECK --retries=x CMD a"], 'strconv.ParseInt: parsing "x": invalid syntax'],
  [["HEALTHCHECK --retries=-1 CMD a"], "--retries cannot be negative (-1)"],
  [["HEALTHCHECK --nope=1 CMD a"], "unknown flag: --nope"],
  [["HEALTHCHECK --interval CMD a"], "missing a value on flag: --interval"],
  [["HEALTHCHECK --interval=1s --interval=2s CMD a"], "duplicate flag specified: --interval"],
  [["# comment"], "file with no instructions"],
];

describe("a change", () => {
  for (const [changes, only] of taken)
    test(`${changes.join(" | ")} sets ${Object.keys(only).join(", ")}`, () => {
      expect(applyChanges({}, changes) as unknown).toEqual(only);
    });
  for (const [changes, sentence] of refused)
    test(`${changes.join(" | ")} is refused`, () => {
      expect(() => applyChanges({}, changes)).toThrow(new Error(sentence));
    });

  test("what an image has already stays beside it", () => {
    const base = { Env: ["PATH=/bin", "A=1"], Labels: { a: "1" }, Volumes: { "/v": {} }, WorkingDir: "/w" };
    const changed = applyChanges(base, ["ENV A=2 B=$PATH", "LABEL b=2", "VOLUME /x", "WORKDIR sub"]);
    expect(changed).toEqual({
      Env: ["PATH=/bin", "A=2", "B=/bin"],
      Labels: { a: "1", b: "2" },
      Volumes: { "/v": {}, "/x": {} },
      WorkingDir: "/w/sub",
    });
    expect(base.Env).toEqual(["PATH=/bin", "A=1"]);
  });

  test("values that double with each step are bounded", () => {
    const steps = Array.from({ length: 40 }, () => "ENV A=$A$A$A$A$A$A$A$A");
    expect(() => applyChanges({}, ["ENV A=0123456789", ...steps])).toThrow("too long");
  });
});
