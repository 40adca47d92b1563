import { CheckFailed } from "../../build/calls/check-failed.ts";
import type { Builds, BuildWarning } from "../../build/contract.ts";
import { BuildError } from "../../build/failure.ts";
import { isKind, messageOf } from "../../lib/errors.ts";
import { unsupportedRequest } from "../solve/error-details.ts";
import type { Prepared } from "../solve/prepare.ts";
import { rangeOf } from "../solve/status-message.ts";

/** Questions about a Dockerfile instead of a build of it (BuildKit's frontend/subrequests): answers as clients print them. */
type Answer = Record<string, unknown>;
type Ask = (builds: Builds, prepared: Prepared) => Promise<Answer>;

const requests: Readonly<Record<string, Ask>> = {
  "frontend.outline": outline,
  "frontend.targets": targets,
  "frontend.lint": lint,
  "frontend.subrequests.describe": describe,
};

/** What clients are told there is; lint goes unsaid, as by BuildKit. */
const described: Readonly<Record<string, string>> = {
  "frontend.outline": "List all parameters current build target supports",
  "frontend.targets": "List all targets current build supports",
  "frontend.subrequests.describe": "List available subrequest types",
};

/** The metadata of the answer. Throws `unsupported request` for any other name. */
export async function askFrontend(
  name: string,
  builds: Builds,
  prepared: Prepared,
): Promise<Map<string, Uint8Array>> {
  const ask = Object.hasOwn(requests, name) ? requests[name] : undefined;
  if (!ask) throw unsupportedRequest(name);
  const found = await ask(builds, prepared);
  const answer = JSON.stringify(found, undefined, 2);
  const metadata = {
    "result.json": answer,
    "result.txt": answer,
    version: "1.0.0",
    // what the client is to exit with
    ...(name === "frontend.lint" ? { "result.statuscode": lintStatus(found) } : {}),
  };
  const bytes = new TextEncoder();
  return new Map(Object.entries(metadata).map(([key, value]) => [key, bytes.encode(value)]));
}

const lintStatus = ({ warnings, buildError }: Answer): string =>
  buildError !== undefined || (warnings as unknown[]).length > 0 ? "1" : "0";

const at = (line: number) => ({ ranges: [rangeOf({ start: line, end: line })] });
const sources = ({ dockerfile }: Prepared): string[] => [base64(dockerfile.text)];
const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");

/** Go leaves empty fields out. */
const filled = (fields: Answer): Answer =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        value !== "" &&
        value !== undefined &&
        value !== false &&
        !(Array.isArray(value) && value.length === 0),
    ),
  );

async function outline(builds: Builds, prepared: Prepared): Promise<Answer> {
  const { name, description, args, secrets, ssh } = await builds.outline(request(prepared));
  return filled({
    name,
    description,
    args: args.map(({ line, name: of, ...rest }) => ({ name: of, ...filled(rest), location: at(line) })),
    secrets: secrets.map(({ line, name: of, required }) => ({
      name: of,
      ...filled({ required }),
      location: at(line),
    })),
    ssh: ssh.map(({ line, name: of, required }) => ({
      name: of,
      ...filled({ required }),
      location: at(line),
    })),
    sources: sources(prepared),
  });
}

async function targets(builds: Builds, prepared: Prepared): Promise<Answer> {
  const found = await builds.targets(request(prepared));
  return {
    targets: found.map(({ line, ...rest }) => ({ ...filled(rest), location: at(line) })),
    sources: sources(prepared),
  };
}

async function lint(builds: Builds, prepared: Prepared): Promise<Answer> {
  const { name, text } = prepared.dockerfile;
  const answer = { sources: [{ filename: name, data: base64(text), language: "Dockerfile" }] };
  try {
    const found = await builds.check(request(prepared));
    return { warnings: found.map(warning), ...answer };
  } catch (error) {
    if (!(error instanceof BuildError) && !isKind(error, "invalid")) throw error;
    const location = { ranges: error instanceof BuildError ? error.lines.map(rangeOf) : [] };
    const found = error instanceof CheckFailed ? error.warnings.map(warning) : [];
    return { warnings: found, ...answer, buildError: { message: messageOf(error), location } };
  }
}

const warning = ({ rule, short, detail, url, lines }: BuildWarning): Answer => ({
  ruleName: rule,
  ...filled({ description: detail.join("\n"), url, detail: short }),
  location: { ranges: lines.map(rangeOf) },
});

async function describe(): Promise<Answer> {
  const told = Object.entries(described).map(([Name, Description]) => ({
    Name,
    Version: "1.0.0",
    Type: "rpc",
    Description,
  }));
  return told as unknown as Answer;
}

const request = (prepared: Prepared) => ({
  ...prepared,
  outputs: [],
  tags: [],
  annotations: new Map<string, string>(),
  cacheTo: [],
});
