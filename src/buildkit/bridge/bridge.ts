import type { Decoded, Encodable } from "../../lib/protobuf/schema.ts";
import { type CallContext, type Method, unary } from "../grpc/method.ts";
import { codes, GrpcError } from "../grpc/status.ts";
import {
  bridgeSolveRequest,
  bridgeSolveResponse,
  evaluateRequest,
  inputsResponse,
  pingRequest,
  pongResponse,
  readFileRequest,
  readFileResponse,
  returnRequest,
  statFileRequest,
  statFileResponse,
  warnRequest,
} from "../messages/bridge.ts";
import { empty } from "../messages/control.ts";
import type { Parts } from "../solve/parts.ts";
import { resultDefinition, resultOf } from "../solve/results.ts";
import { dockerfileFrontend, type Solve } from "../solve/solve.ts";
import type { Solves } from "../solve/solves.ts";
import { webSourceOf } from "../solve/web-file.ts";
import { bridgeCapabilities, buildCapabilities } from "./capabilities.ts";
import { askFrontend } from "./requests.ts";

/** metadata that names the build a call belongs to */
const buildKey = "buildkit-controlapi-buildid";
const service = "/moby.buildkit.v1.frontend.LLBBridge";

/** The bridge: what a client asks of a build while its Solve call is open. */
export function bridgeMethods(parts: Parts, solves: Solves): [string, Method][] {
  const solveOf = ({ metadata, signal }: CallContext): Promise<Solve> => {
    const id = metadata.get(buildKey)?.[0];
    if (!id) throw new GrpcError(codes.invalidArgument, `metadata ${buildKey} is missing`);
    return solves.wait(id, signal);
  };
  return [
    [
      `${service}/Ping`,
      unary(pingRequest, pongResponse, async (_request, context) => {
        await solveOf(context);
        return { frontendCaps: bridgeCapabilities, llbCaps: buildCapabilities };
      }),
    ],
    [
      `${service}/Solve`,
      unary(bridgeSolveRequest, bridgeSolveResponse, async (request, context) =>
        solve(parts, solves, await solveOf(context), request),
      ),
    ],
    [
      `${service}/Evaluate`,
      unary(evaluateRequest, empty, async ({ ref }, context) => {
        const solving = await solveOf(context);
        await solving.evaluate(ref).catch((error) => Promise.reject(solving.failure(error)));
        return {};
      }),
    ],
    [
      `${service}/Return`,
      unary(returnRequest, empty, async (request, context) => {
        settle(await solveOf(context), request);
        return {};
      }),
    ],
    [
      `${service}/Inputs`,
      unary(empty, inputsResponse, async (_request, context) => ({
        definitions: (await solveOf(context)).request.frontendInputs,
      })),
    ],
    [
      `${service}/StatFile`,
      unary(statFileRequest, statFileResponse, async ({ ref, path }, context) => {
        const { filename, bytes } = (await solveOf(context)).file(ref, path);
        return { stat: { path: new TextEncoder().encode(filename), mode: 0o644, size: bytes.length } };
      }),
    ],
    [
      `${service}/ReadFile`,
      unary(readFileRequest, readFileResponse, async ({ ref, path, range }, context) => {
        const { bytes } = (await solveOf(context)).file(ref, path);
        const from = Number(range?.offset ?? 0);
        return { data: range ? bytes.subarray(from, from + Number(range.length)) : bytes };
      }),
    ],
    [`${service}/Warn`, unary(warnRequest, empty, async () => ({}))],
  ];
}

async function solve(
  parts: Parts,
  solves: Solves,
  solving: Solve,
  { frontend, frontendOpt, frontendInputs, definition, evaluate }: Decoded<typeof bridgeSolveRequest>,
): Promise<Encodable<typeof bridgeSolveResponse>> {
  if (frontend === "") {
    const known = definition && resultOf(definition);
    if (known) return { result: { ref: { id: known.reference, def: definition } } };
    const source = definition && webSourceOf(definition);
    if (source) return { result: { ref: { id: await solving.fetchFile(source), def: definition } } };
    throw new GrpcError(codes.unimplemented, "builds of bare LLB definitions are not supported by berth");
  }
  const attributes = dockerfileFrontend(frontend, frontendOpt);
  const question = attributes.get("requestid");
  if (question !== undefined) {
    const prepared = await solving.prepare(attributes, new Map());
    const metadata = await askFrontend(question, parts.builds, prepared).catch((error) =>
      Promise.reject(solving.failure(error)),
    );
    return { result: { metadata, ref: {} } };
  }
  const reference = await solving.plan(attributes, await inputImages(solving, solves, frontendInputs));
  if (evaluate) await solving.evaluate(reference).catch((error) => Promise.reject(solving.failure(error)));
  return { result: { ref: { id: reference, def: resultDefinition(solving.request.ref, reference) } } };
}

/** Results of other builds that this one starts from, as names of images. */
async function inputImages(
  solving: Solve,
  solves: Solves,
  inputs: Decoded<typeof bridgeSolveRequest>["frontendInputs"],
): Promise<Map<string, string>> {
  const images = new Map<string, string>();
  for (const [name, definition] of inputs) {
    const result = resultOf(definition);
    const other = result && solves.get(result.build);
    if (!other) throw new GrpcError(codes.unimplemented, `input ${name} is not a result of this engine`);
    images.set(name, await solving.borrow(other, result.reference));
  }
  return images;
}

function settle(solving: Solve, { result, error }: Decoded<typeof returnRequest>): void {
  if (error && error.code !== codes.ok) {
    solving.settle({ error: new GrpcError(error.code, error.message, error.details) });
    return;
  }
  const refs = result?.refs ? [...result.refs.refs.values()] : [];
  solving.settle({ reference: result?.ref?.id ?? refs[0]?.id ?? "" });
}
