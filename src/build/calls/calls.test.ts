// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile texts
import { describe, expect, test } from "bun:test";
import type { Linter } from "../check/linter.ts";
import { openLinter } from "../dockerfile/stages/plan.ts";
import { image, settings } from "../dockerfile/testing/expand-file.ts";
import { outlineOf } from "./outline.ts";
import { type Survey, survey } from "./survey.ts";
import { targetsOf } from "./targets.ts";

const asked: string[] = [];

const surveyed = (text: string, all: boolean, target?: string, linter?: Linter): Promise<Survey> =>
  survey(text, {
    settings: settings({ target, isIgnored: (path) => path === "secret.txt" }),
    all,
    ...(linter === undefined ? {} : { linter }),
    configOf: (reference) => {
      asked.push(reference);
      return Promise.resolve(image());
    },
    namedContexts: new Map(),
  });

const file = `# what it is
FROM busybox AS base
ARG V=1
RUN true
# app the second one
FROM base AS app
ARG W
RUN --mount=type=secret,id=tok,required --mount=type=ssh echo $W
FROM debian AS other
ARG Z
RUN true
`;

describe("an outline", () => {
  test("tells what a target and the stages below it take, in order", async () => {
    const outline = outlineOf(await surveyed(file, false, "app"));
    expect(outline).toEqual({
      name: "app",
      description: "the second one",
      args: [
        { name: "V", description: "", value: "1", line: 3 },
        { name: "W", description: "", value: undefined, line: 7 },
      ],
      secrets: [{ name: "tok", required: true, line: 8 }],
      ssh: [{ name: "default", required: false, line: 8 }],
    });
  });

  test("asks for no base image that the target does not need", async () => {
    asked.length = 0;
    await surveyed(file, false, "app");
    expect(asked).toEqual(["docker.io/library/busybox:latest"]);
  });

  test("holds the global arguments that FROM and other defaults use", async () => {
    const text = "ARG A=busy\nARG B=${A}box\nARG UNUSED=1\nFROM $B\nRUN true\n";
    expect(outlineOf(await surveyed(text, false)).args.map(({ name }) => name)).toEqual(["A", "B"]);
  });
});

test("targets are the stages in order, the last the default", () => {
  expect(
    targetsOf(file).map(({ name, description, default: last, line }) => [name, description, last, line]),
  ).toEqual([
    ["base", "", false, 2],
    ["app", "the second one", false, 6],
    ["other", "", true, 9],
  ]);
});

/** What a Docker Engine 28.5 warns of, all stages checked, in order of lines. */
const warned: [file: string, warnings: string[]][] = [
  [
    "FROM busybox\nMAINTAINER x\nENV a b\nWORKDIR rel",
    [
      "2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label",
      '3 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format',
      '4 WorkdirRelativePath: Relative workdir "rel" can have unexpected results if the base image changes',
    ],
  ],
  [
    "FROM busybox as A\nrun true\nRUN true\nCMD a\nCMD b",
    [
      "1 StageNameCasing: Stage name 'A' should be lowercase",
      "1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match",
      "2 ConsistentInstructionCasing: Command 'run' should match the case of the command majority (uppercase)",
      "4 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
      "4 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used",
      "5 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
    ],
  ],
  [
    "FROM busybox AS b\nFROM --platform=linux/amd64 busybox AS scratch\nFROM --platform=$TARGETPLATFORM busybox AS b",
    [
      '2 ReservedStageName: Stage name should not use the same name as reserved stage "scratch"',
      '2 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/amd64"',
      '3 DuplicateStageName: Duplicate stage name "b", stage names should be unique',
      "3 RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    ],
  ],
  [
    "ARG VER\nFROM busybox:$VERS AS a",
    [
      "2 InvalidDefaultArgInFrom: Default value for ARG busybox:$VERS results in empty or invalid base image name",
      "2 UndefinedArgInFrom: FROM argument 'VERS' is not declared (did you mean VER?)",
    ],
  ],
  [
    "FROM busybox\nRUN a \\\n\n b\nARG API_KEY\nENV MY_TOKEN=x PUBLIC_KEY=y\nENV P=$PATHH",
    [
      "4 NoEmptyContinuation: Empty continuation line",
      '5 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "API_KEY")',
      '6 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "MY_TOKEN")',
      "7 UndefinedVar: Usage of undefined variable '$PATHH' (did you mean $PATH?)",
    ],
  ],
  [
    "FROM busybox\nEXPOSE 80/TCP 127.0.0.1:1:2",
    [
      "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:1:2'",
      "2 ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase",
    ],
  ],
  [
    "# check=experimental=all\n# who\nFROM busybox AS x\nCOPY secret.txt /",
    [
      "3 InvalidDefinitionDescription: Comment for FROM should follow the format: `# x <description>`",
      '4 CopyIgnoredFile: Attempting to Copy file "secret.txt" that is excluded by .dockerignore',
    ],
  ],
  ["# check=skip=MaintainerDeprecated\nFROM busybox\nMAINTAINER x\nCOPY secret.txt /", []],
  ["# check=skip=all\nFROM busybox\nMAINTAINER x", []],
];

describe("a check", () => {
  for (const [text, warnings] of warned)
    test(JSON.stringify(text), async () => {
      const linter = openLinter(`${text}\n`, settings());
      // what is wrong besides is told elsewhere
      await surveyed(`${text}\n`, true, undefined, linter).catch(() => undefined);
      const told = linter.warnings.map(({ rule, short, lines }) => `${lines[0]?.start} ${rule}: ${short}`);
      const line = (sentence: string) => Number.parseInt(sentence, 10);
      expect(told.toSorted((one, other) => line(one) - line(other))).toEqual(warnings);
    });
});
