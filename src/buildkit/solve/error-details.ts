import { BuildError } from "../../build/failure.ts";
import { codes, GrpcError, type StatusDetail, toGrpcError } from "../grpc/status.ts";
import { rangeOf } from "./status-message.ts";

/** BuildKit's typed errors travel as JSON, each under its type's name (solver/errdefs). */
const detail = (type: string, value: unknown): StatusDetail => ({
  typeUrl: `github.com/moby/buildkit/${type}+json`,
  value: new TextEncoder().encode(JSON.stringify(value)),
});

/** What a client is told of a failed build: the sentence, and what it shows the excerpt of the Dockerfile by. */
export function buildFailure(
  error: unknown,
  dockerfile: { name: string; text: string } | undefined,
): GrpcError {
  const plain = toGrpcError(error);
  if (!(error instanceof BuildError)) return plain;
  const details = dockerfile === undefined ? [] : error.lines.map((line) => sourceDetail(dockerfile, line));
  if (error.vertex !== undefined) details.push(detail("errdefs.Vertex", { digest: error.vertex }));
  if (error.exitCode !== undefined) details.push(detail("gatewayapi.ExitMessage", { Code: error.exitCode }));
  return new GrpcError(plain.code, plain.message, details);
}

/** lines that a client shows beside a place are fewer */
const shownAround = 10;

/** What can be shown of a place, at its lines' numbers: the whole of a long file is more than trailers hold. */
const excerptOf = (text: string, { start, end }: BuildError["lines"][number]): string =>
  text
    .split("\n")
    .slice(0, end + shownAround)
    .map((line, index) => (index + 1 < start - shownAround ? "" : line))
    .join("\n");

/** An excerpt of its own for each place. */
const sourceDetail = (
  { name, text }: { name: string; text: string },
  line: BuildError["lines"][number],
): StatusDetail =>
  detail("errdefs.Source", {
    info: {
      filename: name,
      data: Buffer.from(excerptOf(text, line), "utf8").toString("base64"),
      language: "Dockerfile",
    },
    ranges: [rangeOf(line)],
  });

/** A step was asked for by a name that is not served. */
export const unsupportedRequest = (name: string): GrpcError =>
  new GrpcError(codes.unknown, `unsupported request ${name}`, [detail("errdefs.Subrequest", { name })]);
