import { ApiError } from "./errors.ts";
import { concat, type HttpResponse } from "./http.ts";

export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const [whole = new Uint8Array(0)] = chunks.length > 1 ? [concat(chunks)] : chunks;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole);
}

/** What an engine says of a request it refused. */
export async function toApiError(response: HttpResponse): Promise<ApiError> {
  const text = await readText(response.body);
  const { message, detail } = partsOf(text, response.headers["content-type"] ?? "");
  return new ApiError(response.status, message || `request returned ${response.status}`, detail);
}

function partsOf(text: string, contentType: string): { message: string; detail: string } {
  if (!contentType.startsWith("application/json")) return { message: text.trim(), detail: "" };
  try {
    const { message, detail } = JSON.parse(text) as { message?: unknown; detail?: unknown };
    return {
      message: typeof message === "string" ? message.trim() : "",
      detail: typeof detail === "string" ? detail : "",
    };
  } catch {
    return { message: text.trim(), detail: "" }; // not JSON after all: its text is all there is to tell
  }
}
