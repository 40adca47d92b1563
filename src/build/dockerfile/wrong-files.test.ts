// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile texts
import { describe, expect, test } from "bun:test";
import { BuildError } from "../failure.ts";
import { expandFile } from "./testing/expand-file.ts";

/** Wrong files, what a Docker Engine 28.5 says of each, and the lines it marks. */
const wrong: [file: string, sentence: string, lines: number[]][] = [
  ["RUNN x", "dockerfile parse error on line 1: unknown instruction: RUNN (did you mean RUN?)", [1]],
  [
    "FROM busybox\nRUNN x",
    "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
    [2],
  ],
  ["FROM busybox\nENV a", "ENV must have two arguments", [2]],
  ["FROM busybox\nENV", "dockerfile parse error on line 2: ENV requires at least one argument", [2]],
  ["FROM busybox\nENV a=b c", 'Syntax error - can\'t find = in "c". Must be of the form: name=value', [2]],
  ["FROM busybox\nENV =b", "dockerfile parse error on line 2: ENV names can not be blank", [2]],
  ["FROM busybox\nRUN []", "failed to marshal LLB definition: arguments are required", []],
  ["FROM busybox\nCMD [1,2]", "when using JSON array syntax, arrays must be comprised of strings only", [2]],
  [
    "FROM busybox\nCOPY --frm=x a b",
    "dockerfile parse error on line 2: unknown flag: --frm (did you mean from?)",
    [2],
  ],
  ["FROM busybox\nCOPY --from a b", "dockerfile parse error on line 2: missing a value on flag: --from", [2]],
  [
    "FROM busybox\nCOPY --link=maybe a b",
    "dockerfile parse error on line 2: expecting boolean value for flag --link, not: maybe",
    [2],
  ],
  [
    "FROM busybox\nCOPY --chown=a --chown=b a b",
    "dockerfile parse error on line 2: duplicate flag specified: --chown",
    [2],
  ],
  ["FROM busybox\nRUN --mount=type=bnd true", 'unsupported mount type "bnd" (did you mean bind?)', [2]],
  ["FROM busybox\nRUN --mount=type=cache true", 'invalid mount target "/"', [2]],
  [
    "FROM busybox\nRUN --mount=type=cache,targt=/x true",
    "unexpected key 'targt' in 'targt=/x' (did you mean target?)",
    [2],
  ],
  ["FROM busybox\nRUN --mount=type=secret true", "invalid secret mount. one of source, target required", [2]],
  [
    "FROM busybox\nRUN --mount=type=cache,target=/x,sharing=lockd true",
    'unsupported sharing value "lockd" (did you mean locked?)',
    [2],
  ],
  [
    "FROM busybox\nRUN --mount=type=bind,from=$X,target=/x true",
    "dockerfile parse error on line 2: 'from' doesn't support variable expansion, define alias stage instead",
    [2],
  ],
  [
    "FROM busybox\nRUN --network=foo true",
    'dockerfile parse error on line 2: invalid network mode "foo"',
    [2],
  ],
  ["FROM busybox\nRUN <<EOF\necho", "unterminated heredoc", [2, 3]],
  [
    "FROM busybox AS 1x",
    'dockerfile parse error on line 1: invalid name for build stage: "1x", name can\'t start with a number or contain symbols',
    [1],
  ],
  ["FROM busybox as", "dockerfile parse error on line 1: FROM requires either one or three arguments", [1]],
  ["FROM", "dockerfile parse error on line 1: FROM requires either one or three arguments", [1]],
  [
    "FROM busybox AS a b",
    "dockerfile parse error on line 1: FROM requires either one or three arguments",
    [1],
  ],
  [
    "FROM busybox\nHEALTHCHECK",
    "dockerfile parse error on line 2: HEALTHCHECK requires at least one argument",
    [2],
  ],
  [
    "FROM busybox\nHEALTHCHECK FOO x",
    'dockerfile parse error on line 2: Unknown type "FOO" in HEALTHCHECK (try CMD)',
    [2],
  ],
  [
    "FROM busybox\nHEALTHCHECK --interval=1 CMD x",
    'dockerfile parse error on line 2: time: missing unit in duration "1"',
    [2],
  ],
  [
    "FROM busybox\nHEALTHCHECK --retries=-1 CMD x",
    "dockerfile parse error on line 2: --retries cannot be negative (-1)",
    [2],
  ],
  [
    "FROM busybox\nHEALTHCHECK --interval=1us CMD x",
    'dockerfile parse error on line 2: Interval "interval" cannot be less than 1ms',
    [2],
  ],
  [
    "FROM busybox\nHEALTHCHECK CMD",
    "dockerfile parse error on line 2: Missing command after HEALTHCHECK CMD",
    [2],
  ],
  [
    "FROM busybox\nHEALTHCHECK NONE x",
    "dockerfile parse error on line 2: HEALTHCHECK NONE takes no arguments",
    [2],
  ],
  ["FROM busybox\nONBUILD", "dockerfile parse error on line 2: ONBUILD requires at least one argument", [2]],
  [
    "FROM busybox\nONBUILD ONBUILD RUN x",
    "dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
    [2],
  ],
  [
    "FROM busybox\nONBUILD FROM x",
    "dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger",
    [2],
  ],
  [
    "FROM busybox\nSHELL a b",
    "dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form",
    [2],
  ],
  ["FROM busybox\nSHELL []", "dockerfile parse error on line 2: SHELL requires at least one argument", [2]],
  ["FROM busybox\nSTOPSIGNAL FOO", "invalid signal: FOO", [2]],
  [
    "FROM busybox\nSTOPSIGNAL",
    "dockerfile parse error on line 2: STOPSIGNAL requires exactly one argument",
    [2],
  ],
  ["FROM busybox\nUSER", "dockerfile parse error on line 2: USER requires exactly one argument", [2]],
  ["FROM busybox\nVOLUME", "dockerfile parse error on line 2: VOLUME requires at least one argument", [2]],
  [
    'FROM busybox\nVOLUME [""]',
    "dockerfile parse error on line 2: VOLUME specified can not be an empty string",
    [2],
  ],
  ["FROM busybox\nWORKDIR", "dockerfile parse error on line 2: WORKDIR requires exactly one argument", [2]],
  ["FROM busybox\nEXPOSE", "dockerfile parse error on line 2: EXPOSE requires at least one argument", [2]],
  ["FROM busybox\nEXPOSE x", "invalid containerPort: x", [2]],
  ["FROM busybox\nEXPOSE 80/foo", 'invalid port: "80/foo": invalid proto: foo', [2]],
  ["FROM busybox\nEXPOSE 99999", "invalid containerPort: 99999", [2]],
  ["FROM busybox\nARG", "dockerfile parse error on line 2: ARG requires at least one argument", [2]],
  ["FROM busybox\nARG =x", "dockerfile parse error on line 2: ARG names can not be blank", [2]],
  ["FROM busybox\nLABEL", "dockerfile parse error on line 2: LABEL requires at least one argument", [2]],
  ["FROM busybox\nLABEL a", "LABEL must have two arguments", [2]],
  [
    "FROM busybox\nMAINTAINER",
    "dockerfile parse error on line 2: MAINTAINER requires exactly one argument",
    [2],
  ],
  ["# escape=x\nFROM busybox", "invalid escape token 'x' does not match ` or \\", []],
  ["# escape=`\n# escape=`\nFROM b", "only one escape parser directive can be used", [1]],
  ["FROM b c\nENV A=b c", 'Syntax error - can\'t find = in "c". Must be of the form: name=value', [2]],
  [
    "FROM --platform=foo busybox",
    'failed to parse platform foo: "foo": unknown operating system or architecture: invalid argument',
    [],
  ],
  ["\n# nothing", "file with no instructions", [2]],
  ["FROM $X", "base name ($X) should not be blank", [1]],
  ["FROM ${X:?oh no}", "dockerfile parse error on line 1: FROM requires either one or three arguments", [1]],
  ["FROM --platform=$X busybox", "empty platform value from expression $X", [1]],
  [
    "FROM --platfrm=x busybox",
    "dockerfile parse error on line 1: unknown flag: --platfrm (did you mean platform?)",
    [1],
  ],
  ["FROM busybox\nCOPY --from=5 f /", "invalid stage index 5", []],
  ["FROM busybox\nCOPY --from=0 f /", "circular dependency detected on stage: stage-0", [2]],
  [
    "FROM busybox AS a\nCOPY --from=b f /\nFROM busybox AS b\nFROM a",
    'cannot copy from stage "b", it needs to be defined before current stage "a"',
    [2],
  ],
  [
    "FROM busybox\nCOPY --from=$x f /",
    "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
    [],
  ],
  ["FROM busybox\nADD --checksum=sha256:1 f /", "checksum requires HTTP(S) or Git sources", [2]],
  ["FROM busybox\nADD --checksum=sha256:1 http://x/f /", "invalid checksum digest length", [2]],
  ["FROM busybox\nCOPY http://x.y/z /", "source can't be a URL for COPY", [2]],
  ["FROM busybox\nCOPY https://x.y/z.git /", "source can't be a git ref for COPY", [2]],
  ["FROM busybox\nCOPY --chmod=u+z f /", "invalid syntax", [2]],
  [
    "FROM busybox\nCOPY <<EOF <<EOF2\na\nEOF\nb\nEOF2",
    "dockerfile parse error on line 2: COPY cannot accept a heredoc as a destination",
    [2, 3, 4, 5, 6],
  ],
  ["FROM busybox\nRUN --mount=type=secret,id=x,target=/a,mode=9 true", "invalid value 9 for mode", [2]],
  [
    "FROM busybox\nRUN --mount=type=tmpfs,target=/a,uid=9 true",
    'uid not allowed for "tmpfs" type mounts',
    [2],
  ],
  [
    "FROM busybox\nRUN --mount=type=cache,target=/a,required true",
    "unexpected key 'required' for mount type 'cache'",
    [2],
  ],
  [
    "FROM busybox\nRUN --mount=type=cache,target=/a,foo true",
    "invalid field 'foo' must be a key=value pair",
    [2],
  ],
  ["FROM busybox\nRUN --mount=type=cache,target=/ true", 'invalid mount target "/"', [2]],
  [
    'FROM busybox\nCOPY a "b',
    'failed to process "\\"b": unexpected end of statement while looking for matching double-quote',
    [2],
  ],
  [
    'FROM busybox\nENV A="b',
    'failed to process "\\"b": unexpected end of statement while looking for matching double-quote',
    [2],
  ],
  [
    "FROM UPPER",
    'failed to parse stage name "UPPER": invalid reference format: repository name (library/UPPER) must be lowercase',
    [1],
  ],
  ["FROM busybox:a:b", 'failed to parse stage name "busybox:a:b": invalid reference format', [1]],
  ["FROM busybox\nRUN --foo=bar true", "dockerfile parse error on line 2: unknown flag: --foo", [2]],
  [
    "ARG X\nFROM busybox\nFOO",
    "dockerfile parse error on line 3: unknown instruction: FOO (did you mean FROM?)",
    [3],
  ],
  [
    "FROM busybox AS a\nCOPY --from=b f /\nFROM busybox AS b\nCOPY --from=a f /",
    "circular dependency detected on stage: a",
    [4, 2],
  ],
];

function told(file: string): [string, number[]] {
  try {
    expandFile(`${file}\n`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const lines = error instanceof BuildError ? error.lines : [];
    const each = lines.flatMap(({ start, end }) =>
      Array.from({ length: end - start + 1 }, (_, index) => start + index),
    );
    return [error.message, each];
  }
  return ["nothing is wrong", []];
}

describe("a wrong Dockerfile", () => {
  for (const [file, sentence, lines] of wrong)
    test(JSON.stringify(file), () => {
      expect(told(file)).toEqual([sentence, lines]);
    });
});
