import { bytes, int32, listOf, mapOf, message, string } from "../../lib/protobuf/schema.ts";

/** `pb`, of BuildKit's solver/pb/ops.proto: what control and bridge messages share. */
export const platform = message({ architecture: [1, string], os: [2, string], variant: [3, string] });
const position = message({ line: [1, int32], character: [2, int32] });
export const range = message({ start: [1, position], end: [2, position] });
export const sourceInfo = message({ filename: [1, string], data: [2, bytes], language: [4, string] });
/** A graph: messages of `op`, each an edge's end by its digest. Results of ours name themselves by it alone. */
const opMetadata = message({ description: [2, mapOf(string)] });
export const definition = message({ def: [1, listOf(bytes)], metadata: [2, mapOf(opMetadata)] });
const sourceOp = message({ identifier: [1, string], attrs: [2, mapOf(string)] });
const input = message({ digest: [1, string] });
export const op = message({ inputs: [1, listOf(input)], source: [3, sourceOp] });
